import { rms } from '../../src/audio/pcm';
import { Concealment } from '../../src/codecs/concealment';
import { buzz, concat, seededRandom, sharpestBend } from '../support/signal';

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
