/**
 * `npm run sip:pack`: runs every scenario of infra/sipp/scenarios.yaml and writes how it went into docs/sip-scenarios.md;
 * `npm run sip:pack -- S4 S9` runs some of them anew, `-- --page` none.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ensureBuilt, ensureInstalled, root, runToEnd, say } from './prepare.mjs';
import { ensurePeers } from './test-peers.mjs';

const resultsFile = join(root, 'infra', 'sipp', 'results.json');
const pageFile = join(root, 'docs', 'sip-scenarios.md');

export const readScenarios = () => parse(readFileSync(join(root, 'infra', 'sipp', 'scenarios.yaml'), 'utf8'));
export const readResults = () => JSON.parse(readFileSync(resultsFile, 'utf8'));
export const readPage = () => readFileSync(pageFile, 'utf8');

/**
 * What came of each scenario over each transport, from jest's report: a test belongs to the scenarios whose ids its title
 * begins with, and to the transport that its whole name says it goes over (UDP if none). One that did not run has not passed.
 */
export function outcomesOf(scenarios, report) {
  const tests = report.testResults.flatMap((suite) => suite.assertionResults);
  return Object.fromEntries(
    scenarios.map(({ id, over }) => [
      id,
      Object.fromEntries(
        over.map((transport) => {
          const own = tests.filter(
            ({ title, fullName, status }) =>
              status !== 'pending' &&
              title.match(/\bS\d+\b/g)?.includes(id) &&
              (/over (udp|tcp)\b/.exec(fullName)?.[1] ?? 'udp') === transport,
          );
          if (own.length === 0) return [transport, 'not run'];
          return [transport, own.every(({ status }) => status === 'passed') ? 'pass' : 'FAIL'];
        }),
      ),
    ]),
  );
}

/** The page: the declarations, and beside each what the stored results say. */
export function packPage(scenarios, { commit, date, sipp, outcomes }) {
  const cells = scenarios.flatMap(({ id, over }) => over.map((transport) => outcomes[id]?.[transport] ?? 'not run'));
  const passed = cells.filter((one) => one === 'pass').length;
  const cell = ({ id, over, knownFailure }, transport) => {
    if (!over.includes(transport)) return '–';
    const outcome = outcomes[id]?.[transport] ?? 'not run';
    return outcome === 'FAIL' && knownFailure !== undefined ? `known failure: ${knownFailure}` : outcome;
  };
  const rows = scenarios.map((one) => {
    const files = one.files.map((name) => `[${name.slice(0, -4)}](../infra/sipp/${name})`).join(' ');
    return `| ${one.id} | ${files} | ${one.clause} | ${one.expected} | ${cell(one, 'udp')} | ${cell(one, 'tcp')} | ${one.test.replace('test/', '')} |`;
  });
  return `# SIPp scenarios

Calls as carriers, gateways, PBXs and phones make them, well and badly, played by SIPp against the user agent and its embedded endpoint,
or against the whole agent (\`e2e\`), on loopback. The list is \`infra/sipp/scenarios.yaml\`; this page is written from it and from the last
run by \`npm run sip:pack\`, and a test holds it. A dash: that scenario is about the other transport, or SIPp cannot play it there.

${scenarios.length} scenarios, ${cells.length} with their transports: **${passed} of ${cells.length} pass** (${date}, commit ${commit}, SIPp ${sipp}).

| id | scenario | clause | expected | UDP | TCP | test |
|---|---|---|---|---|---|---|
${rows.join('\n')}
`;
}

async function runPack(scenarios) {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-pack-'));
  const reportFile = join(folder, 'report.json');
  const files = [...new Set(scenarios.map(({ test }) => test))];
  try {
    await runToEnd(
      process.execPath,
      [
        '--experimental-vm-modules',
        join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
        '--runInBand',
        '--forceExit',
        '--json',
        `--outputFile=${reportFile}`,
        `--testNamePattern=\\b(${scenarios.map(({ id }) => id).join('|')})\\b`,
        ...files,
      ],
      { stdio: ['ignore', 'ignore', 2] },
    );
    return JSON.parse(readFileSync(reportFile, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const versionOf = () => {
  try {
    return /v([0-9.]+)/.exec(execFileSync('sipp', ['-v'], { encoding: 'utf8' }))?.[1];
  } catch (error) {
    // sipp -v ends with 99.
    return /v([0-9.]+)/.exec(String(error.stdout ?? ''))?.[1];
  }
};

if (process.argv[1]?.endsWith('sip-pack.mjs')) {
  const scenarios = readScenarios();
  const named = process.argv.slice(2).filter((word) => word !== '--page');
  const wanted = scenarios.filter(({ id }) => named.length === 0 || named.includes(id));
  if (!process.argv.includes('--page')) {
    await ensureInstalled();
    for (const line of await ensurePeers(say)) say(line);
    await ensureBuilt();
    const before = named.length > 0 ? readResults().outcomes : {};
    const outcomes = { ...before, ...outcomesOf(wanted, await runPack(wanted)) };
    const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
    const date = new Date().toISOString().slice(0, 10);
    writeFileSync(resultsFile, `${JSON.stringify({ commit, date, sipp: versionOf(), outcomes }, null, 2)}\n`);
  }
  if (!existsSync(resultsFile)) throw new Error('No results yet: run it without --page.');
  writeFileSync(pageFile, packPage(scenarios, readResults()));
  const open = scenarios.flatMap(({ id, over, knownFailure }) =>
    over.flatMap((transport) => {
      const outcome = readResults().outcomes[id]?.[transport];
      return outcome === 'pass' || (outcome === 'FAIL' && knownFailure !== undefined)
        ? []
        : [`${id} over ${transport}: ${outcome ?? 'not run'}`];
    }),
  );
  for (const line of open) say(line);
  console.log(open.length === 0 ? `${scenarios.length} scenarios, as expected` : `${open.length} not as expected`);
  process.exitCode = open.length === 0 ? 0 : 1;
}
