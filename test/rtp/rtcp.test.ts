import fc from 'fast-check';
import { ntpMiddle, parseRtcp, roundTripMs, writeRtcp } from '../../src/rtp/rtcp';

const block = {
  ssrc: 0x01020304,
  fractionLost: 25,
  cumulativeLost: -3,
  extendedHighestSequence: 70_000,
  jitterTicks: 42,
  lastSenderReport: 0xdeadbeef,
  delaySinceLastSenderReport: 65_536,
};
const sent = { wallClockMs: 1_700_000_000_250, timestampTicks: 0xffff_fff0, packets: 12, bytes: 1920 };

describe('RTCP', () => {
  it('is written as a compound that reads back, with and without having sent', () => {
    expect(parseRtcp(writeRtcp({ ssrc: 7, cname: 'a@b', sent, block }, true))).toEqual([
      {
        type: 'sender-report',
        ssrc: 7,
        ntpMiddle: ntpMiddle(sent.wallClockMs),
        timestampTicks: 0xffff_fff0,
        packets: 12,
        bytes: 1920,
        blocks: [block],
      },
      { type: 'source-description', names: [{ ssrc: 7, cname: 'a@b' }] },
      { type: 'bye', ssrcs: [7], reason: undefined },
    ]);
    expect(parseRtcp(writeRtcp({ ssrc: 7, cname: 'abc@d', sent: undefined, block: undefined }, false))).toEqual([
      { type: 'receiver-report', ssrc: 7, blocks: [] },
      { type: 'source-description', names: [{ ssrc: 7, cname: 'abc@d' }] },
    ]);
  });

  it('keeps whole words whatever the length of the name', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), fc.boolean(), (cname, bye) => {
        const compound = writeRtcp({ ssrc: 1, cname, sent, block }, bye);
        expect(compound.length % 4).toBe(0);
        expect(parseRtcp(compound)).toHaveLength(bye ? 3 : 2);
      }),
    );
  });

  it('steps over what it does not use and refuses lengths that point outside', () => {
    const app = Uint8Array.of(0x80, 204, 0, 2, 0, 0, 0, 1, 65, 66, 67, 68);
    const bye = Uint8Array.of(0x81, 203, 0, 1, 0, 0, 0, 9);
    expect(parseRtcp(Uint8Array.of(...app, ...bye))).toEqual([{ type: 'bye', ssrcs: [9], reason: undefined }]);
    expect(parseRtcp(Uint8Array.of(0x81, 203, 0, 9, 0, 0, 0, 9))).toBeUndefined();
    expect(parseRtcp(Uint8Array.of(0x85, 203, 0, 1, 0, 0, 0, 9))).toBeUndefined();
    expect(parseRtcp(Uint8Array.of(0x9f, 200, 0, 6, ...new Array(24).fill(0)))).toBeUndefined();
    expect(parseRtcp(Uint8Array.of(0x41, 203, 0, 0))).toBeUndefined();
    expect(parseRtcp(new Uint8Array(0))).toBeUndefined();
  });

  it('reads the names of several sources and the reason of a goodbye', () => {
    const text = (value: string) => [value.length, ...Buffer.from(value)];
    const first = [0, 0, 0, 5, 2, ...text('Ann'), 1, ...text('ann@x'), 0, 0, 0, 0];
    const second = [0, 0, 0, 6, 1, ...text('b'), 0];
    const names = [0x82, 202, 0, (first.length + second.length) / 4, ...first, ...second];
    const bye = [0x81, 203, 0, 3, 0, 0, 0, 5, ...text('lunch!'), 0];
    expect(parseRtcp(Uint8Array.from([...names, ...bye]))).toEqual([
      {
        type: 'source-description',
        names: [
          { ssrc: 5, cname: 'ann@x' },
          { ssrc: 6, cname: 'b' },
        ],
      },
      { type: 'bye', ssrcs: [5], reason: 'lunch!' },
    ]);
  });

  it('never throws, whatever the datagram', () => {
    const compound = writeRtcp({ ssrc: 7, cname: 'a@b', sent, block }, true);
    const mutated = fc
      .array(fc.tuple(fc.nat(compound.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 6 })
      .map((changes) => {
        const copy = compound.slice();
        for (const [at, value] of changes) copy[at] = value;
        return copy;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (bytes) => {
        parseRtcp(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it('measures a round trip by RFC 3550 §6.4.1 and believes no nonsense', () => {
    const sentMs = 1_700_000_000_000;
    const echoed = { ...block, lastSenderReport: ntpMiddle(sentMs), delaySinceLastSenderReport: 65_536 };
    expect(roundTripMs(echoed, sentMs + 1080)).toBeCloseTo(80, 0);
    expect(roundTripMs(echoed, sentMs + 500)).toBeUndefined();
    expect(roundTripMs({ ...echoed, lastSenderReport: 0 }, sentMs)).toBeUndefined();
  });
});
