/**
 * A peak limiter for sums of voices, a block at a time: nothing leaves above the ceiling, what stays below it is left as it
 * is, and the gain moves in ramps, so that it is not heard as a click (Zölzer, DAFX, "Limiter").
 */

/** -1 dBFS: codecs overshoot what they are given. */
export const limiterCeiling = 29_204;
/** Of what is missing to full gain, per block of 20 ms: back in about 200 ms. */
const releaseShare = 0.1;

export class Limiter {
  private gain = 1;

  /** `sum` in 16-bit steps, of any height; writes as many samples to `out`. */
  process(sum: Float32Array, out: Int16Array): void {
    const { length } = sum;
    let peak = 0;
    let firstOver = -1;
    for (let i = 0; i < length; i++) {
      const height = Math.abs(sum[i]!);
      if (height > peak) peak = height;
      if (firstOver < 0 && height * this.gain > limiterCeiling) firstOver = i;
    }
    const allowed = peak <= limiterCeiling ? 1 : limiterCeiling / peak;
    const risen = this.gain > 0.999 ? 1 : this.gain + (1 - this.gain) * releaseShare;
    const target = Math.min(allowed, firstOver < 0 ? risen : allowed);
    // Down before the first sample that needs it, up over the whole block.
    const ramp = firstOver < 0 ? length : firstOver;
    const from = this.gain;
    for (let i = 0; i < length; i++) {
      const gain = i < ramp ? from + ((target - from) * i) / ramp : target;
      out[i] = Math.round(sum[i]! * gain);
    }
    this.gain = target;
  }
}
