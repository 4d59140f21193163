/** Suggestions for mistyped words. */
import fc from 'fast-check';
import { nearestWord, suggestion } from '../../src/core/nearest-word';

describe('nearestWord', () => {
  const words = ['doctor', 'dialplan', 'calls', 'models', 'up'];

  it.each([
    ['docter', 'doctor'],
    ['dailplan', 'dialplan'],
    ['CALLS', 'calls'],
    ['model', 'models'],
  ])('takes %s for %s', (typed, meant) => {
    expect(nearestWord(typed, words)).toBe(meant);
  });

  it('suggests nothing when nothing is near', () => {
    expect(nearestWord('recordings', words)).toBeUndefined();
    expect(suggestion('recordings', words)).toBe('');
  });

  it('finds a word in which two neighbours were swapped, whichever they are', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 4, maxLength: 20 }), fc.nat(), (word, at) => {
        const place = at % (word.length - 1);
        const swapped = word.slice(0, place) + word[place + 1]! + word[place]! + word.slice(place + 2);
        expect(nearestWord(swapped, [word])).toBe(word);
      }),
    );
  });
});
