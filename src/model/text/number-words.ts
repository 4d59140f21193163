/** Numbers as American English says them: cardinals, ordinals, years, decimals, digit by digit. */

/** 0 to 19. */
export const SMALL_NUMBERS = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
  'thirteen',
  'fourteen',
  'fifteen',
  'sixteen',
  'seventeen',
  'eighteen',
  'nineteen',
] as const;
const TENS = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'] as const;
const SCALES = ['', ' thousand', ' million', ' billion', ' trillion', ' quadrillion'] as const;
const IRREGULAR_ORDINALS: Readonly<Record<string, string>> = {
  one: 'first',
  two: 'second',
  three: 'third',
  five: 'fifth',
  eight: 'eighth',
  nine: 'ninth',
  twelve: 'twelfth',
};
/** Above this many digits a number is read digit by digit: nobody follows "nine hundred quadrillion". */
const MAX_CARDINAL_DIGITS = 15;

function belowHundred(value: number): string {
  if (value < 20) return SMALL_NUMBERS[value] ?? '';
  const unit = value % 10;
  return (TENS[Math.floor(value / 10)] ?? '') + (unit === 0 ? '' : ` ${SMALL_NUMBERS[unit]}`);
}

function belowThousand(value: number): string {
  const rest = value % 100;
  if (value < 100) return belowHundred(value);
  return `${SMALL_NUMBERS[Math.floor(value / 100)]} hundred${rest === 0 ? '' : ` ${belowHundred(rest)}`}`;
}

/** `digits`: ASCII digits only. "0042" has a meaning that "forty two" loses, so leading zeros are read out. */
export function cardinal(digits: string): string {
  if (digits.length > MAX_CARDINAL_DIGITS || (digits.length > 1 && digits.startsWith('0'))) return digitByDigit(digits);
  let value = Number(digits);
  if (value === 0) return 'zero';
  const groups: string[] = [];
  for (let scale = 0; value > 0; scale += 1) {
    const group = value % 1000;
    if (group > 0) groups.unshift(belowThousand(group) + (SCALES[scale] ?? ''));
    value = Math.floor(value / 1000);
  }
  return groups.join(' ');
}

export function ordinal(digits: string): string {
  const words = cardinal(String(Number(digits.slice(0, MAX_CARDINAL_DIGITS)))).split(' ');
  const last = words.pop() ?? '';
  const ending = IRREGULAR_ORDINALS[last] ?? (last.endsWith('y') ? `${last.slice(0, -1)}ieth` : `${last}th`);
  return [...words, ending].join(' ');
}

/** "six two eight"; each digit by its name. */
export function digitByDigit(digits: string): string {
  return Array.from(digits, (digit) => SMALL_NUMBERS[Number(digit)] ?? '').join(' ');
}

/** As years, house numbers and rooms are read: 1984 "nineteen eighty four", 204 "two oh four", 1900 "nineteen hundred". */
export function pairwise(digits: string): string {
  const value = Number(digits);
  if (digits.length <= 2 || digits.length > 4 || digits.startsWith('0')) return cardinal(digits);
  if (digits.length === 4 && value % 1000 < 10) return cardinal(digits);
  const head = belowHundred(Math.floor(value / 100));
  const tail = value % 100;
  if (tail === 0) return `${head} hundred`;
  return tail < 10 ? `${head} oh ${SMALL_NUMBERS[tail]}` : `${head} ${belowHundred(tail)}`;
}

/** Four digits without a comma between 1100 and 2099 are read as a year, which suits counts as well ("fifteen hundred"). */
export function wholeNumber(digits: string): string {
  const value = Number(digits);
  return digits.length === 4 && value >= 1100 && value < 2100 ? pairwise(digits) : cardinal(digits);
}

/** "12.50" → "twelve point five zero"; ".5" → "point five". */
export function decimal(whole: string, fraction: string): string {
  return `${whole === '' ? '' : `${cardinal(whole)} `}point ${digitByDigit(fraction)}`;
}

/** "one half", "three quarters", "five eighths"; undefined where the name is not usual. */
export function fraction(numerator: number, denominator: number): string | undefined {
  if (numerator < 1 || denominator < 2 || denominator > 100 || numerator >= denominator) return undefined;
  const one = numerator === 1;
  const part = denominator === 2 ? 'half' : denominator === 4 ? 'quarter' : ordinal(String(denominator));
  const parts = part === 'half' ? 'halves' : `${part}s`;
  return `${cardinal(String(numerator))} ${one ? part : parts}`;
}

/** The plural of a decade: 1990 → "nineteen nineties", 80 → "eighties". */
export function decade(digits: string): string {
  const words = (digits.length === 4 ? pairwise(digits) : cardinal(digits)).split(' ');
  const last = words.pop() ?? '';
  return [...words, last.endsWith('y') ? `${last.slice(0, -1)}ies` : `${last}s`].join(' ');
}
