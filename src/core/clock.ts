/**
 * Time, passed in: a monotonic clock with one-shot timers, and a manual one for tests. Nothing below media/ reads a
 * clock by itself.
 */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds on a monotonic scale with an arbitrary origin; sub-millisecond fractions are kept. */
  nowMs(): number;
  after(delayMs: number, run: () => void): Timer;
}

export class SystemClock implements Clock {
  nowMs(): number {
    return performance.now();
  }

  after(delayMs: number, run: () => void): Timer {
    const handle = setTimeout(run, delayMs);
    return { cancel: () => clearTimeout(handle) };
  }
}

/** A clock that moves only when told to; timers fire in order of their deadline. */
export class ManualClock implements Clock {
  private now = 0;
  private timers: { atMs: number; run: () => void }[] = [];

  nowMs(): number {
    return this.now;
  }

  after(delayMs: number, run: () => void): Timer {
    const timer = { atMs: this.now + delayMs, run };
    this.timers.push(timer);
    return {
      cancel: () => {
        this.timers = this.timers.filter((other) => other !== timer);
      },
    };
  }

  /** Moves time on and runs what falls due, including timers that those set. */
  advance(byMs: number): void {
    const untilMs = this.now + byMs;
    for (;;) {
      let next: { atMs: number; run: () => void } | undefined;
      for (const timer of this.timers) {
        if (timer.atMs <= untilMs && (next === undefined || timer.atMs < next.atMs)) next = timer;
      }
      if (next === undefined) break;
      const due = next;
      this.timers = this.timers.filter((other) => other !== due);
      this.now = due.atMs;
      due.run();
    }
    this.now = untilMs;
  }
}
