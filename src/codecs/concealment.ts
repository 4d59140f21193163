/**
 * Fills the holes that lost packets leave, for any codec and rate, as ITU-T G.711 Appendix I has it: the last pitch period
 * is found by normalised cross-correlation and repeated, after 10 ms the last two and after 20 ms the last three, a fifth
 * weaker every 10 ms and silent after 60; every join is overlap-added. Unlike the appendix it adds no delay: instead of
 * holding 3.75 ms of speech back to blend them into the repetition, the first join blends from the repetition moved to where
 * the last sample was.
 */

/** Pitch is looked for between 200 Hz and 66 Hz (I.2.2: 40 to 120 samples at 8 kHz), over the last 20 ms. */
const minPitchMs = 5;
const maxPitchMs = 15;
const matchMs = 20;
/** I.2.4: one period is repeated for 10 ms, then two, then three, so that a long hole does not buzz. */
const maxPeriods = 3;
const historyMs = maxPitchMs * (maxPeriods + 1) + matchMs;
/** I.2.5: full for 10 ms, then a straight line that loses 20 % every 10 ms. */
const fullMs = 10;
const silentAfterMs = 60;
/** I.2.6: a quarter of a period, and behind the hole 4 ms more for each 10 ms of it, at most 10 ms. */
const overlapPerMs = 0.4;
const maxOverlapMs = 10;

export class Concealment {
  private readonly history: Int16Array;
  private readonly perMs: number;
  /** The last three periods before the hole and a quarter more; the newest `periods` of them are what is repeated. */
  private readonly source: Float64Array;
  /** Where the newest period ends once its last quarter blends into what precedes the oldest repeated period. */
  private readonly seam: Float64Array;
  /** What a join blends from, over a quarter of a period: how the sound would have gone on without it. */
  private readonly leaving: Float64Array;
  private leavingAt = 0;
  /** Samples of one period; 0 while nothing is being concealed. */
  private pitch = 0;
  private periods = 0;
  /** Place within the repeated periods. */
  private at = 0;
  private concealed = 0;
  private concealedTotal = 0;

  constructor(readonly sampleRate: number) {
    this.perMs = sampleRate / 1000;
    const maxPitch = Math.round(maxPitchMs * this.perMs);
    this.history = new Int16Array(Math.ceil(historyMs * this.perMs));
    this.source = new Float64Array(maxPitch * (maxPeriods + 1));
    this.seam = new Float64Array(maxPitch >> 2);
    this.leaving = new Float64Array(maxPitch >> 2);
  }

  get concealedMs(): number {
    return this.concealedTotal / this.perMs;
  }

  /** Every good block passes here; the beginning of the first one after a hole is blended in, in place. */
  good(pcm: Int16Array, length = pcm.length): void {
    if (this.concealed > 0) {
      const longest = Math.min(length, Math.round(maxOverlapMs * this.perMs));
      const extra = Math.round(overlapPerMs * Math.max(0, this.concealed - fullMs * this.perMs));
      if (this.pitch > 0) this.blend(pcm, Math.min(longest, this.quarter + extra));
      else this.fadeIn(pcm, longest);
      this.concealed = 0;
      this.pitch = 0;
    }
    this.remember(pcm, 0, length);
  }

  /** Writes `length` samples of replacement into `out` from `offset`. */
  conceal(out: Int16Array, length: number, offset = 0): void {
    if (this.pitch === 0) this.begin();
    for (let i = 0; i < length; i++) out[offset + i] = Math.round(this.next());
    this.concealedTotal += length;
    // I.2.7: the replacement is history, too, so that the next hole is not filled from two ends of this one.
    this.remember(out, offset, length);
  }

  /**
   * The same with a replacement that the codec made: fades it in place as a repetition would be. What comes behind it is the codec's
   * own continuation and is faded in, not blended.
   */
  concealWith(pcm: Int16Array, length: number): void {
    const overlap = Math.min(length, this.quarter);
    for (let i = 0; i < length; i++) {
      const value = pcm[i]! * this.gain;
      if (i < overlap) {
        const weight = (i + 1) / (overlap + 1);
        pcm[i] = Math.round(value * weight + this.next() * (1 - weight));
      } else {
        pcm[i] = Math.round(value);
        this.concealed++;
      }
    }
    this.pitch = 0;
    this.concealedTotal += length;
    this.remember(pcm, 0, length);
  }

  /** The far end fell silent on purpose: what comes next fades in from nothing. */
  silence(): void {
    if (this.pitch === 0 && this.concealed === 0) this.begin();
    this.concealed = Math.max(this.concealed, Math.ceil(silentAfterMs * this.perMs));
  }

  reset(): void {
    this.history.fill(0);
    this.pitch = 0;
    this.concealed = 0;
  }

  /** From the repetition into `pcm`. */
  private blend(pcm: Int16Array, overlap: number): void {
    for (let i = 0; i < overlap; i++) {
      const weight = (i + 1) / (overlap + 1);
      pcm[i] = Math.round(pcm[i]! * weight + this.next() * (1 - weight));
    }
  }

  private fadeIn(pcm: Int16Array, length: number): void {
    const from = this.gain;
    for (let i = 0; i < length; i++) pcm[i] = Math.round(pcm[i]! * (from + ((1 - from) * (i + 1)) / (length + 1)));
  }

  private get gain(): number {
    const ms = this.concealed / this.perMs;
    return Math.max(0, Math.min(1, 1 - (ms - fullMs) / (silentAfterMs - fullMs)));
  }

  private next(): number {
    const ms = this.concealed / this.perMs;
    const { gain } = this;
    this.concealed++;
    if (gain === 0) return 0;
    if (this.periods < maxPeriods && ms >= this.periods * fullMs) this.grow();
    let value = this.repeated();
    if (this.leavingAt < this.quarter) {
      const weight = (this.leavingAt + 1) / (this.quarter + 1);
      value = value * weight + this.leaving[this.leavingAt]! * (1 - weight);
      this.leavingAt++;
    }
    return Math.min(32767, Math.max(-32768, value * gain));
  }

  private begin(): void {
    const history = this.history;
    const end = history.length;
    this.pitch = this.findPitch();
    const kept = this.pitch * maxPeriods + this.quarter;
    for (let i = 0; i < kept; i++) this.source[i] = history[end - kept + i]!;
    this.periods = 1;
    this.closeSeam();
    this.at = 0;
    this.concealed = 0;
    // How far the sound had drifted from itself one period before: nothing for a steady voice.
    const drift = history[end - 1]! - history[end - 1 - this.pitch]!;
    for (let i = 0; i < this.quarter; i++) this.leaving[i] = history[end - this.pitch + i]! + drift;
    this.leavingAt = 0;
  }

  /** One period more is repeated; it begins at the same place of a period and is overlap-added to what was going on. */
  private grow(): void {
    const at = this.at % this.pitch;
    for (let i = 0; i < this.quarter; i++) this.leaving[i] = this.repeated();
    this.leavingAt = 0;
    this.periods++;
    this.closeSeam();
    this.at = at;
  }

  private get quarter(): number {
    return this.pitch >> 2;
  }

  /** Where in `source` the repeated periods begin. */
  private get repeatedFrom(): number {
    return this.quarter + this.pitch * (maxPeriods - this.periods);
  }

  /** The next sample of the repeated periods, round and round. */
  private repeated(): number {
    const length = this.pitch * this.periods;
    const intoSeam = this.at - (length - this.quarter);
    const value = intoSeam >= 0 ? this.seam[intoSeam]! : this.source[this.repeatedFrom + this.at]!;
    if (++this.at === length) this.at = 0;
    return value;
  }

  /** I.2.3: the last quarter of the newest period fades into the quarter before the oldest repeated one. */
  private closeSeam(): void {
    const quarter = this.quarter;
    const newest = this.pitch * maxPeriods;
    const before = this.repeatedFrom - quarter;
    for (let i = 0; i < quarter; i++) {
      const weight = (i + 1) / (quarter + 1);
      this.seam[i] = this.source[newest + i]! * (1 - weight) + this.source[before + i]! * weight;
    }
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

  private remember(pcm: Int16Array, offset: number, length: number): void {
    const history = this.history;
    const kept = Math.min(length, history.length);
    history.copyWithin(0, kept);
    for (let i = 0; i < kept; i++) history[history.length - kept + i] = pcm[offset + length - kept + i]!;
  }
}
