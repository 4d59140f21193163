/** Rules for what is written with letters: addresses, abbreviations, initials, numerals in names, plain words. */
import { cardinal, digitByDigit, ordinal, wholeNumber } from './number-words';
import { type Place, pieces, type Rule, type Spoken } from './rule';
import {
  CAPITAL_WORDS,
  DOMAINS,
  DOTTED,
  INITIALS_FIRST,
  monthName,
  PLAIN,
  SPOKEN_ACRONYMS,
  SYMBOLS,
} from './vocabulary';

/** No English word is longer; more letters than this are cut, so that no word costs unbounded time. */
const MAX_WORD_LETTERS = 24;
const ROMAN: Readonly<Record<string, number>> = {
  II: 2,
  III: 3,
  IV: 4,
  VI: 6,
  VII: 7,
  VIII: 8,
  IX: 9,
  XI: 11,
  XII: 12,
  XIII: 13,
  XIV: 14,
  XV: 15,
  XVI: 16,
};
const RULERS = new Set(
  'henry louis elizabeth charles george edward james william philip richard pope paul francis benedict'.split(' '),
);
/** After these an "A" is a name: plan A, gate A. */
const LETTER_WORDS = new Set(
  'plan vitamin option gate section terminal hepatitis grade type class level platform group letter part zone hall building block side model exhibit answer door wing concourse team'.split(
    ' ',
  ),
);

/** Ends of a time, behind which a dash means "to"; of "a.m." the last letter is what stands before. */
const CLOCK_WORDS = new Set(['noon', 'midnight', 'am', 'pm', 'm']);
const KEY_WORDS = new Set('press dial hit the and or key then with'.split(' '));
const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];

function dayOrMonth(written: string): string {
  const lower = written.toLowerCase();
  return DAYS.find((day) => day.startsWith(lower)) ?? monthName(written);
}

function letters(word: string): string {
  return Array.from(word.toUpperCase()).join(' ');
}

/** Inside addresses: letters as words, digits one by one, short consonant runs spelled. */
function addressWords(part: string): string {
  const named: Readonly<Record<string, string>> = {
    '.': 'dot',
    _: 'underscore',
    '-': 'dash',
    '+': 'plus',
    '/': 'slash',
    '@': 'at',
    ':': 'colon',
    '?': 'question mark',
    '=': 'equals',
    '&': 'and',
    '#': 'hash',
    '%': 'percent',
    '~': 'tilde',
  };
  return [...part.matchAll(/[A-Za-z]+|\d+|[^A-Za-z\d]/g)]
    .map(([run]) => {
      if (/^\d/.test(run)) return run.length > 2 ? digitByDigit(run) : cardinal(run);
      if (/^[A-Za-z]/.test(run)) return run.length === 1 || !/[aeiouy]/i.test(run) ? letters(run) : run.toLowerCase();
      return named[run] ?? '';
    })
    .filter((say) => say !== '')
    .join(' ');
}

function domain(written: string): string {
  const labels = written.split('.');
  return labels
    .map((label, index) => {
      const known = index > 0 ? DOMAINS[label.toLowerCase()] : undefined;
      return known ?? addressWords(label);
    })
    .join(' dot ');
}

function initials(written: string, ending: string): string {
  return `${letters(written)}${ending}`;
}

/** How a run of capitals is said: as a word, or letter by letter. */
function capitals(word: string, place: Place): string {
  const lower = word.toLowerCase();
  if (SPOKEN_ACRONYMS.has(lower)) return lower;
  if (word === 'OK') return 'okay';
  if (place.shouted) return lower;
  if (CAPITAL_WORDS.has(lower) && !INITIALS_FIRST.has(lower)) return lower;
  if (word.length >= 6 || (word.length >= 5 && /[AEIOU]/.test(word)))
    return /[AEIOUY]/.test(word) ? lower : letters(word);
  return letters(word);
}

function plainWord(word: string): string {
  // "soooo" is "soo", "hmmmm" is "hmm": a net knows no word with three equal letters.
  const lower = word.toLowerCase().replace(/([a-z])\1{2,}/g, '$1$1');
  const known = Object.hasOwn(PLAIN, lower) ? PLAIN[lower] : undefined;
  if (known !== undefined) return known;
  if (lower.length <= MAX_WORD_LETTERS) return lower;
  return (lower.match(new RegExp(`.{1,${MAX_WORD_LETTERS}}`, 'g')) ?? [])
    .map((piece) => piece.replace(/^'+|'+$/g, ''))
    .filter((piece) => piece !== '')
    .join(' ');
}

function singleLetter(letter: string, place: Place): string {
  if (letter === 'I' || letter === 'i') return 'i';
  if (letter === 'a') return 'a';
  if (letter === 'A') return LETTER_WORDS.has(place.before) || (!place.sentenceStart && !place.shouted) ? 'A' : 'a';
  return letter.toUpperCase();
}

/** "221B", "B12", "MP3", "5G": runs of letters and digits, each said in its own way. */
function mixed(written: string): string {
  const runs = [...written.matchAll(/[A-Za-z]+|\d+/g)].map(([run]) => run);
  return runs
    .map((run) => {
      if (/^\d/.test(run)) {
        if (run.length === 3 && !run.endsWith('00'))
          return `${cardinal(run.slice(0, 1))} ${run[1] === '0' ? `oh ${cardinal(run.slice(2))}` : cardinal(run.slice(1))}`;
        return run.length <= 2 ? cardinal(run) : run.length === 4 ? wholeNumber(run) : digitByDigit(run);
      }
      const asWord = run.length >= 3 && /[aeiouy]/.test(run) && run !== run.toUpperCase();
      return asWord ? run.toLowerCase() : SPOKEN_ACRONYMS.has(run.toLowerCase()) ? run.toLowerCase() : letters(run);
    })
    .join(' ');
}

function nextWordIsCapital(place: Place, length: number): boolean {
  return /^\s+[A-Z]/.test(place.text.slice(place.index + length, place.index + length + 4));
}

function previousWordIsCapital(place: Place): boolean {
  return /(?:^|\s)[A-Z0-9][\w']*\s+$/.test(place.text.slice(Math.max(0, place.index - 30), place.index));
}

const TLD = Object.keys(DOMAINS).join('|');

export const ADDRESS_RULES: readonly Rule[] = [
  {
    pattern: /([A-Za-z0-9][A-Za-z0-9._+-]{0,63})@([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5})/y,
    speak: (m) => `${addressWords(m[1] ?? '')} at ${domain((m[2] ?? '').replace(/[.-]+$/, ''))}`,
  },
  {
    pattern: /sips?:([A-Za-z0-9._+-]{1,64})@([A-Za-z0-9.-]{1,100})/iy,
    speak: (m) => `sip ${addressWords(m[1] ?? '')} at ${domain((m[2] ?? '').replace(/[.-]+$/, ''))}`,
  },
  {
    pattern: new RegExp(
      `(?:https?://|(?=www\\.)|(?=(?:[a-z0-9-]{1,63}\\.){1,4}(?:${TLD})(?![a-z0-9.-]*[a-z0-9])))((?:[a-z0-9-]{1,63}\\.){0,5}[a-z0-9-]{1,63})(?::(\\d{1,5}))?((?:/[\\w.~%+-]{0,80}){0,8})(?:[?#][\\w=&%+.-]{0,200})?`,
      'iy',
    ),
    speak: (m) => {
      const path = (m[3] ?? '').replace(/[/.]+$/, '');
      const port = m[2] === undefined ? '' : ` port ${cardinal(m[2])}`;
      const host = (m[1] ?? '').replace(/^www\./i, 'W W W dot ');
      const said = host.startsWith('W W W dot ') ? `W W W dot ${domain(host.slice(10))}` : domain(host);
      return `${said}${port}${path === '' ? '' : ` ${addressWords(path)}`}`;
    },
  },
];

/** Letters and digits in one: "221B", "MP3". What a unit or an ending makes of a number is left to others. */
export const MIXED_RULES: readonly Rule[] = [
  {
    pattern: /(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z\d]{2,24}(?![A-Za-z\d])/y,
    speak: (m) =>
      /^(?:\d{1,3}(?:st|nd|rd|th)|\d+(?:am|pm|k|m|bn|x|s))$/i.test(m[0]) ||
      (/^\d+[a-z]{1,4}$/.test(m[0]) && !/^\d+[a-f]$/.test(m[0]))
        ? undefined
        : mixed(m[0]),
  },
];

export const WORD_RULES: readonly Rule[] = [
  // Dr. and St. depend on their neighbours: a title stands before a name, a street behind one.
  {
    pattern: /(Dr|St)\b(\.?)/y,
    speak: (m, place) => {
      const title = m[1] === 'Dr' ? 'doctor' : 'saint';
      const street = m[1] === 'Dr' ? 'drive' : 'street';
      if (
        nextWordIsCapital(place, m[0].length) &&
        !/\d\w*\s+[\w']+\s+$/.test(place.text.slice(Math.max(0, place.index - 30), place.index))
      )
        return title;
      return previousWordIsCapital(place) ? street : m[2] === '.' || m[1] === 'Dr' ? title : undefined;
    },
  },
  {
    pattern:
      /(World War|Chapter|Part|Phase|Section|Volume|Act|Level|Type|Class|Grade|Book|Stage|Title|Super Bowl)\s(II|III|IV|VI{0,3}|IX|XI{0,3}|XIV|XV|XVI)\b/y,
    speak: (m) =>
      pieces(m[0], ...(m[1] ?? '').split(' ').map((word) => [word, word.toLowerCase()] as const), [
        m[2] ?? '',
        cardinal(String(ROMAN[m[2] ?? ''] ?? 5)),
      ]),
  },
  {
    pattern: /(II|III|IV|VI{1,3}|IX|XI{1,3}|XIV|XV|XVI)\b/y,
    speak: (m, place) => (RULERS.has(place.before) ? `the ${ordinal(String(ROMAN[m[1] ?? ''] ?? 5))}` : undefined),
  },
  {
    pattern:
      /(mon|tues?|wed|thu(?:rs)?|fri|sat|sun|jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)\.?\s?[-–]\s?(mon|tues?|wed|thu(?:rs)?|fri|sat|sun|jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)\b\.?/iy,
    speak: (m) => pieces(m[0], [m[1] ?? '', dayOrMonth(m[1] ?? '')], [m[2] ?? '', `to ${dayOrMonth(m[2] ?? '')}`]),
  },
  { pattern: /[-–](?=\d|noon|midnight)/iy, speak: (_, place) => (CLOCK_WORDS.has(place.before) ? 'to' : undefined) },
  // Keys of a telephone
  {
    pattern: /[#*](?=\W|$)/y,
    speak: (m, place) => (KEY_WORDS.has(place.before) ? (m[0] === '#' ? 'pound' : 'star') : undefined),
  },
  // U.S., J.F.K., Ph.D., a.m.: dots between single letters
  {
    pattern: /(?:[A-Za-z]{1,2}\.){2,8}/y,
    speak: (m) =>
      DOTTED[m[0].toLowerCase()] ?? (/^(?:[A-Za-z]\.)+$/.test(m[0]) ? letters(m[0].replaceAll('.', '')) : undefined),
  },
  {
    pattern: /([A-Za-z]{1,6})\./y,
    speak: (m, place) => {
      const known = Object.hasOwn(DOTTED, m[0].toLowerCase()) ? DOTTED[m[0].toLowerCase()] : undefined;
      if (known === undefined) return undefined;
      // "min.", "fig.", "mar.", "al." … are words of a sentence's end too; a capital behind them and no digit decides.
      const after = place.text.slice(place.index + m[0].length, place.index + m[0].length + 3);
      if (
        /^(?:no|mar|dec|sat|sun|fig|al|co|est|gen|col|temp|ref|min|max|rep|sen|gov|ext|inc)\.$/i.test(m[0]) &&
        /^(?:\s*$|\s+[A-Z])/.test(after) &&
        !/^[A-Z]/.test(m[0])
      )
        return undefined;
      return known;
    },
  },
  { pattern: /w\/o\b/iy, speak: () => 'without' },
  { pattern: /w\/(?=\s|[a-z])/iy, speak: () => 'with' },
  { pattern: /c\/o\b/iy, speak: () => 'care of' },
  { pattern: /n\/a\b/iy, speak: () => 'not applicable' },
  { pattern: /q&a\b/iy, speak: () => 'Q and A' },
  { pattern: /([A-Z])&([A-Z])\b/y, speak: (m) => `${m[1]} and ${m[2]}` },
  // Initials with a plural or possessive ending: PCs, BBC's
  { pattern: /([A-Z]{2,5})('?s)(?![A-Za-z0-9])/y, speak: (m) => initials(m[1] ?? '', "'s") },
  { pattern: /([A-Z]{2,24})(?![A-Za-z])/y, speak: (m, place) => capitals(m[1] ?? '', place) },
  {
    pattern: /([A-Za-z])\.(?=\s[A-Z])/y,
    speak: (m, place) =>
      /[A-Z]/.test(m[1] ?? '') && m[1] !== 'I' && (previousWordIsCapital(place) || place.sentenceStart)
        ? (m[1] ?? '')
        : undefined,
  },
  { pattern: /([A-Za-z])(?![A-Za-z']|\d)/y, speak: (m, place) => singleLetter(m[1] ?? '', place) },
  { pattern: /[A-Za-z]+(?:'[A-Za-z]+)*/y, speak: (m) => plainWord(m[0]) },
  // Signs with a name
  { pattern: /[&@+=%×÷±°$£€¥]/y, speak: (m): string | Spoken[] => SYMBOLS[m[0]] ?? '' },
  {
    pattern: /\/(?=\s?(?:night|day|week|month|year|hour|person|min|kg|mile|km|room|item|call|guest)\b)/y,
    speak: () => 'per',
  },
];
