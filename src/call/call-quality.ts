/** What `call.ended` says of how the call was: the media thread's figures, and those of what was done on it. */
import type { CallQuality } from '../core/call-record';
import type { MediaStats } from '../media/protocol';

export function qualityOf(
  stats: MediaStats,
  performances: readonly { readonly turnGapsMs: readonly number[]; readonly interruptions: number }[],
): CallQuality {
  return {
    packetsSent: stats.packetsSent,
    packetsReceived: stats.packetsReceived,
    packetsLost: stats.packetsLost,
    packetsLate: stats.packetsLate,
    jitterMs: stats.jitterMs,
    concealedMs: stats.concealedMs,
    paceP99Ms: stats.paceP99Ms,
    turnGapsMs: performances.flatMap(({ turnGapsMs }) => turnGapsMs),
    interruptions: performances.reduce((sum, { interruptions }) => sum + interruptions, 0),
    lostShare: stats.lostShare,
    roundTripMs: stats.roundTripMs,
    mos: stats.mos === undefined ? undefined : Math.round(stats.mos * 100) / 100,
    codec: stats.codec,
    protection: stats.protection,
    remote: stats.remote,
  };
}
