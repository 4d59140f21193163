/**
 * What an agent may look up or do through an application while the caller waits: a tool as the dialplan gives it, and
 * a model's wish to use one. The application is told by the event `tool.called` and answers with `tool_result`.
 */

export interface Tool {
  readonly name: string;
  /** Completes "I can …": `look up the status of an order`. */
  readonly description: string;
  /** JSON schema of the arguments, for brains that give some. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** How long its result is waited for. */
  readonly timeoutMs: number;
}

export interface ToolCall {
  readonly type: 'tool';
  readonly name: string;
  /** From brains that give some; the others leave it to the caller's words. */
  readonly arguments?: Readonly<Record<string, unknown>>;
}

/** What a model decides beside or instead of speaking. */
export type AnswerAction = 'hangup' | 'handover' | ToolCall;
