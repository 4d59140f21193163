import fc from 'fast-check';
import { Resampler } from '../../src/audio/resampler';
import { amplitudeAt, concat, decibels, sine } from '../support/signal';

const rates = [8000, 16_000, 22_050, 24_000, 48_000];
const pairs = rates.flatMap((from) => rates.filter((to) => to !== from).map((to) => [from, to] as const));

function resample(input: Int16Array, from: number, to: number): Int16Array {
  return concat(new Resampler(from, to).push(input));
}

/** Without the filter's run-in. */
function settled(pcm: Int16Array): Int16Array {
  return pcm.slice(Math.floor(pcm.length / 4));
}

describe('the resampler', () => {
  it.each(pairs)('from %d to %d Hz passes the voice band within half a decibel', (from, to) => {
    const edge = 0.82 * (Math.min(from, to) / 2);
    for (const frequencyHz of [200, 1000, 0.5 * edge, edge]) {
      const out = settled(resample(sine(frequencyHz, 10_000, from, from / 5), from, to));
      expect(Math.abs(decibels(amplitudeAt(out, frequencyHz, to) / 10_000))).toBeLessThan(0.5);
    }
  });

  it.each(pairs.filter(([from, to]) => from > to))('from %d to %d Hz keeps aliases 60 dB down', (from, to) => {
    for (const above of [1.03, 1.2, 1.6]) {
      const frequencyHz = (above * to) / 2;
      if (frequencyHz >= from / 2) continue;
      const out = settled(resample(sine(frequencyHz, 30_000, from, from / 5), from, to));
      const alias = Math.abs(to - frequencyHz);
      expect(decibels(amplitudeAt(out, alias, to) / 30_000)).toBeLessThan(-60);
    }
  });

  it.each(pairs.filter(([from, to]) => from < to))('from %d to %d Hz keeps images 60 dB down', (from, to) => {
    for (const part of [0.1, 0.5, 0.88]) {
      const frequencyHz = (part * from) / 2;
      const image = from - frequencyHz;
      if (image >= to / 2) continue;
      const out = settled(resample(sine(frequencyHz, 30_000, from, from / 5), from, to));
      expect(decibels(amplitudeAt(out, image, to) / 30_000)).toBeLessThan(-60);
    }
  });

  it('gives the same samples however the input is cut', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...pairs),
        fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 12 }),
        ([from, to], cuts) => {
          const total = cuts.reduce((sum, cut) => sum + cut, 0);
          const input = sine(777, 12_000, from, total);
          const whole = resample(input, from, to);
          const resampler = new Resampler(from, to);
          let at = 0;
          const parts = cuts.flatMap((cut) => {
            at += cut;
            return resampler.push(input.subarray(at - cut, at));
          });
          expect(concat(parts)).toEqual(whole);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('makes exactly 320 samples of 160, and 160 of 320, from the first frame on', () => {
    expect(new Resampler(8000, 16_000).process(new Int16Array(160), new Int16Array(400))).toBe(320);
    expect(new Resampler(16_000, 8000).process(new Int16Array(320), new Int16Array(400))).toBe(160);
  });

  it('neither gains nor loses time over a minute of 22,050 Hz', () => {
    const resampler = new Resampler(22_050, 8000);
    const out = new Int16Array(200);
    let samples = 0;
    for (let i = 0; i < 3000; i++) samples += resampler.process(new Int16Array(441), out);
    expect(samples).toBe(480_000);
  });

  it('clips what overshoots instead of wrapping', () => {
    const square = Int16Array.from({ length: 1600 }, (_, i) => (Math.floor(i / 20) % 2 === 0 ? 32_767 : -32_768));
    const out = resample(square, 8000, 16_000);
    for (let i = 1; i < out.length; i++) expect(Math.abs(out[i]! - out[i - 1]!)).toBeLessThan(60_000);
  });

  it('passes samples through when the rates are the same', () => {
    const input = sine(500, 9000, 8000, 333);
    expect(resample(input, 8000, 8000)).toEqual(input);
  });
});
