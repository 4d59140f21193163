/** A whole agent in a process of its own, on free ports and an empty data folder, as `npm start` starts it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');
const READY_WITHIN_MS = 90_000;

export interface TestAgent {
  readonly sipPort: number;
  readonly httpUrl: string;
  readonly token: string;
  readonly pid: number;
  /** What it wrote so far, both streams. */
  output(): string;
  get(path: string): Promise<unknown>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

export async function startTestAgent(environment: Readonly<Record<string, string>> = {}): Promise<TestAgent> {
  const data = mkdtempSync(join(tmpdir(), 'trunkline-agent-'));
  const [sipPort, httpPort] = [await freeUdpPort(), await freeTcpPort()];
  const child = spawn(process.execPath, ['bin/trunkline.mjs', 'up'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      TRUNKLINE_SIP_HOST: '127.0.0.1',
      TRUNKLINE_SIP_PORT: String(sipPort),
      TRUNKLINE_SIP_TRANSPORTS: '["udp"]',
      TRUNKLINE_HTTP_PORT: String(httpPort),
      TRUNKLINE_DATA: data,
      TRUNKLINE_DRAIN_SECONDS: '5',
      TRUNKLINE_RTP_PORTS: '21000-21999',
      TRUNKLINE_WEBRTC_PORTS: '31000-31999',
      ...environment,
    },
  });
  let output = '';
  const collect = (chunk: Buffer) => {
    output += chunk.toString();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  try {
    await untilReady(child, () => output);
  } catch (error) {
    child.kill('SIGKILL');
    rmSync(data, { recursive: true, force: true });
    throw error;
  }
  const token = readFileSync(join(data, 'token'), 'utf8').trim();
  const httpUrl = `http://127.0.0.1:${httpPort}`;
  return {
    sipPort,
    httpUrl,
    token,
    pid: child.pid ?? 0,
    output: () => output,
    async get(path) {
      const response = await fetch(`${httpUrl}${path}`, { headers: { authorization: `Bearer ${token}` } });
      return response.json();
    },
    stop() {
      return new Promise((resolve) => {
        const finish = (code: number | null) => {
          rmSync(data, { recursive: true, force: true });
          resolve(code);
        };
        if (child.exitCode !== null) finish(child.exitCode);
        else {
          child.once('exit', finish);
          child.kill('SIGTERM');
        }
      });
    },
  };
}

function untilReady(child: ChildProcess, output: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the agent was not ready:\n${output()}`)), READY_WITHIN_MS);
    const check = setInterval(() => {
      if (/ready in \d+ ms/.test(output())) settle(resolve);
    }, 50);
    const settle = (done: () => void) => {
      clearTimeout(timer);
      clearInterval(check);
      done();
    };
    child.once('exit', (code) => settle(() => reject(new Error(`the agent ended with ${code}:\n${output()}`))));
  });
}

function freeTcpPort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function freeUdpPort(): Promise<number> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1', () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}
