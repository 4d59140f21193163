/** Counts of durations in steps of a quarter millisecond: percentiles without keeping samples. */
const stepMs = 0.25;
const steps = 800;

export class DurationHistogram {
  private readonly counts = new Uint32Array(steps + 1);
  count = 0;
  maxMs = 0;

  record(durationMs: number): void {
    const step = Math.min(steps, Math.max(0, Math.floor(durationMs / stepMs)));
    this.counts[step]!++;
    this.count++;
    if (durationMs > this.maxMs) this.maxMs = durationMs;
  }

  /** Upper edge of the step that holds the quantile, never above the maximum; 0 when nothing was recorded. */
  quantileMs(quantile: number): number {
    const wanted = Math.ceil(this.count * quantile);
    let seen = 0;
    for (let step = 0; step <= steps; step++) {
      seen += this.counts[step]!;
      if (seen >= wanted && seen > 0) return Math.min(this.maxMs, (step + 1) * stepMs);
    }
    return 0;
  }

  add(other: DurationHistogram): void {
    for (let step = 0; step <= steps; step++) this.counts[step]! += other.counts[step]!;
    this.count += other.count;
    this.maxMs = Math.max(this.maxMs, other.maxMs);
  }
}
