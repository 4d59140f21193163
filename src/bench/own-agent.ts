/** An agent of one's own to measure: the real program in a process of its own, on free ports, with an empty data folder. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrunklineError } from '../core/errors';

const READY_WITHIN_MS = 120_000;

export interface OwnAgent {
  readonly pid: number;
  readonly sipPort: number;
  readonly httpUrl: string;
  readonly token: string;
  /** Its data folder: records, recordings. */
  readonly dataFolder: string;
  /** From starting the process to `ready in …`, as seen from outside. */
  readonly startedInMs: number;
  /** Resolves when personas are read and greetings spoken: until then the engine has work beside the calls. */
  prepared(): Promise<void>;
  /** Both of its streams so far. */
  output(): string;
  request(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown>;
  /** Resident memory of the agent and of its model process. */
  residentBytes(): number;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

export interface OwnAgentOptions {
  /** The folder with bin/ and models/. */
  readonly root: string;
  /** Keys of trunkline.yaml, over those that make it an agent of one's own. */
  readonly config?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export async function startOwnAgent(options: OwnAgentOptions): Promise<OwnAgent> {
  const data = mkdtempSync(join(tmpdir(), 'trunkline-own-'));
  const [sipPort, httpPort] = [await freeUdpPort(), await freeTcpPort()];
  const given = options.config ?? {};
  const config = {
    ...given,
    sip: { host: '127.0.0.1', port: sipPort, transports: ['udp'], ...given['sip'] },
    http: { port: httpPort, ...given['http'] },
    rtp: { ports: '21000-21999', ...given['rtp'] },
    webrtc: { ports: '31000-31999', ...given['webrtc'] },
    limits: { callsPerSourcePerSecond: 100, ...given['limits'] },
    drain: { seconds: 5 },
    data,
  };
  const configPath = join(data, 'trunkline.yaml');
  // JSON is YAML.
  writeFileSync(configPath, JSON.stringify(config));
  const startedMs = performance.now();
  const child = spawn(process.execPath, ['bin/trunkline.mjs', 'up', '--config', configPath], {
    cwd: options.root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const collect = (chunk: Buffer) => {
    output += chunk.toString();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  try {
    await untilSaid(child, () => output, /ready in \d+ ms/);
  } catch (error) {
    child.kill('SIGKILL');
    rmSync(data, { recursive: true, force: true });
    throw error;
  }
  const startedInMs = performance.now() - startedMs;
  const token = readFileSync(join(data, 'token'), 'utf8').trim();
  const httpUrl = `http://127.0.0.1:${httpPort}`;
  return {
    pid: child.pid ?? 0,
    sipPort,
    httpUrl,
    token,
    dataFolder: data,
    startedInMs,
    prepared: () => untilSaid(child, () => output, /greetings are prepared/),
    output: () => output,
    async request(method, path, body) {
      const response = await fetch(`${httpUrl}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      const text = await response.text();
      return text === '' ? undefined : JSON.parse(text);
    },
    residentBytes: () => residentBytesOf(child.pid ?? 0),
    stop: () =>
      new Promise((resolve) => {
        const finish = (code: number | null) => {
          rmSync(data, { recursive: true, force: true });
          resolve(code);
        };
        if (child.exitCode !== null) finish(child.exitCode);
        else {
          child.once('exit', finish);
          child.kill('SIGTERM');
        }
      }),
  };
}

function untilSaid(child: ChildProcess, output: () => string, line: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (what: string) => () =>
      settle(() =>
        reject(
          new TrunklineError('bench.agent-not-ready', `The agent ${what}:\n${output()}`, {
            fix: 'Start it by hand with `npm start` and look at what it says.',
          }),
        ),
      );
    const ended = fail('ended');
    const timer = setTimeout(fail('was not ready in time'), READY_WITHIN_MS);
    const check = setInterval(() => {
      if (line.test(output())) settle(resolve);
    }, 20);
    const settle = (done: () => void) => {
      clearTimeout(timer);
      clearInterval(check);
      child.off('exit', ended);
      done();
    };
    child.once('exit', ended);
  });
}

/** The process and its children, from Linux' proc; NaN elsewhere. */
function residentBytesOf(pid: number): number {
  try {
    const listing = execFileSync('ps', ['-e', '-o', 'pid=,ppid=,rss='], { encoding: 'utf8' });
    const rows = listing.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
    return rows.reduce((sum, [own, parent, kib = 0]) => (own === pid || parent === pid ? sum + kib * 1_024 : sum), 0);
  } catch {
    return Number.NaN;
  }
}

export function freeTcpPort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

export function freeUdpPort(): Promise<number> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1', () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}
