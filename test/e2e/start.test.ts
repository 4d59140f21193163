/** `npm start` as a person meets it: the block it prints, how it ends, and one clear line when it cannot start. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '../..');
const models = join(root, 'models');

interface Run {
  readonly child: ChildProcess;
  out(): string;
  err(): string;
  readonly ended: Promise<number | null>;
}

async function start(config: Readonly<Record<string, unknown>>, command = 'npm'): Promise<Run> {
  const data = mkdtempSync(join(tmpdir(), 'trunkline-start-'));
  const file = join(data, 'trunkline.yaml');
  const defaults = {
    sip: { host: '127.0.0.1', port: await freePort(), transports: ['udp'] },
    http: { port: await freePort() },
    rtp: { ports: '23000-23999' },
    webrtc: { ports: '33000-33999' },
    data: join(data, 'var'),
  };
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ ...defaults, ...config }));
  const words = command === 'npm' ? ['start', '--', '--config', file] : ['bin/trunkline.mjs', 'up', '--config', file];
  const child = spawn(command === 'npm' ? 'npm' : process.execPath, words, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, out: () => out, err: () => err, ended };
}

/** What failed, in the agent's own line; log lines are JSON and are left out. */
async function refusal(config: Readonly<Record<string, unknown>>): Promise<{ code: number | null; lines: string[] }> {
  const run = await start(config, 'node');
  const code = await run.ended;
  const lines = run
    .err()
    .split('\n')
    .filter((line) => line.startsWith('trunkline: '));
  expect(run.out()).not.toContain('ready in');
  return { code, lines };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

async function untilPrinted(run: Run, marker: string): Promise<void> {
  while (!run.out().includes(marker)) {
    if (run.child.exitCode !== null) throw new Error(`it ended: ${run.err()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('npm start', () => {
  it('prints where it can be reached, never the token, and ends cleanly on SIGTERM', async () => {
    const run = await start({});
    await untilPrinted(run, 'ready in');
    expect(run.out()).toMatch(/Trunkline \d+\.\d+\.\d+, engine omni/);
    expect(run.out()).toMatch(/sip:demo@127\.0\.0\.1:\d+/);
    const [, url] = /(http:\/\/localhost:\d+)\//.exec(run.out()) ?? [];
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    const [, path = ''] = /API token in (\S+)/.exec(run.out()) ?? [];
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(run.out() + run.err()).not.toMatch(/tl_[A-Za-z0-9_-]{20}/);
    // To npm alone: the agent is its child and must get it.
    run.child.kill('SIGTERM');
    await run.ended;
    expect(run.err()).toMatch(/draining/);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  }, 120_000);
});

describe('a start that cannot be', () => {
  it('says that the SIP port is taken', async () => {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const { code, lines } = await refusal({
      sip: { host: '127.0.0.1', port: socket.address().port, transports: ['udp'] },
    });
    socket.close();
    expect(code).toBe(2);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/ Fix: .*\[sip\./);
  }, 60_000);

  it('says that the HTTP port is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const { code, lines } = await refusal({ http: { port: typeof address === 'object' ? address?.port : 0 } });
    server.close();
    expect(code).toBe(2);
    expect(lines).toEqual([expect.stringMatching(/port .* is taken.* Fix: .*\[http\.port-taken\]/)]);
  }, 60_000);

  it('says which line of the dialplan is wrong', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-plan-'));
    writeFileSync(join(folder, 'a.yaml'), 'routes:\n  - action: { type: ecko }\n');
    const { code, lines } = await refusal({ dialplans: folder });
    expect(code).toBe(2);
    expect(lines).toEqual([
      expect.stringMatching(/a\.yaml:2: routes\[0\]\.action\.type: Expected .*\[dialplan\.invalid\]/),
    ]);
  }, 60_000);

  it.each(['missing', 'cut short', 'changed in one byte'])(
    'says that a weight file is %s',
    async (what) => {
      const spoiled = 'g2p-en';
      const own = mkdtempSync(join(tmpdir(), 'trunkline-models-'));
      for (const name of readdirSync(models)) if (name !== spoiled) symlinkSync(join(models, name), join(own, name));
      cpSync(join(models, spoiled), join(own, spoiled), { recursive: true });
      const weights = readdirSync(join(own, spoiled)).find((name) => name.endsWith('.onnx')) ?? '';
      if (what === 'missing') rmSync(join(own, spoiled, weights));
      else if (what === 'cut short') truncateSync(join(own, spoiled, weights), 1000);
      else {
        const bytes = readFileSync(join(own, spoiled, weights));
        bytes[bytes.length >> 1]! ^= 1;
        writeFileSync(join(own, spoiled, weights), bytes);
      }
      const { code, lines } = await refusal({ engine: { models: own } });
      expect(code).toBe(2);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain(weights);
      expect(lines[0]).toMatch(/ Fix: .*\[models\.(missing|corrupt)-file\]/);
    },
    90_000,
  );

  it('says that a key of the configuration is unknown', async () => {
    const { code, lines } = await refusal({ drain: { second: 1 } });
    expect(code).toBe(2);
    expect(lines).toEqual([expect.stringMatching(/drain\.second: Unknown key\. Did you mean "seconds"\?/)]);
  }, 60_000);
});
