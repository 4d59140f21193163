/** One way of reading what stands at a place in the text; the normaliser tries its rules in order. */

/** `say`: words in lower case, letter names as single capitals, pauses as `,`. `at`: offset from the match's start. */
export interface Spoken {
  readonly say: string;
  readonly at: number;
}

export interface Place {
  readonly text: string;
  readonly index: number;
  /** The word before, in lower case and without punctuation; empty at the start. */
  readonly before: string;
  /** The word before that. */
  readonly beforeThat: string;
  /** True at the text's start and after `.`, `!`, `?`. */
  readonly sentenceStart: boolean;
  /** Most letters of the text are capitals: they mean nothing then. */
  readonly shouted: boolean;
}

export interface Rule {
  /** Sticky; tried where a word, number or sign may begin. */
  readonly pattern: RegExp;
  /** Undefined: not this rule after all. A string is said for the match's first written word. */
  readonly speak: (match: RegExpExecArray, place: Place) => string | readonly Spoken[] | undefined;
}

/** Pieces that stand one behind another in the match, each said for the written word that it lies in. */
export function pieces(match: string, ...parts: readonly (readonly [written: string, say: string])[]): Spoken[] {
  const spoken: Spoken[] = [];
  let from = 0;
  for (const [written, say] of parts) {
    const at = Math.max(from, match.indexOf(written, from));
    if (say !== '') spoken.push({ say, at });
    from = at + written.length;
  }
  return spoken;
}
