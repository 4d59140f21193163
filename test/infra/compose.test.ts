/** The compose file: by the specification and by a linter, with secrets that prepare.sh makes and that agent and coturn take. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { type Config, loadConfig, portBounds } from '../../src/config';
import { turnServerInstalled } from '../support/turn-server';
import { infra, pythonCheck, pythonChecks, run, tool } from './tools';

const folder = join(infra, 'compose');
const file = join(folder, 'compose.yaml');
const lint = tool('compose-lint', 'linting of the compose file');
const withPython = pythonChecks('the compose file against its specification') ? it : it.skip;

interface Service {
  readonly network_mode?: string;
  readonly ports?: readonly string[];
  readonly stop_grace_period?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly command?: readonly string[];
  readonly read_only?: boolean;
  readonly ulimits?: Readonly<Record<string, number>>;
}
const written = parse(readFileSync(file, 'utf8'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
};

describe('the compose file', () => {
  let made: string;
  beforeAll(() => {
    made = mkdtempSync(join(tmpdir(), 'compose-'));
    expect(prepare('203.0.113.21')).toMatchObject({ status: 0 });
  });
  afterAll(() => {
    rmSync(made, { recursive: true });
  });

  function prepare(address: string) {
    return run('sh', [join(folder, 'prepare.sh'), address, join(made, 'secrets')]);
  }
  const secretFile = (name: string): string => join(made, written.secrets[name]?.file ?? '');

  /** What the agent of the compose file sees. */
  function agentConfig(): Config {
    const fromFile = readFileSync(join(made, 'secrets/agent.env'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => /^([A-Z_]+)=(.*)$/.exec(line)!.slice(1, 3) as [string, string])
      .map(([name, value]) => [name, value.replace(/^'(.*)'$/, '$1')]);
    const environment = Object.entries(written.services['agent']?.environment ?? {}).map(([name, value]) => [
      name,
      value.startsWith('/run/secrets/') ? secretFile(value.slice('/run/secrets/'.length)) : value,
    ]);
    return loadConfig({ folder: made, environment: Object.fromEntries([...fromFile, ...environment]) });
  }

  withPython('keeps to the specification', () => {
    expect(pythonCheck('compose', file)).toMatchObject({ services: Object.keys(written.services) });
  });

  (lint === undefined ? it.skip : it)('passes compose-lint but for what .compose-lint.yml gives a reason for', () => {
    expect(run(lint ?? '', ['--fail-on', 'low', file])).toMatchObject({ status: 0 });
  });

  it('has secrets that prepare.sh makes, in a folder for the owner alone, and makes no second time', () => {
    for (const name of Object.keys(written.secrets)) expect([name, existsSync(secretFile(name))]).toEqual([name, true]);
    expect(statSync(join(made, 'secrets')).mode & 0o077).toBe(0);
    const before = readFileSync(secretFile('postgres_password'), 'utf8');
    expect(before).toMatch(/^[0-9a-f]{64}$/);
    expect(prepare('203.0.113.22')).toEqual({ status: 0, output: '' });
    expect(readFileSync(secretFile('postgres_password'), 'utf8')).toBe(before);
    expect(prepare('agent.example.com; rm')).toMatchObject({ status: 2 });
  });

  it('gives the agent an environment that its configuration takes', () => {
    const { sip, webrtc, http, database } = agentConfig();
    expect(sip).toMatchObject({ advertised: '203.0.113.21', trunks: [] });
    expect(webrtc.advertised).toEqual(['203.0.113.21']);
    expect(webrtc.iceServers).toMatchObject([{ urls: 'turn:203.0.113.21:3478?transport=udp' }]);
    expect(database.url).toContain(readFileSync(secretFile('postgres_password'), 'utf8'));
    // What is not on loopback is open to the network: nothing but SIP and media is.
    expect(http.host).toBe('127.0.0.1');
  });

  it('gives coturn the secret of the agent, and ports that the agent does not use', () => {
    const turn = readFileSync(secretFile('turnserver'), 'utf8');
    const value = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(turn)?.[1] ?? '';
    const { webrtc, rtp } = agentConfig();
    expect(webrtc.iceServers[0]).toMatchObject({ secret: value('static-auth-secret') });
    const relayed = [Number(value('min-port')), Number(value('max-port'))] as const;
    for (const range of [rtp.ports, webrtc.ports]) {
      const [from, to] = portBounds(range);
      expect(relayed[1] < from || relayed[0] > to).toBe(true);
    }
  });

  (turnServerInstalled() ? it : it.skip)('gives coturn a configuration that it starts with', async () => {
    const own = [
      '--listening-ip=127.0.0.1',
      '--relay-ip=127.0.0.1',
      '--listening-port=0',
      `--pidfile=${join(made, 'pid')}`,
    ];
    const coturn = spawn('turnserver', ['-c', secretFile('turnserver'), ...own], { cwd: made });
    let said = '';
    try {
      await new Promise<void>((done, failed) => {
        for (const stream of [coturn.stdout, coturn.stderr]) {
          stream.on('data', (chunk: Buffer) => {
            said += chunk.toString();
            if (said.includes('turn server id=0 created')) done();
          });
        }
        coturn.once('close', () => failed(new Error(`coturn ended: ${said}`)));
      });
    } finally {
      coturn.kill('SIGKILL');
    }
    expect(said).not.toMatch(/bad configuration|unknown|cannot read/i);
    expect(said).toContain('Default realm: trunkline');
  });

  it('waits for live calls longer than they may go on', () => {
    const grace = Number(/^(\d+)s$/.exec(written.services['agent']?.stop_grace_period ?? '')?.[1]);
    expect(grace).toBeGreaterThan(agentConfig().drain.seconds + 10);
  });

  it('opens nothing to the network but what calls need', () => {
    for (const [name, { network_mode, ports = [], command = [], environment = {} }] of Object.entries(
      written.services,
    )) {
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
      if (network_mode !== 'host' || name === 'agent' || name === 'turn') continue;
      expect([...command, ...Object.values(environment)].join(' ')).toContain('127.0.0.1');
    }
  });

  it('mounts what is there, and everything read-only but data', () => {
    for (const [name, { volumes = [], read_only }] of Object.entries(written.services)) {
      expect([name, read_only]).toEqual([name, true]);
      const mounted = volumes.filter((volume) => volume.startsWith('.')).map((volume) => volume.split(':'));
      for (const [from = '', , mode] of mounted) {
        expect([from, existsSync(resolve(folder, from))]).toEqual([from, true]);
        expect(mode).toBe('ro');
      }
    }
  });

  it('has a script that a plain shell reads', () => {
    expect(spawnSync('sh', ['-n', join(folder, 'prepare.sh')]).status).toBe(0);
  });
});
