/**
 * One sub-band of ITU-T G.722: the adaptive differential coder's predictor and step size, which encoder and decoder keep
 * alike. Names of the blocks are those of the recommendation (clause 6); arithmetic is 16 bits with saturation.
 */

const stepTable = [
  2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896, 2960, 3025,
  3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];
const poleTapLimit = 12_288;
const poleSumLimit = 15_360;
const zeros = 6;

export class SubBand {
  /** Predicted sample. */
  predicted = 0;
  /** Step of the quantiser. */
  step: number;
  private logStep = 0;
  private zeroPart = 0;
  /** Reconstructed and partially reconstructed signal, newest first: r, p of the recommendation. */
  private r1 = 0;
  private r2 = 0;
  private p1 = 0;
  private p2 = 0;
  private a1 = 0;
  private a2 = 0;
  private readonly differences = new Int32Array(zeros);
  private readonly b = new Int32Array(zeros);

  /** `shift` and `limit`: how the logarithm becomes a step (SCALEL, SCALEH), and how high it goes (LOGSCL, LOGSCH). */
  constructor(
    private readonly initialStep: number,
    private readonly shift: number,
    private readonly limit: number,
  ) {
    this.step = initialStep;
  }

  reset(): void {
    this.predicted = 0;
    this.step = this.initialStep;
    this.logStep = 0;
    this.zeroPart = 0;
    this.r1 = 0;
    this.r2 = 0;
    this.p1 = 0;
    this.p2 = 0;
    this.a1 = 0;
    this.a2 = 0;
    this.differences.fill(0);
    this.b.fill(0);
  }

  /** LOGSCL/LOGSCH, SCALEL/SCALEH: the step follows what was just coded. */
  adaptStep(weight: number): void {
    const log = ((this.logStep * 127) >> 7) + weight;
    this.logStep = Math.min(this.limit, Math.max(0, log));
    const mantissa = stepTable[(this.logStep >> 6) & 31]!;
    const down = this.shift - (this.logStep >> 11);
    this.step = (down < 0 ? mantissa << -down : mantissa >> down) << 2;
  }

  /** RECONS to PREDIC: takes the quantised difference in and predicts the next sample. */
  update(difference: number): void {
    const { b, differences } = this;
    const r0 = saturate16(this.predicted + difference);
    const p0 = saturate16(this.zeroPart + difference);
    const sameAs1 = p0 >> 15 === this.p1 >> 15;
    const sameAs2 = p0 >> 15 === this.p2 >> 15;

    // UPPOL2
    const turned = saturate16(this.a1 * 4);
    const swing = sameAs1 ? (turned === -32_768 ? 32_767 : -turned) : turned;
    const wanted2 = (swing >> 7) + (sameAs2 ? 128 : -128) + ((this.a2 * 32_512) >> 15);
    const a2 = Math.min(poleTapLimit, Math.max(-poleTapLimit, wanted2));
    // UPPOL1: the sum of both stays below one, which keeps the filter stable.
    const wanted1 = saturate16((sameAs1 ? 192 : -192) + ((this.a1 * 32_640) >> 15));
    const bound = poleSumLimit - a2;
    const a1 = Math.min(bound, Math.max(-bound, wanted1));

    // UPZERO, and FILTEZ on the differences one place further on (DELAYA).
    const gain = difference === 0 ? 0 : 128;
    const sign = difference >> 15;
    let zeroPart = 0;
    for (let i = zeros - 1; i >= 0; i--) {
      const past = differences[i]!;
      const tap = saturate16((past >> 15 === sign ? gain : -gain) + ((b[i]! * 32_640) >> 15));
      b[i] = tap;
      const next = i === 0 ? difference : differences[i - 1]!;
      differences[i] = next;
      zeroPart += (tap * saturate16(next + next)) >> 15;
    }
    this.zeroPart = saturate16(zeroPart);

    this.r2 = this.r1;
    this.r1 = r0;
    this.p2 = this.p1;
    this.p1 = p0;
    this.a1 = a1;
    this.a2 = a2;
    // FILTEP, PREDIC
    const polePart = ((a1 * saturate16(this.r1 + this.r1)) >> 15) + ((a2 * saturate16(this.r2 + this.r2)) >> 15);
    this.predicted = saturate16(saturate16(polePart) + this.zeroPart);
  }
}

export function saturate16(value: number): number {
  return Math.min(32_767, Math.max(-32_768, value));
}
