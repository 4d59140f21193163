import fc from 'fast-check';
import { type FrameWindow, SNAC_WINDOWS, WindowPlanner } from '../../../src/model/codec/window-plan';

function drive(rules: ConstructorParameters<typeof WindowPlanner>[0], total: number, arrivals: readonly number[]) {
  const planner = new WindowPlanner(rules);
  const windows: (FrameWindow & { available: number })[] = [];
  let available = 0;
  const drain = (ended: boolean) => {
    for (let window = planner.next(available, ended); window; window = planner.next(available, ended)) {
      windows.push({ ...window, available });
    }
  };
  for (const count of arrivals) {
    available = Math.min(total, available + count);
    drain(false);
  }
  available = total;
  drain(true);
  return windows;
}

describe('the plan of chunks', () => {
  it('emits one frame as soon as one more is there, then two, then fours', () => {
    const windows = drive(SNAC_WINDOWS, 13, new Array(13).fill(1));
    expect(windows).toEqual([
      { from: 0, to: 1, start: 0, end: 2, available: 2 },
      { from: 1, to: 3, start: 0, end: 5, available: 5 },
      { from: 3, to: 7, start: 0, end: 9, available: 9 },
      { from: 7, to: 11, start: 4, end: 13, available: 13 },
      { from: 11, to: 13, start: 8, end: 13, available: 13 },
    ]);
  });

  it('says every frame once and in order, whatever the arrivals', () => {
    const rules = fc.record({
      sizes: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
      left: fc.nat(4),
      right: fc.nat(4),
      firstRight: fc.nat(4),
    });
    fc.assert(
      fc.property(rules, fc.nat(60), fc.array(fc.nat(7), { maxLength: 30 }), (given, total, arrivals) => {
        let next = 0;
        for (const { from, to, start, end, available } of drive(given, total, arrivals)) {
          expect(from).toBe(next);
          expect(to).toBeGreaterThan(from);
          expect(start).toBe(Math.max(0, from - given.left));
          expect(end).toBeGreaterThanOrEqual(to);
          expect(end).toBeLessThanOrEqual(available);
          next = to;
        }
        expect(next).toBe(total);
      }),
    );
  });

  it('waits while context is missing, and has nothing to say of nothing', () => {
    const planner = new WindowPlanner({ sizes: [1], left: 3, right: 2, firstRight: 2 });
    expect(planner.next(2, false)).toBeUndefined();
    expect(planner.needed).toBe(3);
    expect(new WindowPlanner(SNAC_WINDOWS).next(0, true)).toBeUndefined();
  });
});
