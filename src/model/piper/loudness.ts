/**
 * Brings the voice to a telephone's level: one fixed gain, then a limiter without memory, so that no chunk border can be
 * heard in it; and short ramps where speech begins and ends.
 */

/** The limiter leaves everything below the knee alone and never passes the ceiling. */
const KNEE = 0.6;
const CEILING = 0.95;

export function amplify(pcm: Float32Array, gain: number): void {
  const room = CEILING - KNEE;
  for (let index = 0; index < pcm.length; index += 1) {
    const sample = (pcm[index] ?? 0) * gain;
    const size = Math.abs(sample);
    pcm[index] = size <= KNEE ? sample : Math.sign(sample) * (KNEE + room * Math.tanh((size - KNEE) / room));
  }
}

/** Raised cosine from silence, in place. */
export function fadeIn(pcm: Float32Array, samples: number): void {
  const length = Math.min(samples, pcm.length);
  for (let index = 0; index < length; index += 1) pcm[index] = (pcm[index] ?? 0) * ramp(index, length);
}

export function fadeOut(pcm: Float32Array, samples: number): void {
  const length = Math.min(samples, pcm.length);
  for (let index = 0; index < length; index += 1) {
    const place = pcm.length - 1 - index;
    pcm[place] = (pcm[place] ?? 0) * ramp(index, length);
  }
}

function ramp(index: number, length: number): number {
  return 0.5 - 0.5 * Math.cos((Math.PI * (index + 0.5)) / length);
}
