import fc from 'fast-check';
import { AlignedWords } from '../../../src/model/llama-omni/aligned-words';

/** Each unit lasts two frames of ten samples. */
const startOf = (unit: number) => (Number.isFinite(unit) ? unit * 2 : undefined);

describe('words placed by the units of their tokens', () => {
  it('begin where the units of their first token begin, and end where the next text does', () => {
    const words = new AlignedWords();
    words.push('Good', 0);
    words.push(' mor', 3);
    words.push('ning', 5);
    words.push('.', 8);
    const told = words.take({ from: 0, to: 20, last: true }, 10, startOf);
    expect(told).toEqual([
      { text: 'Good', startSample: 0, endSample: 60 },
      { text: 'morning.', startSample: 60, endSample: 200 },
    ]);
  });

  it('wait for the sound that carries them, and for their own end', () => {
    const words = new AlignedWords();
    words.push('One', 0);
    words.push(' two', 4);
    expect(words.take({ from: 0, to: 6, last: false }, 10, startOf).map(({ text }) => text)).toEqual(['One']);
    expect(words.take({ from: 6, to: 10, last: false }, 10, startOf)).toEqual([]);
    words.push(' three', 6);
    expect(words.take({ from: 10, to: 12, last: false }, 10, startOf)).toEqual([
      { text: 'two', startSample: 0, endSample: 20 },
    ]);
  });

  it('are each told once, in order, inside their piece, wherever text and sound are cut', () => {
    const tokens = fc.array(fc.tuple(fc.stringMatching(/^ ?[a-z]{1,4}$/), fc.nat(6)), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(tokens, fc.integer({ min: 1, max: 30 }), (written, piece) => {
        const words = new AlignedWords();
        let units = 0;
        for (const [text, count] of written) {
          words.push(text, units);
          units += count;
        }
        const told: string[] = [];
        for (let from = 0; from <= units * 2; from += piece) {
          const span = { from, to: from + piece, last: from + piece > units * 2 };
          for (const { text, startSample, endSample } of words.take(span, 10, startOf)) {
            told.push(text);
            expect(startSample).toBeGreaterThanOrEqual(0);
            expect(startSample).toBeLessThanOrEqual(piece * 10);
            expect(endSample).toBeGreaterThanOrEqual(startSample);
          }
        }
        const whole = written.map(([text]) => text).join('');
        expect(told).toEqual(whole.trim().split(/\s+/));
      }),
    );
  });
});
