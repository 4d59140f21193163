import fc from 'fast-check';
import { ManualClock } from '../../src/core/clock';
import { SourceLimit } from '../../src/core/source-limit';

describe('a source limit', () => {
  it('never lets a source have more than its rate and its burst, however it asks', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.05, max: 50, noNaN: true }),
        fc.array(fc.nat({ max: 5_000 }), { maxLength: 200 }),
        (perSecond, pausesMs) => {
          const clock = new ManualClock();
          const limit = new SourceLimit(perSecond, clock);
          let admitted = 0;
          for (const pauseMs of pausesMs) {
            clock.advance(pauseMs);
            if (limit.admit('one')) admitted++;
          }
          const seconds = clock.nowMs() / 1_000;
          expect(admitted).toBeLessThanOrEqual(Math.max(1, perSecond * 4) + seconds * perSecond + 1e-6);
          expect(limit.dropped).toBe(pausesMs.length - admitted);
        },
      ),
    );
  });

  it('tells how long to wait, and admits after that', () => {
    const clock = new ManualClock();
    const limit = new SourceLimit(0.25, clock);
    expect([limit.admit('one'), limit.admit('one')]).toEqual([true, false]);
    expect(limit.waitSeconds('one')).toBe(4);
    clock.advance(4_000);
    expect([limit.hasRoom('one'), limit.admit('one')]).toEqual([true, true]);
  });

  it('remembers no more than so many sources', () => {
    const limit = new SourceLimit(1, new ManualClock());
    for (let source = 0; source < 10_000; source++) limit.admit(`source ${source}`);
    expect(limit.sources).toBe(4_096);
  });
});
