/** Runs SIPp scenarios of infra/sipp against something that listens on 127.0.0.1, each on its own free port. */
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const scenarioFolder = resolve(__dirname, '../../infra/sipp');

let found: boolean | undefined;

/** Whether sipp is installed; if not, says so once: a skipped suite must not look like a passed one. */
export function sippInstalled(): boolean {
  if (found === undefined) {
    found = spawnSync('sipp', ['-v']).error === undefined;
    if (!found)
      process.stderr.write('skipped: SIPp scenarios, because sipp (Debian package sip-tester) is not installed\n');
  }
  return found;
}

export interface SippRun {
  /** File name in infra/sipp, or `-sn` name of a built-in one. */
  readonly scenario: string;
  /** `host:port` of the far end; left out when SIPp is the one that is called. */
  readonly target?: string;
  readonly service?: string;
  readonly calls?: number;
  /** How long a call lasts in scenarios that leave it open. */
  readonly pauseMs?: number;
  /** `-key name value`. */
  readonly keys?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Put into its working folder: audio for rtp_stream. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
  /** Its own port; a free one if left out. */
  readonly port?: number;
  readonly timeoutSeconds?: number;
}

export interface SippResult {
  /** 0: every call went as the scenario says. */
  readonly exitCode: number;
  /** Every message as SIPp traced it, and what it complained about if a call did not go as the scenario says. */
  readonly messages: string;
  readonly errors: string;
}

export interface RunningSipp {
  readonly port: number;
  readonly done: Promise<SippResult>;
  stop(): void;
}

export async function startSipp(run: SippRun): Promise<RunningSipp> {
  const port = run.port ?? (await freePort());
  const folder = mkdtempSync(join(tmpdir(), 'sipp-'));
  const args = run.scenario.endsWith('.xml') ? ['-sf', join(scenarioFolder, run.scenario)] : ['-sn', run.scenario];
  if (run.target !== undefined) args.unshift(run.target);
  args.push(
    '-i',
    '127.0.0.1',
    '-mi',
    '127.0.0.1',
    '-p',
    String(port),
    '-m',
    String(run.calls ?? 1),
    '-nostdin',
    '-d',
    String(run.pauseMs ?? 100),
  );
  args.push(
    '-s',
    run.service ?? 'demo',
    '-trace_msg',
    '-trace_err',
    '-timeout',
    `${run.timeoutSeconds ?? 20}s`,
    '-timeout_error',
  );
  for (const [name, value] of Object.entries(run.keys ?? {})) args.push('-key', name, value);
  args.push(...(run.args ?? []));
  for (const [name, bytes] of Object.entries(run.files ?? {})) writeFileSync(join(folder, name), bytes);
  const child = spawn('sipp', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-20_000);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-20_000);
  });
  const done = new Promise<SippResult>((finished, failed) => {
    child.once('error', failed);
    child.once('close', (code) => {
      const logs = readdirSync(folder);
      const read = (ending: string): string =>
        logs
          .filter((name) => name.endsWith(ending))
          .map((name) => readFileSync(join(folder, name), 'utf8'))
          .join('');
      const result = {
        exitCode: code ?? -1,
        messages: read('_messages.log'),
        // SIPp also notes copies that came late, as they do on a busy machine, though every call went as it should.
        errors: code === 0 ? '' : read('_errors.log') || output,
      };
      rmSync(folder, { recursive: true, force: true });
      finished(result);
    });
  });
  return { port, done, stop: () => child.kill('SIGUSR1') };
}

export type Over = 'udp' | 'tcp';

/** SIPp that is to be called over `over`; resolves when it can be. */
export async function startCalledSipp(over: Over, run: Omit<SippRun, 'target'>): Promise<RunningSipp> {
  const way = over === 'tcp' ? ['-t', 't1'] : [];
  const far = await startSipp({ ...run, args: [...way, ...(run.args ?? [])] });
  if (over === 'tcp') await listening(far);
  return far;
}

/** A datagram that comes too early is repeated; a connection would be refused. */
async function listening(far: RunningSipp): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const open = await new Promise<boolean>((tried) => {
      const probe = connect(far.port, '127.0.0.1', () => probe.destroy());
      probe.once('error', () => tried(false));
      probe.once('close', (failed) => tried(!failed));
    });
    if (open) return;
    await new Promise((next) => setTimeout(next, 20));
  }
  throw new Error(`SIPp does not listen on ${far.port}.`);
}

export async function runSipp(run: SippRun): Promise<SippResult> {
  return (await startSipp(run)).done;
}

/** A port of 127.0.0.1 that nobody has, for UDP and TCP alike: a peer that listens on both gives up when one is taken. */
export async function freePort(): Promise<number> {
  for (;;) {
    const udp = createSocket('udp4');
    await new Promise<void>((bound) => udp.bind(0, '127.0.0.1', bound));
    const { port } = udp.address();
    const tcp = createServer();
    const free = await new Promise<boolean>((found) => {
      tcp.once('error', () => found(false));
      tcp.listen(port, '127.0.0.1', () => found(true));
    });
    await new Promise<void>((closed) => udp.close(() => closed()));
    if (!free) continue;
    await new Promise<void>((closed) => tcp.close(() => closed()));
    return port;
  }
}
