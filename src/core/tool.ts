/**
 * What an agent may look up or do while the caller waits: a tool as the dialplan gives it, who answers it, and a model's wish
 * to use one. An HTTP service and an MCP server are asked by us; an application is told by the event `tool.called` and answers
 * with `tool_result`.
 */

export interface Tool {
  readonly name: string;
  /** Completes "I can …": `look up the status of an order`. */
  readonly description: string;
  /** JSON schema of the arguments, for brains that give some. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** How long its result is waited for. */
  readonly timeoutMs: number;
  /** Silence after a call without words that is bridged by a filler. */
  readonly fillerAfterMs?: number;
  /** What becomes of it when the caller says something else meanwhile; kept if left out. */
  readonly onBargeIn?: 'cancel' | 'keep';
  /** What it asks the caller for (`x-ask` in `parameters`) is read back first. */
  readonly confirm?: boolean;
}

/** Where the value of a header is that nobody may read in a dialplan. */
export type SecretSource =
  | { readonly env: string; readonly prefix?: string | undefined }
  | { readonly file: string; readonly prefix?: string | undefined };

export interface HttpTarget {
  readonly kind: 'http';
  /** `{name}` in its path stands for an argument. */
  readonly url: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly secretHeaders: Readonly<Record<string, SecretSource>>;
}

/** A server of the Model Context Protocol: reached over Streamable HTTP, or a program that is started. */
export interface McpServer {
  readonly name: string;
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly secretHeaders: Readonly<Record<string, SecretSource>>;
  readonly command?: string | undefined;
  readonly args: readonly string[];
  /** Of the environment, beside what every program needs; by name. */
  readonly env: readonly string[];
}

export interface McpTarget {
  readonly kind: 'mcp';
  readonly server: McpServer;
  /** Its name there. */
  readonly tool: string;
}

/** Who answers a tool; none: an application that hears of `tool.called`. */
export type ToolTarget = HttpTarget | McpTarget;

export interface ToolCall {
  readonly type: 'tool';
  readonly name: string;
  /** From brains that give some; the others leave it to the caller's words. */
  readonly arguments?: Readonly<Record<string, unknown>>;
}

/** What a model decides beside or instead of speaking. */
export type AnswerAction = 'hangup' | 'handover' | ToolCall;
