/** What the normaliser makes of a text: the words to say, each with the written word it stands for, and the pauses. */

/** The marks that the voice knows as pauses and intonation. */
export type PauseMark = ',' | '.' | '?' | '!' | ';' | ':';

export interface WrittenWord {
  readonly text: string;
  /** Place in the original text, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
}

export type SpokenToken =
  /** `text` is of a-z and inner apostrophes. `written` is an index into `SpokenText.written`. */
  | { readonly kind: 'word'; readonly text: string; readonly written: number }
  /** The name of the letter, not the word: "a" as in "plan A". */
  | { readonly kind: 'letter'; readonly text: string; readonly written: number }
  | { readonly kind: 'pause'; readonly mark: PauseMark };

export interface SpokenText {
  /** The original text cut at white space. */
  readonly written: readonly WrittenWord[];
  readonly tokens: readonly SpokenToken[];
}

/** The spoken words in one line, letter names in capitals: for tests and logs of the recipe. */
export function lineOf(text: SpokenText): string {
  let line = '';
  for (const token of text.tokens) {
    if (token.kind === 'pause') line += token.mark;
    else line += (line === '' ? '' : ' ') + (token.kind === 'letter' ? token.text.toUpperCase() : token.text);
  }
  return line;
}
