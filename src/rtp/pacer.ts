/**
 * One timer that wakes every session of a thread each 20 ms on absolute deadlines of the monotonic clock. Relative sleeps
 * and setInterval drift (they were measured losing 550 ms in 9 s), and a timer per session costs more than its packet.
 *
 * Members are spread over slots of a millisecond and keep their slot for life: those of one share a wake-up, which is what
 * costs most. A late wake-up may send at most two frames in a row (three at exactly 40 ms); what is due beyond that is
 * skipped: time moves on, the burst does not happen, and the skip is counted.
 */
import type { Clock, Timer } from '../core/clock';

export interface PacerMember {
  leave(): void;
}

interface Member {
  readonly run: (deadlineMs: number, skippedFrames: number) => void;
  deadlineMs: number;
}

const periodMs = 20;
/** Later than this and frames are skipped instead of sent in a burst. */
const maxLateMs = 40;
const slotMs = 1;
/** In which order slots are filled, so that few members lie far apart. */
const slotOrder = [0, 10, 5, 15, 2, 12, 7, 17, 8, 18, 3, 13, 1, 11, 6, 16, 4, 14, 9, 19];

export class Pacer {
  /** Ring in order of phase; with one period for all, the order of deadlines never changes. */
  private members: Member[] = [];
  private next = 0;
  private timer: Timer | undefined;
  /** Members by slot. */
  private readonly slots = new Array<number>(periodMs / slotMs).fill(0);
  /** Frames that left late but in order. */
  caughtUpFrames = 0;
  skippedFrames = 0;

  constructor(private readonly clock: Clock) {}

  get size(): number {
    return this.members.length;
  }

  /** Calls `run` every period from now on, at a phase that keeps members apart. `run` must not throw. */
  join(run: (deadlineMs: number, skippedFrames: number) => void): PacerMember {
    const now = this.clock.nowMs();
    const slot = this.emptiestSlot();
    this.slots[slot]!++;
    let deadlineMs = Math.floor(now / periodMs) * periodMs + slot * slotMs;
    while (deadlineMs <= now) deadlineMs += periodMs;
    const member: Member = { run, deadlineMs };
    this.members.push(member);
    this.sort();
    this.arm();
    return {
      leave: () => {
        if (!this.members.includes(member)) return;
        this.members = this.members.filter((other) => other !== member);
        this.slots[slot]!--;
        this.sort();
        this.arm();
      },
    };
  }

  private emptiestSlot(): number {
    let best = 0;
    for (const slot of slotOrder) if (this.slots[slot]! < this.slots[best]!) best = slot;
    return best;
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
        skipped = Math.floor(lateMs / periodMs);
        this.skippedFrames += skipped;
      } else if (lateMs >= periodMs) {
        this.caughtUpFrames++;
      }
      const deadlineMs = member.deadlineMs + skipped * periodMs;
      member.deadlineMs = deadlineMs + periodMs;
      // After a stall the order by deadline can break for a moment: sorting puts the ring right again.
      if (skipped > 0 || lateMs >= periodMs) this.sort();
      else if (++this.next === this.members.length) this.next = 0;
      member.run(deadlineMs, skipped);
    }
    this.arm();
  }
}
