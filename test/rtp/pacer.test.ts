import { type Clock, ManualClock, type Timer } from '../../src/core/clock';
import { Pacer } from '../../src/rtp/pacer';

/** A clock whose timers fire late by what `lateMs` says. */
class SluggishClock implements Clock {
  private readonly clock = new ManualClock();
  lateMs = 0;

  nowMs(): number {
    return this.clock.nowMs();
  }

  after(delayMs: number, run: () => void): Timer {
    return this.clock.after(delayMs + this.lateMs, run);
  }

  advance(byMs: number): void {
    this.clock.advance(byMs);
  }
}

describe('the pacer', () => {
  it('calls on absolute deadlines: late wake-ups do not add up', () => {
    const clock = new SluggishClock();
    clock.lateMs = 3;
    const pacer = new Pacer(clock);
    const deadlines: number[] = [];
    pacer.join((deadlineMs) => deadlines.push(deadlineMs));
    clock.advance(20_000);
    expect(deadlines.length).toBeGreaterThanOrEqual(998);
    for (let i = 1; i < deadlines.length; i++) expect(deadlines[i]! - deadlines[i - 1]!).toBeCloseTo(20, 6);
  });

  it('spreads members over the period, those of a millisecond together', () => {
    const clock = new ManualClock();
    const pacer = new Pacer(clock);
    const servedAt = new Map<number, number>();
    for (let i = 0; i < 50; i++) {
      pacer.join(() => servedAt.set(clock.nowMs(), (servedAt.get(clock.nowMs()) ?? 0) + 1));
    }
    clock.advance(20);
    expect(servedAt.size).toBe(20);
    for (const members of servedAt.values()) expect([2, 3]).toContain(members);
  });

  it('keeps few members far apart', () => {
    const clock = new ManualClock();
    const pacer = new Pacer(clock);
    const at: number[] = [];
    for (let i = 0; i < 6; i++) pacer.join(() => at.push(clock.nowMs()));
    clock.advance(20);
    for (let i = 1; i < at.length; i++) expect(at[i]! - at[i - 1]!).toBeGreaterThanOrEqual(2);
  });

  it('gives the slot of a member that left to the next', () => {
    const clock = new ManualClock();
    const pacer = new Pacer(clock);
    const members = Array.from({ length: 40 }, () => pacer.join(() => {}));
    for (const member of members.splice(10, 3)) member.leave();
    const at = new Set<number>();
    for (let i = 0; i < 3; i++) pacer.join(() => at.add(clock.nowMs()));
    clock.advance(20);
    expect(at.size).toBe(3);
  });

  it('sends at most two frames after a wake-up that is late by less than 40 ms', () => {
    const clock = new SluggishClock();
    const pacer = new Pacer(clock);
    const at: number[] = [];
    pacer.join((_, skipped) => {
      expect(skipped).toBe(0);
      at.push(clock.nowMs());
    });
    clock.advance(200);
    clock.lateMs = 35;
    clock.advance(50);
    clock.lateMs = 0;
    clock.advance(300);
    const bursts = at.filter((ms, i) => i > 0 && ms === at[i - 1]).length;
    expect(bursts).toBeLessThanOrEqual(2);
    expect(pacer.skippedFrames).toBe(0);
    expect(pacer.caughtUpFrames).toBeGreaterThan(0);
  });

  it('skips time instead of bursting after a longer stall, and counts it', () => {
    const clock = new SluggishClock();
    const pacer = new Pacer(clock);
    const calls: { deadlineMs: number; skipped: number; atMs: number }[] = [];
    pacer.join((deadlineMs, skipped) => calls.push({ deadlineMs, skipped, atMs: clock.nowMs() }));
    clock.advance(100);
    clock.lateMs = 1010;
    clock.advance(25);
    clock.lateMs = 0;
    clock.advance(2000);
    const stall = calls.find((call) => call.skipped > 0)!;
    expect(stall.skipped).toBe(50);
    expect(stall.atMs - stall.deadlineMs).toBeLessThan(20);
    // Time is whole: every frame was either run or skipped.
    const frames = calls.reduce((sum, call) => sum + 1 + call.skipped, 0);
    expect(calls.at(-1)!.deadlineMs - calls[0]!.deadlineMs).toBeCloseTo((frames - 1) * 20, 6);
    expect(pacer.skippedFrames).toBe(50);
    expect(calls.filter((call) => call.atMs === stall.atMs).length).toBe(1);
  });

  it('stops calling a member that left, even from within its own call, and keeps no timer for nobody', () => {
    const clock = new ManualClock();
    const pacer = new Pacer(clock);
    let calls = 0;
    let others = 0;
    const member = pacer.join(() => {
      if (++calls === 3) member.leave();
    });
    const other = pacer.join(() => others++);
    clock.advance(1000);
    expect(calls).toBe(3);
    expect(others).toBe(50);
    other.leave();
    expect(pacer.size).toBe(0);
    clock.advance(1000);
    expect(others).toBe(50);
  });

  it('serves hundreds of members each exactly once per period', () => {
    const clock = new ManualClock();
    const pacer = new Pacer(clock);
    const counts = new Array(300).fill(0);
    for (let i = 0; i < 300; i++) pacer.join(() => counts[i]++);
    clock.advance(2000);
    expect(new Set(counts)).toEqual(new Set([100]));
  });
});
