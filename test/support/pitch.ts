/** How much of a recording is one tone: Goertzel's algorithm (American Mathematical Monthly 65, 1958). */

/** Short, so that a jump of the playout, which a busy machine makes, does not cancel the tone against itself. */
const WINDOW_SECONDS = 0.05;

/** Between 0 and about 1: the part of the samples' energy that lies within some 20 Hz of this frequency. */
export function tonePart(samples: Float32Array, sampleRate: number, frequencyHz: number): number {
  const turn = (2 * Math.PI * frequencyHz) / sampleRate;
  const windowSamples = Math.round(WINDOW_SECONDS * sampleRate);
  let toneEnergy = 0;
  let energy = 0;
  for (let start = 0; start + windowSamples <= samples.length; start += windowSamples) {
    let real = 0;
    let imaginary = 0;
    for (let index = 0; index < windowSamples; index += 1) {
      const sample = samples[start + index] ?? 0;
      real += sample * Math.cos(turn * index);
      imaginary += sample * Math.sin(turn * index);
      energy += sample * sample;
    }
    toneEnergy += (2 * (real * real + imaginary * imaginary)) / windowSamples;
  }
  return energy === 0 ? 0 : toneEnergy / energy;
}

export function rootMeanSquare(samples: Float32Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, samples.length));
}
