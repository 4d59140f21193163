import fc from 'fast-check';
import { Opus, opus, opusDurationTicks } from '../../src/codecs/opus';
import { createCodec, describeCodec } from '../../src/codecs/preference';
import { amplitudeAt, concat, sine } from '../support/signal';

describe('Opus', () => {
  it('carries a tone from the voice rate to the recogniser rate', () => {
    const codec = new Opus();
    const input = sine(600, 8000, opus.encodeRate, opus.encodeRate);
    const out = new Int16Array(codec.maxDecodedSamples);
    const frames = [];
    for (let at = 0; at < input.length; at += 480) {
      const payload = codec.encode(input.subarray(at, at + 480)).slice();
      expect(codec.durationTicks(payload)).toBe(960);
      expect(codec.decode(payload, out)).toBe(320);
      frames.push(out.slice(0, 320));
    }
    const heard = concat(frames).slice(4000);
    expect(amplitudeAt(heard, 600, opus.decodeRate)).toBeGreaterThan(6000);
    expect(amplitudeAt(heard, 1500, opus.decodeRate)).toBeLessThan(200);
    expect(codec.badPayloads).toBe(0);
  });

  it.each([0, 1, 479, 481, 960, 5760])('refuses a frame of %d samples before the library sees it', (samples) => {
    expect(() => new Opus().encode(new Int16Array(samples))).toThrow(
      expect.objectContaining({ code: 'codecs.wrong-frame' }),
    );
  });

  it('counts bad packets, never throws, and still decodes good ones', () => {
    const codec = new Opus();
    const good = codec.encode(sine(600, 8000, 24_000, 480)).slice();
    const out = new Int16Array(codec.maxDecodedSamples);
    const mutated = fc
      .array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 5 })
      .map((changes) => {
        const copy = good.slice();
        for (const [at, value] of changes) copy[at] = value;
        return copy;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), mutated), (payload) => {
        const samples = codec.decode(payload, out);
        expect(samples).toBeLessThanOrEqual(codec.maxDecodedSamples);
        expect(samples).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 2000 },
    );
    expect(codec.badPayloads).toBeGreaterThan(0);
    expect(codec.decode(good, out)).toBe(320);
  });

  it('reads a length from the first bytes, none beyond 120 ms', () => {
    // Config 9: SILK wideband 20 ms; code 3 with 7 frames would be 140 ms.
    expect(opusDurationTicks(Uint8Array.of(9 << 3))).toBe(960);
    expect(opusDurationTicks(Uint8Array.of((9 << 3) | 3, 3))).toBe(2880);
    expect(opusDurationTicks(Uint8Array.of((9 << 3) | 3, 7))).toBe(0);
    expect(opusDurationTicks(Uint8Array.of((9 << 3) | 3))).toBe(0);
    expect(opusDurationTicks(Uint8Array.of())).toBe(0);
    expect(opusDurationTicks(Uint8Array.of(16 << 3))).toBe(120);
  });
});

describe('the codec list', () => {
  it('knows names in any case, and no others', () => {
    expect(describeCodec('OPUS')?.clockRate).toBe(48_000);
    expect(createCodec('pcma').description.staticPayloadType).toBe(8);
    expect(() => createCodec('G729')).toThrow(expect.objectContaining({ code: 'codecs.unknown-codec' }));
  });
});
