import fc from 'fast-check';
import { CtcCollapser } from '../../../src/model/llama-omni/ctc';
import { UnitChunks } from '../../../src/model/llama-omni/unit-chunks';

const BLANK = 1000;

describe('CTC, read as it comes', () => {
  it('merges repeats and leaves blanks out', () => {
    expect(new CtcCollapser(BLANK).push([5, 5, BLANK, 5, 7, 7, BLANK, BLANK, 8])).toEqual([5, 5, 7, 8]);
  });

  it('says the same wherever the input is cut', () => {
    const symbols = fc.array(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant(BLANK)), { maxLength: 200 });
    fc.assert(
      fc.property(symbols, fc.array(fc.integer({ min: 1, max: 25 }), { minLength: 1 }), (all, cuts) => {
        const parts = new CtcCollapser(BLANK);
        const found: number[] = [];
        let from = 0;
        for (let nth = 0; from < all.length; nth += 1) {
          const to = from + cuts[nth % cuts.length]!;
          found.push(...parts.push(all.slice(from, to)));
          from = to;
        }
        expect(found).toEqual(new CtcCollapser(BLANK).push(all));
      }),
    );
  });

  it('keeps a unit once that is held across a border, and says it again after a blank', () => {
    const collapser = new CtcCollapser(BLANK);
    expect(collapser.push([4, 4])).toEqual([4]);
    expect(collapser.push([4, BLANK])).toEqual([]);
    expect(collapser.push([4])).toEqual([4]);
  });
});

describe('chunks of units', () => {
  it('come as soon as Ω and their context wait; the rest at the end', () => {
    const chunks = new UnitChunks({ omega: 4, context: 2 });
    chunks.push([0, 1, 2, 3, 4]);
    expect(chunks.next()).toBeUndefined();
    chunks.push([5]);
    expect(chunks.next()).toEqual({ from: 0, to: 4, start: 0, units: [0, 1, 2, 3, 4, 5] });
    expect(chunks.next()).toBeUndefined();
    chunks.push([6]);
    chunks.end();
    expect(chunks.next()).toEqual({ from: 4, to: 7, start: 2, units: [2, 3, 4, 5, 6] });
    expect(chunks.next()).toBeUndefined();
  });

  it('say every unit once and show its true neighbours', () => {
    const arrivals = fc.array(fc.nat(30), { maxLength: 20 });
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 1, max: 40 }), fc.nat(10), (counts, omega, context) => {
        const chunks = new UnitChunks({ omega, context });
        let made = 0;
        let said = 0;
        const take = () => {
          for (let window = chunks.next(); window; window = chunks.next()) {
            expect(window.from).toBe(said);
            expect(window.units).toEqual(window.units.map((_, i) => window!.start + i));
            expect(window.start).toBe(Math.max(0, window.from - context));
            said = window.to;
          }
        };
        for (const count of counts) {
          chunks.push(Array.from({ length: count }, (_, i) => made + i));
          made += count;
          take();
        }
        chunks.end();
        take();
        expect(said).toBe(made);
      }),
    );
  });
});
