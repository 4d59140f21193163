/**
 * The tools of one conversation that we ask ourselves, over HTTP or MCP: begun when the agent calls one, told to the
 * conversation when the answer is there, broken off when nobody waits for it.
 */
import { TrunklineError } from '../core/errors';
import type { Tool, ToolTarget } from '../core/tool';
import type { ConversationEvent } from './conversation-event';
import type { ToolCounts } from './tool-calls';

export interface ToolRequest {
  /** The same for every attempt: services tell repetitions by it. */
  readonly toolCallId: string;
  readonly tool: Tool;
  readonly target: ToolTarget;
  readonly arguments: Readonly<Record<string, unknown>> | undefined;
  /** The caller's words. */
  readonly said: string;
  readonly signal: AbortSignal;
}

/** `text`: what the agent answers from, of a failure as well where there is something to tell; undefined: it cannot be had. */
export interface ToolOutcome {
  readonly text: string | undefined;
  readonly error?: TrunklineError | undefined;
}

/** Never rejects. */
export type RunTool = (request: ToolRequest) => Promise<ToolOutcome>;

export interface ToolRunsParts {
  readonly tools: readonly Tool[];
  readonly targets: ReadonlyMap<string, ToolTarget>;
  readonly run: RunTool;
  readonly counts: ToolCounts;
  /** Throws `tool.…`, counted, when nobody waits for it any more. */
  readonly tell: (toolCallId: string, text: string | undefined) => void;
  readonly failed: (name: string, error: TrunklineError) => void;
}

/** Kept ones that later calls have overtaken run on; beyond so many at a time the newest is refused. */
const MOST_AT_ONCE = 4;

export class ToolRuns {
  private readonly running = new Map<string, { readonly abort: AbortController; readonly kept: boolean }>();

  constructor(private readonly parts: ToolRunsParts) {}

  /** True for a tool that we ask; the others are for an application. */
  begin(call: Extract<ConversationEvent, { type: 'tool-called' }>): boolean {
    const { tools, targets } = this.parts;
    const target = targets.get(call.name);
    const tool = tools.find(({ name }) => name === call.name);
    if (target === undefined || tool === undefined) return false;
    const { toolCallId, said } = call;
    if (this.running.size >= MOST_AT_ONCE) {
      const error = new TrunklineError('tool.too-many', 'This call waits for too many tools already.', {
        fix: 'Let tools answer sooner, or lower their timeoutMs.',
      });
      void Promise.resolve().then(() => this.settle(toolCallId, tool.name, { text: undefined, error }));
      return true;
    }
    const abort = new AbortController();
    this.running.set(toolCallId, { abort, kept: tool.onBargeIn !== 'cancel' });
    const request = { toolCallId, tool, target, arguments: call.arguments, said, signal: abort.signal };
    void this.parts.run(request).then((outcome) => {
      // Broken off: whoever did that has said why.
      if (this.running.delete(toolCallId)) this.settle(toolCallId, tool.name, outcome);
    });
    return true;
  }

  /** What is kept runs on, so that what it books is booked; its answer is dropped, and counted. */
  over(toolCallId: string, because: Extract<ConversationEvent, { type: 'tool-over' }>['because']): void {
    const run = this.running.get(toolCallId);
    if (run !== undefined && (because !== 'overtaken' || !run.kept)) this.breakOff(toolCallId);
  }

  /** The call is over. */
  close(): void {
    for (const [toolCallId, { kept }] of [...this.running]) if (!kept) this.breakOff(toolCallId);
  }

  private breakOff(toolCallId: string): void {
    const run = this.running.get(toolCallId);
    this.running.delete(toolCallId);
    run?.abort.abort();
  }

  private settle(toolCallId: string, name: string, { text, error }: ToolOutcome): void {
    if (error !== undefined) {
      this.parts.counts.failed += 1;
      this.parts.failed(name, error);
    }
    try {
      this.parts.tell(toolCallId, text);
    } catch (refusal) {
      // Counted where it was refused.
      if (!(refusal instanceof TrunklineError)) throw refusal;
    }
  }
}
