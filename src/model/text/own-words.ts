/** The words that a persona has its own sound for: found in the text before any other rule of words, said as given. */
import { fold } from './fold';
import type { Rule } from './rule';

export class OwnWords {
  /** For the normaliser: a word of these is one word, whatever it looks like ("SQL"). */
  readonly rule: Rule;
  private readonly said: ReadonlyMap<string, string>;

  /** `lexicon`: word as it is written → phonemes. Case and accents do not matter; the ending 's may follow. */
  private constructor(lexicon: readonly (readonly [string, string])[]) {
    this.said = new Map(lexicon.map(([word, phonemes]) => [keyOf(word), phonemes]));
    this.rule = {
      pattern: new RegExp(`(?<![A-Za-z0-9])(?:${[...this.said.keys()].join('|')})(?:'s)?(?![A-Za-z0-9])`, 'iy'),
      speak: (match) => match[0].toLowerCase(),
    };
  }

  /** Undefined: there are none. */
  static of(lexicon: Readonly<Record<string, string>> | undefined): OwnWords | undefined {
    const entries = Object.entries(lexicon ?? {}).filter(([word]) => /^[a-z]+(?:'[a-z]+)*$/.test(keyOf(word)));
    return entries.length === 0 ? undefined : new OwnWords(entries);
  }

  /** `word`: as the normaliser says it, in lower case. */
  phonemes(word: string): string | undefined {
    const known = this.said.get(word);
    if (known !== undefined || !word.endsWith("'s")) return known;
    const stem = this.said.get(word.slice(0, -2));
    return stem === undefined ? undefined : withEnding(stem);
  }
}

/** The ending of a possessive, by the last sound of the word. */
export function withEnding(stem: string): string {
  if (/(?:s|z|ʃ|ʒ)$/.test(stem)) return `${stem}ᵻz`;
  return stem + (/[ptkfθ]$/.test(stem) ? 's' : 'z');
}

function keyOf(word: string): string {
  return fold(word.normalize('NFC')).toLowerCase();
}
