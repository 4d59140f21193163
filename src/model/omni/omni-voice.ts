/**
 * The voice of the omni model: text as it is written, with the trunk's states beside it, to sound while it is still being
 * written. Any other text can be spoken too: without states it is read as the words alone suggest.
 */
import { openModelFolder } from '../manifest';
import type { Pace, Word } from '../omni-model';
import type { Voice, VoiceChunk } from '../parts';
import type { PhonemeIdMap } from '../piper/phoneme-ids';
import { PAUSE_MS } from '../piper/piper-voice';
import { voiceParameters } from '../piper/vits-graphs';
import type { OwnWords } from '../text/own-words';
import { Pronouncer } from '../text/pronouncer';
import type { PauseMark } from '../text/spoken-text';
import type { SpokenWord } from './sentence-features';
import { SentenceVoice, type SoundPiece } from './sentence-voice';
import { VoiceGraphs } from './voice-graphs';
import { WordStream } from './word-stream';

export interface OmniVoiceOptions {
  readonly voiceFolder: string;
  /** The Piper voice whose latents the codec was made for: its generator and its symbols. */
  readonly generatorFolder: string;
  readonly pronunciationFolder: string;
  readonly threads?: number;
}

export class OmniVoice implements Voice {
  private constructor(
    private readonly graphs: VoiceGraphs,
    private readonly pronouncer: Pronouncer,
    private readonly symbols: PhonemeIdMap,
  ) {}

  static async open(options: OmniVoiceOptions): Promise<OmniVoice> {
    const generator = await openModelFolder(options.generatorFolder);
    const { phonemeIds } = generator.parameters(voiceParameters);
    const graphs = await VoiceGraphs.open(await openModelFolder(options.voiceFolder), generator, options.threads);
    try {
      return new OmniVoice(graphs, await Pronouncer.open(options.pronunciationFolder), phonemeIds);
    } catch (error) {
      await graphs.close();
      throw error;
    }
  }

  get sampleRate(): number {
    return this.graphs.parameters.sampleRate;
  }

  /** A new answer, to be fed while it is spoken. It waits for no step of the language model, so the pace does not matter. */
  begin(_pace?: Pace, own?: OwnWords): Speech {
    const { sampleRate, lookAheadWords } = this.graphs.parameters;
    const stream = new WordStream(this.pronouncer, lookAheadWords, own);
    return new Speech((early) => new SentenceVoice(this.graphs, this.symbols, early), stream, sampleRate);
  }

  async *synthesise(text: string, signal: AbortSignal, own?: OwnWords): AsyncGenerator<VoiceChunk> {
    const speech = this.begin(undefined, own);
    speech.push(text);
    speech.end();
    for (let chunk = await speech.next(signal); chunk !== undefined; chunk = await speech.next(signal)) yield chunk;
  }

  async close(): Promise<void> {
    await Promise.all([this.graphs.close(), this.pronouncer.close()]);
  }
}

/** One sentence on its way from words to sound. */
export interface SentenceSpeech {
  /** True when `next` has something to do without another word. */
  readonly ready: boolean;
  /** Speaks `word`; `ahead`: the words behind it as far as they are known. */
  speak(word: SpokenWord, ahead: readonly SpokenWord[]): Promise<void>;
  /** The next piece, when enough was spoken. Aborts between two runs. */
  next(signal: AbortSignal): Promise<SoundPiece | undefined>;
}

/** One answer: sentence after sentence, each with the silence behind it. */
export class Speech {
  private sentence: SentenceSpeech | undefined;
  private texts: (string | undefined)[] = [];
  private endMark: PauseMark | undefined;
  private heard = false;

  constructor(
    /** `early`: nothing was heard yet, so sound should begin soon. */
    private readonly open: (early: boolean) => SentenceSpeech,
    private readonly stream: WordStream,
    private readonly sampleRate: number,
  ) {}

  push(delta: string): void {
    this.stream.push(delta);
  }

  /** The trunk's state after it has read the characters [from, to) of the answer. */
  read(from: number, to: number, hidden: Float32Array): void {
    this.stream.read(from, to, hidden);
  }

  /** No text follows. */
  end(): void {
    this.stream.finish();
  }

  /** The next chunk; undefined when more text is needed, or everything was said. Aborts between two runs. */
  async next(signal: AbortSignal): Promise<VoiceChunk | undefined> {
    for (;;) {
      signal.throwIfAborted();
      if (this.sentence?.ready === true) {
        const piece = await this.sentence.next(signal);
        signal.throwIfAborted();
        if (piece === undefined) return undefined;
        const words = this.named(piece.words);
        const pcm = piece.last ? this.withPause(piece.pcm) : piece.pcm;
        if (piece.last) this.sentence = undefined;
        if (pcm.length === 0 && words.length === 0) continue;
        this.heard = true;
        return { pcm, words };
      }
      if (this.endMark !== undefined && this.sentence !== undefined) {
        // An ended sentence is ready until its last piece; one without any frame has nothing to say.
        this.sentence = undefined;
      }
      const streamed = await this.stream.next();
      if (streamed === undefined) return undefined;
      if (this.sentence === undefined) {
        this.sentence = this.open(!this.heard);
        this.texts = [];
        this.endMark = undefined;
      }
      this.texts.push(streamed.written);
      await this.sentence.speak(streamed.word, streamed.ahead);
      this.endMark = streamed.word.end;
    }
  }

  private named(words: readonly { word: number; startSample: number; endSample: number }[]): Word[] {
    return words.flatMap(({ word, startSample, endSample }) => {
      const text = this.texts[word];
      // A written word that is spoken as several is told once, with the first.
      return text === undefined ? [] : [{ text, startSample, endSample }];
    });
  }

  private withPause(pcm: Float32Array): Float32Array {
    const silence = Math.round((PAUSE_MS[this.endMark ?? '.'] * this.sampleRate) / 1000);
    const out = new Float32Array(pcm.length + silence);
    out.set(pcm);
    return out;
  }
}
