import fc from 'fast-check';
import { delayed, delayOf, FrameAssembler, LAYERS, undelayed } from '../../../src/model/codec/delay-pattern';

const PAD = 4097;
const END = 4096;
const frames = (most = 40) =>
  fc.array(fc.array(fc.integer({ min: 0, max: 4095 }), { minLength: LAYERS, maxLength: LAYERS }), { maxLength: most });

describe('the delay pattern', () => {
  it('writes two frames as the published layout has them', () => {
    const rows = delayed(
      [
        [0, 1, 2, 3, 4, 5, 6],
        [10, 11, 12, 13, 14, 15, 16],
      ],
      PAD,
      END,
    );
    expect(rows.map((row) => row.map((id) => (id === PAD ? '.' : id === END ? '#' : String(id))).join(' '))).toEqual([
      '. 0 10 # . . . . . .',
      '. . 1 11 # . . . . .',
      '. . . 2 12 # . . . .',
      '. . . . 3 13 # . . .',
      '. . . . . 4 14 # . .',
      '. . . . . . 5 15 # .',
      '. . . . . . . 6 16 #',
    ]);
  });

  it('ends layer i at step N + i + 1, the last one at N + 7', () => {
    fc.assert(
      fc.property(frames(), (given) => {
        const rows = delayed(given, PAD, END);
        rows.forEach((row, layer) => {
          expect(row).toHaveLength(given.length + 8);
          expect(row.indexOf(END)).toBe(given.length + delayOf(layer));
        });
      }),
    );
  });

  it('gives back every frame, whole or step by step', () => {
    fc.assert(
      fc.property(frames(), (given) => {
        const rows = delayed(given, PAD, END);
        const assembler = new FrameAssembler();
        const found: (readonly number[])[] = [];
        for (let step = 0; step < given.length + 8; step += 1) {
          const frame = assembler.push(rows.map((row) => row[step]!));
          if (frame !== undefined) found.push(frame);
          // The frame f is whole at step f + 7 and not before.
          expect(found).toHaveLength(Math.max(0, step - 6));
        }
        expect(found.slice(0, given.length)).toEqual(given);
        expect(undelayed(rows).slice(0, given.length)).toEqual(given);
        expect(undelayed(rows)).toEqual(found);
      }),
    );
  });

  it('begins anew after a reset', () => {
    const assembler = new FrameAssembler();
    const step = [1, 2, 3, 4, 5, 6, 7];
    for (let i = 0; i < 7; i += 1) expect(assembler.push(step)).toBeUndefined();
    expect(assembler.push(step)).toEqual(step);
    assembler.reset();
    for (let i = 0; i < 7; i += 1) expect(assembler.push(step)).toBeUndefined();
  });

  it('refuses what has not seven layers', () => {
    expect(() => undelayed([[1, 2]])).toThrow(RangeError);
    expect(() => new FrameAssembler().push([1, 2, 3])).toThrow(RangeError);
    expect(() => delayed([[1, 2]], PAD, END)).toThrow(RangeError);
  });
});
