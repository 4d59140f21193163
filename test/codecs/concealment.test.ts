import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { rms } from '../../src/audio/pcm';
import { Resampler } from '../../src/audio/resampler';
import { Concealment } from '../../src/codecs/concealment';
import { decodeOggOpus } from '../../src/codecs/ogg-opus';
import { buzz, concat, seededRandom, sharpestBend, sine } from '../support/signal';

const frameOf = (rate: number) => rate / 50;

/** Plays `signal` through concealment with the frames of `lost` missing. */
function play(signal: Int16Array, rate: number, lost: (frame: number) => boolean): Int16Array {
  const size = frameOf(rate);
  const concealment = new Concealment(rate);
  const out: Int16Array[] = [];
  for (let frame = 0; frame * size + size <= signal.length; frame++) {
    const pcm = signal.slice(frame * size, (frame + 1) * size);
    if (lost(frame)) concealment.conceal(pcm, size);
    else concealment.good(pcm);
    out.push(pcm);
  }
  return concat(out);
}

describe.each([8000, 16_000])('concealment at %d Hz', (rate) => {
  const size = frameOf(rate);

  it.each([80, 120, 210])('bends a voice of %d Hz hardly more than the voice bends itself', (pitchHz) => {
    const signal = buzz(pitchHz, 8000, rate, rate);
    const own = sharpestBend(signal);
    for (const first of [10, 13, 20]) {
      for (const frames of [1, 2, 4]) {
        const out = play(signal, rate, (frame) => frame >= first && frame < first + frames);
        const bend = sharpestBend(out, first * size - 2, (first + frames + 2) * size);
        expect(bend).toBeLessThan(1.6 * own);
      }
    }
  });

  it('keeps the strength of the voice over one lost packet', () => {
    const signal = buzz(130, 8000, rate, rate);
    const out = play(signal, rate, (frame) => frame === 20);
    const hole = out.slice(20 * size, 21 * size);
    expect(rms(hole) / rms(signal)).toBeGreaterThan(0.7);
    expect(rms(hole) / rms(signal)).toBeLessThan(1.1);
  });

  it('resembles what was lost', () => {
    const signal = buzz(125, 8000, rate, rate);
    const out = play(signal, rate, (frame) => frame === 20);
    let error = 0;
    let energy = 0;
    for (let i = 20 * size; i < 20 * size + size / 2; i++) {
      error += (out[i]! - signal[i]!) ** 2;
      energy += signal[i]! ** 2;
    }
    expect(error / energy).toBeLessThan(0.15);
  });

  it('fades to silence within 60 ms and comes back without a click', () => {
    const signal = buzz(130, 8000, rate, rate);
    const out = play(signal, rate, (frame) => frame >= 10 && frame < 20);
    expect(rms(out.slice(13 * size, 20 * size))).toBe(0);
    expect(sharpestBend(out, 10 * size - 2, 23 * size)).toBeLessThan(1.6 * sharpestBend(signal));
  });

  it('loses a fifth of its strength every 10 ms behind the first', () => {
    // Whole periods in each piece, so that its strength is the gain's.
    const tone = sine(200, 8000, rate, rate);
    const hole = play(tone, rate, (frame) => frame >= 20 && frame < 24).slice(20 * size, 24 * size);
    const tenMs = size / 2;
    const gains = Array.from({ length: 8 }, (_, i) => rms(hole.subarray(i * tenMs, (i + 1) * tenMs)) / rms(tone));
    for (const [i, gain] of [1, 0.9, 0.7, 0.5, 0.3, 0.1, 0, 0].entries()) expect(gains[i]).toBeCloseTo(gain, 1);
  });

  it('repeats one period for 10 ms, then two, then three', () => {
    // Three periods of 10 ms, told apart by their strength.
    const period = rate / 100;
    const voice = sine(100, 8000, rate, 10 * size);
    for (const [age, strength] of [1, 0.96, 0.92].entries()) {
      const from = voice.length - (age + 1) * period;
      for (let at = from; at < from + period; at++) voice[at] = Math.round(voice[at]! * strength);
    }
    const concealment = new Concealment(rate);
    concealment.good(voice);
    const hole = new Int16Array(3 * size);
    concealment.conceal(hole, hole.length);
    // The crest of each period, with the fade taken out.
    const crests = Array.from({ length: 5 }, (_, i) => {
      const at = (i + 0.25) * period;
      const ms = (at * 1000) / rate;
      return hole[at]! / 8000 / (ms <= 10 ? 1 : 1 - (ms - 10) / 50);
    });
    for (const [i, strength] of [1, 0.96, 0.92, 0.96, 1].entries()) expect(crests[i]).toBeCloseTo(strength, 2);
  });

  it('never clicks in speech, whatever is lost of it', async () => {
    const folder = join(__dirname, '../fixtures/questions');
    for (const name of ['demo-02', 'hotel-16', 'shop-02']) {
      const { pcm, sampleRate } = await decodeOggOpus(readFileSync(join(folder, `${name}.ogg`)));
      const speech = concat(new Resampler(sampleRate, rate).push(pcm));
      const own = sharpestBend(speech);
      fc.assert(
        fc.property(fc.integer({ min: 1 }), fc.integer({ min: 1, max: 5 }), (seed, burst) => {
          const random = seededRandom(seed);
          let left = 0;
          const out = play(speech, rate, () => {
            if (left === 0 && random() < 0.15) left = burst;
            return left > 0 && left-- > 0;
          });
          expect(sharpestBend(out)).toBeLessThan(1.6 * own);
        }),
        { numRuns: 12, seed: 11 },
      );
    }
  });

  it('is silent where silence was', () => {
    const out = play(new Int16Array(rate), rate, (frame) => frame % 5 === 3);
    expect(rms(out)).toBe(0);
  });

  it('changes no good frame beyond 10 ms behind a hole', () => {
    const signal = buzz(130, 8000, rate, rate);
    const out = play(signal, rate, (frame) => frame === 20);
    expect(out.slice(21 * size + size / 2, 40 * size)).toEqual(signal.slice(21 * size + size / 2, 40 * size));
    expect(out.slice(0, 20 * size)).toEqual(signal.slice(0, 20 * size));
  });

  it('never leaves the range of samples at one loss in five', () => {
    const random = seededRandom(3);
    const loud = buzz(90, 32_000, rate, 2 * rate);
    const out = play(loud, rate, () => random() < 0.2);
    expect(out.length).toBe(loud.length);
    // A wrapped sample would be a bend of nearly twice the range.
    expect(sharpestBend(out)).toBeLessThan(2 * sharpestBend(loud));
  });
});
