/** Numbers between two limits as grammars over their decimal digits. */
import { choice, type Grammar, oneOf, repeat, sequence, text } from './grammar';

/** So many digits are exact in a double. */
const MOST_DIGITS = 12;
const LARGEST = 10 ** MOST_DIGITS - 1;
const DECIMALS = 2;

/** undefined: there is none. */
export function integerGrammar(least = -LARGEST, most = LARGEST): Grammar | undefined {
  const from = Math.max(least, -LARGEST);
  const to = Math.min(most, LARGEST);
  if (from > to) return undefined;
  const parts: Grammar[] = [];
  if (from < 0) parts.push(sequence(text('-'), natural(Math.max(1, -to), -from)));
  if (to >= 0) parts.push(natural(Math.max(0, from), to));
  return choice(...parts);
}

/** With up to two decimals. Throws a RangeError where there is none. */
export function numberGrammar(least = -LARGEST, most = LARGEST): Grammar {
  const from = Math.max(least, -LARGEST);
  const to = Math.min(most, LARGEST);
  const parts: Grammar[] = [];
  const whole = integerGrammar(Math.ceil(from), Math.floor(to));
  if (whole !== undefined) parts.push(whole);
  const decimals = sequence(text('.'), repeat(oneOf([0x30, 0x39]), 1, DECIMALS));
  // 3.25 lies between 3 and 4, -3.25 between -4 and -3.
  const up = Math.floor(to) - 1;
  if (up >= Math.max(0, Math.ceil(from))) parts.push(sequence(natural(Math.max(0, Math.ceil(from)), up), decimals));
  const down = -Math.ceil(from) - 1;
  const shallow = Math.max(0, -Math.floor(to));
  if (down >= shallow) parts.push(sequence(text('-'), natural(shallow, down), decimals));
  if (parts.length === 0) throw new RangeError('minimum');
  return choice(...parts);
}

/** From `least` to `most`, both 0 or more, without leading zeros. */
function natural(least: number, most: number): Grammar {
  const parts: Grammar[] = [];
  for (let length = 1; length <= MOST_DIGITS; length += 1) {
    const from = Math.max(least, length === 1 ? 0 : 10 ** (length - 1));
    const to = Math.min(most, 10 ** length - 1);
    if (from <= to) parts.push(between(String(from), String(to)));
  }
  return choice(...parts);
}

/** Texts of as many digits, one not greater than the other. */
function between(from: string, to: string): Grammar {
  if (from === '') return text('');
  if (/^0+$/.test(from) && /^9+$/.test(to)) return repeat(oneOf([0x30, 0x39]), from.length, from.length);
  const [low, high] = [Number(from[0]), Number(to[0])];
  const [lowRest, highRest] = [from.slice(1), to.slice(1)];
  if (low === high) return sequence(text(String(low)), between(lowRest, highRest));
  const nines = '9'.repeat(lowRest.length);
  const zeros = '0'.repeat(lowRest.length);
  const parts = [
    sequence(text(String(low)), between(lowRest, nines)),
    sequence(text(String(high)), between(zeros, highRest)),
  ];
  if (high - low > 1) {
    const rest = repeat(oneOf([0x30, 0x39]), lowRest.length, lowRest.length);
    parts.push(sequence(oneOf([0x31 + low, 0x2f + high]), rest));
  }
  return choice(...parts);
}
