/** Signals for tests, and measures of them. */

export function sine(frequencyHz: number, amplitude: number, sampleRate: number, samples: number): Int16Array {
  return Int16Array.from({ length: samples }, (_, i) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * frequencyHz * i) / sampleRate)),
  );
}

/** A voice-like buzz: harmonics of a pitch with falling strength. */
export function buzz(pitchHz: number, amplitude: number, sampleRate: number, samples: number): Int16Array {
  return Int16Array.from({ length: samples }, (_, i) => {
    let sum = 0;
    for (let harmonic = 1; harmonic * pitchHz < 3400; harmonic++) {
      sum += Math.sin((2 * Math.PI * pitchHz * harmonic * i) / sampleRate) / harmonic;
    }
    return Math.round((amplitude * sum) / 2);
  });
}

/** Amplitude of one frequency under a Hann window, so that neighbours do not leak in. */
export function amplitudeAt(pcm: ArrayLike<number>, frequencyHz: number, sampleRate: number): number {
  let re = 0;
  let im = 0;
  let weight = 0;
  for (let i = 0; i < pcm.length; i++) {
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / (pcm.length - 1));
    const angle = (2 * Math.PI * frequencyHz * i) / sampleRate;
    re += window * pcm[i]! * Math.cos(angle);
    im += window * pcm[i]! * Math.sin(angle);
    weight += window;
  }
  return (2 * Math.hypot(re, im)) / weight;
}

export function decibels(ratio: number): number {
  return 20 * Math.log10(Math.max(ratio, 1e-9));
}

export { joinInt16 as concat, sharpestBend } from '../../src/audio/pcm';

/** Uniform values 0…1, the same each run. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
}
