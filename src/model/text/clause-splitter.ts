/**
 * Cuts streamed text into clauses that a voice can start on: the first as soon as a few words stand, later ones at
 * sentence ends and stronger pauses. Never inside a number, an address or an abbreviation. Pure: what was pushed comes
 * out again, whole and in order.
 */
import { DOTTED } from './vocabulary';

export interface ClauseLimits {
  /** Words after which the first clause may go at a comma. */
  readonly firstWordsAtPause: number;
  /** Words after which the first clause goes without any mark. */
  readonly firstWords: number;
  /** Words after which a later clause may go at a comma. */
  readonly wordsAtPause: number;
  /** Words after which a later clause goes without any mark. */
  readonly words: number;
}

export const DEFAULT_LIMITS: ClauseLimits = { firstWordsAtPause: 2, firstWords: 5, wordsAtPause: 6, words: 22 };

/** A word of letters and signs that cannot be cut anyway, but must not grow for ever in the buffer. */
const MAX_HELD_CHARACTERS = 600;
/** Words that lean on the next one: a clause without a mark does not end behind them. */
const LEANING = new Set(
  'a an the of to in on at around near between until before after for from with by and or but is are was were will would can could may must shall should my your his her its our their this that these those no not mr mrs ms dr st per about as than if when i you we they he she it very more some any each every one two three four five six seven eight nine ten'.split(
    ' ',
  ),
);
const STRONG = /[.!?\u2026]["')\]]*$/;
const WEAK = /[,;:\u2014\u2013)]["']*$/;

export class ClauseSplitter {
  private held = '';
  private emitted = 0;

  constructor(private readonly limits: ClauseLimits = DEFAULT_LIMITS) {}

  /** Returns the clauses that are complete now, with their white space. */
  push(delta: string): string[] {
    this.held += delta;
    const clauses: string[] = [];
    for (let cut = this.nextCut(); cut > 0; cut = this.nextCut()) {
      clauses.push(this.held.slice(0, cut));
      this.held = this.held.slice(cut);
      this.emitted += 1;
    }
    return clauses;
  }

  /** The rest, if there is one. The next push begins a new text. */
  flush(): string[] {
    const rest = this.held;
    this.held = '';
    this.emitted = 0;
    return rest === '' ? [] : [rest];
  }

  /** Length of the clause at the front, 0 if none is complete. */
  private nextCut(): number {
    const first = this.emitted === 0;
    const atPause = first ? this.limits.firstWordsAtPause : this.limits.wordsAtPause;
    const atMost = first ? this.limits.firstWords : this.limits.words;
    let words = 0;
    // Only a word followed by white space and the next word's first character is known to be whole: "3. 5" or "p.m."
    for (const match of this.held.matchAll(/(\S+)(\s+)(?=\S)/g)) {
      const word = match[1] ?? '';
      const end = match.index + match[0].length;
      if (/[A-Za-z0-9]/.test(word)) words += 1;
      if (words === 0) continue;
      const next = this.held.slice(end, end + 1);
      if (STRONG.test(word) ? endsSentence(word, next) : (match[2] ?? '').includes('\n')) return end;
      if (WEAK.test(word) && words >= atPause && !/\d$/.test(next)) return end;
      if (words >= atMost && this.mayBreak(word, next)) return end;
    }
    return this.held.length > MAX_HELD_CHARACTERS ? this.lastBlank() : 0;
  }

  private mayBreak(word: string, next: string): boolean {
    const bare = word.toLowerCase().replace(/[^a-z']/g, '');
    // Digits may go on behind a blank: "555 123", "5 pm", "$3 million".
    return !LEANING.has(bare) && !/[\d$\u00a3\u20ac(.]$/.test(word) && !/[\d(]/.test(next);
  }

  private lastBlank(): number {
    const blank = this.held.lastIndexOf(' ');
    return blank > 0 ? blank + 1 : this.held.length;
  }
}

function endsSentence(word: string, next: string): boolean {
  const bare = word.replace(/^["'([]+|["')\]]+$/g, '');
  if (!bare.endsWith('.')) return true;
  // Abbreviations, initials and list numbers keep their dot; "p.m." ends a sentence only before a capital.
  if (/^(?:[A-Za-z]\.)+$/.test(bare)) return bare.length > 3 && /[A-Z]/.test(next);
  if (Object.hasOwn(DOTTED, bare.toLowerCase()) || /^(?:dr|st|no)\.$/i.test(bare)) return false;
  return !/^\d{1,3}\.$/.test(bare) || /[A-Z]/.test(next);
}
