/**
 * Runs the model steps of all calls one at a time, the most urgent first: on a small machine one step uses all cores. A job
 * is anything that can be advanced by one step; one that has done enough for now says when it is due again, and is not asked
 * before. That a run of the language model may hold the tokens of several calls is that model's own affair
 * (model/trunk/step-batcher.ts): by it a call's step may turn out to be done when its turn comes.
 */
import type { Timer } from '../core/clock';

export interface Job {
  /** Whose it is, for those who are asked to make room. */
  readonly owner?: string;
  /** Higher runs first; asked anew before every step. */
  urgency(): number;
  /** Milliseconds until it should go on; 0 or less: now. Left out: always now. */
  dueInMs?(): number;
  /** One model step. False: the job is finished and leaves the scheduler. Never rejects. */
  step(): Promise<boolean>;
  /** Told in the middle of a step that a more urgent job waits: the step should end soon, and is asked for again. */
  preempt?(by: Job): void;
}

export interface SchedulerOptions {
  /** Lets messages in between two steps (setImmediate in the process, a no-op in tests). */
  readonly breathe: () => Promise<void>;
  readonly after: (delayMs: number, run: () => void) => Timer;
}

export class StepScheduler {
  private readonly jobs = new Set<Job>();
  private running = false;
  private current: Job | undefined;
  private wake: (() => void) | undefined;
  private steps = 0;

  constructor(private readonly options: SchedulerOptions) {}

  add(job: Job): void {
    this.jobs.add(job);
    this.preempt(job);
    if (!this.running) void this.run();
    else this.poke();
  }

  remove(job: Job): void {
    this.jobs.delete(job);
  }

  /** Something changed that jobs are asked about: whoever sleeps is asked again. */
  poke(): void {
    this.wake?.();
  }

  dump(): { readonly jobs: number; readonly steps: number } {
    return { jobs: this.jobs.size, steps: this.steps };
  }

  private async run(): Promise<void> {
    this.running = true;
    try {
      for (;;) {
        // Cancellations that arrived during the last step take effect before the next is chosen.
        await this.options.breathe();
        if (this.jobs.size === 0) return;
        const job = this.mostUrgent();
        if (job === undefined) await this.sleep();
        else await this.step(job);
      }
    } finally {
      this.running = false;
    }
  }

  private async step(job: Job): Promise<void> {
    this.steps += 1;
    this.current = job;
    // A step that can be cut short is, when somebody who sleeps falls due in it.
    const alarm =
      job.preempt === undefined
        ? undefined
        : this.options.after(this.nextDueMs(), () => {
            const due = this.mostUrgent();
            if (due !== undefined) this.preempt(due);
          });
    const goesOn = await job.step();
    alarm?.cancel();
    this.current = undefined;
    if (!goesOn) this.jobs.delete(job);
  }

  private preempt(by: Job): void {
    const { current } = this;
    if (current?.preempt === undefined || current === by) return;
    if ((by.dueInMs?.() ?? 0) <= 0 && by.urgency() > current.urgency()) current.preempt(by);
  }

  private sleep(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.options.after(this.nextDueMs(), () => this.wake?.());
      this.wake = () => {
        this.wake = undefined;
        timer.cancel();
        resolve();
      };
    });
  }

  /** Until the first of those that sleep is due. */
  private nextDueMs(): number {
    let next = 60_000;
    for (const job of this.jobs) {
      const due = job.dueInMs?.() ?? 0;
      if (due > 0) next = Math.min(next, due);
    }
    return next;
  }

  private mostUrgent(): Job | undefined {
    let best: Job | undefined;
    let bestUrgency = Number.NEGATIVE_INFINITY;
    for (const job of this.jobs) {
      if ((job.dueInMs?.() ?? 0) > 0) continue;
      const urgency = job.urgency();
      if (urgency > bestUrgency) {
        best = job;
        bestUrgency = urgency;
      }
    }
    return best;
  }
}
