/** Trunks that have asked not to be called for a while (RFC 3261 §20.33, §21.5.4), or were not there a moment ago. */
import type { Clock } from '../core/clock';

export class TrunkPauses {
  /** By name: when it is over. */
  private readonly untilMs = new Map<string, number>();

  constructor(private readonly clock: Clock) {}

  get count(): number {
    return [...this.untilMs.keys()].filter((trunk) => this.isPaused(trunk)).length;
  }

  pause(trunk: string, seconds: number): void {
    if (seconds > 0) this.untilMs.set(trunk, this.clock.nowMs() + seconds * 1_000);
  }

  isPaused(trunk: string): boolean {
    const until = this.untilMs.get(trunk);
    if (until === undefined) return false;
    if (until > this.clock.nowMs()) return true;
    this.untilMs.delete(trunk);
    return false;
  }
}
