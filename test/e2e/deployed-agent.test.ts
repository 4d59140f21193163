/** An agent with nothing but what the container holds: starts, is healthy, counts what alerts and dashboard ask for, drains at SIGTERM. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { type OwnAgent, startOwnAgent } from '../../src/bench/own-agent';
import { metricNames } from '../infra/metric-names';

const root = resolve(__dirname, '../..');

/** What the last stage of the container file copies: from where in the tree, to where in /app. */
function copied(): { readonly from: string; readonly to: string }[] {
  const text = readFileSync(join(root, 'infra/container/Dockerfile'), 'utf8');
  return text
    .slice(text.lastIndexOf('\nFROM '))
    .split('\n')
    .filter((line) => line.startsWith('COPY '))
    .flatMap((line) => {
      const paths = line
        .replace(/--from=\S+/, '')
        .split(/\s+/)
        .slice(1);
      const to = paths.at(-1)!;
      // The build stage's /app is this tree after the build.
      return paths.slice(0, -1).map((path) => {
        const from = path.replace(/^\/app\//, '');
        return { from, to: to.endsWith('/') ? join(to, from) : to };
      });
    });
}

/** The names of a row of a table, those that are written as `_ending` in full. */
function shortened(row: string): string[] {
  const names = [...row.matchAll(/`(_?[a-z]+(?:_[a-z]+)*)/g)].map(([, name]) => name ?? '');
  const stem = names[0]?.replace(/_[a-z]+$/, '') ?? '';
  return names.map((name) => (name.startsWith('_') ? `${stem}${name}` : name));
}

describe('an agent as the container has it', () => {
  let folder: string;
  let agent: OwnAgent;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline-app-'));
    for (const { from, to } of copied()) {
      const target = join(folder, to);
      mkdirSync(dirname(target), { recursive: true });
      // Hundreds of megabytes that nothing changes are only pointed at.
      if (from === 'node_modules' || from === 'models') symlinkSync(join(root, from), target);
      else cpSync(join(root, from), target, { recursive: true });
    }
    agent = await startOwnAgent({ root: folder });
  }, 180_000);

  afterAll(async () => {
    await agent?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is healthy by the health check of the container, which fails where nobody is', () => {
    const check = (url: string): number | null =>
      spawnSync(process.execPath, ['infra/container/healthcheck.mjs'], {
        cwd: folder,
        env: { ...process.env, HEALTH_URL: url },
      }).status;
    expect(check(`${agent.httpUrl}/healthz`)).toBe(0);
    expect(check(`${agent.httpUrl}/nowhere`)).toBe(1);
    expect(check('http://127.0.0.1:1/healthz')).toBe(1);
  });

  it('counts everything that alerts and dashboard ask for', async () => {
    const text = await (await fetch(`${agent.httpUrl}/metrics`)).text();
    const kept = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? ''));
    const isKept = (name: string): boolean => kept.has(name) || kept.has(name.replace(/_(bucket|count|sum)$/, ''));
    expect(metricNames.length).toBeGreaterThan(30);
    expect(metricNames.filter((name) => !isKept(name))).toEqual([]);
  });

  it('counts nothing that docs/operations.md does not tell of', async () => {
    const text = await (await fetch(`${agent.httpUrl}/metrics`)).text();
    const told = readFileSync(join(root, 'docs/operations.md'), 'utf8');
    const names = [...text.matchAll(/^# TYPE (trunkline_\S+)/gm)].map(([, name]) => name ?? '');
    // `_dropped` after a name of the same row stands for the same beginning.
    const isTold = (name: string): boolean =>
      told.includes(`\`${name}`) || told.split('\n').some((row) => shortened(row).includes(name));
    expect(names.filter((name) => !isTold(name))).toEqual([]);
  });

  it('drains at SIGTERM and ends without a fault', async () => {
    expect(await agent.stop()).toBe(0);
  });
});
