/**
 * What thinks between the ear and the voice of a cascade: the built-in language model and any OpenAI-compatible
 * endpoint alike.
 */
import type { Persona } from '../omni-model';

export type BrainEvent =
  | { readonly type: 'delta'; readonly text: string }
  /** Decided beside or instead of speaking; comes at most once, before the end. */
  | { readonly type: 'action'; readonly action: 'hangup' | 'handover' };

export interface Brain {
  /** Prepares what all calls of a persona share; a pull is a step. */
  warm(persona: Persona): AsyncIterable<void>;
  openConversation(persona: Persona): Promise<BrainConversation>;
  close(): Promise<void>;
}

export interface BrainConversation {
  /** Streams the answer. Nothing enters the history here; returning or aborting early leaves no trace. */
  answer(userText: string, signal: AbortSignal): AsyncIterable<BrainEvent>;
  /** What was said and what of the answer was heard. `userText` undefined: the agent spoke unasked. */
  commit(turn: {
    readonly userText: string | undefined;
    readonly heardText: string;
    readonly interrupted: boolean;
  }): void;
  close(): void;
}
