/** What a conversation tells about itself, to the call that it runs on and to the page that shows it. */

import type { HowSaid } from '../core/how-said';
import type { Citation } from '../core/passage';
import type { ToolOver } from '../turn/tool-state';
import type { AnswerKind, CloseReason, PhaseName } from '../turn/turn-state';
import type { TurnTimes } from './turn-times';

export type ConversationEvent =
  | { readonly type: 'state'; readonly state: PhaseName }
  /** Replaces the earlier caption of the same role and turn. `heardText`: the agent's, as far as it has been played. */
  | {
      readonly type: 'caption';
      readonly role: 'user' | 'agent';
      readonly turnId: number;
      readonly text: string;
      readonly heardText?: string;
      readonly final: boolean;
      readonly interrupted?: boolean;
    }
  /** The caller's words that an answer is about to be heard for. */
  | {
      readonly type: 'user-turn';
      readonly turnId: number;
      readonly text: string;
      readonly source: 'speech' | 'text';
      readonly how: HowSaid | undefined;
    }
  /** An answer is over, played to its end or cut; `heardText` is what history holds of it. */
  | {
      readonly type: 'agent-turn';
      readonly turnId: number;
      readonly kind: AnswerKind;
      readonly text: string;
      readonly heardText: string;
      readonly interrupted: boolean;
      /** It was cut because the call is over; nobody talked over it. */
      readonly atHangup: boolean;
      readonly playedMs: number;
      /** Silence between the caller's last sample and the agent's first, on the call's sample clock. */
      readonly gapMs: number | undefined;
      readonly citations: readonly Citation[] | undefined;
      readonly stages: Readonly<Record<string, number>>;
    }
  | { readonly type: 'turn-times'; readonly turnId: number; readonly times: TurnTimes }
  /** Speech over the agent's that was no interruption, or speech that took no turn. */
  | { readonly type: 'disregarded'; readonly because: string }
  | { readonly type: 'failure'; readonly turnId: number; readonly because: string }
  /** The application is asked; `said`: the caller's words. */
  | {
      readonly type: 'tool-called';
      readonly toolCallId: string;
      readonly turnId: number;
      readonly name: string;
      readonly said: string;
      readonly arguments: Readonly<Record<string, unknown>> | undefined;
    }
  /** It did not answer in time. */
  | { readonly type: 'tool-late'; readonly name: string }
  /** Nobody waits for its result any more, whatever comes. */
  | { readonly type: 'tool-over'; readonly toolCallId: string; readonly because: ToolOver['because'] }
  | { readonly type: 'handover' }
  | { readonly type: 'ended'; readonly reason: CloseReason };
