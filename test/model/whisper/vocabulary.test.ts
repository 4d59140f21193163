import { Vocabulary } from '../../../src/model/whisper/vocabulary';

describe('Vocabulary', () => {
  const vocabulary = new Vocabulary(['ĠHello', ',', 'Ġcaf', 'Ã', '©', '<|endoftext|>', 'Ċ'].join('\n'));

  it('joins words and the bytes of one character', () => {
    expect(vocabulary.text([0, 1, 2, 3, 4])).toBe(' Hello, café');
  });

  it('gives special and unknown tokens no text', () => {
    expect(vocabulary.text([0, 5, 99, -1])).toBe(' Hello');
  });

  it('reads the names of unprintable bytes', () => {
    expect(vocabulary.text([6])).toBe('\n');
  });
});
