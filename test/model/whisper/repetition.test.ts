import fc from 'fast-check';
import { loopStart } from '../../../src/model/whisper/repetition';

const times = (count: number, ...phrase: number[]) => Array.from({ length: count }, () => phrase).flat();

describe('loopStart', () => {
  it('lets people repeat a word or a digit', () => {
    expect(loopStart([9, ...times(5, 1)])).toBeUndefined();
    expect(loopStart(times(3, 1, 2))).toBeUndefined();
    expect(loopStart(times(2, 1, 2, 3, 4, 5, 6))).toBeUndefined();
  });

  it('finds a word, a pair or a sentence that goes round, and keeps its first time', () => {
    expect(loopStart([9, ...times(7, 1)])).toBe(2);
    expect(loopStart([9, ...times(6, 1, 2)])).toBe(3);
    expect(loopStart([8, 9, ...times(3, 1, 2, 3, 4, 5)])).toBe(7);
  });

  it('takes a phrase cut in its last round for no further round', () => {
    expect(loopStart([...times(2, 1, 2, 3, 4, 5), 1, 2, 3])).toBeUndefined();
  });

  it('never lets a sequence grow long by repeating any phrase of up to sixteen tokens', () => {
    const phrase = fc.array(fc.nat(50), { minLength: 1, maxLength: 16 });
    fc.assert(
      fc.property(phrase, (tokens) => {
        const endless = times(8, ...tokens);
        const stops = endless.findIndex((_, i) => loopStart(endless.slice(0, i + 1)) !== undefined);
        expect(stops).toBeGreaterThanOrEqual(0);
        expect(stops).toBeLessThan(7 * tokens.length);
      }),
    );
  });
});
