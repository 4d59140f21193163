/**
 * Runs the model steps of all calls one at a time, the most urgent first: continuous batching's poor cousin for a
 * machine on which one step uses all cores. A job is anything that can be advanced by one step.
 */
export interface Job {
  /** Higher runs first; asked anew before every step. */
  urgency(): number;
  /** One model step. False: the job is finished and leaves the scheduler. Never rejects. */
  step(): Promise<boolean>;
}

export class StepScheduler {
  private readonly jobs = new Set<Job>();
  private running = false;
  private steps = 0;

  /** `breathe` lets messages in between two steps (setImmediate in the process, a no-op in tests). */
  constructor(private readonly breathe: () => Promise<void>) {}

  add(job: Job): void {
    this.jobs.add(job);
    if (!this.running) void this.run();
  }

  remove(job: Job): void {
    this.jobs.delete(job);
  }

  dump(): { readonly jobs: number; readonly steps: number } {
    return { jobs: this.jobs.size, steps: this.steps };
  }

  private async run(): Promise<void> {
    this.running = true;
    try {
      for (;;) {
        // Cancellations that arrived during the last step take effect before the next is chosen.
        await this.breathe();
        const job = this.mostUrgent();
        if (job === undefined) return;
        this.steps += 1;
        if (!(await job.step())) this.jobs.delete(job);
      }
    } finally {
      this.running = false;
    }
  }

  private mostUrgent(): Job | undefined {
    let best: Job | undefined;
    let bestUrgency = Number.NEGATIVE_INFINITY;
    for (const job of this.jobs) {
      const urgency = job.urgency();
      if (urgency > bestUrgency) {
        best = job;
        bestUrgency = urgency;
      }
    }
    return best;
  }
}
