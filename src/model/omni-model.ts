/**
 * The contract of every speech model: a call's audio or typed text goes in; transcript, text, audio and the timing of
 * its words come out, piece by piece. `cascade` and the end-to-end families stand behind it alike, so nothing above
 * may know which one answers.
 *
 * A session belongs to one call. Audio is heard as it comes (`hear`), so that a model may listen while the caller is
 * still speaking. `answer` starts a turn; `AbortSignal` is honoured between any two model steps. What the caller
 * really heard is told afterwards (`commit`): history never holds more.
 */
import type { HowSaid } from '../core/how-said';
import type { OverlapHeard } from '../core/overlap-heard';
import type { Citation } from '../core/passage';
import type { AnswerAction, Tool } from '../core/tool';

export interface Word {
  readonly text: string;
  /** Offsets from the first sample of the chunk that carries the word, in samples at the chunk's rate. */
  readonly startSample: number;
  readonly endSample: number;
}

export type AnswerInput =
  /**
   * A span of the session's sample clock (16 kHz samples since the call's first). `wordless`: no words were understood in it;
   * what is wanted is a reply to how it sounded, from an engine that has told so.
   */
  | {
      readonly kind: 'audio';
      readonly fromSample: number;
      readonly toSample: number;
      readonly wordless?: true;
    }
  | { readonly kind: 'text'; readonly text: string }
  /** `question` was answered with a tool call; to be answered again, from what the tool has told. */
  | { readonly kind: 'tool-result'; readonly question: string; readonly text: string }
  /** The agent speaks first, or must say this: `text` is spoken as it is and enters history as its own words. */
  | { readonly kind: 'say'; readonly text: string };

/** What is asked, for a model that calls no tools: it is never handed a result. */
export function withoutTools(input: AnswerInput): Exclude<AnswerInput, { kind: 'tool-result' }> {
  return input.kind === 'tool-result' ? { kind: 'text', text: input.question } : input;
}

export type AnswerEvent =
  /** What the caller said, once known. `speech: false`: a sound without words (noise, cough, music). */
  | {
      readonly type: 'transcript';
      readonly text: string;
      readonly speech: boolean;
      /** 0…1: how sure the model is that the caller is done, by words and tune; undefined: it has no opinion. */
      readonly doneProbability?: number;
      /** How it was said, from an engine that hears more than words: it can then reply to sounds without any. */
      readonly how?: HowSaid;
    }
  | { readonly type: 'text'; readonly delta: string }
  /** Mono PCM at `sampleRate`; `words` are those whose audio begins in this chunk. */
  | { readonly type: 'audio'; readonly pcm: Int16Array; readonly sampleRate: number; readonly words: readonly Word[] }
  /** Everything was produced. `action` is what the model decided beside speaking. */
  | {
      readonly type: 'end';
      readonly action?: AnswerAction;
      /** Passages of the persona's documents that the answer rests on. */
      readonly citations?: readonly Citation[];
      readonly stages: Readonly<Record<string, number>>;
    };

/** Nothing to tell yet: a place where another call's step may come first, or this answer end. */
export interface Working {
  readonly type: 'working';
}

/** How soon whoever asked for an answer needs more of it; asked anew before every step, since it changes. */
export interface Pace {
  /** Milliseconds until it should go on; 0 or less: now; infinite: nobody waits for it. */
  dueInMs(): number;
  /** Higher goes first; 0 or more: somebody waits, or soon will. */
  urgency(): number;
}

export interface Persona {
  /** Key under which the prefilled prompt is shared by calls. */
  readonly id: string;
  readonly name: string;
  readonly instructions: string;
  /** Plain sentences, one fact each. */
  readonly facts: readonly string[];
  /** What it may look up or do for the caller. Left out: nothing. */
  readonly tools?: readonly Tool[];
  /** Folder of documents that it may look things up in. Left out: none. */
  readonly knowledge?: string;
  readonly voice?: string;
  /** Words that it says in its own way, as they are written, with their phonemes (`core/pronunciation`). */
  readonly lexicon?: Readonly<Record<string, string>>;
}

export interface OmniSession {
  /** 16 kHz mono. `startSample` is the chunk's place on the call's sample clock; gaps are silence. */
  hear(pcm: Int16Array, startSample: number): void;
  /**
   * One turn. Ends after `end`, or at once and without it when `signal` is aborted; throws TrunklineError. `pace`: by it the
   * model may take steps of this answer together with those of others; not given, each is taken when it is pulled.
   */
  answer(input: AnswerInput, signal: AbortSignal, pace?: Pace): AsyncIterable<AnswerEvent | Working>;
  /**
   * One step of listening ahead, while the caller speaks and nobody else needs the model: what is understood and read by then
   * need not be when the turn is over. True: there is more to do now. Rejects when aborted, and may be called again.
   */
  attend?(signal: AbortSignal): Promise<boolean>;
  /**
   * Words in a span of audio, without answering: tells an interruption from "mm-hmm", a cough or noise.
   */
  listen(fromSample: number, toSample: number, signal: AbortSignal): Promise<OverlapHeard>;
  /** The last answer as the caller heard it. `userText` undefined: nothing was asked (a greeting). */
  commit(turn: {
    readonly userText: string | undefined;
    readonly heardText: string;
    readonly interrupted: boolean;
  }): void;
  close(): void;
}

export interface OmniModel {
  readonly name: string;
  readonly outputSampleRate: number;
  /**
   * Prepares what all calls of a persona share, before its first call; a pull is a step, so that it can wait behind whoever
   * is on the line. Left out: there is nothing to prepare.
   */
  warm?(persona: Persona): AsyncIterable<void>;
  /** Does not wait for the persona to be prepared: a greeting needs no prompt. */
  openSession(persona: Persona): Promise<OmniSession>;
  close(): Promise<void>;
}
