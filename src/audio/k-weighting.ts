/**
 * K-weighting of ITU-R BS.1770-4, annex 1: a shelf for the head's acoustics, then a high pass. The recommendation gives
 * coefficients for 48 kHz; for other rates the same two analogue filters are transformed anew (De Man, "Evaluation of
 * implementations of the EBU R128 loudness measurement", AES 145, 2018), which at 48 kHz gives the published numbers.
 */

interface Biquad {
  readonly b: readonly [number, number, number];
  readonly a: readonly [number, number];
}

const SHELF = { frequencyHz: 1681.974450955533, gainDb: 3.999843853973347, q: 0.7071752369554196 };
const SHELF_MIDDLE_POWER = 0.4996667741545416;
const HIGH_PASS = { frequencyHz: 38.13547087602444, q: 0.5003270373238773 };

export function shelf(sampleRate: number): Biquad {
  const k = Math.tan((Math.PI * SHELF.frequencyHz) / sampleRate);
  const high = 10 ** (SHELF.gainDb / 20);
  const middle = high ** SHELF_MIDDLE_POWER;
  const norm = 1 + k / SHELF.q + k * k;
  return {
    b: [
      (high + (middle * k) / SHELF.q + k * k) / norm,
      (2 * (k * k - high)) / norm,
      (high - (middle * k) / SHELF.q + k * k) / norm,
    ],
    a: [(2 * (k * k - 1)) / norm, (1 - k / SHELF.q + k * k) / norm],
  };
}

export function highPass(sampleRate: number): Biquad {
  const k = Math.tan((Math.PI * HIGH_PASS.frequencyHz) / sampleRate);
  const norm = 1 + k / HIGH_PASS.q + k * k;
  return { b: [1, -2, 1], a: [(2 * (k * k - 1)) / norm, (1 - k / HIGH_PASS.q + k * k) / norm] };
}

/** Both filters in a row, sample by sample. */
export class KWeighting {
  private readonly stages: readonly { readonly filter: Biquad; readonly state: Float64Array }[];

  constructor(sampleRate: number) {
    const filters = [shelf(sampleRate), highPass(sampleRate)];
    this.stages = filters.map((filter) => ({ filter, state: new Float64Array(2) }));
  }

  next(sample: number): number {
    let value = sample;
    for (const { filter, state } of this.stages) {
      const { b, a } = filter;
      // Transposed direct form II.
      const out = b[0] * value + state[0]!;
      state[0] = b[1] * value - a[0] * out + state[1]!;
      state[1] = b[2] * value - a[1] * out;
      value = out;
    }
    return value;
  }
}
