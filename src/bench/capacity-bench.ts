/** `bench capacity`: how many two-way G.711 calls the media path carries on one core, without any model. */
import { benchMediaCapacity } from '../media/capacity-bench';
import { workerEntry } from '../workers/locate';
import { type BenchReport, report, single } from './report';

const SECONDS = 8;

export async function benchCapacity(calls: number, progress: (line: string) => void): Promise<BenchReport> {
  progress(`${calls} calls for ${SECONDS} s`);
  const measured = await benchMediaCapacity({
    calls,
    seconds: SECONDS,
    mediaEntry: workerEntry('media'),
    peerEntry: workerEntry('media-bench-peer'),
  });
  return report(`media path without model, ${calls} two-way G.711 calls`, [
    single('processor share of the media thread', 'cores', measured.cores),
    single('calls per core at that cost', '', Math.floor(measured.callsPerCore), '≥ 200'),
    single('packets sent', '', measured.packetsSent),
    single('packets received', '', measured.packetsReceived),
    single('deviation from the deadline, p50', 'ms', measured.paceP50Ms),
    single('deviation from the deadline, p99', 'ms', measured.paceP99Ms),
    single('frames skipped', '', measured.skippedFrames, '0'),
  ]);
}
