/**
 * Streamed text as words that can be spoken: cut into sentences, normalised, each word handed out once the words behind it
 * that its sound depends on are complete, together with the trunk's state while it read them.
 */
import { normalise } from '../text/normaliser';
import type { OwnWords } from '../text/own-words';
import type { Pronounced, SpeakableToken } from '../text/pronouncer';
import type { PauseMark, SpokenText } from '../text/spoken-text';
import type { SpokenWord } from './sentence-features';

export interface StreamedWord {
  readonly word: SpokenWord;
  /** Those behind it in the same sentence. */
  readonly ahead: readonly SpokenWord[];
  /** The written word that it stands for, if it is the first of its spoken ones. */
  readonly written: string | undefined;
}

export interface Speaker {
  pronounce(tokens: readonly SpeakableToken[], own?: OwnWords): Promise<Pronounced[]>;
}

interface Entry {
  readonly token: SpeakableToken;
  readonly pauseAfter: PauseMark | undefined;
}

interface State {
  readonly from: number;
  readonly to: number;
  readonly hidden: Float32Array;
}

/** A sentence that goes on is cut here, as the voice was taught. */
const MAX_SENTENCE_WORDS = 24;
const MAX_SENTENCE_LETTERS = 190;
/** Speech is refused no text, but one answer must end. */
const MAX_CHARACTERS = 20_000;
const SENTENCE_ENDS: readonly string[] = ['.', '?', '!'];

export class WordStream {
  private text = '';
  private ended = false;
  private readonly states: State[] = [];
  /** Where the sentence in progress begins, in characters of the text. */
  private sentenceFrom = 0;
  /** Words of it that were handed out, and the written word of the last one. */
  private spoken: Entry[] = [];
  private changed = true;
  private entries: Entry[] = [];
  private written: SpokenText['written'] = [];
  private end: PauseMark | undefined;

  constructor(
    private readonly speaker: Speaker,
    private readonly lookAhead: number,
    /** Words with a sound of their own. */
    private readonly own?: OwnWords,
  ) {}

  push(delta: string): void {
    this.text = (this.text + delta).slice(0, MAX_CHARACTERS);
    this.changed = true;
  }

  /** The trunk's state after it has read the characters [from, to). */
  read(from: number, to: number, hidden: Float32Array): void {
    this.states.push({ from, to, hidden });
  }

  finish(): void {
    this.ended = true;
    this.changed = true;
  }

  /** Nothing will come any more. */
  get done(): boolean {
    if (this.changed) this.analyse();
    return this.ended && this.spoken.length >= this.entries.length && this.rest === '';
  }

  /** The next word whose followers are known. */
  async next(): Promise<StreamedWord | undefined> {
    if (this.changed) this.analyse();
    const at = this.spoken.length;
    const entry = this.entries[at];
    if (entry === undefined) {
      // A sentence that holds nothing to say ("…") is passed over.
      if (this.end !== undefined && this.rest !== '') {
        this.startSentence();
        return this.next();
      }
      return undefined;
    }
    const known = this.entries.length - 1 - at;
    if (known < this.lookAhead && this.end === undefined) return undefined;
    const first = Math.max(0, at - 1);
    const span = this.entries.slice(first, at + 1 + this.lookAhead);
    const pronounced = await this.speaker.pronounce(
      span.map(({ token }) => token),
      this.own,
    );
    const words = span.slice(at - first).map((own, place) => this.wordOf(own, pronounced, at + place));
    const before = this.spoken[at - 1];
    this.spoken.push(entry);
    const isFirst = before?.token.written !== entry.token.written;
    const result = {
      word: words[0]!,
      ahead: words.slice(1),
      written: isFirst ? this.written[entry.token.written]?.text : undefined,
    };
    if (words[0]!.end !== undefined) this.startSentence();
    return result;
  }

  private wordOf(entry: Entry, pronounced: readonly Pronounced[], at: number): SpokenWord {
    const found = pronounced.find(({ token }) => token === entry.token);
    const last = this.end !== undefined && at === this.entries.length - 1;
    return {
      phonemes: found?.phonemes ?? '',
      joined: found?.joined ?? false,
      pauseAfter: last ? undefined : entry.pauseAfter,
      hidden: this.stateOf(entry),
      ...(last ? { end: this.end } : {}),
    };
  }

  /** Mean over the tokens that share a character with the written word. */
  private stateOf({ token }: Entry): Float32Array | undefined {
    const word = this.written[token.written];
    if (word === undefined) return undefined;
    const from = this.sentenceFrom + word.start;
    const to = this.sentenceFrom + word.end;
    const own = this.states.filter((state) => state.from < to && state.to > from);
    const first = own[0];
    if (first === undefined) return undefined;
    const mean = new Float32Array(first.hidden.length);
    for (const { hidden } of own) for (let i = 0; i < mean.length; i += 1) mean[i]! += hidden[i]! / own.length;
    return mean;
  }

  private get rest(): string {
    return this.text.slice(this.sentenceFrom).trim();
  }

  private sentenceTo = 0;

  private startSentence(): void {
    this.sentenceFrom = this.sentenceTo;
    this.spoken = [];
    this.changed = true;
    this.analyse();
  }

  /** Reads the sentence in progress anew, as far as its written words are complete. */
  private analyse(): void {
    this.changed = false;
    const whole = this.text.slice(this.sentenceFrom);
    const complete = this.ended
      ? whole
      : whole.slice(0, 1 + Math.max(-1, ...[...whole.matchAll(/\s/g)].map((m) => m.index)));
    const { tokens, written } = normalise(complete, this.own);
    this.written = written;
    this.end = undefined;
    // What was handed out stays as it was said, whatever the words behind it make of it.
    const entries: Entry[] = [...this.spoken];
    const saidUpTo = this.spoken[this.spoken.length - 1]?.token.written ?? -1;
    let said = this.spoken.filter((entry) => entry.token.written === saidUpTo).length;
    let letters = this.spoken.reduce((sum, { token }) => sum + token.text.length, 0);
    let ends: PauseMark | undefined;
    let to = complete.length;
    for (const [place, token] of tokens.entries()) {
      if (token.kind === 'pause') {
        const last = entries[entries.length - 1];
        if (last === undefined) continue;
        if (entries.length > this.spoken.length) entries[entries.length - 1] = { ...last, pauseAfter: token.mark };
        const next = tokens.slice(place + 1).find((other) => other.kind !== 'pause');
        const inside = next?.written === last.token.written;
        if (SENTENCE_ENDS.includes(token.mark) && !inside && (next !== undefined || this.ended)) {
          ends = token.mark;
          to = written[last.token.written]?.end ?? to;
          break;
        }
        continue;
      }
      // A written word that is spoken as several may have been handed out in part.
      if (token.written < saidUpTo || (token.written === saidUpTo && said-- > 0)) continue;
      letters += token.text.length;
      const before = entries[entries.length - 1];
      const full = entries.length >= MAX_SENTENCE_WORDS || letters > MAX_SENTENCE_LETTERS;
      if (full && before !== undefined && before.token.written !== token.written) {
        ends = ',';
        to = written[before.token.written]?.end ?? to;
        break;
      }
      entries.push({ token, pauseAfter: undefined });
    }
    if (ends === undefined && this.ended) ends = '.';
    this.entries = entries;
    this.end = ends;
    this.sentenceTo = ends === undefined ? this.sentenceFrom : this.sentenceFrom + to;
  }
}
