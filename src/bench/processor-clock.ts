/**
 * A clock that counts the processor time of this process and skips what nobody works in: a day of calls in as long as the
 * work takes, and the same on a machine that others use as well.
 */
import type { Clock, Timer } from '../core/clock';

/** Turns of the event loop without work, after which everybody must be waiting for a timer. */
const QUIET_TURNS = 25;
const QUIET_MS = 0.3;

export class ProcessorClock implements Clock {
  private readonly timers = new Set<{ readonly atMs: number; readonly run: () => void }>();
  private skippedMs = 0;

  nowMs(): number {
    return this.skippedMs + this.workedMs;
  }

  /** Processor time alone. */
  get workedMs(): number {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  }

  after(delayMs: number, run: () => void): Timer {
    const timer = { atMs: this.nowMs() + delayMs, run };
    this.timers.add(timer);
    return { cancel: () => this.timers.delete(timer) };
  }

  /** Resolves at `atMs`, or when that time has passed. */
  until(atMs: number): Promise<void> {
    return new Promise((resolve) => this.after(Math.max(0, atMs - this.nowMs()), resolve));
  }

  /** Lets time pass until `work` is done. */
  async drive<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const finished = work.finally(() => {
      done = true;
    });
    let quiet = 0;
    for (let last = this.workedMs; !done; ) {
      await new Promise((resolve) => setImmediate(resolve));
      const worked = this.workedMs;
      quiet = worked - last < QUIET_MS ? quiet + 1 : 0;
      last = worked;
      const next = [...this.timers].reduce((first, { atMs }) => Math.min(first, atMs), Number.POSITIVE_INFINITY);
      if (quiet >= QUIET_TURNS && Number.isFinite(next)) {
        this.skippedMs += Math.max(0, next - this.nowMs());
        quiet = 0;
      }
      for (const timer of [...this.timers].filter(({ atMs }) => atMs <= this.nowMs())) {
        this.timers.delete(timer);
        timer.run();
      }
    }
    return finished;
  }
}
