import fc from 'fast-check';
import { rtpHeaderBytes, writeRtp } from '../../src/rtp/packet';
import { estimateIndex, SrtpReceiver, SrtpSender } from '../../src/rtp/srtp';
import { CounterModeCipher, GcmCipher } from '../../src/rtp/srtp-cipher';
import { deriveSessionKeys, masterBytes, type SrtpSuite, srtpSuites } from '../../src/rtp/srtp-keys';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const suites = Object.keys(srtpSuites) as SrtpSuite[];

/** RFC 3711 appendix B.3; libsrtp's reference packets use the same master key. */
const master = hex('e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6');
const gcmMaster = hex('000102030405060708090a0b0c0d0e0f a0a1a2a3a4a5a6a7a8a9aaab');
const rtp = hex('800f1234decafbadcafebabe abababababababababababababababab');
const rtcp = hex('81c8000bcafebabe abababababababababababababababab');

function protectRtp(sender: SrtpSender, packet: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(packet.length + 16);
  buffer.set(packet);
  return buffer.slice(0, sender.protectRtp(buffer, packet.length));
}

function packetOf(sequenceNumber: number, payload = 'abcd'): Uint8Array {
  const out = new Uint8Array(rtpHeaderBytes + payload.length);
  writeRtp(
    { payloadType: 0, sequenceNumber, timestampTicks: 0, ssrc: 7, marker: false, payload: Buffer.from(payload) },
    out,
  );
  return out;
}

function lineOf(suite: SrtpSuite): { sender: SrtpSender; receiver: SrtpReceiver } {
  const key = Uint8Array.from({ length: masterBytes(suite) }, (_, i) => 3 * i + 1);
  return { sender: new SrtpSender(suite, key), receiver: new SrtpReceiver(suite, key) };
}

describe('SRTP', () => {
  it('derives the session keys of RFC 3711 appendix B.3', () => {
    const keys = deriveSessionKeys('AES_CM_128_HMAC_SHA1_80', master, 'rtp');
    expect(text(keys.key)).toBe('c61e7a93744f39ee10734afe3ff7a087');
    expect(text(keys.salt)).toBe('30cbbc08863d8c85d49db34a9ae1');
    expect(text(keys.authenticationKey)).toBe('cebe321f6ff7716b6fd4ab49af256a156d38baa4');
  });

  it('makes the key stream of RFC 3711 appendix B.2', () => {
    const keys = {
      key: hex('2b7e151628aed2a6abf7158809cf4f3c'),
      salt: hex('f0f1f2f3f4f5f6f7f8f9fafbfcfd'),
      authenticationKey: new Uint8Array(20),
    };
    const zeros = new Uint8Array(48);
    new CounterModeCipher(keys, 10).seal(zeros, 0, 48, 0, { high: 0, low: 0 }, new Uint8Array());
    expect(text(zeros)).toBe(
      'e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0',
    );
  });

  it('protects the reference packets of libsrtp with AES-CM and HMAC-SHA1', () => {
    const sender = new SrtpSender('AES_CM_128_HMAC_SHA1_80', master);
    expect(text(protectRtp(sender, rtp))).toBe(
      '800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb',
    );
    sender.protectRtcp(rtcp);
    expect(text(sender.protectRtcp(rtcp))).toBe(
      '81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798',
    );
  });

  it('protects the reference packets of libsrtp with AES-GCM', () => {
    const sender = new SrtpSender('AEAD_AES_128_GCM', gcmMaster);
    expect(text(protectRtp(sender, rtp))).toBe(
      '800f1234decafbadcafebabec5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df3131a127e8a392',
    );
    sender.protectRtcp(rtcp);
    expect(text(sender.protectRtcp(rtcp))).toBe(
      '81c8000bcafebabec98b8b5df0392a55852b6c21ac8e7025c52c6fbea2b3b446ea31123ba88ce61e80000001',
    );
  });

  it('seals the packet of RFC 7714 §16.1.1 with the session key given there', () => {
    const keys = {
      key: hex('000102030405060708090a0b0c0d0e0f'),
      salt: hex('517569642070726f2071756f'),
      authenticationKey: new Uint8Array(),
    };
    const header = hex('8040f17b8041f8d35501a0b2');
    const packet = Uint8Array.from([...header, ...Buffer.from('Gallia est omnis divisa in partes tres')]);
    const tag = new GcmCipher(keys).seal(
      packet,
      12,
      packet.length,
      0x5501a0b2,
      { high: 0, low: 0xf17b },
      new Uint8Array(),
    );
    expect(text(packet.subarray(12)) + text(tag)).toBe(
      'f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce',
    );
  });

  it.each(suites)('opens what the other side closed, RTP and RTCP, with %s', (suite) => {
    const { sender, receiver } = lineOf(suite);
    const packet = packetOf(65_535, 'x'.repeat(480));
    const protectedPacket = protectRtp(sender, packet);
    expect(text(protectedPacket)).not.toContain(text(packet.subarray(12)));
    expect(receiver.unprotectRtp(protectedPacket)).toEqual({ kind: 'packet', bytes: packet });
    expect(receiver.unprotectRtcp(sender.protectRtcp(rtcp))).toEqual({ kind: 'packet', bytes: rtcp });
  });

  it.each(suites)(
    'goes on over the wrap of the sequence numbers, with loss and reordering around it, with %s',
    (suite) => {
      const { sender, receiver } = lineOf(suite);
      const sent = Array.from({ length: 400 }, (_, i) => protectRtp(sender, packetOf((65_300 + i) & 0xffff)));
      const lost = new Set([100, 200, 235, 236, 237, 300]);
      const order = sent.map((_, i) => i).filter((i) => !lost.has(i));
      for (let i = 1; i < order.length; i += 3) [order[i - 1], order[i]] = [order[i]!, order[i - 1]!];
      expect(order.map((i) => receiver.unprotectRtp(sent[i]!.slice()).kind)).toEqual(order.map(() => 'packet'));
    },
  );

  it('keeps the roll-over counter when 30,000 packets are lost around the wrap', () => {
    const { sender, receiver } = lineOf('AES_CM_128_HMAC_SHA1_80');
    let opened = 0;
    for (let i = 0; i < 150_000; i++) {
      const packet = protectRtp(sender, packetOf(i & 0xffff, 'a'));
      const lost = i > 50_000 && i < 80_000;
      if (!lost && i % 500 === 0 && receiver.unprotectRtp(packet).kind === 'packet') opened++;
    }
    expect(opened).toBe(300 - 59);
  });

  it('refuses a packet that came already, and one from before the window', () => {
    const { sender, receiver } = lineOf('AES_CM_128_HMAC_SHA1_80');
    const sent = Array.from({ length: 300 }, (_, i) => protectRtp(sender, packetOf(100 + i)));
    for (const packet of sent.slice(1)) receiver.unprotectRtp(packet.slice());
    expect(receiver.unprotectRtp(sent[299]!.slice()).kind).toBe('replayed');
    expect(receiver.unprotectRtp(sent[0]!.slice()).kind).toBe('replayed');
    const report = sender.protectRtcp(rtcp);
    expect(receiver.unprotectRtcp(report.slice()).kind).toBe('packet');
    expect(receiver.unprotectRtcp(report.slice()).kind).toBe('replayed');
  });

  it.each(suites)('refuses what was changed in any single byte, and stays usable, with %s', (suite) => {
    const { sender, receiver } = lineOf(suite);
    const packet = protectRtp(sender, packetOf(1));
    for (let at = 0; at < packet.length; at++) {
      const changed = packet.slice();
      changed[at]! ^= 0x01;
      expect(receiver.unprotectRtp(changed).kind).not.toBe('packet');
    }
    expect(receiver.unprotectRtp(packet).kind).toBe('packet');
  });

  it('refuses a packet under another key', () => {
    const { sender } = lineOf('AEAD_AES_256_GCM');
    const receiver = new SrtpReceiver('AEAD_AES_256_GCM', new Uint8Array(44).fill(9));
    expect(receiver.unprotectRtp(protectRtp(sender, packetOf(1))).kind).toBe('unauthentic');
  });

  it('never throws on what a network may bring', () => {
    fc.assert(
      fc.property(fc.constantFrom(...suites), fc.uint8Array({ maxLength: 80 }), (suite, bytes) => {
        const { receiver } = lineOf(suite);
        expect(receiver.unprotectRtp(bytes.slice()).kind).not.toBe('packet');
        expect(receiver.unprotectRtcp(bytes.slice()).kind).not.toBe('packet');
      }),
    );
  });

  it('takes the index next to the highest one', () => {
    expect(estimateIndex(-1, 65_000)).toBe(65_000);
    expect(estimateIndex(65_535, 0)).toBe(65_536);
    expect(estimateIndex(65_540, 65_530)).toBe(65_530);
    expect(estimateIndex(3 * 65_536 + 40_000, 10_000)).toBe(3 * 65_536 + 10_000);
    expect(estimateIndex(3, 65_530)).toBeLessThan(0);
  });
});
