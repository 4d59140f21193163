/** How a word's sound is written, and what is made of it. */
import fc from 'fast-check';
import { MAX_PRONUNCIATION_CHARACTERS, readPronunciation } from '../../src/core/pronunciation';

const ONSETS = { '': '', b: 'b', sh: 'ʃ', th: 'θ', dh: 'ð', g: 'ɡ', str: 'stɹ', ch: 'tʃ', v: 'v', kw: 'kw' } as const;
const NUCLEI = { ay: 'eɪ', igh: 'aɪ', ow: 'aʊ', oy: 'ɔɪ', ah: 'ɑː', ih: 'ɪ', oh: 'oʊ', aw: 'ɔː', a: 'æ' } as const;
const CODAS = { '': '', n: 'n', ng: 'ŋ', sh: 'ʃ', zh: 'ʒ', st: 'st', k: 'k', lz: 'lz' } as const;

const syllable = fc.record({
  onset: fc.constantFrom(...entries(ONSETS)),
  nucleus: fc.constantFrom(...entries(NUCLEI)),
  coda: fc.constantFrom(...entries(CODAS)),
});

function entries<T extends Readonly<Record<string, string>>>(table: T): [string, string][] {
  return Object.entries(table);
}

describe('the sound of a word', () => {
  test.each([
    ['shih VAWN', 'ʃɪvˈɔːn'],
    ['GWIN', 'ɡwˈɪn'],
    ['win', 'wˈɪn'],
    ['SEE-kwul', 'sˈiːkwʌl'],
    ['ah-NYES', 'ɑːnjˈɛs'],
    ['BER-lin', 'bˈɜːlɪn'],
    ['MUH dher', 'mˈʌðɚ'],
    ['/ŋwɪn/', 'ŋwˈɪn'],
    ['/ʃɪˈvɔːn/', 'ʃɪvˈɔːn'],
    ['/ˌkæl.ɪˈfɔrnjə/', 'kˌælɪfˈɔɹnjə'],
    ['/ˈʧɝʧ/', 'tʃˈɜːtʃ'],
  ])('"%s" is %s', (written, phonemes) => {
    expect(readPronunciation(written)).toEqual({ ok: true, phonemes });
  });

  test.each([
    ['', 'respelling'],
    ['sh', 'is none'],
    ['shihvawn', 'is none'],
    ['qua', 'is none'],
    ['VAWN!', 'is none'],
    ['//', 'at least one vowel'],
    ['/tʃ/', 'at least one vowel'],
    ['/ɪnˈt/', 'behind every mark'],
    ['/ø/', 'no sound for'],
    [`/${'a'.repeat(MAX_PRONUNCIATION_CHARACTERS)}/`, 'at most 80'],
  ])('"%s" is refused with a sentence', (written, part) => {
    expect(readPronunciation(written)).toEqual({ ok: false, message: expect.stringContaining(part) });
  });

  test('a respelling is the sound of its syllables, the stress before the vowel of the one in capitals', () => {
    fc.assert(
      fc.property(fc.array(syllable, { minLength: 1, maxLength: 4 }), fc.nat(), (syllables, pick) => {
        const stressed = pick % syllables.length;
        const written = syllables.map(({ onset, nucleus, coda }, place) => {
          const whole = onset[0] + nucleus[0] + coda[0];
          return place === stressed ? whole.toUpperCase() : whole;
        });
        const said = syllables.map(
          ({ onset, nucleus, coda }, place) => onset[1] + (place === stressed ? 'ˈ' : '') + nucleus[1] + coda[1],
        );
        expect(readPronunciation(written.join(' '))).toEqual({ ok: true, phonemes: said.join('') });
      }),
    );
  });

  test('whatever is written, it is refused in a sentence or has a stress and only sounds of the voice', () => {
    const near = fc.string({ unit: fc.constantFrom(...'aeiouhrwyngstvVAWN -/ˈˌːɪŋəɹ.'), maxLength: 30 });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          near,
          near.map((text) => `/${text}/`),
        ),
        (written) => {
          const said = readPronunciation(written);
          if (said.ok) expect(said.phonemes).toMatch(/^(?=.*ˈ)(?:[a-zæðŋɐɑɔəɚɛɜɡɪɬɹɾʃʊʌʒʔθᵻˈˌː]|\u0329)+$/);
          else expect(said.message).toMatch(/^Expected .*\.$/s);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
