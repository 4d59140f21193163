/**
 * `bench setup`: calls set up and ended per second by the embedded endpoint and the user agent above it, on one core, with
 * SIPp as the caller on another (RFC 6076 §4.3.1 for what a set-up time is). Signalling alone: no media is opened.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../core/clock';
import { TrunklineError } from '../core/errors';
import { silentLogger } from '../core/log';
import { SdpSession } from '../sip/sdp-session';
import { SrfUserAgent } from '../sip/srf-user-agent';
import type { IncomingInvite } from '../sip/user-agent';
import { type BenchReport, report, single, spread } from './report';

const HOST = '127.0.0.1';
/** Long enough that some hundred calls live at once. */
const CALL_MS = 1_000;
/** Beyond the last call's, for what is repeated and late. */
const SPARE_SECONDS = 40;

/** In which the runtime compiles what it will run from then on; calls of that time wait, and are counted all the same. */
const COLD_SECONDS = 5;

export interface SetupBenchOptions {
  readonly scenario: string;
  readonly callsPerSecond: number;
  readonly seconds: number;
  readonly progress: (line: string) => void;
}

export async function benchSetup(options: SetupBenchOptions): Promise<BenchReport> {
  const { callsPerSecond, seconds, progress } = options;
  const pinned = pinTo(0);
  const agent = new SrfUserAgent({
    listen: { host: HOST, port: 0 },
    clock: new SystemClock(),
    log: silentLogger,
    userAgentName: 'Trunkline bench',
  });
  const server = { ended: 0 };
  agent.onInvite((invite) => void take(invite, server).catch(() => undefined));
  await agent.start();
  try {
    progress(`${callsPerSecond} calls per second for ${seconds} s`);
    const before = process.cpuUsage();
    const startedMs = performance.now();
    const caller = await runCaller(options, agent.local[0]?.port ?? 0, pinned);
    const { user, system } = process.cpuUsage(before);
    const ranMs = performance.now() - startedMs;
    // SIPp has its last 200 before the news of its BYE is through here.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return report(
      `call set-up, embedded endpoint, ${callsPerSecond} calls per second for ${seconds} s`,
      [
        single('calls answered, confirmed and ended', '', caller.succeeded, `${callsPerSecond * seconds}`),
        single('calls failed', '', caller.failed, '0'),
        single('calls per second', '', caller.succeeded / caller.sendingSeconds, '>= 100'),
        spread('INVITE to 200, at the caller', 'ms', caller.setupMs),
        spread(`the same, without the first ${COLD_SECONDS} s`, 'ms', caller.warmSetupMs),
        single('requests that the caller sent again', '', caller.retransmissions),
        single('processor time of the agent', '% of a core', (100 * (user + system)) / 1_000 / ranMs),
        single('calls that the agent saw end', '', server.ended),
      ],
      [
        pinned
          ? 'The agent is bound to one core, SIPp to the others; signalling over UDP, no media.'
          : 'Neither side is bound to a core (taskset is missing, or there is one core); signalling over UDP, no media.',
      ],
    );
  } finally {
    await agent.stop();
  }
}

async function take(invite: IncomingInvite, server: { ended: number }): Promise<void> {
  const session = new SdpSession({ sessionId: '1', address: HOST, codecs: ['PCMU', 'PCMA'], comfortNoise: false });
  invite.ring();
  const { sdp } = session.answer(invite.offerSdp ?? '', { address: HOST, port: 40_000 });
  const dialog = await invite.accept(sdp);
  dialog.onEnd(() => {
    server.ended += 1;
  });
}

/** Every thread of this process on one core. False: it cannot be done here. */
function pinTo(core: number): boolean {
  if (availableParallelism() < 2) return false;
  const { status } = spawnSync('taskset', ['-a', '-c', '-p', String(core), String(process.pid)], { stdio: 'ignore' });
  return status === 0;
}

interface CallerResult {
  readonly succeeded: number;
  readonly failed: number;
  readonly retransmissions: number;
  readonly setupMs: readonly number[];
  readonly warmSetupMs: readonly number[];
  /** In which it began calls. */
  readonly sendingSeconds: number;
}

async function runCaller(options: SetupBenchOptions, port: number, pinned: boolean): Promise<CallerResult> {
  const { scenario, callsPerSecond, seconds } = options;
  const folder = mkdtempSync(join(tmpdir(), 'setup-'));
  const sipp = [
    ...['sipp', `${HOST}:${port}`, '-sf', scenario, '-i', HOST, '-mi', HOST, '-s', 'demo', '-nostdin'],
    ...['-r', String(callsPerSecond), '-m', String(callsPerSecond * seconds), '-l', String(callsPerSecond * 30)],
    ...['-d', String(CALL_MS), '-timeout', `${seconds + SPARE_SECONDS}s`, '-recv_timeout', '32000'],
    ...['-trace_stat', '-fd', '1', '-trace_rtt', '-rtt_freq', '1', '-trace_err'],
  ];
  const command = pinned ? ['taskset', '-c', `1-${availableParallelism()}`, ...sipp] : sipp;
  try {
    await new Promise<void>((resolve, reject) => {
      const child = spawn(command[0] ?? '', command.slice(1), { cwd: folder, stdio: 'ignore' });
      child.once('error', reject);
      child.once('close', () => resolve());
    });
    const read = (ending: string): string => {
      const name = readdirSync(folder).find((file) => file.endsWith(ending));
      if (name === undefined) throw new Error(`sipp left no file ${ending}`);
      return readFileSync(join(folder, name), 'utf8');
    };
    return readCaller(read('_.csv'), read('_rtt.csv'));
  } catch (cause) {
    throw new TrunklineError('bench.no-sipp', 'SIPp could not place its calls.', {
      cause,
      fix: 'Install it (Debian and Ubuntu: apt-get install sip-tester).',
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** SIPp's statistics, a line per second, and its response times, a line per call. */
export function readCaller(statistics: string, responseTimes: string): CallerResult {
  const [head = '', ...rows] = statistics.trim().split('\n');
  const names = head.split(';');
  const of = (row: string | undefined, name: string): number => Number(row?.split(';')[names.indexOf(name)] ?? 0);
  const last = rows.at(-1);
  const [timeHead = '', ...times] = responseTimes.trim().split('\n');
  const [dateAt, timeAt] = ['Date_ms', 'response_time_ms'].map((name) => timeHead.split(';').indexOf(name));
  const setups = times.map((line) => {
    const cells = line.split(';');
    const setupMs = Number(cells[timeAt ?? 1]);
    return { setupMs, begunMs: Number(cells[dateAt ?? 0]) - setupMs };
  });
  const firstMs = Math.min(...setups.map(({ begunMs }) => begunMs));
  const warm = setups.filter(({ begunMs }) => begunMs - firstMs >= 1_000 * COLD_SECONDS);
  return {
    succeeded: of(last, 'SuccessfulCall(C)'),
    failed: of(last, 'FailedCall(C)'),
    retransmissions: of(last, 'Retransmissions(C)'),
    setupMs: setups.map(({ setupMs }) => setupMs),
    warmSetupMs: warm.map(({ setupMs }) => setupMs),
    // Rows in which it began calls; it waits for the last ones after that.
    sendingSeconds: Math.max(1, rows.filter((row) => of(row, 'OutgoingCall(P)') > 0).length),
  };
}
