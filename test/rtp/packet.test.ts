import fc from 'fast-check';
import { isRtcp, parseRtp, type RtpPacket, writeRtp } from '../../src/rtp/packet';

const arbitrary: fc.Arbitrary<RtpPacket> = fc.record({
  payloadType: fc.integer({ min: 0, max: 127 }),
  sequenceNumber: fc.integer({ min: 0, max: 0xffff }),
  timestampTicks: fc.integer({ min: 0, max: 0xffff_ffff }),
  ssrc: fc.integer({ min: 0, max: 0xffff_ffff }),
  marker: fc.boolean(),
  payload: fc.uint8Array({ maxLength: 300 }),
});

function written(packet: RtpPacket): Uint8Array {
  const out = new Uint8Array(1500);
  return out.subarray(0, writeRtp(packet, out));
}

const plain = written({
  payloadType: 8,
  sequenceNumber: 0,
  timestampTicks: 0,
  ssrc: 0xdeadbeef,
  marker: true,
  payload: Uint8Array.of(1, 2, 3, 4),
});

describe('an RTP packet', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(arbitrary, (packet) => {
        expect(parseRtp(written(packet))).toEqual(packet);
      }),
    );
  });

  it('is 12 bytes of header in network order', () => {
    expect([...plain]).toEqual([0x80, 0x88, 0, 0, 0, 0, 0, 0, 0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4]);
  });

  it('is read behind contributing sources and a header extension, without its padding', () => {
    const header = plain.slice(0, 12);
    header[0] = 0x80 | 0x30 | 2;
    const datagram = Uint8Array.of(...header, ...new Array(8).fill(9), 0xbe, 0xde, 0, 1, 7, 7, 7, 7, 1, 2, 3, 0, 0, 3);
    expect(parseRtp(datagram)?.payload).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('is refused when a length in it points outside', () => {
    const bad = (change: (bytes: Uint8Array) => void) => {
      const copy = plain.slice();
      change(copy);
      return parseRtp(copy);
    };
    expect(parseRtp(plain.subarray(0, 11))).toBeUndefined();
    expect(bad((bytes) => (bytes[0] = 0x40))).toBeUndefined();
    expect(bad((bytes) => (bytes[0] = 0x8f))).toBeUndefined();
    // Extension of 0x0304 words in 4 bytes: the packet that stalls other stacks for minutes.
    expect(bad((bytes) => (bytes[0] = 0x90))).toBeUndefined();
    // Padding of 200 bytes, and of none.
    const padded = plain.slice();
    padded[0] = 0xa0;
    padded[15] = 200;
    expect(parseRtp(padded)).toBeUndefined();
    padded[15] = 0;
    expect(parseRtp(padded)).toBeUndefined();
  });

  it('never throws and never reads outside, whatever the datagram', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.boolean(), (bytes, asVersion2) => {
        if (asVersion2 && bytes.length > 0) bytes[0] = 0x80 | (bytes[0]! & 0x3f);
        const packet = parseRtp(bytes);
        if (packet !== undefined) {
          expect(packet.payload.byteOffset + packet.payload.length).toBeLessThanOrEqual(
            bytes.byteOffset + bytes.length,
          );
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('that does not fit the buffer is not written', () => {
    const packet = parseRtp(plain)!;
    expect(writeRtp(packet, new Uint8Array(15))).toBe(0);
  });

  it('is told from RTCP by its second byte', () => {
    expect(isRtcp(Uint8Array.of(0x80, 200, 0, 1))).toBe(true);
    expect(isRtcp(plain)).toBe(false);
    expect(isRtcp(Uint8Array.of(0x80))).toBe(false);
  });
});
