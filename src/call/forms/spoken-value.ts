/** One value of a form: from a caller's words to what the tool is called with, and back as it is read out. Pure. */
import { chooseSpoken, spokenDigits, wordsOf, yesOrNo } from '../spoken-choice';
import { speakDay, speakTime, spokenDate } from './spoken-date';

/** `x-say` of a property. */
export const SLOT_KINDS = [
  'text',
  'spelled',
  'digits',
  'phone',
  'number',
  'date',
  'time',
  'date-time',
  'choice',
  'yes-no',
] as const;
export type SlotKind = (typeof SLOT_KINDS)[number];

export type SlotValue = string | number | boolean;

/** ICAO's alphabet, without the words that are also names too often. */
const ALPHABET =
  'alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa quebec romeo sierra tango uniform victor whiskey xray yankee zulu'.split(
    ' ',
  );
const LEAD_IN =
  /^(?:(?:well|yes|okay|ok|um|uh|so),? )*(?:(?:my|the) [a-z ]{1,20}? is |it is |it's |that is |that's |this is |i am |i'm |i would like |for )/i;

/** undefined: the words hold no such value. `options`: of a choice. */
export function valueIn(
  text: string,
  kind: SlotKind,
  today: string,
  options: readonly string[] = [],
): SlotValue | undefined {
  switch (kind) {
    case 'text': {
      const said = text
        .trim()
        .replace(LEAD_IN, '')
        .replace(/[.!?,\s]+$/, '');
      return said === '' ? undefined : said;
    }
    case 'spelled':
      return spelled(text);
    case 'digits': {
      const digits = spokenDigits(text);
      return digits === '' ? undefined : digits;
    }
    case 'phone': {
      const digits = spokenDigits(text.replace(/[()]/g, ' '));
      if (digits.length < 5) return undefined;
      return /^\W*(\S+ ){0,4}(\+|plus\b)/i.test(text) ? `+${digits}` : digits;
    }
    case 'number': {
      const digits = spokenDigits(text);
      return digits === '' ? undefined : Number(digits);
    }
    case 'date':
      return spokenDate(text, today).day;
    case 'time':
      return spokenDate(text, today).time;
    case 'date-time': {
      const { day, time } = spokenDate(text, today);
      return day === undefined || time === undefined ? undefined : `${day}T${time}`;
    }
    case 'choice':
      return chooseSpoken(
        text,
        options.map((value) => ({ value, phrases: [value.replace(/[_-]/g, ' ')] })),
      );
    case 'yes-no': {
      const answer = yesOrNo(text);
      return answer === undefined ? undefined : answer === 'yes';
    }
  }
}

export function speakable(value: SlotValue, kind: SlotKind): string {
  const text = String(value);
  switch (kind) {
    case 'spelled':
      return `${text}, ${[...text.toUpperCase()].filter((letter) => /\p{L}/u.test(letter)).join(', ')}`;
    case 'digits':
      return [...text].join(' ');
    case 'phone': {
      const digits = text.replace(/^\+/, '');
      const groups = digits.match(/.{1,3}(?=(?:...)*$)|.+/g) ?? [];
      return `${text.startsWith('+') ? 'plus ' : ''}${groups.map((group) => [...group].join(' ')).join(', ')}`;
    }
    case 'date':
      return speakDay(text);
    case 'time':
      return speakTime(text);
    case 'date-time': {
      const [day = '', time = ''] = text.split('T');
      return `${speakDay(day)} at ${speakTime(time)}`;
    }
    case 'yes-no':
      return value === true ? 'yes' : 'no';
    default:
      return text.replace(/_/g, ' ');
  }
}

/** "B R O W N", "Brown, b-r-o-w-n", "b as in bravo, r, o", "double t"; a single word without letters is taken as it is. */
function spelled(text: string): string | undefined {
  const words = wordsOf(text);
  let letters = '';
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const next = words[at + 1] ?? '';
    if (word === 'double' && next.length === 1) {
      letters += next + next;
      at += 1;
    } else if (
      ALPHABET.includes(word) &&
      !['as', 'for'].includes(words[at - 2] ?? '') &&
      !['in', 'for'].includes(words[at - 1] ?? '')
    ) {
      letters += word[0] ?? '';
    } else if (word.length === 1 && /\p{L}/u.test(word)) letters += word;
  }
  if (letters.length >= 2) return capital(letters);
  const bare = text
    .trim()
    .replace(LEAD_IN, '')
    .replace(/[.!?,\s]+$/, '');
  return /^[\p{L}'-]{2,40}$/u.test(bare) ? capital(bare.toLowerCase()) : undefined;
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
