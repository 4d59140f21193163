/**
 * What a cascade is made of, and what the end-to-end families share with it: a recogniser, a language model with a KV
 * cache that can be cut back, a voice. All of them run step by step: between two steps the caller may abort.
 */
import type { SoundChances } from '../core/overlap-heard';
import type { Pace, Word } from './omni-model';
import type { OwnWords } from './text/own-words';

export interface Recognition {
  readonly text: string;
  /** False for what is no speech (`[BLANK_AUDIO]`, `[Music]`, an empty result). */
  readonly speech: boolean;
  /** Mean log-probability per token, natural logarithm; a hint of how sure it was. */
  readonly meanLogProbability: number;
  /** 0…1: how sure the recogniser is that nobody speaks; undefined: it has no opinion. */
  readonly noSpeechProbability?: number;
  /** 0…1: how sure the recogniser is that the speaker is done, by words and tune; undefined: it has no opinion. */
  readonly doneProbability?: number;
  /** What the sound is, words or none, where somebody was asked to say; undefined: nobody has an opinion. */
  readonly sound?: SoundChances;
}

export interface Recogniser {
  /**
   * `pcm`: 16 kHz mono, −1…1, at most `maxSeconds`. Rejects with the signal's reason when aborted. `earlier`: what it
   * said of the beginning of the same audio (at a pause that was not the end); makes this call cheaper.
   */
  recognise(pcm: Float32Array, signal: AbortSignal, earlier?: Recognition): Promise<Recognition>;
  readonly maxSeconds: number;
  close(): Promise<void>;
}

/** What a language model reads: a token, or a vector of its embedding space that stands where a token would. */
export type ContextItem = number | Float32Array;

export interface LanguageModel {
  readonly contextLength: number;
  encode(text: string): number[];
  decode(tokenIds: readonly number[]): string;
  createContext(): LanguageContext;
  close(): Promise<void>;
}

/** One sequence's KV cache. Not shared: who creates it disposes of it. */
export interface LanguageContext {
  /** Items in the cache. */
  readonly length: number;
  /** The last layer's normed state [width] at the item read last; undefined before the first, and for models without. */
  readonly hidden?: Float32Array;
  /** Appends items and returns the logits [vocabulary] after the last one. Aborts between internal chunks. */
  append(items: readonly ContextItem[], signal?: AbortSignal): Promise<Float32Array>;
  /**
   * What will be appended next, and how soon: it may be read beside what another sequence reads. Whatever else happens to the
   * sequence takes it back, and so does nothing given. Left out: such a model reads when it is asked.
   */
  foresee?(next?: { readonly item: ContextItem; readonly pace: Pace }): void;
  /** Forgets everything from position `length` on. Constant time. */
  truncate(length: number): void;
  /** A copy with the same first `length` tokens, so that a warm persona prompt is shared by calls. */
  fork(): LanguageContext;
  dispose(): void;
}

export interface VoiceChunk {
  /** Mono, −1…1, at the voice's rate. */
  readonly pcm: Float32Array;
  /** Words whose audio begins in this chunk. */
  readonly words: readonly Word[];
}

export interface Voice {
  readonly sampleRate: number;
  /**
   * `text`: any text; it passes the normaliser. `own`: words with a sound of their own. Yields chunks as they are ready; no
   * audible joint between them.
   */
  synthesise(text: string, signal: AbortSignal, own?: OwnWords): AsyncIterable<VoiceChunk>;
  close(): Promise<void>;
}

/** An answer that is spoken while it is being written. */
export interface StreamedSpeech {
  push(delta: string): void;
  /** The language model's state after it has read the characters [from, to) of the answer; for voices that use it. */
  read?(from: number, to: number, hidden: Float32Array): void;
  /** For a voice that is a row of the language model itself: a sequence that has read the question, theirs to dispose of. */
  answerFrom?(context: LanguageContext): void;
  /** No text follows. */
  end(): void;
  /** The next chunk; undefined: more text is needed, or all was said. */
  next(signal: AbortSignal): Promise<VoiceChunk | undefined>;
  /** Gives back what a voice holds. Left out: nothing. */
  close?(): Promise<void>;
}
