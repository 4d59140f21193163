/** A session's figures at its end and in between, put together from what its parts have counted. */

import { meanOpinionScore } from '../rtp/e-model';
import type { DurationHistogram } from '../rtp/histogram';
import type { Inbound } from './inbound';
import type { Outbound } from './outbound';
import type { MediaStats } from './protocol';
import type { ReceptionCounts } from './quality-meter';
import type { MediaFormat, MediaTransport } from './transport';

export interface CountedParts {
  readonly inbound: Inbound;
  readonly outbound: Outbound;
  readonly transport: MediaTransport | undefined;
  readonly format: MediaFormat;
  readonly packetsReceived: number;
}

export function receptionCounts({
  inbound,
  outbound,
  transport,
  format,
  packetsReceived,
}: CountedParts): ReceptionCounts {
  const { packetsLost, packetsLate, jitterMs, meanDelayMs } = inbound.stats;
  const roundTripMs = transport?.counters().roundTripMs;
  // One way: half the round trip, the far end's packet, our buffer.
  const delayMs = (roundTripMs ?? 0) / 2 + format.codec.packetMs + meanDelayMs;
  const packetsSent = outbound.packetizer.sentPackets;
  return { packetsReceived, packetsSent, packetsLost, packetsLate, jitterMs, delayMs, roundTripMs };
}

export function mediaStats(parts: CountedParts, pace: DurationHistogram): MediaStats {
  const { inbound, transport, format } = parts;
  const { packetsDropped, concealedMs } = inbound.stats;
  const counters = transport?.counters();
  const { delayMs, ...counts } = receptionCounts(parts);
  const { clockRate, name } = format.codec;
  const expected = counts.packetsReceived + counts.packetsLost;
  const lostShare = expected === 0 ? 0 : (counts.packetsLost + counts.packetsLate) / expected;
  return {
    ...counts,
    packetsDropped:
      packetsDropped + (counters ? counters.malformed + counters.foreign + (counters.unauthentic ?? 0) : 0),
    concealedMs,
    paceP99Ms: pace.quantileMs(0.99),
    paceP50Ms: pace.quantileMs(0.5),
    paceMaxMs: pace.maxMs,
    skippedFrames: inbound.skippedFrames,
    lostShare,
    mos: expected === 0 ? undefined : meanOpinionScore({ lostShare, delayMs }),
    codec: name,
    protection: counters?.protection ?? (transport?.kind === 'webrtc' ? 'dtls' : 'none'),
    remote: counters?.remote && {
      packetsLost: counters.remote.lost,
      lostShare: counters.remote.lostShare,
      jitterMs: (counters.remote.jitterTicks * 1000) / clockRate,
    },
  };
}
