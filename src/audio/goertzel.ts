/** Goertzel's filter: the Fourier sum of a block at one frequency, for detectors of tones that need few of them. */

export interface FourierSum {
  readonly real: number;
  readonly imaginary: number;
}

/** By a filter of second order; the phase is that at the block's first sample. */
export function goertzel(block: Float64Array, frequencyHz: number, sampleRate: number): FourierSum {
  const omega = (2 * Math.PI * frequencyHz) / sampleRate;
  const coefficient = 2 * Math.cos(omega);
  let before = 0;
  let last = 0;
  for (let i = 0; i < block.length; i++) {
    const now = block[i]! + coefficient * last - before;
    before = last;
    last = now;
  }
  // y = last - before·e^(-jω) has the phase of the last sample; turned back to the first.
  const real = last - before * Math.cos(omega);
  const imaginary = before * Math.sin(omega);
  const turn = -omega * (block.length - 1);
  return {
    real: real * Math.cos(turn) - imaginary * Math.sin(turn),
    imaginary: real * Math.sin(turn) + imaginary * Math.cos(turn),
  };
}

/** Squared magnitude. */
export function squared({ real, imaginary }: FourierSum): number {
  return real * real + imaginary * imaginary;
}

/** Hann's window: what a tone puts beside its own frequency is gone two bins away. */
export function hannWindow(samples: number): Float64Array {
  return Float64Array.from({ length: samples }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / samples));
}
