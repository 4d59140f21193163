/**
 * Keeps a small language model from inventing figures: a digit may follow only if the number begun so far can still
 * become one that stands in the facts or in what was said. Prices, times and extensions are what callers write down.
 */

const DIGITS = '0123456789';

export class NumberGuard {
  private readonly digitOf: ReadonlyMap<number, string>;

  /** The vocabulary has one token for each digit and none with several (SmolLM2 splits digits). */
  constructor(encode: (text: string) => number[]) {
    this.digitOf = new Map([...DIGITS].map((digit) => [encode(digit)[0] ?? -1, digit]));
  }

  /** Numbers, as written, in any of `texts`. */
  static numbers(texts: Iterable<string>): Set<string> {
    const found = new Set<string>();
    for (const text of texts) for (const [number] of text.matchAll(/\d+/g)) found.add(number);
    return found;
  }

  /** A judge of the token after `said`: true if it must not come next. */
  forbidden(said: readonly number[], allowed: ReadonlySet<string>): (token: number) => boolean {
    let begun = '';
    for (let i = said.length - 1; i >= 0; i -= 1) {
      const digit = this.digitOf.get(said[i]!);
      if (digit === undefined) break;
      begun = digit + begun;
    }
    const next = new Set<string>();
    for (const number of allowed) {
      if (number.startsWith(begun) && number.length > begun.length) next.add(number[begun.length]!);
    }
    const mayEnd = begun === '' || allowed.has(begun);
    return (token) => {
      const digit = this.digitOf.get(token);
      return digit === undefined ? !mayEnd : !next.has(digit);
    };
  }
}
