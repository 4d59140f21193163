/**
 * One sentence on its way from words to features, one row for each symbol: every word is encoded once, with the symbols
 * before it that it depends on and the words behind it that colour its sound. What was encoded never changes.
 */
import type { PhonemeIdMap } from '../piper/phoneme-ids';
import type { PauseMark } from '../text/spoken-text';
import { SentenceSymbols, type SentenceWord } from './sentence-symbols';

/** A word with those behind it as far as they are known: their sound colours its own. */
export interface SpokenWord extends SentenceWord {
  /** The trunk's state for it; undefined: the text came from elsewhere. */
  readonly hidden: Float32Array | undefined;
  /** The mark that ends the sentence, on its last word. */
  readonly end?: PauseMark;
}

/** What an encoder is shown of a sentence. */
export interface EncoderWindow {
  readonly symbols: readonly number[];
  /** The word of each symbol, never falling. */
  readonly words: readonly number[];
  /** The trunk's state for each word from the first symbol's on; undefined: not known. */
  readonly hidden: readonly (Float32Array | undefined)[];
}

export interface EncoderReach {
  /** Symbols before a word that its features depend on. */
  readonly leftSymbols: number;
  /** Numbers of a feature row. */
  readonly width: number;
}

export class SentenceFeatures<Encoded extends { readonly features: Float32Array }> {
  readonly symbols: SentenceSymbols;
  /** One for each symbol encoded so far: [width]. */
  readonly rows: Float32Array[] = [];
  private readonly hidden: (Float32Array | undefined)[] = [];

  constructor(
    private readonly encode: (window: EncoderWindow) => Promise<Encoded>,
    private readonly reach: EncoderReach,
    private readonly map: PhonemeIdMap,
  ) {
    this.symbols = new SentenceSymbols(map);
  }

  /** Encodes `word`; its symbols are [from, to) of the sentence, the first of them row `from - first` of `encoded`. */
  async add(
    word: SpokenWord,
    ahead: readonly SpokenWord[],
  ): Promise<{ encoded: Encoded; first: number; from: number; to: number }> {
    const number = this.symbols.words.length;
    addTo(this.symbols, word);
    this.hidden.push(word.hidden);
    const own = this.symbols.words[number]!;
    const first = Math.max(0, own.from - this.reach.leftSymbols);
    const window = new SentenceSymbols(this.map);
    // What stands behind the word is only shown: its symbols may still change when more is known.
    const behind = { ids: [] as number[], words: [] as number[] };
    ahead.forEach((next, place) => {
      const before = window.ids.length;
      addTo(window, next);
      const start = place === 0 ? 1 : 0;
      behind.ids.push(...window.ids.slice(before + start));
      behind.words.push(...new Array<number>(window.ids.length - before - start).fill(number + 1 + place));
    });
    const words = [...this.symbols.wordOf.slice(first, own.to), ...behind.words];
    const base = words[0] ?? number;
    const encoded = await this.encode({
      symbols: [...this.symbols.ids.slice(first, own.to), ...behind.ids],
      words,
      hidden: [...this.hidden.slice(base), ...ahead.map((next) => next.hidden)],
    });
    const { width } = this.reach;
    for (let symbol = own.from; symbol < own.to; symbol += 1) {
      const row = symbol - first;
      this.rows.push(encoded.features.slice(row * width, (row + 1) * width));
    }
    return { encoded, first, from: own.from, to: own.to };
  }
}

function addTo(symbols: SentenceSymbols, word: SpokenWord): void {
  if (word.end === undefined) symbols.add(word);
  else symbols.addLast(word, word.end);
}
