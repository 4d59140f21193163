/** The guard in front of werift's RTP header parser. */
import { performance } from 'node:perf_hooks';

import fc from 'fast-check';
import { RtpHeader, RtpPacket } from 'werift';

import { TrunklineError } from '../../src/core/errors';
import { fitsItsPacket, installRtpHeaderGuard, MAX_EXTENSION_BYTES } from '../../src/webrtc/rtp-header-guard';

const guard = installRtpHeaderGuard();

/** A header that claims an extension of so many words, in a packet of so many bytes. */
function packetClaiming(words: number, bytes: number, { profile = 0xbede, csrcCount = 0 } = {}): Buffer {
  const packet = Buffer.alloc(bytes, 0x10);
  packet[0] = 0x90 | csrcCount;
  packet[1] = 111;
  const at = 12 + 4 * csrcCount;
  if (at + 4 <= bytes) {
    packet.writeUInt16BE(profile, at);
    packet.writeUInt16BE(words, at + 2);
  }
  return packet;
}

function refuses(packet: Buffer): void {
  const before = guard.refused;
  expect(() => RtpHeader.deSerialize(packet)).toThrow(TrunklineError);
  expect(() => RtpPacket.deSerialize(packet)).toThrow(TrunklineError);
  expect(guard.refused).toBe(before + 2);
}

describe('the RTP header guard', () => {
  test('refuses an extension that is longer than its packet, for every small attack packet', () => {
    for (const profile of [0xbede, 0x1000, 0x1234]) {
      for (let bytes = 20; bytes <= 36; bytes += 1) {
        for (const words of [1_000, 8_000, 65_535]) refuses(packetClaiming(words, bytes, { profile }));
        refuses(packetClaiming(1_000, bytes, { profile, csrcCount: 15 }));
      }
    }
  });

  test('spends next to nothing on fifty of the worst kind', () => {
    const packets = Array.from({ length: 50 }, () => packetClaiming(65_535, 20));
    const began = performance.now();
    for (const packet of packets) expect(() => RtpHeader.deSerialize(packet)).toThrow();
    // One of them unguarded takes more than two minutes; the bound is loose so that a busy machine does not fail it.
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  test('refuses an extension that is there in full but longer than any real one', () => {
    refuses(packetClaiming(8_000, 12 + 4 + 32_000));
    refuses(packetClaiming(MAX_EXTENSION_BYTES / 4 + 1, 1_500));
  });

  test('lets through what fits, to the last byte', () => {
    const packet = packetClaiming(MAX_EXTENSION_BYTES / 4, 12 + 4 + MAX_EXTENSION_BYTES);
    expect(RtpHeader.deSerialize(packet).payloadOffset).toBe(packet.length);
    expect(fitsItsPacket(packet.subarray(0, -1))).toBe(false);
  });

  test('leaves an ordinary packet as it was', () => {
    const sent = new RtpHeader({
      payloadType: 111,
      sequenceNumber: 65_535,
      timestamp: 2 ** 32 - 1,
      ssrc: 7,
      marker: true,
    });
    sent.extensions = [{ id: 1, payload: Buffer.from([5]) }];
    const packet = new RtpPacket(sent, Buffer.from('payload')).serialize();
    const received = RtpPacket.deSerialize(packet);
    expect(received.header).toMatchObject({
      payloadType: 111,
      sequenceNumber: 65_535,
      timestamp: 2 ** 32 - 1,
      ssrc: 7,
    });
    expect(received.payload.toString()).toBe('payload');
  });

  test('is installed once, however often it is asked for', () => {
    const parser = RtpHeader.deSerialize;
    expect(installRtpHeaderGuard()).toBe(guard);
    expect(RtpHeader.deSerialize).toBe(parser);
  });

  test('answers any bytes with a header or with its own error, never with another', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, withExtension) => {
        const packet = Buffer.from(bytes);
        if (withExtension && packet.length > 0) packet[0] = 0x90 | (packet[0]! & 0x0f);
        let error: unknown;
        try {
          expect(RtpHeader.deSerialize(packet).payloadOffset).toBeGreaterThanOrEqual(12);
        } catch (thrown) {
          error = thrown;
        }
        if (error !== undefined) expect(error).toBeInstanceOf(TrunklineError);
        expect(error === undefined).toBe(fitsItsPacket(packet));
      }),
      { numRuns: 2_000 },
    );
  });
});
