/**
 * What a caller's words choose: which of several phrases they hold, also misheard, yes or no, or digits. Pure. Likeness is edit
 * distance (Levenshtein) on letters folded by sound: a recogniser writes what it heard in other letters more often than
 * it hears something else.
 */

export interface SpokenOption {
  readonly value: string;
  /** Words or phrases; any of them will do. */
  readonly phrases: readonly string[];
}

/** Likeness (0 to 1) from which on a phrase counts as said, and by how much it must lead another option's. */
const LIKE = 0.7;
const LEAD = 0.12;
/** Whoever says a word or two means one of the options, and a lone word is what a recogniser mishears most. */
const SHORT_WORDS = 2;
const LIKE_SHORT = 0.61;
/** Shorter phrases are only believed as they are: two letters of three are much. */
const FUZZY_LETTERS = 4;

const YES = [
  'yes',
  'yeah',
  'yep',
  'yup',
  'sure',
  'correct',
  'right',
  'exactly',
  'okay',
  'ok',
  'of course',
  'absolutely',
  'definitely',
  'please do',
  'that is it',
  'go ahead',
];
const NO = ['no', 'nope', 'nah', 'not', 'wrong', 'incorrect', 'never', 'do not', 'cancel'];

/** Undefined: none is said, or more than one as clearly. */
export function chooseSpoken(text: string, options: readonly SpokenOption[]): string | undefined {
  const words = wordsOf(text);
  const scored = options
    .map(({ value, phrases }) => ({
      value,
      score: Math.max(0, ...phrases.map((phrase) => likeness(words, wordsOf(phrase)))),
    }))
    .sort((left, right) => right.score - left.score);
  const [best, next] = scored;
  if (best === undefined || best.score < (words.length <= SHORT_WORDS ? LIKE_SHORT : LIKE)) return undefined;
  return best.score - (next?.score ?? 0) < LEAD ? undefined : best.value;
}

/** A no beats a yes in the same breath ("no, that's right" is rare, "that's not right" is not). */
export function yesOrNo(text: string): 'yes' | 'no' | undefined {
  const words = wordsOf(text);
  const says = (phrases: readonly string[]): boolean => phrases.some((phrase) => holds(words, wordsOf(phrase)));
  // "No problem" agrees, "I don't know" does neither.
  if (holds(words, ['no', 'problem'])) return 'yes';
  if (holds(words, ['not', 'know']) || holds(words, ['no', 'idea']) || holds(words, ['not', 'sure'])) return undefined;
  if (says(NO)) return 'no';
  return says(YES) ? 'yes' : undefined;
}

const DIGITS: Readonly<Record<string, string>> = {
  zero: '0',
  oh: '0',
  o: '0',
  nought: '0',
  one: '1',
  two: '2',
  to: '2',
  too: '2',
  three: '3',
  four: '4',
  for: '4',
  five: '5',
  six: '6',
  seven: '7',
  eight: '8',
  nine: '9',
  ten: '10',
  eleven: '11',
  twelve: '12',
  thirteen: '13',
  fourteen: '14',
  fifteen: '15',
  sixteen: '16',
  seventeen: '17',
  eighteen: '18',
  nineteen: '19',
};
const TENS: Readonly<Record<string, string>> = {
  twenty: '2',
  thirty: '3',
  forty: '4',
  fifty: '5',
  sixty: '6',
  seventy: '7',
  eighty: '8',
  ninety: '9',
};
const TIMES: Readonly<Record<string, number>> = { double: 2, triple: 3 };
/** Words that are digits only between digits. */
const UNSURE = new Set(['to', 'too', 'for', 'o', 'oh']);

/** The digits that are said, as they are read out: "four double two", "forty-two", "4-2-2". '' if there are none. */
export function spokenDigits(text: string): string {
  const words = wordsOf(text);
  let digits = '';
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const next = words[at + 1] ?? '';
    const times = TIMES[word];
    if (times !== undefined && digitOf(next) !== undefined) {
      digits += (digitOf(next) ?? '').repeat(times);
      at++;
    } else if (TENS[word] !== undefined) {
      const unit = digitOf(next);
      if (unit?.length === 1 && unit !== '0') at++;
      digits += `${TENS[word]}${unit?.length === 1 && unit !== '0' ? unit : '0'}`;
    } else if (!UNSURE.has(word) || isDigit(words[at - 1]) || isDigit(next)) digits += digitOf(word) ?? '';
  }
  return digits;
}

function isDigit(word: string | undefined): boolean {
  return word !== undefined && !UNSURE.has(word) && digitOf(word) !== undefined;
}

function digitOf(word: string): string | undefined {
  return /^\d+$/.test(word) ? word : Object.hasOwn(DIGITS, word) ? DIGITS[word] : undefined;
}

/** Lower case, without accents and marks; contractions written out as far as a no is in them. */
export function wordsOf(text: string): string[] {
  const plain = text
    .slice(0, 2_000)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/['’]s\b/g, ' is')
    .replace(/n['’]t\b/g, ' not')
    .replace(/['’]/g, '');
  return plain.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
}

/** The words of `text` have `word` among them. */
export function holdsWord(text: string, word: string): boolean {
  return wordsOf(text).includes(word);
}

function holds(words: readonly string[], phrase: readonly string[]): boolean {
  for (let from = 0; from + phrase.length <= words.length; from++) {
    if (phrase.every((word, at) => words[from + at] === word)) return phrase.length > 0;
  }
  return false;
}

/** How much of `phrase` is somewhere in `words`, heard as one word or as several. */
function likeness(words: readonly string[], phrase: readonly string[]): number {
  if (phrase.length === 0) return 0;
  if (holds(words, phrase)) return 1;
  if (phrase.join('').length < FUZZY_LETTERS) return 0;
  const wanted = phrase.map(soundOf).join('');
  const sounds = words.map(soundOf);
  let best = 0;
  for (let length = Math.max(1, phrase.length - 1); length <= phrase.length + 2; length++) {
    for (let from = 0; from + length <= words.length; from++) {
      const heard = sounds.slice(from, from + length).join('');
      best = Math.max(best, 1 - distance(wanted, heard) / Math.max(weightOf(wanted), weightOf(heard)));
    }
  }
  // What was only nearly said never beats what was said.
  return best * 0.99;
}

/** English spellings of the same sound become the same letters. */
function soundOf(word: string): string {
  return word
    .replace(/ph/g, 'f')
    .replace(/(^|[^s])c(?=[eiy])/g, '$1s')
    .replace(/ck|c(?!h)|q/g, 'k')
    .replace(/x/g, 'ks')
    .replace(/wh/g, 'w')
    .replace(/^kn|^gn/g, 'n')
    .replace(/gh/g, '')
    .replace(/z/g, 's')
    .replace(/ai|ay|ei|ey|a(?=[^aeiou]e)/g, 'e')
    .replace(/[iy]e?/g, 'i')
    .replace(/ee|ea/g, 'i')
    .replace(/oo|ou|ow/g, 'u')
    .replace(/(.)\1+/g, '$1')
    .replace(/(?<=[^aeiou])e(?=s?$)/, '');
}

/** Consonants that a telephone makes alike. */
const ALIKE = new Set(
  ['sz', 'fv', 'bp', 'dt', 'gk', 'mn', 'lr', 'fs', 'bv', 'fp'].flatMap((pair) => [pair, `${pair[1]}${pair[0]}`]),
);
const isVowel = (letter: string): boolean => 'aeiou'.includes(letter);
/** A vowel tells words apart less than a consonant does. */
const weight = (letter: string): number => (isVowel(letter) ? 0.5 : 1);

function weightOf(letters: string): number {
  return [...letters].reduce((sum, letter) => sum + weight(letter), 0);
}

function swapCost(left: string, right: string): number {
  if (left === right) return 0;
  if (isVowel(left) && isVowel(right)) return 0.35;
  return ALIKE.has(left + right) ? 0.5 : Math.max(weight(left), weight(right));
}

/** Levenshtein with these costs, one row at a time; both are a phrase long at most. */
function distance(left: string, right: string): number {
  let row = [0];
  for (const letter of right) row.push((row.at(-1) ?? 0) + weight(letter));
  for (const letter of left) {
    const next = [(row[0] ?? 0) + weight(letter)];
    for (const [at, other] of [...right].entries()) {
      const swap = (row[at] ?? 0) + swapCost(letter, other);
      next.push(Math.min((row[at + 1] ?? 0) + weight(letter), (next[at] ?? 0) + weight(other), swap));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
