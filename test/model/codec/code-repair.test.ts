import fc from 'fast-check';
import { CodeRepair } from '../../../src/model/codec/code-repair';

describe('codes that are none', () => {
  it('hold what stood in their slot in the frame before', () => {
    const repair = new CodeRepair(4096);
    expect(repair.repair([1, 2, 3, 4, 5, 6, 7])).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(repair.repair([11, 4096, 13, 4097, 15, -1, 17])).toEqual([11, 2, 13, 4, 15, 6, 17]);
    expect(repair.concealed).toBe(3);
  });

  it('take the nearest code of their own codebook when there is no frame before', () => {
    const repair = new CodeRepair(4096);
    expect(repair.repair([9000, 4097, 20, 4096, 21, 22, 4096])).toEqual([0, 21, 20, 20, 21, 22, 22]);
    expect(repair.concealed).toBe(4);
  });

  it('never leave a frame with an index outside the codebook', () => {
    const any = fc.array(fc.oneof(fc.integer({ min: -5, max: 5000 }), fc.constant(Number.NaN)), { maxLength: 9 });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 20 }), (frames) => {
        const repair = new CodeRepair(4096);
        for (const frame of frames) {
          const whole = repair.repair(frame);
          expect(whole).toHaveLength(7);
          expect(whole.every((code) => Number.isInteger(code) && code >= 0 && code < 4096)).toBe(true);
        }
      }),
    );
  });
});
