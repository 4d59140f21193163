/**
 * From durations to steps (the length regulator of FastSpeech, Ren et al. 2019, on real durations): step t stands for the
 * time 2t + 1, in latents, and belongs to the symbol that is being said then. Where in the symbol it stands goes along.
 */

export interface StepPlace {
  /** Index of the symbol. */
  readonly symbol: number;
  /** [ln(1 + elapsed), ln(1 + remaining), share said, ln(1 + duration)]; times in latents. */
  readonly position: readonly [number, number, number, number];
}

const LATENTS_PER_STEP = 2;

export class LengthRegulator {
  /** The time at which each symbol ends, in latents. */
  private readonly ends: number[] = [];
  private readonly durations: number[] = [];

  constructor(private readonly maxElapsed: number) {}

  /** Latents of all symbols taken so far. */
  get total(): number {
    return this.ends[this.ends.length - 1] ?? 0;
  }

  /** When `symbol` begins, in latents. */
  startOf(symbol: number): number {
    return symbol <= 0 ? 0 : (this.ends[Math.min(symbol, this.ends.length) - 1] ?? 0);
  }

  push(durations: Iterable<number>): void {
    for (const duration of durations) {
      const bounded = Number.isFinite(duration) ? Math.max(0, duration) : 0;
      this.durations.push(bounded);
      this.ends.push(this.total + bounded);
    }
  }

  /** Steps whose symbol is known. */
  get knownSteps(): number {
    // Step t is known when 2t + 1 lies before the end.
    return Math.max(0, Math.ceil((this.total - 1) / LATENTS_PER_STEP));
  }

  /** Step `step`; behind the end it belongs to the last symbol, whose time goes on. */
  place(step: number): StepPlace {
    const time = LATENTS_PER_STEP * step + 1;
    let low = 0;
    let high = this.ends.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ends[middle]! > time) high = middle;
      else low = middle + 1;
    }
    const duration = this.durations[low] ?? 0;
    const end = this.ends[low] ?? 0;
    const elapsed = time - (end - duration);
    const remaining = Math.max(end - time, 0);
    return {
      symbol: low,
      position: [
        Math.log1p(Math.min(elapsed, this.maxElapsed)),
        Math.log1p(remaining),
        Math.min(elapsed / Math.max(duration, 1), 2),
        Math.log1p(duration),
      ],
    };
  }
}
