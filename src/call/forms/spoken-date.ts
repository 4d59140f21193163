/**
 * Days and times as callers say them ("the twenty third of march at half past two", "tomorrow at ten") as ISO 8601 without a zone, and
 * back as an agent says them. A day without a year is the next one; an hour without a half of the day is one of opening hours.
 */
import { SMALL_NUMBERS } from '../../model/text/number-words';
import { MONTHS as MONTH_NAMES } from '../../model/text/vocabulary';
import { wordsOf } from '../spoken-choice';

const MONTHS: readonly string[] = MONTH_NAMES;
const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const UNITS: readonly string[] = SMALL_NUMBERS;
const TENS: Readonly<Record<string, number>> = { twenty: 20, thirty: 30, forty: 40, fifty: 50 };
const ORDINALS: Readonly<Record<string, string>> = {
  first: 'one',
  second: 'two',
  third: 'three',
  fifth: 'five',
  eighth: 'eight',
  ninth: 'nine',
  twelfth: 'twelve',
  twentieth: 'twenty',
  thirtieth: 'thirty',
};
/** Before it an hour without a half of the day is in the afternoon. */
const OPENS_AT_HOUR = 7;
const DAY_MS = 86_400_000;

export interface DayAndTime {
  /** `2027-03-23` */
  readonly day: string | undefined;
  /** `14:30` */
  readonly time: string | undefined;
}

/** `today`: `2027-03-01`. */
export function spokenDate(text: string, today: string): DayAndTime {
  const words = numbered(text);
  const taken = new Set<number>();
  const day = dayOf(words, today, taken);
  return { day, time: timeOf(words, taken) };
}

/** The day that it is on this machine's clock and in its zone. */
export function localDay(now: Date): string {
  const [year, month, date] = [now.getFullYear(), now.getMonth() + 1, now.getDate()];
  return [year, ...[month, date].map((part) => String(part).padStart(2, '0'))].join('-');
}

/** Monday the 23rd of March. */
export function speakDay(day: string): string {
  const [, month = 1, date = 1] = day.split('-').map(Number);
  const weekday = WEEKDAYS[new Date(`${day}T00:00:00Z`).getUTCDay()] ?? '';
  return `${capital(weekday)} the ${date}${ending(date)} of ${capital(MONTHS[month - 1] ?? '')}`;
}

export function speakTime(time: string): string {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  const half = hour < 12 ? 'am' : 'pm';
  const shown = hour % 12 === 0 ? 12 : hour % 12;
  return `${shown}${minute === 0 ? '' : `:${String(minute).padStart(2, '0')}`} ${half}`;
}

type Word = string | number;

/** Words, with numbers as numbers: "twenty third" 23, "half past" as it is, "2:30" and "14.30" two numbers. */
function numbered(text: string): Word[] {
  const words = wordsOf(text.replace(/\b([ap])\.?\s?m\b\.?/gi, ' $1m ').replace(/(\d)(am|pm)\b/gi, '$1 $2'));
  const found: Word[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const tens = TENS[cardinal(word)];
    const unit = UNITS.indexOf(cardinal(words[at + 1] ?? ''));
    if (tens !== undefined && unit > 0 && unit < 10 && !(word in ORDINALS)) {
      found.push(tens + unit);
      at += 1;
    } else found.push(numberOf(word) ?? word);
  }
  return found;
}

function cardinal(word: string): string {
  return ORDINALS[word] ?? word.replace(/th$/, '');
}

function numberOf(word: string): number | undefined {
  const figures = /^(\d{1,4})(st|nd|rd|th)?$/.exec(word);
  if (figures !== null) return Number(figures[1]);
  const plain = cardinal(word);
  const unit = UNITS.indexOf(plain);
  return unit >= 0 ? unit : TENS[plain];
}

/** Notes in `taken` the words that were its own. */
function dayOf(words: readonly Word[], today: string, taken: Set<number>): string | undefined {
  const month = words.findIndex((word) => typeof word === 'string' && MONTHS.includes(word));
  if (month >= 0) {
    const near = [month - 1, month - 2, month + 1, month + 2].filter((at) => at >= 0);
    const at = near.find((place) => {
      const between = words.slice(Math.min(place, month) + 1, Math.max(place, month));
      return typeof words[place] === 'number' && between.every((word) => word === 'of' || word === 'the');
    });
    if (at === undefined) return undefined;
    taken.add(at);
    const year = words.findIndex((word) => typeof word === 'number' && word >= 2000 && word <= 2200);
    if (year >= 0) taken.add(year);
    const from = Number(today.slice(0, 4));
    const inYear = (number: number) => isoDay(number, MONTHS.indexOf(String(words[month])) + 1, Number(words[at]));
    if (year >= 0) return inYear(Number(words[year]));
    // The next one: a 29th of February may be years away.
    for (let number = from; number <= from + 8; number += 1) {
      const day = inYear(number);
      if (day !== undefined && day >= today) return day;
    }
    return undefined;
  }
  const after = (days: number) => new Date(Date.parse(`${today}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
  const tomorrow = words.indexOf('tomorrow');
  if (tomorrow >= 0) return after(words[tomorrow - 1] === 'after' ? 2 : 1);
  if (words.includes('today')) return after(0);
  const weekday = words.findIndex((word) => typeof word === 'string' && WEEKDAYS.includes(word));
  if (weekday < 0) return undefined;
  const ahead = (WEEKDAYS.indexOf(String(words[weekday])) - new Date(`${today}T00:00:00Z`).getUTCDay() + 7) % 7;
  return after(ahead === 0 ? 7 : ahead);
}

function timeOf(words: readonly Word[], taken: ReadonlySet<number>): string | undefined {
  if (words.includes('noon') || words.includes('midday')) return '12:00';
  if (words.includes('midnight')) return '00:00';
  const half = words.some((word) => word === 'pm' || word === 'afternoon' || word === 'evening')
    ? 'pm'
    : words.some((word) => word === 'am' || word === 'morning')
      ? 'am'
      : undefined;
  const free = words.map((word, at) => (taken.has(at) ? '' : word));
  const turn = free.findIndex((word) => word === 'past' || word === 'to');
  const before = free[turn - 1] === 'minutes' ? free[turn - 2] : free[turn - 1];
  const minutes = before === 'half' ? 30 : before === 'quarter' ? 15 : before;
  const named = free[turn + 1];
  if (turn > 0 && typeof minutes === 'number' && minutes < 60 && typeof named === 'number') {
    return clock(named, free[turn] === 'to' ? -minutes : minutes, half);
  }
  const at = free.findIndex(
    (word, place) => typeof word === 'number' && (free[place - 1] === 'at' || half !== undefined || word <= 24),
  );
  const hour = free[at];
  if (typeof hour !== 'number') return undefined;
  const next = free[at + 1] === 'oh' && typeof free[at + 2] === 'number' ? free[at + 2] : free[at + 1];
  return clock(hour, typeof next === 'number' && next < 60 ? next : 0, half);
}

function clock(hour: number, minutes: number, half: 'am' | 'pm' | undefined): string | undefined {
  if (hour > 24) return undefined;
  let on = hour;
  const named = minutes < 0 ? hour - 1 : hour;
  if (half === 'pm' && named < 12 && hour <= 12) on += hour === 12 && minutes < 0 ? 0 : 12;
  else if (half === 'am' && hour === 12 && minutes >= 0) on = 0;
  else if (half === undefined && named > 0 && named < OPENS_AT_HOUR) on += 12;
  const total = (on * 60 + minutes + 1440) % 1440;
  return `${String(Math.floor(total / 60)).padStart(2, '0')}:${String(total % 60).padStart(2, '0')}`;
}

function isoDay(year: number, month: number, date: number): string | undefined {
  const text = `${year}-${String(month).padStart(2, '0')}-${String(date).padStart(2, '0')}`;
  const parsed = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(parsed) || new Date(parsed).toISOString().slice(0, 10) !== text ? undefined : text;
}

function ending(date: number): string {
  if (date > 10 && date < 14) return 'th';
  return ['th', 'st', 'nd', 'rd'][date % 10] ?? 'th';
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
