import fc from 'fast-check';
import { shareInterval } from '../../src/core/percentiles';

describe('the interval of a share', () => {
  it('is that of Wilson (1927)', () => {
    const [low, high] = shareInterval(16, 196);
    expect(low).toBeCloseTo(0.0508, 3);
    expect(high).toBeCloseTo(0.1283, 3);
    expect(shareInterval(0, 0)).toEqual([0, 1]);
  });

  it('holds the share that was counted, and narrows with the number', () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.nat(1_000), (part, rest) => {
        const whole = part + rest + 1;
        const [low, high] = shareInterval(part, whole);
        expect(low).toBeLessThanOrEqual(part / whole + 1e-9);
        expect(high).toBeGreaterThanOrEqual(part / whole - 1e-9);
        const [lower, higher] = shareInterval(100 * part, 100 * whole);
        expect(higher - lower).toBeLessThan(high - low);
      }),
    );
  });
});
