/** How a call's reception was in each interval: counters since the call began, differenced (RFC 3550 §6.4.1 does so as well). */
import type { QualitySample } from '../core/call-trace';
import { meanOpinionScore } from '../rtp/e-model';

export const qualityIntervalMs = 2000;

/** Since the call began. */
export interface ReceptionCounts {
  readonly packetsReceived: number;
  readonly packetsSent: number;
  readonly packetsLost: number;
  readonly packetsLate: number;
  readonly jitterMs: number;
  /** From mouth to ear, one way. */
  readonly delayMs: number;
  readonly roundTripMs: number | undefined;
}

export class QualityMeter {
  private before = { packetsReceived: 0, packetsSent: 0, packetsLost: 0, missing: 0 };

  /** What came since the call before this one. */
  sample(atMs: number, counts: ReceptionCounts): QualitySample {
    const { before } = this;
    const missing = counts.packetsLost + counts.packetsLate;
    const packetsReceived = counts.packetsReceived - before.packetsReceived;
    // A packet that comes after all is no longer lost: then the interval has fewer losses than none.
    const expected = packetsReceived + Math.max(0, counts.packetsLost - before.packetsLost);
    const lostShare = expected === 0 ? 0 : Math.min(1, Math.max(0, missing - before.missing) / expected);
    const sample: QualitySample = {
      atMs,
      lostShare,
      jitterMs: counts.jitterMs,
      packetsReceived,
      packetsSent: counts.packetsSent - before.packetsSent,
      ...(expected === 0 ? {} : { mos: meanOpinionScore({ lostShare, delayMs: counts.delayMs }) }),
      ...(counts.roundTripMs === undefined ? {} : { roundTripMs: counts.roundTripMs }),
    };
    const { packetsSent, packetsLost } = counts;
    this.before = { packetsReceived: counts.packetsReceived, packetsSent, packetsLost, missing };
    return sample;
  }
}
