/**
 * Fills the holes that lost packets leave, for any codec and rate: the last pitch period is found by waveform similarity
 * and repeated with a fade, and the first good samples are overlap-added to it (after ITU-T G.711 Appendix I). Unlike
 * the appendix it adds no delay: instead of holding 3.75 ms back to blend into the repetition, the small step at the
 * beginning is ramped away.
 */

/** Pitch is looked for between 200 Hz and 66 Hz (Appendix I: 40 to 120 samples at 8 kHz). */
const minPitchMs = 5;
const maxPitchMs = 15;
const matchMs = 20;
const historyMs = maxPitchMs * 3 + matchMs;
/** The repetition is played in full for so long, then fades in a straight line to silence. */
const fullMs = 10;
const silentAfterMs = 60;
const stepRampMs = 2;
const minOverlapMs = 4;
const maxOverlapMs = 10;

export class Concealment {
  private readonly history: Int16Array;
  private readonly perMs: number;
  /** One pitch period, cyclic; empty while nothing is being concealed. */
  private readonly cycle: Float64Array;
  private cycleLength = 0;
  private cycleAt = 0;
  private concealed = 0;
  private step = 0;
  private concealedTotal = 0;

  constructor(readonly sampleRate: number) {
    this.perMs = sampleRate / 1000;
    this.history = new Int16Array(Math.ceil(historyMs * this.perMs));
    this.cycle = new Float64Array(Math.ceil(maxPitchMs * this.perMs) + 1);
  }

  get concealedMs(): number {
    return this.concealedTotal / this.perMs;
  }

  /** Every good block passes here; the beginning of the first one after a hole is blended in, in place. */
  good(pcm: Int16Array, length = pcm.length): void {
    if (this.concealed > 0) {
      const hole = this.concealed / this.perMs;
      // The longer the hole, the longer the blend: 4 ms, and 4 ms for each 10 ms of hole, up to 10 ms (I.2.7).
      const overlapMs = Math.min(maxOverlapMs, minOverlapMs + 0.4 * Math.max(0, hole - 10));
      const overlap = Math.min(length, Math.round(overlapMs * this.perMs));
      for (let i = 0; i < overlap; i++) {
        const weight = (i + 1) / (overlap + 1);
        pcm[i] = Math.round(pcm[i]! * weight + this.next() * (1 - weight));
      }
      this.concealed = 0;
      this.cycleLength = 0;
    }
    this.remember(pcm, length);
  }

  /** Writes `length` samples of replacement into `out` from `offset`. */
  conceal(out: Int16Array, length: number, offset = 0): void {
    if (this.cycleLength === 0) this.begin();
    for (let i = 0; i < length; i++) out[offset + i] = Math.round(this.next());
    this.concealedTotal += length;
  }

  /** The far end fell silent on purpose: what comes next fades in from nothing. */
  silence(): void {
    if (this.cycleLength === 0) this.begin();
    this.concealed = Math.max(this.concealed, Math.ceil(silentAfterMs * this.perMs));
  }

  reset(): void {
    this.history.fill(0);
    this.cycleLength = 0;
    this.concealed = 0;
  }

  private next(): number {
    const ms = this.concealed / this.perMs;
    const gain = ms <= fullMs ? 1 : Math.max(0, 1 - (ms - fullMs) / (silentAfterMs - fullMs));
    const ramp = Math.max(0, 1 - ms / stepRampMs);
    const value = this.cycle[this.cycleAt]! * gain + this.step * ramp;
    if (++this.cycleAt === this.cycleLength) this.cycleAt = 0;
    this.concealed++;
    return Math.min(32767, Math.max(-32768, value));
  }

  private begin(): void {
    const history = this.history;
    const end = history.length;
    const pitch = this.findPitch();
    // The seam of the cycle is closed by fading its last quarter into what preceded the period.
    const seam = pitch >> 2;
    for (let i = 0; i < pitch; i++) {
      let value = history[end - pitch + i]!;
      const intoSeam = i - (pitch - seam);
      if (intoSeam >= 0) {
        const weight = (intoSeam + 1) / (seam + 1);
        value = value * (1 - weight) + history[end - 2 * pitch + i]! * weight;
      }
      this.cycle[i] = value;
    }
    this.cycleLength = pitch;
    this.cycleAt = 0;
    this.concealed = 0;
    // How far the signal had drifted from itself one period before: nothing for a steady voice.
    this.step = history[end - 1]! - history[end - 1 - pitch]!;
  }

  /** Lag of the best normalised cross-correlation, first every other sample of every other lag, then around the best. */
  private findPitch(): number {
    const min = Math.round(minPitchMs * this.perMs);
    const max = Math.round(maxPitchMs * this.perMs);
    const coarse = Math.max(1, Math.round(this.perMs / 4));
    const rough = this.bestLag(min, max, coarse);
    return this.bestLag(Math.max(min, rough - coarse), Math.min(max, rough + coarse), 1);
  }

  private bestLag(from: number, to: number, stride: number): number {
    const history = this.history;
    const end = history.length;
    const match = Math.round(matchMs * this.perMs);
    let best = from;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (let lag = from; lag <= to; lag += stride) {
      let product = 0;
      let energy = 1;
      for (let i = end - match; i < end; i += stride) {
        const past = history[i - lag]!;
        product += history[i]! * past;
        energy += past * past;
      }
      const score = product / Math.sqrt(energy);
      if (score > bestScore) {
        bestScore = score;
        best = lag;
      }
    }
    return best;
  }

  private remember(pcm: Int16Array, length: number): void {
    const history = this.history;
    if (length >= history.length) {
      history.set(pcm.subarray(length - history.length, length));
      return;
    }
    history.copyWithin(0, length);
    for (let i = 0; i < length; i++) history[history.length - length + i] = pcm[i]!;
  }
}
