/** Milliseconds from the start of an answer to the first transcript, text, audio: what a turn's waterfall shows. */
export class StageTimes {
  private readonly startedMs: number;
  readonly all: Record<string, number> = {};

  constructor(private readonly nowMs: () => number) {
    this.startedMs = nowMs();
  }

  /** The first mark of a stage counts. */
  mark(stage: string): void {
    this.all[stage] ??= Math.round((this.nowMs() - this.startedMs) * 10) / 10;
  }
}
