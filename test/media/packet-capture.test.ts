/** The newest packets of a call: whole where it is recorded, headers elsewhere, and never what was pressed or said in secret. */
import * as fc from 'fast-check';
import { capturedPackets, captureMostPayloadBytes, PacketCapture } from '../../src/media/packet-capture';
import { SessionTrace } from '../../src/media/session-trace';
import type { MediaFormat, MediaPacket } from '../../src/media/transport';
import { parseRtp } from '../../src/rtp/packet';

const nowhere = { local: undefined, remote: undefined };
const packetOf = (sequenceNumber: number, bytes = 160, payloadType = 0): MediaPacket => ({
  payloadType,
  sequenceNumber,
  timestampTicks: sequenceNumber * 160,
  ssrc: 0xcafe,
  marker: sequenceNumber % 7 === 0,
  payload: new Uint8Array(bytes).fill(sequenceNumber % 251),
});

describe('captured packets', () => {
  it('are the newest, in order, and count those that gave way', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 0, max: 60 }),
        fc.boolean(),
        (room, sent, whole) => {
          const capture = new PacketCapture(room, whole);
          for (let at = 0; at < sent; at++) capture.note(packetOf(at), at % 2 === 0, 1000 + at, false);
          const got = capture.get(nowhere);
          const packets = [...capturedPackets(got)];
          expect(got.dropped).toBe(Math.max(0, sent - room));
          expect(packets.map(({ wallMs }) => wallMs - 1000)).toEqual(
            Array.from({ length: sent }, (_, at) => at).slice(-room),
          );
          for (const { wallMs, kept, bytes, sent: isOurs } of packets) {
            const original = packetOf(wallMs - 1000);
            expect(isOurs).toBe((wallMs - 1000) % 2 === 0);
            expect(bytes).toBe(172);
            expect(parseRtp(kept)).toEqual({ ...original, payload: whole ? original.payload : new Uint8Array(0) });
          }
        },
      ),
    );
  });

  it('of a long payload are cut', () => {
    const capture = new PacketCapture(1, true);
    capture.note(packetOf(1, 1400), true, 0, false);
    const [packet] = capturedPackets(capture.get(nowhere));
    expect(packet?.kept).toHaveLength(12 + captureMostPayloadBytes);
    expect(packet?.bytes).toBe(1412);
  });

  it('are none where none are asked for', () => {
    const capture = new PacketCapture(0, true);
    capture.note(packetOf(1), true, 0, false);
    expect(capture.get(nowhere).records).toHaveLength(0);
  });
});

describe('what a session keeps of its packets', () => {
  const format: MediaFormat = {
    codec: { name: 'PCMU', payloadType: 0, clockRate: 8000, packetMs: 20 },
    telephoneEvent: { payloadType: 101, clockRate: 8000 },
  };
  const payloads = (trace: SessionTrace): number[] => {
    const message = trace.captured('s', undefined);
    if (message?.type !== 'captured') return [];
    return [...capturedPackets(message.capture)].map(({ kept }) => kept.length - 12);
  };

  it('is nothing before it is asked for', () => {
    const trace = new SessionTrace(() => 0);
    trace.note(packetOf(1), false, format);
    expect(trace.captured('s', undefined)).toBeUndefined();
  });

  it('never is the key of a telephone event', () => {
    const trace = new SessionTrace(() => 0);
    trace.capture(10, true);
    trace.note(packetOf(1, 160), false, format);
    trace.note(packetOf(2, 4, 101), false, format);
    expect(payloads(trace)).toEqual([160, 0]);
  });

  it('is headers only while input is secure, both ways: keys may be sung in band, and echoed', () => {
    const trace = new SessionTrace(() => 0);
    trace.capture(10, true);
    trace.secure = true;
    trace.note(packetOf(1), false, format);
    trace.note(packetOf(2), true, format);
    trace.secure = false;
    trace.note(packetOf(3), false, format);
    expect(payloads(trace)).toEqual([0, 0, 160]);
  });
});
