import { join } from 'node:path';
import fc from 'fast-check';
import { normalise } from '../../../src/model/text/normaliser';
import { Pronouncer } from '../../../src/model/text/pronouncer';

const folder = join(__dirname, '..', '..', '..', 'models', 'g2p-en');
let pronouncer: Pronouncer;

beforeAll(async () => {
  pronouncer = await Pronouncer.open(folder);
});
afterAll(() => pronouncer.close());

async function say(text: string): Promise<string> {
  const tokens = normalise(text).tokens.filter((token) => token.kind !== 'pause');
  let line = '';
  for (const { phonemes, joined } of await pronouncer.pronounce(tokens)) line += phonemes + (joined ? '' : ' ');
  return line.trim();
}

describe('the pronouncer', () => {
  // Expected values: espeak-ng (en-us) through piper-tts 1.8.0 on the same sentences.
  test.each([
    ['the apple', 'ðɪ ˈæpəl'],
    ['the pear', 'ðə pˈɛɹ'],
    ['a room in the hotel', 'ɐ ɹˈuːm ɪnðə hoʊtˈɛl'],
    ['one of the people', 'wˈʌn ʌvðə pˈiːpəl'],
    ['in the evening', 'ɪnðɪ ˈiːvnɪŋ'],
    ['number eight', 'nˈʌmbɚɹ ˈeɪt'],
    ['hello', 'həlˈoʊ'],
  ])('says "%s" as a sentence does', async (text, phonemes) => {
    expect(await say(text)).toBe(phonemes);
  });

  test('names letters, and gives their plural an ending', async () => {
    expect(await say('the FBI')).toMatch(/ˈɛf bˈiː ˈaɪ$/);
    expect(await say('two PCs')).toMatch(/pˈiː sˈiːz$/);
  });

  test('forms the possessive of a known word by its last sound', async () => {
    expect(await say("the museum's")).toMatch(/z$/);
    expect(await say("the bishop's")).toMatch(/s$/);
    expect(await say("the horse's")).toMatch(/ᵻz$/);
  });

  test('says words that no list has, as its training run did', async () => {
    expect(await say('flumbrix zorgan kowalczyk')).toBe('flˈʌmbɹɪks zˈɔːɹɡən kˈaʊəlkzˌɪk');
  });

  test('gives every word of letters some sounds, however odd', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz'), minLength: 2, maxLength: 24 }),
        async (word) => {
          const [said] = await pronouncer.pronounce([{ kind: 'word', text: word, written: 0 }]);
          // Consonants alone may be silent to the net; nothing may be said that is no phoneme.
          if (said !== undefined)
            expect(said.phonemes).toMatch(/^(?:[a-zæðŋɐɑɒɔəɚɛɜɡɪɬɹɾʃʊʌʒʔθᵻˈˌːç]|[\u0300-\u036f])+$/);
        },
      ),
      { numRuns: 60 },
    );
  });
});
