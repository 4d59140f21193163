import fc from 'fast-check';
import { CtcCollapser } from '../../../src/model/llama-omni/ctc';
import { type TimedUnit, TimedUnits } from '../../../src/model/llama-omni/timed-units';

const BLANK = 9;

function timed(symbols: readonly number[], times: readonly number[]): TimedUnit[] {
  const found = new TimedUnits(BLANK);
  const ended = symbols.map((symbol, i) => found.push(symbol, times[i]!));
  return [...ended, found.end()].filter((unit) => unit !== undefined);
}

it('gives a unit the time of its positions and of the blanks behind it; the first also that of blanks before it', () => {
  expect(timed([9, 3, 3, 9, 3, 5, 9], [1, 1, 2, 1, 1, 2, 3])).toEqual([
    { unit: 3, time: 5 },
    { unit: 3, time: 1 },
    { unit: 5, time: 5 },
  ]);
});

it('has no unit where there are only blanks', () => {
  expect(timed([9, 9], [1, 2])).toEqual([]);
});

it('gives the units of CTC and loses no time', () => {
  const symbols = fc.array(
    fc.integer({ min: 0, max: 3 }).map((n) => (n === 0 ? BLANK : n)),
    { maxLength: 100 },
  );
  fc.assert(
    fc.property(symbols, (all) => {
      const units = timed(
        all,
        all.map((_, i) => i),
      );
      expect(units.map(({ unit }) => unit)).toEqual(new CtcCollapser(BLANK).push(all));
      const total = units.reduce((sum, { time }) => sum + time, 0);
      expect(total).toBe(units.length === 0 ? 0 : (all.length * (all.length - 1)) / 2);
    }),
  );
});
