/**
 * What guides the speaking row: the pronunciation of the text that it has read, encoded and timed by the talker, and a
 * pointer that moves over it frame by frame. Sentence after sentence; a frame is known once two words stand behind its own.
 */
import { SentenceFrames } from '../omni/sentence-frames';
import type { VoiceSteps } from '../omni/voice-graphs';
import type { WordStream } from '../omni/word-stream';
import type { PhonemeIdMap } from '../piper/phoneme-ids';
import type { PauseMark } from '../text/spoken-text';
import type { AnswerGuide, Guidance } from './trunk-stream-lm';

/** A written word and when it is said, in latents of the whole answer. */
export interface GuidedWord {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export class TextGuide implements AnswerGuide {
  /** Words whose time is known, in order. */
  readonly words: GuidedWord[] = [];
  /** Frames behind which a sentence has ended, with the mark that ended it. */
  readonly pauses: { readonly frame: number; readonly mark: PauseMark }[] = [];
  private sentence: SentenceFrames | undefined;
  private mark: PauseMark | undefined;
  private texts: (string | undefined)[] = [];
  private timed = 0;
  /** Frames of the sentences before this one. */
  private before = 0;
  private readonly tokens: number[] = [];
  private text = '';

  constructor(
    private readonly graphs: VoiceSteps,
    private readonly map: PhonemeIdMap,
    private readonly stream: WordStream,
    private readonly decode: (tokenIds: readonly number[]) => string,
  ) {}

  write(token: number): void {
    this.tokens.push(token);
    const whole = this.decode(this.tokens);
    // The bytes of one character may be spread over several tokens.
    if (whole.endsWith('\uFFFD')) return;
    this.stream.push(whole.slice(this.text.length));
    this.text = whole;
  }

  finish(): void {
    this.stream.finish();
  }

  async next(): Promise<Guidance> {
    for (;;) {
      const { sentence } = this;
      if (sentence !== undefined && sentence.made < sentence.makeable) {
        this.tellTimes(sentence);
        return (await sentence.make(sentence.made + 1)).latents[0]!;
      }
      if (sentence?.ended === true) {
        this.tellTimes(sentence);
        this.before += sentence.made;
        this.pauses.push({ frame: this.before, mark: this.mark ?? '.' });
        this.sentence = undefined;
      }
      const streamed = await this.stream.next();
      if (streamed === undefined) return this.stream.done ? 'end' : 'wait';
      if (this.sentence === undefined) {
        this.sentence = new SentenceFrames(this.graphs, this.map);
        this.texts = [];
        this.timed = 0;
      }
      this.texts.push(streamed.written);
      await this.sentence.speak(streamed.word, streamed.ahead);
      this.mark = streamed.word.end;
    }
  }

  private tellTimes({ symbols, regulator }: SentenceFrames): void {
    const { latentsPerFrame } = this.graphs.parameters;
    for (; this.timed < symbols.words.length; this.timed += 1) {
      const text = this.texts[this.timed];
      const { speechFrom, speechTo } = symbols.words[this.timed]!;
      // A written word that is spoken as several is told once, with the first.
      if (text === undefined) continue;
      const from = this.before * latentsPerFrame;
      this.words.push({ text, start: from + regulator.startOf(speechFrom), end: from + regulator.startOf(speechTo) });
    }
  }
}
