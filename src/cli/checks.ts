/** What `doctor` looks at, and `up` before it starts: each finding with its fix in one line. */

import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { accessSync, constants, mkdirSync, readFileSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, networkInterfaces } from 'node:os';
import { resolve } from 'node:path';
import { type Config, portBounds } from '../config';
import { TrunklineError } from '../core/errors';
import { systemErrorCode } from '../core/system-error';
import { loadDialplan } from '../dialplan/load-dialplan';
import { sipPortOf } from '../sip/sip-ports';
import type { Finding } from './finding';
import { checkIceServers } from './ice-servers-check';
import { openModels } from './models';

const fine = (about: string, sentence: string): Finding => ({ about, state: 'fine', sentence });
const warning = (about: string, sentence: string, fix: string): Finding => ({ about, state: 'warning', sentence, fix });
const problem = (about: string, sentence: string, fix: string): Finding => ({ about, state: 'problem', sentence, fix });

/** Everything, in the order in which a newcomer would ask. */
export async function examine(config: Config): Promise<Finding[]> {
  return [
    checkDialplan(config),
    await checkWeights(config),
    ...(await checkPorts(config)),
    checkAddresses(config),
    ...(await checkTrunks(config)),
    ...(await checkIceServers(config.webrtc.iceServers)),
    checkData(config),
    checkProcessor(readCpuInfo(), availableParallelism()),
    priorityFinding(realTimeAllowed()),
    checkClock(new Date()),
  ];
}

/** Rejects with the first thing that would let the agent start only to fail at the first call. */
export function checkBeforeStart(config: Config): void {
  const data = checkData(config);
  if (data.state === 'problem') throw new TrunklineError('start.data-folder', data.sentence, { fix: data.fix });
}

export function checkDialplan(config: Config): Finding {
  try {
    const plan = loadDialplan(resolve(config.dialplans));
    const first = plan.warnings[0];
    if (first !== undefined) return warning('dialplan', first, 'Move the route up, or delete it.');
    return fine('dialplan', `${plan.routes.length} routes, ${plan.personas.length} personas`);
  } catch (error) {
    return fromError('dialplan', error, 'See the message.');
  }
}

export async function checkWeights(config: Config): Promise<Finding> {
  try {
    const folders = await openModels(resolve(config.engine.models));
    for (const folder of folders) await folder.verify();
    return fine('weights', `${folders.length} models, every sum right`);
  } catch (error) {
    return fromError('weights', error, 'Check the repository out again: the weights are part of it.');
  }
}

export async function checkPorts(config: Config): Promise<Finding[]> {
  const findings: Finding[] = [];
  const sipHost = config.sip.host === '*' ? undefined : config.sip.host;
  const sipFix = 'Stop the program that has it (`ss -lnp`), or set TRUNKLINE_SIP_PORT.';
  if (config.sip.drachtio === undefined) {
    const ports = { tls: config.sip.tlsPort, ws: config.sip.wsPort, wss: config.sip.wssPort };
    for (const transport of new Set(config.sip.transports)) {
      const port = sipPortOf(transport, { port: config.sip.port, ports });
      const state = await (transport === 'udp' ? udpPortState(port, sipHost) : tcpPortState(port, sipHost));
      findings.push(portFinding(`SIP port (${transport})`, port, state, sipFix));
    }
  }
  const httpFix = 'Stop the program that has it (`ss -lnp`), or set TRUNKLINE_HTTP_PORT.';
  const httpState = await tcpPortState(config.http.port, config.http.host);
  findings.push(portFinding('HTTP port', config.http.port, httpState, httpFix));
  findings.push(await checkRtpPorts(config.rtp.ports));
  return findings;
}

/** A look at a few of them: enough to see that another program sits in the range. */
async function checkRtpPorts(range: string): Promise<Finding> {
  const [from, to] = portBounds(range);
  const step = Math.max(2, Math.floor((to - from) / 16 / 2) * 2);
  for (let port = from; port <= to; port += step) {
    if ((await udpPortState(port, undefined)) !== 'free') {
      return warning(
        'RTP ports',
        `port ${port} of ${range} is taken`,
        'It is passed over; choose another range if many are.',
      );
    }
  }
  return fine('RTP ports', `${range}`);
}

type PortState = 'free' | 'taken' | 'forbidden' | 'no-address';

function portFinding(about: string, port: number, state: PortState, fix: string): Finding {
  switch (state) {
    case 'free':
      return fine(about, `${port} is free`);
    case 'taken':
      return problem(about, `${port} is taken`, fix);
    case 'forbidden':
      return problem(about, `${port} may not be opened by this user`, 'Choose a port above 1023.');
    case 'no-address':
      return problem(about, `the configured host is no address of this machine`, 'Correct sip.host or http.host.');
  }
}

function udpPortState(port: number, address: string | undefined): Promise<PortState> {
  return new Promise((resolve) => {
    const socket = createSocket({ type: address?.includes(':') ? 'udp6' : 'udp4' });
    socket.once('error', (error) => {
      socket.close();
      resolve(stateOf(error));
    });
    socket.bind({ port, ...(address === undefined ? {} : { address }), exclusive: true }, () => {
      socket.close(() => resolve('free'));
    });
  });
}

function tcpPortState(port: number, host: string | undefined): Promise<PortState> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(stateOf(error)));
    server.listen({ port, ...(host === undefined ? {} : { host }), exclusive: true }, () => {
      server.close(() => resolve('free'));
    });
  });
}

function stateOf(error: Error): PortState {
  const code = systemErrorCode(error);
  if (code === 'EACCES') return 'forbidden';
  return code === 'EADDRINUSE' ? 'taken' : 'no-address';
}

export function checkAddresses(config: Config): Finding {
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((address) => !address.internal && !address.address.startsWith('fe80'))
    .map((address) => address.address);
  if (config.sip.advertised !== undefined) return fine('addresses', `${config.sip.advertised} is told to peers`);
  if (own.length === 0) return fine('addresses', 'loopback only: calls can come from this machine');
  if (own.every(isBehindNat)) {
    return warning(
      'addresses',
      `${own.join(', ')}: reachable on this network only`,
      'For callers from the internet set sip.advertised and webrtc.advertised to the public address, and forward the ports.',
    );
  }
  return fine('addresses', own.join(', '));
}

/** RFC 1918, RFC 6598 and unique local addresses (RFC 4193). */
function isBehindNat(address: string): boolean {
  return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd])/i.test(address);
}

export async function checkTrunks(config: Config): Promise<Finding[]> {
  const hosts = [
    ...config.sip.registrations.map(({ name, registrar }) => ({ name, host: hostOf(registrar) })),
    ...config.sip.trunks.flatMap(({ name, proxy }) => (proxy === undefined ? [] : [{ name, host: hostOf(proxy) }])),
  ];
  return Promise.all(
    hosts.map(async ({ name, host }) => {
      try {
        const { address } = await lookup(host);
        return fine(`trunk ${name}`, `${host} is ${address}`);
      } catch {
        return problem(
          `trunk ${name}`,
          `${host} has no address`,
          'Check its name and the name server of this machine.',
        );
      }
    }),
  );
}

/** `sips:user@host:5061;transport=tls` or plain `host:port`. */
function hostOf(uri: string): string {
  return uri
    .replace(/^sips?:/i, '')
    .replace(/^.*@/, '')
    .replace(/[;?].*$/, '')
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '');
}

const leastFreeBytes = 64 * 1024 * 1024;
const comfortableFreeBytes = 1024 * 1024 * 1024;

export function checkData(config: Config): Finding {
  const folder = resolve(config.data);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(folder);
    return spaceFinding(folder, bavail * bsize);
  } catch {
    return problem(
      'data folder',
      `The data folder ${folder} cannot be written.`,
      'Give the agent permission to write there, or set TRUNKLINE_DATA.',
    );
  }
}

export function spaceFinding(folder: string, freeBytes: number): Finding {
  const free = `${Math.floor(freeBytes / 1e6)} MB free`;
  if (freeBytes < leastFreeBytes) {
    return problem(
      'data folder',
      `The disk of the data folder ${folder} is full: ${free}.`,
      'Make room, or set TRUNKLINE_DATA.',
    );
  }
  if (freeBytes < comfortableFreeBytes) {
    return warning('data folder', `${folder}: ${free}`, 'Make room before recordings fill it.');
  }
  return fine('data folder', `${folder}: ${free}`);
}

export function readCpuInfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}

/** `cpuInfo`: /proc/cpuinfo, '' where there is none. */
export function checkProcessor(cpuInfo: string, cores: number): Finding {
  const flags = new Set(/^flags\s*:\s*(.*)$/m.exec(cpuInfo)?.[1]?.split(' ') ?? []);
  const features = ['avx2', 'avx512f', 'avx_vnni', 'avx512_vnni', 'amx_int8'].filter((name) => flags.has(name));
  const text = `${cores} cores${features.length > 0 ? `, ${features.join(', ')}` : ''}`;
  if (flags.size > 0 && !flags.has('avx2')) {
    return warning('processor', `${text}, no AVX2`, 'Answers will be slow: use a processor made after 2015.');
  }
  if (cores < 2) return warning('processor', text, 'Give the agent at least two cores.');
  return fine('processor', text);
}

/** Whether threads of ours may run in the real-time class, as workers/media asks for (sched(7)). */
export function realTimeAllowed(): boolean {
  return spawnSync('chrt', ['--rr', '1', 'true'], { stdio: 'ignore', timeout: 1_000 }).status === 0;
}

export function priorityFinding(allowed: boolean): Finding {
  if (allowed) return fine('priority', 'packets are sent before anything else runs');
  return warning(
    'priority',
    'packets wait for their turn with everything else: up to some milliseconds on a busy machine',
    'Allow one real-time priority: LimitRTPRIO=1 in systemd, --ulimit rtprio=1 in Docker, `rtprio 1` in limits.conf.',
  );
}

export function checkClock(now: Date): Finding {
  // TLS, webhook signatures and call tokens all depend on the year being right.
  if (now.getUTCFullYear() < 2026) {
    return problem('clock', `it says ${now.toISOString()}`, 'Set the clock, or start a time service (chrony).');
  }
  return fine('clock', now.toISOString());
}

function fromError(about: string, error: unknown, fallbackFix: string): Finding {
  const fix = error instanceof TrunklineError ? error.fix : undefined;
  return problem(about, error instanceof Error ? error.message : String(error), fix ?? fallbackFix);
}
