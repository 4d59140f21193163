/**
 * A discrete Fourier transform of one fixed size 4^a · 5^b (Whisper's window is 400 = 4 · 4 · 5 · 5), after Stockham's
 * self-sorting scheme. Two real signals ride as real and imaginary part.
 */
const FIFTH = (2 * Math.PI) / 5;
const COS1 = Math.cos(FIFTH);
const COS2 = Math.cos(2 * FIFTH);
const SIN1 = Math.sin(FIFTH);
const SIN2 = Math.sin(2 * FIFTH);

export class FourierTransform {
  private readonly cos: Float64Array;
  private readonly sin: Float64Array;
  private readonly factors: readonly (4 | 5)[];
  private re: Float64Array;
  private im: Float64Array;
  private nextRe: Float64Array;
  private nextIm: Float64Array;

  constructor(readonly size: number) {
    this.factors = factorise(size);
    this.cos = Float64Array.from({ length: size }, (_, k) => Math.cos((2 * Math.PI * k) / size));
    this.sin = Float64Array.from({ length: size }, (_, k) => -Math.sin((2 * Math.PI * k) / size));
    this.re = new Float64Array(size);
    this.im = new Float64Array(size);
    this.nextRe = new Float64Array(size);
    this.nextIm = new Float64Array(size);
  }

  /** |X|² of two real signals of `size` samples, bins 0 … size / 2, into `powerA` and `powerB`. */
  powerOfTwo(a: Float64Array, b: Float64Array, powerA: Float64Array, powerB: Float64Array): void {
    const { size } = this;
    this.re.set(a);
    this.im.set(b);
    this.transform();
    const { re, im } = this;
    for (let k = 0; k <= size >> 1; k++) {
      // Of z = a + ib: A = (Z[k] + conj Z[−k]) / 2, B = (Z[k] − conj Z[−k]) / 2i.
      const mirror = k === 0 ? 0 : size - k;
      const sumRe = re[k]! + re[mirror]!;
      const differenceRe = re[k]! - re[mirror]!;
      const sumIm = im[k]! + im[mirror]!;
      const differenceIm = im[k]! - im[mirror]!;
      powerA[k] = (sumRe * sumRe + differenceIm * differenceIm) / 4;
      powerB[k] = (sumIm * sumIm + differenceRe * differenceRe) / 4;
    }
  }

  /** One stage per factor r: output r·p + j is input p, p + part, … turned by the r-point DFT, then by e^(−2πi·jp/length). */
  private transform(): void {
    let length = this.size;
    let stride = 1;
    for (const factor of this.factors) {
      const part = length / factor;
      if (factor === 4) this.stageOfFour(part, stride);
      else this.stageOfFive(part, stride);
      [this.re, this.nextRe] = [this.nextRe, this.re];
      [this.im, this.nextIm] = [this.nextIm, this.im];
      length = part;
      stride *= factor;
    }
  }

  private stageOfFour(part: number, stride: number): void {
    const { re, im } = this;
    const hop = part * stride;
    for (let p = 0; p < part; p++) {
      for (let q = 0; q < stride; q++) {
        const i = q + stride * p;
        const re0 = re[i]!;
        const re1 = re[i + hop]!;
        const re2 = re[i + 2 * hop]!;
        const re3 = re[i + 3 * hop]!;
        const im0 = im[i]!;
        const im1 = im[i + hop]!;
        const im2 = im[i + 2 * hop]!;
        const im3 = im[i + 3 * hop]!;
        const to = q + stride * 4 * p;
        this.put(to, re0 + re2 + re1 + re3, im0 + im2 + im1 + im3, 0);
        this.put(to + stride, re0 - re2 + im1 - im3, im0 - im2 - re1 + re3, p * stride);
        this.put(to + 2 * stride, re0 + re2 - re1 - re3, im0 + im2 - im1 - im3, 2 * p * stride);
        this.put(to + 3 * stride, re0 - re2 - im1 + im3, im0 - im2 + re1 - re3, 3 * p * stride);
      }
    }
  }

  private stageOfFive(part: number, stride: number): void {
    const { re, im } = this;
    const hop = part * stride;
    for (let p = 0; p < part; p++) {
      for (let q = 0; q < stride; q++) {
        const i = q + stride * p;
        const re0 = re[i]!;
        const im0 = im[i]!;
        const sumRe14 = re[i + hop]! + re[i + 4 * hop]!;
        const sumIm14 = im[i + hop]! + im[i + 4 * hop]!;
        const sumRe23 = re[i + 2 * hop]! + re[i + 3 * hop]!;
        const sumIm23 = im[i + 2 * hop]! + im[i + 3 * hop]!;
        const apartRe14 = re[i + hop]! - re[i + 4 * hop]!;
        const apartIm14 = im[i + hop]! - im[i + 4 * hop]!;
        const apartRe23 = re[i + 2 * hop]! - re[i + 3 * hop]!;
        const apartIm23 = im[i + 2 * hop]! - im[i + 3 * hop]!;
        const evenRe1 = re0 + COS1 * sumRe14 + COS2 * sumRe23;
        const evenIm1 = im0 + COS1 * sumIm14 + COS2 * sumIm23;
        const evenRe2 = re0 + COS2 * sumRe14 + COS1 * sumRe23;
        const evenIm2 = im0 + COS2 * sumIm14 + COS1 * sumIm23;
        // −i times the odd part.
        const oddRe1 = SIN1 * apartIm14 + SIN2 * apartIm23;
        const oddIm1 = -SIN1 * apartRe14 - SIN2 * apartRe23;
        const oddRe2 = SIN2 * apartIm14 - SIN1 * apartIm23;
        const oddIm2 = -SIN2 * apartRe14 + SIN1 * apartRe23;
        const to = q + stride * 5 * p;
        const turn = p * stride;
        this.put(to, re0 + sumRe14 + sumRe23, im0 + sumIm14 + sumIm23, 0);
        this.put(to + stride, evenRe1 + oddRe1, evenIm1 + oddIm1, turn);
        this.put(to + 2 * stride, evenRe2 + oddRe2, evenIm2 + oddIm2, 2 * turn);
        this.put(to + 3 * stride, evenRe2 - oddRe2, evenIm2 - oddIm2, 3 * turn);
        this.put(to + 4 * stride, evenRe1 - oddRe1, evenIm1 - oddIm1, 4 * turn);
      }
    }
  }

  /** Stores (re, im) · e^(−2πi · turn / size); `turn` is below `size` in every stage. */
  private put(at: number, re: number, im: number, turn: number): void {
    const c = this.cos[turn]!;
    const s = this.sin[turn]!;
    this.nextRe[at] = re * c - im * s;
    this.nextIm[at] = re * s + im * c;
  }
}

function factorise(size: number): (4 | 5)[] {
  const factors: (4 | 5)[] = [];
  let rest = size;
  for (const factor of [4, 5] as const) {
    while (rest % factor === 0) {
      factors.push(factor);
      rest /= factor;
    }
  }
  if (rest !== 1) throw new RangeError(`A transform of ${size} points is not 4^a · 5^b.`);
  return factors;
}
