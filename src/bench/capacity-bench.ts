/** `bench capacity`: how many two-way G.711 calls the media path carries on one core, without any model. */
import { loadConfig } from '../config';
import { ListenerThread } from '../listener/listener-thread';
import { benchMediaCapacity } from '../media/capacity-bench';
import { VAD_SAMPLE_RATE, VAD_WINDOW_SAMPLES } from '../turn/vad';
import { workerEntry } from '../workers/locate';
import { type BenchReport, report, single } from './report';
import { threadIds, threadTimeMs } from './thread-times';

const SECONDS = 8;
const WINDOWS_PER_SECOND = VAD_SAMPLE_RATE / VAD_WINDOW_SAMPLES;

export async function benchCapacity(calls: number, progress: (line: string) => void): Promise<BenchReport> {
  progress(`${calls} calls for ${SECONDS} s`);
  const before = threadIds();
  const listener = await ListenerThread.start({
    entry: workerEntry('listener'),
    modelsDir: loadConfig().engine.models,
  });
  const listening = [...threadIds()].filter((id) => !before.has(id));
  try {
    return await measure(calls, listener, listening);
  } finally {
    await listener.close();
  }
}

/** `listening`: the threads whose time is the voice detector's, reported apart. */
async function measure(calls: number, listener: ListenerThread, listening: readonly string[]): Promise<BenchReport> {
  const detectorBeforeMs = threadTimeMs(listening);
  const measured = await benchMediaCapacity({
    calls,
    seconds: SECONDS,
    mediaEntry: workerEntry('media'),
    peerEntry: workerEntry('media-bench-peer'),
    listenerPort: listener.mediaPort(),
    cpuTimeMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000 - threadTimeMs(listening);
    },
  });
  const detectorMs = threadTimeMs(listening) - detectorBeforeMs;
  const { windowsJudged, windowsDropped } = await listener.dump();
  return report(`media path without model, ${calls} two-way G.711 calls`, [
    single('processor share of the media thread', 'cores', measured.cores),
    single('calls per core at that cost', '', Math.floor(measured.callsPerCore), '≥ 200'),
    single(
      'voice detector on its own thread, per second of speech judged',
      'ms',
      detectorMs / Math.max(1, windowsJudged / WINDOWS_PER_SECOND),
    ),
    single('windows that the detector dropped', '', windowsDropped),
    single('packets sent', '', measured.packetsSent),
    single('packets received', '', measured.packetsReceived),
    single('deviation from the deadline, p50', 'ms', measured.paceP50Ms),
    single('deviation from the deadline, p99', 'ms', measured.paceP99Ms),
    single('frames skipped', '', measured.skippedFrames, '0'),
  ]);
}
