/** The list of SIPp scenarios is whole, and its page is what `npm run sip:pack` writes. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const root = join(__dirname, '../..');

interface Scenario {
  readonly id: string;
  readonly files: readonly string[];
  readonly over: readonly ('udp' | 'tcp')[];
  readonly clause: string;
  readonly expected: string;
  readonly test: string;
  readonly knownFailure?: string;
}

const scenarios: readonly Scenario[] = parse(readFileSync(join(root, 'infra/sipp/scenarios.yaml'), 'utf8'));

/** Runs a line of JavaScript with the script's exports at hand: jest does not load its modules. */
const fromScript = (expression: string): string =>
  execFileSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import * as pack from './scripts/sip-pack.mjs'; process.stdout.write(${expression});`,
    ],
    { cwd: root, encoding: 'utf8', maxBuffer: 8_000_000 },
  );

describe('the scenario pack', () => {
  it('has at least sixty scenarios, each with an id of its own', () => {
    expect(scenarios.length).toBeGreaterThanOrEqual(60);
    expect(new Set(scenarios.map(({ id }) => id)).size).toBe(scenarios.length);
  });

  it.each(scenarios)('$id says what it is and stands in its test', ({ id, files, over, clause, expected, test }) => {
    const there = readdirSync(join(root, 'infra/sipp'));
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((name) => !there.includes(name))).toEqual([]);
    expect(over.length).toBeGreaterThan(0);
    expect(clause).not.toBe('');
    expect(expected).not.toBe('');
    expect(readFileSync(join(root, test), 'utf8')).toMatch(new RegExp(`['"\`].*\\b${id}\\b`));
  });

  it('knows every scenario that there is', () => {
    const listed = new Set(scenarios.flatMap(({ files }) => files));
    // Load, and a question for the first call: neither is about a clause.
    const others = ['bench-setup.xml', 'load-proxied.xml', 'uac-question.xml'];
    const all = readdirSync(join(root, 'infra/sipp')).filter((name) => name.endsWith('.xml'));
    expect(all.filter((name) => !listed.has(name) && !others.includes(name))).toEqual([]);
  });

  it('has the page that its command writes, with a result for each', () => {
    const page = readFileSync(join(root, 'docs/sip-scenarios.md'), 'utf8');
    expect(page).toBe(fromScript('pack.packPage(pack.readScenarios(), pack.readResults())'));
    expect(page).not.toContain('not run');
    expect(page).not.toContain('FAIL');
  });

  it('counts a scenario as passed only where all of its tests ran and passed', () => {
    const test = (title: string, fullName: string, status: string) => ({ title, fullName, status });
    const report = {
      testResults: [
        {
          assertionResults: [
            test('S1 one', 'over udp S1 one', 'passed'),
            test('S1 two', 'over udp S1 two', 'failed'),
            test('S1 one', 'over tcp S1 one', 'passed'),
            test('S2 and S3 both', 'x S2 and S3 both', 'passed'),
            test('S4', 'over tcp S4', 'pending'),
          ],
        },
      ],
    };
    const list = [
      { id: 'S1', over: ['udp', 'tcp'] },
      { id: 'S3', over: ['udp'] },
      { id: 'S4', over: ['tcp'] },
    ];
    const outcomes = fromScript(`JSON.stringify(pack.outcomesOf(${JSON.stringify(list)}, ${JSON.stringify(report)}))`);
    expect(JSON.parse(outcomes)).toEqual({
      S1: { udp: 'FAIL', tcp: 'pass' },
      S3: { udp: 'pass' },
      S4: { tcp: 'not run' },
    });
  });
});
