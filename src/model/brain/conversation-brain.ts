/**
 * What thinks between the ear and the voice of a cascade: the built-in language model and any OpenAI-compatible
 * endpoint alike.
 */
import type { HowSaid } from '../../core/how-said';
import type { Citation } from '../../core/passage';
import type { AnswerAction } from '../../core/tool';
import type { Pace, Persona } from '../omni-model';
import type { LanguageContext } from '../parts';

export type BrainEvent =
  /** A part of the question was read: a place to stop at, or to let somebody else come first. */
  | { readonly type: 'reading' }
  | { readonly type: 'delta'; readonly text: string }
  /** What the whole answer rests on; comes at most once, before the end. */
  | { readonly type: 'cited'; readonly citations: readonly Citation[] }
  /** Decided beside or instead of speaking; comes at most once, before the end. */
  | { readonly type: 'action'; readonly action: AnswerAction };

export interface Brain {
  /** Prepares what all calls of a persona share; a pull is a step. */
  warm(persona: Persona): AsyncIterable<void>;
  openConversation(persona: Persona): Promise<BrainConversation>;
  close(): Promise<void>;
}

/** What an end-to-end model gives and takes beside text; a brain that knows text alone leaves it aside. */
export interface AnswerManner {
  /** How soon the answer is needed: by it, what is read next may be read beside what others read. */
  readonly pace?: Pace;
  /** The caller's words as vectors of the model's embedding space, read in place of their text. */
  readonly heard?: readonly Float32Array[];
  /** No words were understood: what is wanted is a reply to how it sounded. */
  readonly wordless?: HowSaid;
  /**
   * The question was asked before and a tool called for it; this is what the tool told. It is all that the answer may
   * rest on, and no tool is called again.
   */
  readonly toolResult?: string;
  /** Told after the model has read the characters [from, to) of its own answer: its state there. */
  readonly onRead?: (from: number, to: number, hidden: Float32Array) => void;
  /** Given a copy of the model's sequence once it has read the question: a second row to answer in. Theirs to dispose of. */
  readonly onPrompt?: (context: LanguageContext) => void;
}

export interface BrainConversation {
  /** Streams the answer. Nothing enters the history here; returning or aborting early leaves no trace. */
  answer(userText: string, signal: AbortSignal, how?: AnswerManner): AsyncIterable<BrainEvent>;
  /** Reads the beginning of what the caller is still saying, so that less is left to read when it is over. */
  readAhead?(heard: readonly Float32Array[], signal: AbortSignal): Promise<void>;
  /** What was said and what of the answer was heard. `userText` undefined: the agent spoke unasked. */
  commit(turn: {
    readonly userText: string | undefined;
    readonly heardText: string;
    readonly interrupted: boolean;
  }): void;
  close(): void;
}
