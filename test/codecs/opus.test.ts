import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { Concealment } from '../../src/codecs/concealment';
import { decodeOggOpus } from '../../src/codecs/ogg-opus';
import { Opus, opus, opusDurationTicks, opusHasRedundancy } from '../../src/codecs/opus';
import { createCodec, describeCodec } from '../../src/codecs/preference';
import { amplitudeAt, concat, decibels, sine } from '../support/signal';

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

/** Recorded speech in packets of 20 ms, as an encoder codes it that was told of `loss`. */
async function spoken(loss: number): Promise<{ payloads: Uint8Array[]; whole: Int16Array[] }> {
  const { pcm } = await decodeOggOpus(readFileSync(join(__dirname, '../fixtures/questions/shop-02.ogg')));
  const encoder = new Opus();
  encoder.expectLoss(loss);
  const payloads: Uint8Array[] = [];
  for (let at = 0; at + 480 <= pcm.length; at += 480) payloads.push(encoder.encode(pcm.subarray(at, at + 480)).slice());
  const decoder = new Opus();
  const out = new Int16Array(decoder.maxDecodedSamples);
  return { payloads, whole: payloads.map((payload) => out.slice(0, decoder.decode(payload, out))) };
}

describe('a lost Opus packet', () => {
  /** Every ninth packet is lost; how far from what it held is what is played in its place, in dB, and the sharpest bend. */
  async function errorOf(fill: (codec: Opus, next: Uint8Array, out: Int16Array, own: Concealment) => void) {
    const { payloads, whole } = await spoken(0.1);
    const codec = new Opus();
    const own = new Concealment(opus.decodeRate);
    const out = new Int16Array(codec.maxDecodedSamples);
    let [error, energy] = [0, 0];
    payloads.forEach((payload, i) => {
      const lost = i % 9 === 8 && i + 1 < payloads.length;
      if (lost) fill(codec, payloads[i + 1]!, out, own);
      else {
        codec.decode(payload, out);
        own.good(out, 320);
      }
      if (lost) {
        error += whole[i]!.reduce((sum, sample, at) => sum + (sample - out[at]!) ** 2, 0);
        energy += whole[i]!.reduce((sum, sample) => sum + sample ** 2, 0);
      }
    });
    codec.close();
    return decibels(Math.sqrt(error / energy));
  }

  it('is repaired from the next packet far better than it is concealed, and that better than it is repeated', async () => {
    const repaired = await errorOf((codec, next, out) => {
      if (codec.recover(next, 320, out) === 0) codec.conceal(320, out);
    });
    const concealed = await errorOf((codec, _next, out) => codec.conceal(320, out));
    const repeated = await errorOf((_codec, _next, out, own) => own.conceal(out, 320));
    expect(repaired).toBeLessThan(concealed - 6);
    expect(concealed).toBeLessThan(repeated);
  });

  it('is repeated in nearly every packet of speech, the more finely the more gets lost', async () => {
    const sizeOf = ({ payloads }: { payloads: Uint8Array[] }) => payloads.reduce((sum, { length }) => sum + length, 0);
    const [few, many] = [await spoken(0), await spoken(0.3)];
    for (const { payloads } of [few, many]) {
      expect(payloads.filter(opusHasRedundancy).length / payloads.length).toBeGreaterThan(0.85);
    }
    // The rate is the same: what repeats finely says the rest more coarsely.
    expect(Math.abs(sizeOf(many) / sizeOf(few) - 1)).toBeLessThan(0.1);
    expect(many.payloads).not.toEqual(few.payloads);
  });

  it('is nothing to a packet that cannot repeat it, and nothing to a codec that has heard nothing', async () => {
    const codec = new Opus();
    const out = new Int16Array(codec.maxDecodedSamples);
    expect(codec.conceal(320, out)).toBe(0);
    const { payloads } = await spoken(0);
    codec.decode(payloads[0]!, out);
    const next = payloads.find(opusHasRedundancy)!;
    expect(codec.recover(next, 160, out)).toBe(0);
    expect(codec.recover(Uint8Array.of(31 << 3, 255), 320, out)).toBe(0);
    expect(codec.conceal(319, out)).toBe(0);
    expect(codec.conceal(320, out)).toBe(320);
    expect(codec.recover(next, 320, out)).toBe(320);
  });

  it('costs no memory behind its call, and no call another', async () => {
    const { payloads, whole } = await spoken(0);
    const out = new Int16Array(new Opus().maxDecodedSamples);
    const kept = new Opus();
    // Each state is 18 kB; the library's memory has room for some 900.
    payloads.forEach((payload, i) => {
      for (let n = 0; n < 30; n++) {
        const other = new Opus();
        expect(other.decode(payload, out)).toBe(320);
        other.close();
        expect(other.decode(payload, out)).toBe(0);
      }
      expect(kept.decode(payload, out)).toBe(320);
      expect(out.slice(0, 320)).toEqual(whole[i]);
    });
    kept.close();
  });

  it('is looked for in any bytes without harm', () => {
    const codec = new Opus();
    const out = new Int16Array(codec.maxDecodedSamples);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(0, 1, 160, 320, 960, 5760), (payload, samples) => {
        expect(typeof opusHasRedundancy(payload)).toBe('boolean');
        expect([0, samples]).toContain(codec.recover(payload, samples, out));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the codec list', () => {
  it('knows names in any case, and no others', () => {
    expect(describeCodec('OPUS')?.clockRate).toBe(48_000);
    expect(createCodec('pcma').description.staticPayloadType).toBe(8);
    expect(() => createCodec('G729')).toThrow(expect.objectContaining({ code: 'codecs.unknown-codec' }));
  });
});
