/**
 * How many two-way calls a core carries: real sockets, real pacing, G.711 both ways, the agent speaking on every call in
 * the pieces and at the rate that a voice makes, what comes in through jitter buffer, decoder and resampler to whoever
 * listens. A child process on another core is the far end of all calls, so that this process's CPU time is ours.
 */
import { fork } from 'node:child_process';
import type { MessagePort } from 'node:worker_threads';
import { MediaThread } from './media-thread';
import type { SocketAddress } from './protocol';

export interface CapacityOptions {
  readonly calls: number;
  readonly seconds: number;
  /** Compiled entries, by workers/locate: `media` and `media-bench-peer`. */
  readonly mediaEntry: string;
  readonly peerEntry: string;
  readonly warmUpSeconds?: number;
  /** Where the callers' audio goes, as in a real call; nowhere if left out. */
  readonly listenerPort?: MessagePort;
  /** CPU time so far of all that counts as media path; the whole process's if left out. */
  readonly cpuTimeMs?: () => number;
}

export interface CapacityFigures {
  readonly calls: number;
  readonly seconds: number;
  /** Cores that the media thread used, garbage collection and kernel time included. */
  readonly cores: number;
  /** Calls that one core would carry at this cost. */
  readonly callsPerCore: number;
  readonly packetsSent: number;
  readonly packetsReceived: number;
  /** Deviation of sent packets from their deadline. */
  readonly paceP50Ms: number;
  readonly paceP95Ms: number;
  readonly paceP99Ms: number;
  readonly paceMaxMs: number;
  readonly skippedFrames: number;
}

/** What the far end is told and answers. */
export type ToPeer = { readonly type: 'start'; readonly remotes: readonly SocketAddress[] } | { readonly type: 'stop' };
export type FromPeer =
  | { readonly type: 'ready'; readonly ports: readonly number[] }
  | { readonly type: 'stopped'; readonly received: number };

const sampleRate = 22_050;
/** About what a clause of a streamed voice takes. */
const pieceMs = 500;

export async function benchMediaCapacity(options: CapacityOptions): Promise<CapacityFigures> {
  const opened = new Map<string, SocketAddress>();
  const dumps: ((dump: unknown) => void)[] = [];
  let allOpen = () => {};
  const thread = MediaThread.start({
    name: 'media-bench',
    entry: options.mediaEntry,
    onMessage: (message) => {
      if (message.type === 'opened') {
        opened.set(message.sessionId, message.local);
        if (opened.size === options.calls) allOpen();
      } else if (message.type === 'dumped') dumps.shift()?.(message.dump);
    },
  });
  const peer = fork(options.peerEntry, [String(options.calls)]);
  const fromPeer = <T extends FromPeer['type']>(type: T) =>
    new Promise<Extract<FromPeer, { type: T }>>((resolve, reject) => {
      peer.on('message', (message: FromPeer) => {
        if (message.type === type) resolve(message as Extract<FromPeer, { type: T }>);
      });
      peer.once('exit', () => reject(new Error('the far end of the bench ended early')));
    });
  const dump = () =>
    new Promise<unknown>((resolve) => {
      dumps.push(resolve);
      thread.post({ type: 'dump', requestId: 0 });
    });

  let feeding: NodeJS.Timeout | undefined;
  try {
    const { ports } = await fromPeer('ready');
    await new Promise<void>((resolve) => {
      allOpen = resolve;
      for (let i = 0; i < options.calls; i++) {
        thread.post({ type: 'open-rtp', sessionId: String(i), bindAddress: '127.0.0.1', ports: [0, 0] });
      }
    });
    if (options.listenerPort !== undefined) {
      thread.post({ type: 'attach-listener', port: options.listenerPort }, [options.listenerPort]);
    }
    const speech = voiceLike(pieceMs / 1000);
    const speak = (call: number) => {
      const pcm = speech.slice();
      thread.post({ type: 'play', sessionId: String(call), turnId: 1, pcm, sampleRate, words: [] }, [pcm.buffer]);
    };
    for (let i = 0; i < options.calls; i++) {
      const sessionId = String(i);
      thread.post({
        type: 'connect-rtp',
        sessionId,
        remote: { address: '127.0.0.1', port: ports[i]! },
        codec: { name: 'PCMU', payloadType: 0, clockRate: 8000, packetMs: 20 },
        telephoneEvent: { payloadType: 101, clockRate: 8000 },
        send: true,
        receive: true,
        timeoutMs: 0,
      });
      speak(i);
      speak(i);
    }
    // Audio is made while it is spoken: one call after the other gets its next piece.
    const speakingSinceMs = performance.now();
    let pieces = 0;
    feeding = setInterval(() => {
      const due = ((performance.now() - speakingSinceMs) / pieceMs) * options.calls;
      for (; pieces < due; pieces++) speak(pieces % options.calls);
    }, 20);
    peer.send({
      type: 'start',
      remotes: Array.from({ length: options.calls }, (_, i) => opened.get(String(i))!),
    } satisfies ToPeer);
    await sleep((options.warmUpSeconds ?? 3) * 1000);

    const before = readDump(await dump());
    const cpuTimeMs = options.cpuTimeMs ?? processTimeMs;
    const cpuBeforeMs = cpuTimeMs();
    const startMs = performance.now();
    await sleep(options.seconds * 1000);
    const cpuMs = cpuTimeMs() - cpuBeforeMs;
    const elapsedMs = performance.now() - startMs;
    const after = readDump(await dump());
    peer.send({ type: 'stop' } satisfies ToPeer);
    await fromPeer('stopped');

    const cores = cpuMs / elapsedMs;
    return {
      calls: options.calls,
      seconds: elapsedMs / 1000,
      cores,
      callsPerCore: options.calls / cores,
      packetsSent: after.packetsSent - before.packetsSent,
      packetsReceived: after.packetsReceived - before.packetsReceived,
      paceP50Ms: after.pacer.p50Ms,
      paceP95Ms: after.pacer.p95Ms,
      paceP99Ms: after.pacer.p99Ms,
      paceMaxMs: after.pacer.maxMs,
      skippedFrames: after.pacer.skippedFrames - before.pacer.skippedFrames,
    };
  } finally {
    clearInterval(feeding);
    peer.removeAllListeners('exit');
    peer.kill();
    await thread.close();
  }
}

interface Dump {
  readonly sessions: readonly { readonly stats: { readonly packetsSent: number; readonly packetsReceived: number } }[];
  readonly pacer: {
    readonly p50Ms: number;
    readonly p95Ms: number;
    readonly p99Ms: number;
    readonly maxMs: number;
    readonly skippedFrames: number;
  };
}

function readDump(value: unknown) {
  const { sessions, pacer } = value as Dump;
  let packetsSent = 0;
  let packetsReceived = 0;
  for (const { stats } of sessions) {
    packetsSent += stats.packetsSent;
    packetsReceived += stats.packetsReceived;
  }
  return { packetsSent, packetsReceived, pacer };
}

function processTimeMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** A buzz with the band of a voice: what is played costs the same as speech. */
function voiceLike(seconds: number): Int16Array {
  const pcm = new Int16Array(seconds * sampleRate);
  for (let i = 0; i < pcm.length; i++) {
    const phase = (2 * Math.PI * 120 * i) / sampleRate;
    pcm[i] = 4000 * Math.sin(phase) + 2000 * Math.sin(5 * phase) + 1000 * Math.sin(20 * phase);
  }
  return pcm;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
