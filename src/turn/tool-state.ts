/** A tool that an answer has called, as it stands beside the states of the conversation, and how each tool is to be waited for. */

/** A tool that was called, until the caller has been told what came of it. */
export interface ToolUse {
  /** Whose answer called it. */
  readonly turnId: number;
  readonly name: string;
  readonly question: string;
  /** The caller has heard nothing with the call, nor since. */
  readonly wordless: boolean;
  /** undefined: it is waited for. */
  readonly outcome: { readonly text: string } | 'failed' | undefined;
}

/** By the dialplan. */
export interface ToolManner {
  /** Silence after a call without words that is bridged. */
  readonly fillerAfterMs: number;
  /** A caller who says something else meanwhile is not told of it any more. */
  readonly cancelled: boolean;
}

/** Nobody waits for the result of the tool that turn `turnId` called any more. */
export interface ToolOver {
  readonly type: 'tool-over';
  readonly turnId: number;
  readonly because: 'timed-out' | 'overtaken' | 'cancelled';
}
