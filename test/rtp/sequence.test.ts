import fc from 'fast-check';
import { sequenceDelta, timestampDelta, Unwrapper } from '../../src/rtp/sequence';

describe('serial numbers', () => {
  it('are compared across the wrap', () => {
    expect(sequenceDelta(1, 65_535)).toBe(2);
    expect(sequenceDelta(65_535, 1)).toBe(-2);
    expect(sequenceDelta(0, 0)).toBe(0);
    expect(timestampDelta(5, 0xffff_fffb)).toBe(10);
    expect(timestampDelta(0xffff_fffb, 5)).toBe(-10);
  });

  it.each([16, 32] as const)('of %d bits unwrap to what was counted', (bits) => {
    const ring = 2 ** bits;
    fc.assert(
      fc.property(
        fc.nat(ring - 1),
        fc.array(fc.integer({ min: -100, max: ring / 4 }), { maxLength: 50 }),
        (start, steps) => {
          const unwrapper = new Unwrapper(bits);
          let truth = start;
          let highest = start;
          expect(unwrapper.unwrap(start)).toBe(start);
          for (const step of steps) {
            truth = highest + step;
            highest = Math.max(highest, truth);
            expect(unwrapper.unwrap(((truth % ring) + ring) % ring)).toBe(truth);
          }
        },
      ),
    );
  });
});
