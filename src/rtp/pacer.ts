/**
 * One timer that wakes every session of a thread each 20 ms on absolute deadlines of the monotonic clock. Relative sleeps
 * and setInterval drift (they were measured losing 550 ms in 9 s), and a timer per session costs more than its packet.
 *
 * Members are spread over the period and keep their phase for life. A late wake-up may send at most two frames
 * in a row (three at exactly 40 ms); what is due beyond that is skipped: time moves on, the burst does not happen, and the skip is counted.
 */
import type { Clock, Timer } from '../core/clock';

export interface PacerMember {
  leave(): void;
}

interface Member {
  readonly run: (deadlineMs: number, skippedFrames: number) => void;
  deadlineMs: number;
}

/** Later than this and frames are skipped instead of sent in a burst. */
const maxLateMs = 40;

export class Pacer {
  /** Ring in order of phase; with one period for all, the order of deadlines never changes. */
  private members: Member[] = [];
  private next = 0;
  private timer: Timer | undefined;
  private joined = 0;
  /** Frames that left late but in order. */
  caughtUpFrames = 0;
  skippedFrames = 0;

  constructor(
    private readonly clock: Clock,
    readonly periodMs = 20,
  ) {}

  get size(): number {
    return this.members.length;
  }

  /** Calls `run` every period from now on, at a phase that keeps members apart. `run` must not throw. */
  join(run: (deadlineMs: number, skippedFrames: number) => void): PacerMember {
    const now = this.clock.nowMs();
    // Multiples of the golden section fill the period evenly for any number of members.
    const phaseMs = ((this.joined++ * 0.618034) % 1) * this.periodMs;
    const periodStart = Math.floor(now / this.periodMs) * this.periodMs;
    let deadlineMs = periodStart + phaseMs;
    while (deadlineMs <= now) deadlineMs += this.periodMs;
    const member: Member = { run, deadlineMs };
    this.members.push(member);
    this.sort();
    this.arm();
    return {
      leave: () => {
        this.members = this.members.filter((other) => other !== member);
        this.sort();
        this.arm();
      },
    };
  }

  private sort(): void {
    this.members.sort((a, b) => a.deadlineMs - b.deadlineMs);
    this.next = 0;
  }

  private arm(): void {
    this.timer?.cancel();
    this.timer = undefined;
    const first = this.members[this.next];
    if (first === undefined) return;
    const delayMs = Math.max(0, first.deadlineMs - this.clock.nowMs());
    this.timer = this.clock.after(delayMs, () => this.wake());
  }

  private wake(): void {
    this.timer = undefined;
    for (;;) {
      const member = this.members[this.next];
      if (member === undefined) break;
      const now = this.clock.nowMs();
      if (member.deadlineMs > now) break;
      let skipped = 0;
      const lateMs = now - member.deadlineMs;
      if (lateMs > maxLateMs) {
        skipped = Math.floor(lateMs / this.periodMs);
        this.skippedFrames += skipped;
      } else if (lateMs >= this.periodMs) {
        this.caughtUpFrames++;
      }
      const deadlineMs = member.deadlineMs + skipped * this.periodMs;
      member.deadlineMs = deadlineMs + this.periodMs;
      // After a stall the order by deadline can break for a moment: sorting puts the ring right again.
      if (skipped > 0 || lateMs >= this.periodMs) this.sort();
      else if (++this.next === this.members.length) this.next = 0;
      member.run(deadlineMs, skipped);
    }
    this.arm();
  }
}
