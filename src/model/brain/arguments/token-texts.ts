/** What each token of a vocabulary says, by its first character: read once, in slices, for that takes a quarter of a second in all. */
import type { Range } from './grammar';

const TOKENS_AT_ONCE = 2_000;

export class TokenTexts {
  private readonly texts: string[] = [];
  private readonly byFirst = new Map<number, number[]>();

  /** Tokens below `firstTextToken` say nothing. A part of a character is the replacement character, which no grammar has. */
  constructor(
    private readonly decode: (tokens: readonly number[]) => string,
    private readonly firstTextToken = 0,
  ) {}

  /** All below `vocabulary`, some at a time. */
  *reading(vocabulary: number): Generator<void> {
    while (this.texts.length < vocabulary) {
      this.readUpTo(Math.min(this.texts.length + TOKENS_AT_ONCE, vocabulary));
      yield;
    }
  }

  /** Reads the tokens below `to` that were not read yet. */
  readUpTo(to: number): void {
    for (let token = this.texts.length; token < to; token += 1) {
      const text = token < this.firstTextToken ? '' : this.decode([token]);
      this.texts.push(text);
      const first = text.codePointAt(0);
      if (first === undefined) continue;
      const known = this.byFirst.get(first);
      if (known === undefined) this.byFirst.set(first, [token]);
      else known.push(token);
    }
  }

  textOf(token: number): string {
    return this.texts[token] ?? '';
  }

  /** Those that begin with one of these characters. */
  *beginningWith(ranges: readonly Range[]): Generator<number> {
    for (const [first, tokens] of this.byFirst) {
      if (ranges.some(([low, high]) => first >= low && first <= high)) yield* tokens;
    }
  }
}
