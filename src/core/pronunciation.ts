/**
 * How an operator writes the sound of a word, read into phonemes: a respelling ("shih VAWN"), syllable by syllable after
 * the keys of American dictionaries, or IPA of General American between slashes ("/ŋwɪn/"). The result is written as
 * espeak-ng writes en-us, which the voices were taught on: the mark of stress stands before the vowel.
 */

export const MAX_PRONUNCIATION_CHARACTERS = 80;
export const MAX_LEXICON_WORDS = 500;

export type ReadPronunciation =
  | { readonly ok: true; readonly phonemes: string }
  /** What was expected, as a sentence. */
  | { readonly ok: false; readonly message: string };

/** Longest first, so that "aw" is not read as "a" and "w". Two values: with the stress, and without. */
const VOWELS: readonly (readonly [spelled: string, stressed: string, unstressed: string])[] = [
  ['igh', 'aɪ', 'aɪ'],
  ['eye', 'aɪ', 'aɪ'],
  ['air', 'ɛɹ', 'ɛɹ'],
  ['eer', 'ɪɹ', 'ɪɹ'],
  ['oor', 'ʊɹ', 'ʊɹ'],
  ['ay', 'eɪ', 'eɪ'],
  ['ee', 'iː', 'i'],
  ['ih', 'ɪ', 'ɪ'],
  ['eh', 'ɛ', 'ɛ'],
  ['ah', 'ɑː', 'ɑː'],
  ['aw', 'ɔː', 'ɔː'],
  ['oh', 'oʊ', 'oʊ'],
  ['oo', 'uː', 'uː'],
  ['uu', 'ʊ', 'ʊ'],
  ['uh', 'ʌ', 'ə'],
  ['ow', 'aʊ', 'aʊ'],
  ['oy', 'ɔɪ', 'ɔɪ'],
  ['ar', 'ɑːɹ', 'ɑːɹ'],
  ['or', 'ɔːɹ', 'ɔːɹ'],
  ['er', 'ɜː', 'ɚ'],
  ['ur', 'ɜː', 'ɚ'],
  ['a', 'æ', 'æ'],
  ['e', 'ɛ', 'ɛ'],
  ['i', 'ɪ', 'ɪ'],
  ['o', 'ɑː', 'ɑː'],
  ['u', 'ʌ', 'ʌ'],
  ['y', 'aɪ', 'aɪ'],
];

const CONSONANTS: readonly (readonly [spelled: string, said: string])[] = [
  ['ch', 'tʃ'],
  ['dh', 'ð'],
  ['ng', 'ŋ'],
  ['sh', 'ʃ'],
  ['th', 'θ'],
  ['zh', 'ʒ'],
  ['ck', 'k'],
  ['ss', 's'],
  ...[...'bdfhklmnpstvwz'].map((letter) => [letter, letter] as const),
  ['g', 'ɡ'],
  ['j', 'dʒ'],
  ['r', 'ɹ'],
  ['y', 'j'],
];

/** Signs that mean the same in IPA; what espeak-ng writes is on the right. */
const IPA_ALIKE: Readonly<Record<string, string>> = {
  "'": 'ˈ',
  ',': 'ˌ',
  ':': 'ː',
  g: 'ɡ',
  r: 'ɹ',
  ɝ: 'ɜː',
  ʤ: 'dʒ',
  ʧ: 'tʃ',
  ɫ: 'l',
  '.': '',
  ' ': '',
  '\u0361': '',
};
const IPA_VOWELS = 'aeiouæɐɑɔəɚɛɜɪʊʌᵻ';
const IPA_CONSONANTS = 'bdfhjklmnpstvwxzðŋɡɬɹɾʃʒʔθ';
const IPA_VOWEL = new RegExp(`[${IPA_VOWELS}]`);

/** Never throws: what cannot be read is told in a sentence. */
export function readPronunciation(written: string): ReadPronunciation {
  if (written.length > MAX_PRONUNCIATION_CHARACTERS) {
    return fault(`Expected at most ${MAX_PRONUNCIATION_CHARACTERS} characters.`);
  }
  const text = written.trim();
  const ipa = /^\/(.*)\/$/su.exec(text);
  return ipa === null ? readRespelling(text) : readIpa(ipa[1] ?? '');
}

function readRespelling(text: string): ReadPronunciation {
  if (text === '') return fault('Expected a respelling like "shih VAWN", or IPA between slashes.');
  const syllables = text.split(/[\s-]+/);
  const marked = syllables.some(isCapital);
  let phonemes = '';
  for (const [place, syllable] of syllables.entries()) {
    // Without any capitals the first syllable has the stress, as in most English words.
    const said = readSyllable(syllable.toLowerCase(), marked ? isCapital(syllable) : place === 0);
    if (said === undefined) {
      return fault(
        `Expected syllables such as "shih VAWN", the stressed one in capitals; ${JSON.stringify(syllable)} is none.`,
      );
    }
    phonemes += said;
  }
  return { ok: true, phonemes };
}

function isCapital(syllable: string): boolean {
  return /^[A-Z]+$/.test(syllable);
}

/** Consonants, one vowel, consonants; undefined: it is not so. */
function readSyllable(syllable: string, stressed: boolean): string | undefined {
  let rest = syllable;
  let said = '';
  let vowels = 0;
  while (rest !== '') {
    const vowel = VOWELS.find(([spelled]) => rest.startsWith(spelled));
    // A y before a vowel is a consonant ("yoo"), any other the vowel of "my".
    const glide = /^y[aeiou]/.test(rest);
    if (vowel !== undefined && !glide) {
      if (++vowels > 1) return undefined;
      said += stressed ? `ˈ${vowel[1]}` : vowel[2];
      rest = rest.slice(vowel[0].length);
      continue;
    }
    const consonant = CONSONANTS.find(([spelled]) => rest.startsWith(spelled));
    if (consonant === undefined) return undefined;
    said += consonant[1];
    rest = rest.slice(consonant[0].length);
  }
  return vowels === 1 ? said : undefined;
}

function readIpa(text: string): ReadPronunciation {
  const signs = [...text.normalize('NFD')].map((sign) => IPA_ALIKE[sign] ?? sign).join('');
  for (const sign of signs) {
    if (!`${IPA_VOWELS}${IPA_CONSONANTS}ˈˌː\u0329`.includes(sign)) {
      return fault(`Expected IPA of General American; the voice has no sound for ${JSON.stringify(sign)}.`);
    }
  }
  if (!IPA_VOWEL.test(signs)) return fault('Expected IPA with at least one vowel.');
  if (/[ˈˌ](?![^ˈˌ]*?[aeiouæɐɑɔəɚɛɜɪʊʌᵻ])/.test(signs)) {
    return fault('Expected a vowel behind every mark of stress.');
  }
  // Dictionaries set the mark before the syllable, espeak-ng before its vowel.
  const moved = signs.replace(new RegExp(`([ˈˌ])([^ˈˌ${IPA_VOWELS}]+)`, 'g'), '$2$1');
  return { ok: true, phonemes: moved.includes('ˈ') ? moved : moved.replace(IPA_VOWEL, 'ˈ$&').replace('ˌˈ', 'ˈ') };
}

/** The words of a lexicon with the phonemes of each; entries that cannot be read are left out: the schema refuses them. */
export function readLexicon(written: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const read: Record<string, string> = {};
  for (const [word, sound] of Object.entries(written)) {
    const said = readPronunciation(sound);
    if (said.ok) read[word] = said.phonemes;
  }
  return read;
}

function fault(message: string): ReadPronunciation {
  return { ok: false, message };
}
