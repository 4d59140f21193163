/**
 * What the softphone and a call say to each other over the data channel `events`: one JSON text per message. A page
 * ignores types and fields that it does not know, so that new ones may be added.
 */
import { z } from 'zod';

/** Where the conversation stands. `cause` comes with `ended` only: the cause of the call record. */
export interface StateEvent {
  readonly type: 'state';
  readonly state: 'connecting' | 'listening' | 'thinking' | 'speaking' | 'ended';
  readonly cause?: string;
}

/**
 * One side of one turn, whole: a later caption of the same role and turn replaces the earlier one. For the agent `text`
 * is what it is saying, and `heardText`, a beginning of it, is what has left the loudspeaker; when the turn was
 * interrupted, the rest was never heard and is not in the history.
 */
export interface CaptionEvent {
  readonly type: 'caption';
  readonly role: 'user' | 'agent';
  readonly turnId: number;
  readonly text: string;
  readonly heardText?: string;
  /** No further caption will come for this role and turn. */
  readonly final: boolean;
  readonly interrupted?: boolean;
}

/**
 * When the steps of one answer happened, in milliseconds on one clock of the call; a step that was not reached is left
 * out. A step may lie before `decidedMs`: answers are begun at the first pause and thrown away when the caller goes on.
 */
export interface TurnEvent {
  readonly type: 'turn';
  readonly turnId: number;
  readonly stages: {
    readonly speechEndMs: number;
    readonly decidedMs?: number;
    readonly transcriptMs?: number;
    readonly firstTextMs?: number;
    readonly firstAudioMs?: number;
    readonly firstPacketMs?: number;
  };
}

/** Something went wrong that the person should know; the call goes on unless `ended` follows. */
export interface ErrorEvent {
  readonly type: 'error';
  readonly code: string;
  readonly message: string;
  readonly fix?: string;
}

export type SoftphoneEvent = StateEvent | CaptionEvent | TurnEvent | ErrorEvent;

/** From the page. */
export interface UserTextMessage {
  readonly type: 'user_text';
  readonly text: string;
}

export type SoftphoneMessage = UserTextMessage;

const softphoneMessage = z.object({ type: z.literal('user_text'), text: z.string().trim().min(1).max(2000) });

/** Undefined for whatever is no message of the page; whoever asks counts it. */
export function readSoftphoneMessage(json: string): SoftphoneMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  const parsed = softphoneMessage.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}
