/** Where the time of a start goes: its stages by name, which may run beside one another. The clock is passed in. */
export interface StartStage {
  readonly stage: string;
  /** From the clock's zero to the stage's beginning. */
  readonly fromMs: number;
  readonly tookMs: number;
}

export class StartTrace {
  readonly stages: StartStage[] = [];

  /** `nowMs`: counts from the start of the process. */
  constructor(private readonly nowMs: () => number) {}

  /** Runs `work` as a stage; one that fails is told too. */
  async span<T>(stage: string, work: () => T | Promise<T>): Promise<T> {
    const fromMs = this.nowMs();
    try {
      return await work();
    } finally {
      this.mark(stage, fromMs);
    }
  }

  /** A stage that began at `fromMs` ends now. */
  mark(stage: string, fromMs: number): void {
    this.stages.push({ stage, fromMs: Math.round(fromMs), tookMs: Math.round(this.nowMs() - fromMs) });
  }
}

/** For a log line: `{modules: "0 + 283", brain: "310 + 700"}`, beginning and length in milliseconds. */
export function shownStages(stages: readonly StartStage[]): Record<string, string> {
  return Object.fromEntries(stages.map(({ stage, fromMs, tookMs }) => [stage, `${fromMs} + ${tookMs}`]));
}
