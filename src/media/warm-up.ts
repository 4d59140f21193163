/**
 * Runs both lines for a few seconds of made-up call before the first real one, so that filters are designed, code is
 * compiled, and the first caller's packets leave on time: unwarmed, the first calls were measured to lose 400 ms.
 */
import { callSampleRate, Inbound } from './inbound';
import { Outbound } from './outbound';
import type { MediaFormat, MediaPacket, MediaTransport } from './transport';

const frames = 100;
const frameMs = 20;
/** Rates of the voices; what they say is brought to each codec's rate. */
const voiceRates = [22_050, 24_000, callSampleRate];
const formats: readonly MediaFormat[] = [
  { codec: { name: 'PCMU', payloadType: 0, clockRate: 8000, packetMs: frameMs } },
  { codec: { name: 'G722', payloadType: 9, clockRate: 8000, packetMs: frameMs } },
  { codec: { name: 'opus', payloadType: 111, clockRate: 48_000, packetMs: frameMs } },
];

export function warmUp(): void {
  for (const format of formats) for (const rate of voiceRates) rehearse(format, rate);
}

function rehearse(format: MediaFormat, voiceRate: number): void {
  const inbound = new Inbound(format, () => {});
  const outbound = new Outbound(
    format,
    () => 0.5,
    () => {},
  );
  const pcm = Int16Array.from({ length: voiceRate * 2 }, (_, i) => 6000 * Math.sin(i / 20));
  outbound.playout.play(1, pcm, voiceRate, []);
  outbound.playout.end(1);
  let nowMs = 0;
  const transport: MediaTransport = {
    kind: 'rtp',
    format,
    ssrc: 0,
    // Every tenth packet is lost, so that concealment is rehearsed too.
    send: (packet: MediaPacket) => {
      if (packet.sequenceNumber % 10 !== 0) inbound.push({ ...packet, payload: packet.payload.slice() }, nowMs);
      return true;
    },
    report: () => {},
    sendEvent: () => false,
    addCandidates: () => false,
    counters: () => ({ malformed: 0, foreign: 0, sendFailed: 0, roundTripMs: undefined }),
    close: () => {},
  };
  for (let frame = 0; frame < frames; frame++) {
    nowMs += frameMs;
    outbound.tick(transport);
    outbound.heardOwn(inbound.tick(nowMs));
  }
}
