import fc from 'fast-check';
import { LAYERS } from '../../../src/model/codec/delay-pattern';
import { toCodebooks, toFrames } from '../../../src/model/codec/frame-codes';

describe('codes of a frame and of the codebooks', () => {
  it('splits 1 + 2 + 4 as SNAC orders them', () => {
    expect(
      toCodebooks([
        [0, 1, 2, 3, 4, 5, 6],
        [7, 8, 9, 10, 11, 12, 13],
      ]),
    ).toEqual([
      [0, 7],
      [1, 4, 8, 11],
      [2, 3, 5, 6, 9, 10, 12, 13],
    ]);
  });

  it('comes back unchanged', () => {
    const frame = fc.array(fc.nat(4095), { minLength: LAYERS, maxLength: LAYERS });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 30 }), (frames) => {
        const books = toCodebooks(frames);
        expect(books.map((codes) => codes.length)).toEqual([frames.length, 2 * frames.length, 4 * frames.length]);
        expect(toFrames(books)).toEqual(frames);
      }),
    );
  });

  it('refuses codebooks that do not fit one another', () => {
    expect(() => toFrames([[1], [1, 2, 3], [1, 2, 3, 4]])).toThrow(RangeError);
  });
});
