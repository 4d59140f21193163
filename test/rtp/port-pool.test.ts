import fc from 'fast-check';
import { PortPool } from '../../src/rtp/port-pool';

describe('the port pool', () => {
  it('gives even ports with room for the odd one above, each once', () => {
    const pool = new PortPool(20_001, 20_011, () => 0.5);
    const ports = Array.from({ length: 6 }, () => pool.take(0));
    expect([...ports].sort()).toEqual([20_002, 20_004, 20_006, 20_008, 20_010, undefined]);
  });

  it('keeps a released port in quarantine', () => {
    const pool = new PortPool(20_000, 20_001, () => 0, 30_000);
    const port = pool.take(0)!;
    pool.release(port, 1000);
    expect(pool.take(30_999)).toBeUndefined();
    expect(pool.take(31_000)).toBe(port);
  });

  it('never gives a port twice, nor one that was released lately', () => {
    const step = fc.record({ release: fc.boolean(), which: fc.nat(20), passMs: fc.nat(12_000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), fc.double({ min: 0, max: 1, noNaN: true }), (steps, start) => {
        const pool = new PortPool(30_000, 30_019, () => start, 30_000);
        const inUse: number[] = [];
        const releasedMs = new Map<number, number>();
        let nowMs = 0;
        for (const { release, which, passMs } of steps) {
          nowMs += passMs;
          if (release && inUse.length > 0) {
            const [port] = inUse.splice(which % inUse.length, 1);
            pool.release(port!, nowMs);
            releasedMs.set(port!, nowMs);
            continue;
          }
          const port = pool.take(nowMs);
          if (port === undefined) continue;
          expect(inUse).not.toContain(port);
          expect(nowMs - (releasedMs.get(port) ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(30_000);
          inUse.push(port);
        }
      }),
    );
  });

  it('of no size gives none', () => {
    expect(new PortPool(1, 0, () => 0.3).take(0)).toBeUndefined();
  });
});
