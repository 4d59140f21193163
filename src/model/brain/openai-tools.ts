/**
 * Tools as an OpenAI-compatible endpoint knows them (Chat Completions: `tools`, `tool_calls`, messages of the role `tool`),
 * and a call put together from the pieces that its stream brings.
 */
import type { Tool, ToolCall } from '../../core/tool';

/** As the endpoint wrote it, for the history. */
export interface FunctionCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
}

/** What is said to take more is no call of a function on the telephone. */
const MAX_ARGUMENTS_CHARACTERS = 16_384;
const NO_PARAMETERS = { type: 'object', properties: {} };

/** `again`: a result is there already. The tools must be named then, too, and none called. */
export function toolsOf(tools: readonly Tool[], again: boolean): Readonly<Record<string, unknown>> {
  if (tools.length === 0) return {};
  return {
    tools: tools.map(({ name, description, parameters = NO_PARAMETERS }) => ({
      type: 'function',
      function: { name, description, parameters },
    })),
    tool_choice: again ? 'none' : 'auto',
    parallel_tool_calls: false,
  };
}

export class StreamedToolCall {
  private id = '';
  private name = '';
  private text = '';

  /** `tool_calls` of one delta, whatever it is. The first call counts: one is made at a time. */
  push(toolCalls: unknown): void {
    if (!Array.isArray(toolCalls)) return;
    for (const piece of toolCalls) {
      const index = property(piece, 'index');
      if (index !== undefined && index !== 0) continue;
      const named = property(piece, 'function');
      // These come whole with the first piece; some servers repeat them with every other.
      this.id ||= textOf(property(piece, 'id'));
      this.name ||= textOf(property(named, 'name'));
      this.text += textOf(property(named, 'arguments')).slice(0, MAX_ARGUMENTS_CHARACTERS - this.text.length);
    }
  }

  /** The call of one of `tools`; undefined: there was none, or of a tool that there is not. */
  whole(tools: readonly Tool[]): { readonly action: ToolCall; readonly message: FunctionCall } | undefined {
    const { name } = this;
    if (!tools.some((tool) => tool.name === name)) return undefined;
    const given = objectOf(this.text);
    // What cannot be read is left out on both sides: the application still has the caller's words.
    const asWritten = given === undefined ? '{}' : this.text;
    return {
      action: { type: 'tool', name, ...(given === undefined ? {} : { arguments: given }) },
      message: { id: this.id || 'call_0', type: 'function', function: { name, arguments: asWritten } },
    };
  }
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
