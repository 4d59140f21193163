/**
 * One sentence as the talker reads it: the voice's symbols without pads, `^ word, word … . $`, and the number of the word
 * that each belongs to. Words are added as they become known; what is behind the last one may still change.
 */
import type { PhonemeIdMap } from '../piper/phoneme-ids';
import type { PauseMark } from '../text/spoken-text';

export interface SentenceWord {
  /** IPA, as the pronouncer gives it. */
  readonly phonemes: string;
  readonly pauseAfter: PauseMark | undefined;
  /** No blank before the next word. */
  readonly joined: boolean;
}

export interface WordSymbols {
  /** Symbols [from, to) of the sentence, its pause and blank (or the end mark) included. */
  readonly from: number;
  readonly to: number;
  /** Symbols of the word alone: [speechFrom, speechTo). */
  readonly speechFrom: number;
  readonly speechTo: number;
}

const START = '^';
const END = '$';
const BLANK = ' ';

export class SentenceSymbols {
  readonly ids: number[] = [];
  /** The number of the word that each symbol belongs to. */
  readonly wordOf: number[] = [];
  readonly words: WordSymbols[] = [];
  private finished = false;

  constructor(private readonly map: PhonemeIdMap) {}

  get ended(): boolean {
    return this.finished;
  }

  /** `word` and what stands behind it, which the next word's beginning has made known. */
  add(word: SentenceWord): void {
    this.begin(word);
    if (word.pauseAfter !== undefined) this.put(word.pauseAfter);
    if (!word.joined || word.pauseAfter !== undefined) this.put(BLANK);
    this.close();
  }

  /** The last word, with the mark that ends the sentence. */
  addLast(word: SentenceWord, mark: PauseMark): void {
    this.begin(word);
    this.put(mark);
    this.put(END);
    this.close();
    this.finished = true;
  }

  private begin({ phonemes }: SentenceWord): void {
    const number = this.words.length;
    const from = this.ids.length;
    if (number === 0) this.put(START, 0);
    const speechFrom = this.ids.length;
    for (const symbol of phonemes.normalize('NFD')) this.put(symbol, number);
    const speechTo = this.ids.length;
    this.words.push({ from, to: speechTo, speechFrom, speechTo });
  }

  private close(): void {
    const last = this.words[this.words.length - 1]!;
    this.words[this.words.length - 1] = { ...last, to: this.ids.length };
  }

  /** A symbol that this voice has no sound for is left out. */
  private put(symbol: string, word = this.words.length - 1): void {
    const id = this.map[symbol];
    if (id === undefined) return;
    this.ids.push(id);
    this.wordOf.push(word);
  }
}
