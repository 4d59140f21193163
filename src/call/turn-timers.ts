/** The timers of one conversation: what the turn machine sets and clears by name, at most one of each running. */
import type { Clock, Timer } from '../core/clock';
import type { TimerId } from '../turn/turn-state';

export class TurnTimers {
  private readonly running = new Map<TimerId, Timer>();

  constructor(
    private readonly clock: Clock,
    /** `token` tells the machine a timer that fired from one that was set anew in the meantime. */
    private readonly fired: (id: TimerId, token: number) => void,
  ) {}

  set(id: TimerId, token: number, afterMs: number): void {
    this.running.get(id)?.cancel();
    this.running.set(
      id,
      this.clock.after(afterMs, () => this.fired(id, token)),
    );
  }

  clear(id: TimerId): void {
    this.running.get(id)?.cancel();
    this.running.delete(id);
  }

  clearAll(): void {
    for (const timer of this.running.values()) timer.cancel();
    this.running.clear();
  }
}
