/** Rules for what is written with digits: times, dates, money, phone numbers, ranges, fractions, units, rooms. */
import { cardinal, decade, decimal, digitByDigit, fraction, ordinal, pairwise, wholeNumber } from './number-words';
import { type Place, pieces, type Rule, type Spoken } from './rule';
import { CURRENCIES, MONTH_PATTERN, MONTHS, monthName, UNITS } from './vocabulary';

const NUMBER = '\\d{1,3}(?:,\\d{3})+(?:\\.\\d+)?|\\d+(?:\\.\\d+)?';
const MERIDIEM = '(?:[ap]\\.m\\.|[ap]\\.?m\\b)';
/** A minus sign; behind a word the same sign is a hyphen. */
const MINUS = '((?<![\\w)])-)?';
const DASH = '\\s?[-\u2013\u2014]\\s?';
const MAGNITUDE: Readonly<Record<string, string>> = {
  k: 'thousand',
  m: 'million',
  mn: 'million',
  mm: 'million',
  b: 'billion',
  bn: 'billion',
  t: 'trillion',
  thousand: 'thousand',
  million: 'million',
  billion: 'billion',
  trillion: 'trillion',
};
/** Before a number of four digits and more these mean a name made of digits, not a quantity. */
const CODE_WORDS = new Set(
  'code pin zip number no order reference ref account confirmation booking ticket extension ext case invoice serial id tracking policy member pincode passcode digits dial call'.split(
    ' ',
  ),
);
const ROOM_WORDS = new Set(
  'boeing airbus room suite flight gate apartment unit highway route bus hwy apt floor'.split(' '),
);
const STREET =
  /^\s(?:[NSEW]\.?\s)?(?:[A-Z][\w'.]*|\d{1,3}(?:st|nd|rd|th))(?:\s[A-Z][\w']*){0,2}\s(?:Street|St|Avenue|Ave|Road|Rd|Drive|Dr|Lane|Ln|Boulevard|Blvd|Way|Court|Ct|Place|Pl|Square|Sq|Terrace|Highway|Hwy)\b/;

function plain(digits: string): string {
  return digits.replaceAll(',', '');
}

/** Any written number: "1,250.5", "42". */
export function number(written: string): string {
  const [whole = '', part] = plain(written).split('.');
  if (part !== undefined) return decimal(whole, part);
  return written.includes(',') ? cardinal(whole) : wholeNumber(whole);
}

function meridiem(written: string | undefined): string {
  return written === undefined ? '' : written.trim().toLowerCase().startsWith('a') ? 'A M' : 'P M';
}

function clock(hour: number, minute: number, half: string): string | undefined {
  if (hour > 24 || minute > 59) return undefined;
  const hours = cardinal(String(hour));
  if (minute === 0) {
    if (half !== '') return hours;
    if (hour === 0) return 'midnight';
    return hour > 12 ? `${hours} hundred` : `${hours} o'clock`;
  }
  return `${hours} ${minute < 10 ? `oh ${cardinal(String(minute))}` : cardinal(String(minute))}`;
}

function money(currency: string, amount: string, magnitude: string | undefined): string | undefined {
  const names = CURRENCIES[currency.toLowerCase()];
  if (names === undefined) return undefined;
  const [one, many, cent, cents] = names;
  const [whole = '0', part] = plain(amount).split('.');
  const scale = magnitude === undefined ? undefined : MAGNITUDE[magnitude.toLowerCase()];
  if (scale !== undefined) return `${part === undefined ? cardinal(whole) : decimal(whole, part)} ${scale} ${many}`;
  const units = `${cardinal(whole)} ${Number(whole) === 1 ? one : many}`;
  if (part === undefined || /^0+$/.test(part)) return units;
  if (part.length > 2) return `${decimal(whole, part)} ${many}`;
  const hundredths = Number(part.padEnd(2, '0'));
  const small = `${cardinal(String(hundredths))} ${hundredths === 1 ? cent : cents}`;
  return Number(whole) === 0 ? small : `${units} and ${small}`;
}

/** As people say long numbers: threes, and four at the end of a phone number. */
function grouped(digits: string): string[] {
  const groups: string[] = [];
  // Eleven digits begin with a country's or a trunk's one; eight are said as four and four.
  let from = digits.length === 11 ? 1 : digits.length === 8 ? 4 : 0;
  if (from > 0) groups.push(digits.slice(0, from));
  while (digits.length - from > 4) {
    groups.push(digits.slice(from, from + 3));
    from += 3;
  }
  groups.push(digits.slice(from));
  return groups;
}

/** Digits in groups, a short pause between the groups; "800" in a toll-free prefix is eight hundred. */
function phone(match: string): Spoken[] {
  const spoken: Spoken[] = [];
  const groups = [...match.matchAll(/\+?\d+/g)];
  for (const [index, group] of groups.entries()) {
    const digits = group[0].replace('+', '');
    const parts = digits.length > 4 ? grouped(digits) : [digits];
    for (const [nth, part] of parts.entries()) {
      const pause = index + nth > 0 ? ', ' : '';
      const plus = group[0].startsWith('+') && nth === 0 ? 'plus ' : '';
      const tollFree = part === '800' && groups.length > 1 && index < 2;
      spoken.push({ say: pause + plus + (tollFree ? 'eight hundred' : digitByDigit(part)), at: group.index });
    }
  }
  return spoken;
}

function isCode(place: Place): boolean {
  const fillers = place.before === 'is' || place.before === 'number' || place.before === 'to';
  return CODE_WORDS.has(place.before) || (fillers && CODE_WORDS.has(place.beforeThat));
}

function day(written: string): string {
  return ordinal(written.replace(/\D/g, ''));
}

function year(written: string): string {
  return written.length === 2
    ? written.startsWith('0')
      ? `oh ${cardinal(written.slice(1))}`
      : cardinal(written)
    : pairwise(written);
}

function numericDate(first: number, second: number, written: string): string | undefined {
  const [month, dayOfMonth] = first > 12 ? [second, first] : [first, second];
  const name = MONTHS[month - 1];
  if (name === undefined || dayOfMonth < 1 || dayOfMonth > 31) return undefined;
  return `${name} ${day(String(dayOfMonth))} ${year(written)}`;
}

function rule(source: string, speak: Rule['speak'], flags = 'iy'): Rule {
  return { pattern: new RegExp(source, flags), speak };
}

/** A number ends where no digit goes on; `1.2.3` and `10:30:45:2` are for others. */
const END = '(?![\\d])';

export const NUMBER_RULES: readonly Rule[] = [
  // ISO date and time: 2024-03-05T10:00
  rule(`(\\d{4})-(\\d{2})-(\\d{2})(?:T(?=\\d))?${END}`, (m) => numericDate(Number(m[2]), Number(m[3]), m[1] ?? '')),
  rule(`(\\d{1,2})/(\\d{1,2})/(\\d{4}|\\d{2})${END}`, (m) => numericDate(Number(m[1]), Number(m[2]), m[3] ?? '')),
  rule(`(\\d{1,2})\\.(\\d{1,2})\\.(\\d{4})${END}`, (m) => numericDate(Number(m[2]), Number(m[1]), m[3] ?? '')),
  // Month day, year
  rule(`(${MONTH_PATTERN})\\s(\\d{1,2})(?:st|nd|rd|th)?(,?\\s)(\\d{4})\\b(?!:)`, (m) =>
    pieces(m[0], [m[1] ?? '', monthName(m[1] ?? '')], [m[2] ?? '', day(m[2] ?? '')], [m[4] ?? '', year(m[4] ?? '')]),
  ),
  rule(`(${MONTH_PATTERN})\\s(\\d{1,2})(?:st|nd|rd|th)?${DASH}(\\d{1,2})(?:st|nd|rd|th)?\\b(?![:/])`, (m) =>
    pieces(
      m[0],
      [m[1] ?? '', monthName(m[1] ?? '')],
      [m[2] ?? '', day(m[2] ?? '')],
      [m[3] ?? '', `to ${day(m[3] ?? '')}`],
    ),
  ),
  rule(`(${MONTH_PATTERN})\\s(\\d{1,2})(?:st|nd|rd|th)?\\b(?![:,.]\\d|%)`, (m) =>
    Number(m[2]) > 31 ? undefined : pieces(m[0], [m[1] ?? '', monthName(m[1] ?? '')], [m[2] ?? '', day(m[2] ?? '')]),
  ),
  rule(`(${MONTH_PATTERN})\\s(\\d{4})\\b`, (m) =>
    pieces(m[0], [m[1] ?? '', monthName(m[1] ?? '')], [m[2] ?? '', year(m[2] ?? '')]),
  ),
  rule(`(\\d{1,2})(?:st|nd|rd|th)?\\s(?:of\\s)?(${MONTH_PATTERN})(?:,?\\s(\\d{4})\\b)?(?![a-z])`, (m, place) =>
    Number(m[1]) > 31
      ? undefined
      : pieces(
          m[0],
          [m[1] ?? '', (place.before === 'the' ? '' : 'the ') + day(m[1] ?? '')],
          [m[2] ?? '', `of ${monthName(m[2] ?? '')}`],
          [m[3] ?? '', m[3] === undefined ? '' : year(m[3])],
        ),
  ),
  // Times and spans of them
  rule(`(\\d{1,2}):(\\d{2})(?::\\d{2})?(?:\\s?(${MERIDIEM}))?${END}`, (m, place) => {
    const half = meridiem(m[3]);
    const said = clock(Number(m[1]), Number(m[2]), half);
    if (said === undefined) return undefined;
    const span = /\d\s?[-\u2013\u2014]\s?$/.test(place.text.slice(Math.max(0, place.index - 4), place.index));
    return pieces(m[0], [m[1] ?? '', (span ? 'to ' : '') + said], [m[3] ?? '', half]);
  }),
  rule(`(\\d{1,2})(?:\\s?(${MERIDIEM}))?${DASH}(\\d{1,2})\\s?(${MERIDIEM})`, (m) => {
    const [from, to] = [Number(m[1]), Number(m[3])];
    if (from > 12 || to > 12) return undefined;
    return pieces(
      m[0],
      [m[1] ?? '', cardinal(String(from))],
      [m[2] ?? '', meridiem(m[2])],
      [m[3] ?? '', `to ${cardinal(String(to))}`],
      [m[4] ?? '', meridiem(m[4])],
    );
  }),
  rule(`(\\d{1,2})\\s?(${MERIDIEM})`, (m) =>
    Number(m[1]) > 12 ? undefined : pieces(m[0], [m[1] ?? '', cardinal(m[1] ?? '')], [m[2] ?? '', meridiem(m[2])]),
  ),
  // Money
  rule(
    `${MINUS}([$\u00a3\u20ac\u00a5])\\s?(${NUMBER})${DASH}([$\u00a3\u20ac\u00a5]?)(${NUMBER})(?:\\s?(k|m|mn|bn|thousand|million|billion|trillion)\\b)?`,
    (m) => {
      const high = money(m[2] ?? '', m[5] ?? '', m[6]);
      if (high === undefined) return undefined;
      const low = m[4] === '' ? number(m[3] ?? '') : (money(m[2] ?? '', m[3] ?? '', undefined) ?? '');
      return pieces(m[0], [m[3] ?? '', low], [m[5] ?? '', `to ${high}`]);
    },
  ),
  rule(
    `${MINUS}([$\u00a3\u20ac\u00a5])\\s?(${NUMBER})(?:(\\s?)(k|m|mn|bn|thousand|million|billion|trillion)\\b)?`,
    (m) => {
      const said = money(m[2] ?? '', m[3] ?? '', m[5]);
      if (said === undefined) return undefined;
      const signed = (m[1] === '-' ? 'minus ' : '') + said;
      if (m[5] === undefined || m[4] === '') return signed;
      // "$3 million": the number belongs to the first written word, the rest to the second.
      const words = signed.split(' ');
      return pieces(m[0], [m[3] ?? '', words.slice(0, -2).join(' ')], [m[5], words.slice(-2).join(' ')]);
    },
  ),
  rule(`(${NUMBER})\\s?(usd|gbp|eur|chf|cad|aud|jpy|\u20ac|\u00a3|\\$)(?![a-z])`, (m) => {
    const said = money(m[2] ?? '', m[1] ?? '', undefined);
    return said === undefined ? undefined : pieces(m[0], [m[1] ?? '', said]);
  }),
  rule('(usd|gbp|eur|chf|cad|aud|jpy)\\s(\\d[\\d,]*(?:\\.\\d+)?)', (m) => {
    const said = money(m[1] ?? '', (m[2] ?? '').replace(/,$/, ''), undefined);
    return said === undefined ? undefined : pieces(m[0], [m[1] ?? '', said]);
  }),
  rule(`(\\d+)\\s?\u00a2`, (m) => `${cardinal(m[1] ?? '')} ${m[1] === '1' ? 'cent' : 'cents'}`),
  // Phone numbers, in the forms people write
  rule(`\\+\\d{1,3}[ .-]?(?:\\(\\d{1,4}\\)[ .-]?)?\\d{2,5}(?:[ .-]?\\d{2,5}){1,4}${END}`, (m) => phone(m[0])),
  rule(`(?:1[ .-])?\\(\\d{3}\\)[ .-]?\\d{3}[ .-]\\d{4}${END}`, (m) => phone(m[0])),
  rule(`(?:1[ .-])?\\d{3}([ .-])\\d{3}\\1\\d{4}${END}`, (m) => phone(m[0])),
  rule(`\\d{3}-\\d{4}${END}`, (m) => phone(m[0])),
  rule(`0\\d{2,4}[ -]\\d{3,4}(?:[ -]\\d{3,4})?${END}`, (m) => phone(m[0])),
  // Addresses on the network, versions
  rule(`\\d{1,3}(?:\\.\\d{3}){2,4}${END}`, (m) => cardinal(m[0].replaceAll('.', ''))),
  rule(`(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})${END}`, (m) =>
    m
      .slice(1, 5)
      .map((part) => cardinal(part ?? ''))
      .join(' dot '),
  ),
  rule(`v?(\\d+(?:\\.\\d+){2,4})${END}`, (m) => {
    const said = (m[1] ?? '')
      .split('.')
      .map((part) => cardinal(part))
      .join(' point ');
    return m[0].startsWith('v') ? `version ${said}` : said;
  }),
  rule(`v(\\d+(?:\\.\\d+)?)\\b`, (m) => `version ${number(m[1] ?? '')}`),
  // Feet and inches
  rule(`(\\d{1,2})'\\s?(\\d{1,2})(?:"|'')`, (m) => `${cardinal(m[1] ?? '')} foot ${cardinal(m[2] ?? '')}`),
  rule(`24/7\\b`, () => 'twenty four seven'),
  // Fractions
  rule(`(\\d+)\\s?([½¼¾⅓⅔])`, (m) => `${cardinal(m[1] ?? '')} and ${glyphFraction(m[2] ?? '', true)}`),
  rule('[½¼¾⅓⅔]', (m) => glyphFraction(m[0], false)),
  rule(`(\\d+)\\s(\\d{1,2})/(\\d{1,2})${END}`, (m) => {
    const part = fraction(Number(m[2]), Number(m[3]));
    if (part === undefined) return undefined;
    return pieces(
      m[0],
      [m[1] ?? '', `${cardinal(m[1] ?? '')} and`],
      [`${m[2]}/${m[3]}`, part.replace(/^one (half|quarter)$/, 'a $1')],
    );
  }),
  rule(`(\\d{1,4})/(\\d{1,4})(?![\\d/])`, (m) => {
    if (m[1] === m[2]) return `${cardinal(m[1] ?? '')} ${cardinal(m[2] ?? '')}`;
    const named = fraction(Number(m[1]), Number(m[2]));
    const usual = Number(m[2]) <= 10 || Number(m[2]) % 4 === 0;
    return named !== undefined && usual ? named : `${cardinal(m[1] ?? '')} over ${cardinal(m[2] ?? '')}`;
  }),
  // Degrees and percent
  rule(`${MINUS}(${NUMBER})\\s?\u00b0\\s?([cf]\\b)?`, (m) => {
    const scale = m[3] === undefined ? '' : m[3].toLowerCase() === 'c' ? ' celsius' : ' fahrenheit';
    return `${m[1] === '-' ? 'minus ' : ''}${number(m[2] ?? '')} ${m[2] === '1' ? 'degree' : 'degrees'}${scale}`;
  }),
  rule(`(${NUMBER})\\s?%?${DASH}(${NUMBER})\\s?%`, (m) =>
    pieces(m[0], [m[1] ?? '', number(m[1] ?? '')], [m[2] ?? '', `to ${number(m[2] ?? '')} percent`]),
  ),
  rule(`${MINUS}(${NUMBER})(\\s?)%`, (m) =>
    pieces(m[0], [m[2] ?? '', (m[1] === '-' ? 'minus ' : '') + number(m[2] ?? '')], ['%', 'percent']),
  ),
  // Ordinals and decades
  rule(`(\\d{1,3}(?:,\\d{3})+|\\d+)(?:st|nd|rd|th)\\b`, (m) => ordinal(plain(m[1] ?? ''))),
  rule(`'?(\\d{4}|\\d0)'?s\\b`, (m) =>
    /\d0/.test(m[1] ?? '') && (m[1] ?? '').endsWith('0') ? decade(m[1] ?? '') : undefined,
  ),
  // Ranges; a minus sign has no number before it
  rule(`(${NUMBER})(\\s?[-\u2013\u2014]\\s?)(${NUMBER})(?![\\d-])`, (m) => {
    const both = [plain(m[1] ?? ''), plain(m[3] ?? '')];
    // Long runs around a dash are numbers of something, not a span.
    if (both.some((digits) => digits.length > 6 && !digits.includes('.'))) return undefined;
    const high = m[3] ?? '';
    // 1990–95: the second is short for its year.
    const said = both[0]?.length === 4 && both[1]?.length === 2 ? year(high) : number(high);
    return pieces(m[0], [m[1] ?? '', number(m[1] ?? '')], [high, `to ${said}`]);
  }),
  rule(`(\\d{1,4}):(\\d{1,4})(?![\\d:])`, (m) => `${cardinal(m[1] ?? '')} to ${cardinal(m[2] ?? '')}`),
  rule(`(\\d+(?:\\.\\d+)?)\\s?[x\u00d7]\\s?(\\d+(?:\\.\\d+)?)${END}`, (m) =>
    pieces(m[0], [m[1] ?? '', number(m[1] ?? '')], [m[2] ?? '', `by ${number(m[2] ?? '')}`]),
  ),
  rule('(\\d+)x\\b', (m) => `${cardinal(m[1] ?? '')} times`),
  rule('#\\s?(\\d+)', (m) => `number ${cardinal(m[1] ?? '')}`),
  rule('no\\.\\s?(\\d+)', (m) => pieces(m[0], [m[0].slice(0, 3), 'number'], [m[1] ?? '', cardinal(m[1] ?? '')])),
  // Quantities with a unit symbol
  rule(
    `${MINUS}(${NUMBER})(\\s?)(km/h|mbit/s|sq ft|sq m|kwh|mbps|gbps|kmh|kph|mph|kcal|khz|mhz|ghz|mins|min|secs|sec|hrs|hr|lbs|lb|gal|km|cm|mm|kg|mg|oz|mi|ft|yd|kw|kb|mb|gb|tb|hz|ms|ml|cl|m2|pt|m|g|w|v|s|h|l)(?![a-z0-9'])\\.?(?=[\\s,;:!?)]|$)`,
    (m) => {
      const symbol = (m[4] ?? '').toLowerCase();
      // A single capital is rather a name ("5 S", "4G") than a unit, watts, volts and liters excepted.
      if (/^[A-Z]$/.test(m[4] ?? '') && !/[wvl]/.test(symbol)) return undefined;
      const names = UNITS[symbol];
      if (names === undefined) return undefined;
      const amount = (m[1] === '-' ? 'minus ' : '') + number(m[2] ?? '');
      return pieces(m[0], [m[2] ?? '', amount], [m[4] ?? '', m[2] === '1' ? names[0] : names[1]]);
    },
  ),
  rule(`(${NUMBER})(k|m|bn)\\b`, (m) => `${number(m[1] ?? '')} ${MAGNITUDE[(m[2] ?? '').toLowerCase()]}`),
];

/** Tried after words of letters and digits mixed ("221B"). */
export const DIGIT_RULES: readonly Rule[] = [
  // Digits that are a name rather than a quantity
  rule(`(\\d{3,8})${END}(?![,.]\\d)`, (m, place) => {
    const digits = m[1] ?? '';
    if (digits.length >= 4 && isCode(place)) return phone(digits);
    if (/^(?:call|dial)$/.test(place.before)) return digitByDigit(digits);
    if (/^\d{1,2}0{6}$/.test(digits)) return cardinal(digits);
    if (digits.length >= 7) return phone(digits);
    if (digits.length <= 4 && ROOM_WORDS.has(place.before)) return pairwise(digits);
    if (
      digits.length <= 4 &&
      STREET.test(place.text.slice(place.index + digits.length, place.index + digits.length + 60))
    ) {
      return pairwise(digits);
    }
    return undefined;
  }),
  rule(`\\d{9,40}`, (m) => phone(m[0])),
  // Decimals, negative numbers, plain numbers
  rule(`([-\u2013])(${NUMBER}|\\.\\d+)`, (m, place) =>
    /(?:^|[\s(])$/.test(place.text.slice(Math.max(0, place.index - 1), place.index))
      ? `minus ${number(m[2] ?? '')}`
      : undefined,
  ),
  rule('\\.(\\d+)', (m) => decimal('', m[1] ?? '')),
  rule(NUMBER, (m) => number(m[0])),
];

const GLYPHS: Readonly<Record<string, string>> = { '¾': 'three quarters', '⅓': 'one third', '⅔': 'two thirds' };

function glyphFraction(glyph: string, behindNumber: boolean): string {
  const named = GLYPHS[glyph];
  if (named !== undefined) return named;
  const part = glyph === '\u00bd' ? 'half' : 'quarter';
  return behindNumber ? `a ${part}` : `one ${part}`;
}
