/**
 * The tool calls of one conversation by the ids that an application knows them by: whether its result is still wanted, and
 * the coded refusal when it is not.
 */
import { type ErrorCode, TrunklineError } from '../core/errors';

export type ToolCallState = 'waiting' | 'answered' | 'timed-out' | 'overtaken' | 'cancelled';
export type ToolCallStep = 'answer' | 'time-out' | 'overtake' | 'cancel';

const TABLE: Readonly<Record<ToolCallState, Readonly<Partial<Record<ToolCallStep, ToolCallState>>>>> = {
  waiting: { answer: 'answered', 'time-out': 'timed-out', overtake: 'overtaken', cancel: 'cancelled' },
  // Answered, and another call or other words came before the caller could be told.
  answered: { overtake: 'overtaken', cancel: 'cancelled' },
  'timed-out': {},
  overtaken: {},
  cancelled: {},
};

/** The state after `step`, or undefined where the table has no such step. */
export function nextToolCallState(state: ToolCallState, step: ToolCallStep): ToolCallState | undefined {
  return TABLE[state][step];
}

const REFUSALS: Readonly<Record<Exclude<ToolCallState, 'waiting'>, readonly [ErrorCode, string, string]>> = {
  answered: ['tool.already-answered', 'This tool call has its result.', 'Send one result for each tool.called.'],
  'timed-out': [
    'tool.too-late',
    'The result came too late: the caller was told that it cannot be had.',
    'Answer sooner, or raise timeoutMs of the tool.',
  ],
  overtaken: [
    'tool.overtaken',
    'The caller has asked for something else since, for which a tool was called.',
    'Nothing to do; answer the tool call that came after it.',
  ],
  cancelled: [
    'tool.cancelled',
    'The caller has said something else since, and onBargeIn of the tool is cancel.',
    'Nothing to do.',
  ],
};

const STEPS = { 'timed-out': 'time-out', overtaken: 'overtake', cancelled: 'cancel' } as const;
const COUNTED = { 'timed-out': 'timedOut', overtaken: 'overtaken', cancelled: 'cancelled' } as const;

/** Over all calls. */
export interface ToolCounts {
  called: number;
  timedOut: number;
  overtaken: number;
  cancelled: number;
  /** Asked by ourselves, over HTTP or MCP, without a usable answer. */
  failed: number;
  /** Results that nobody waited for: late, sent twice, or for an unknown call. */
  resultsRefused: number;
}

export function noToolCounts(): ToolCounts {
  return { called: 0, timedOut: 0, overtaken: 0, cancelled: 0, failed: 0, resultsRefused: 0 };
}

/** Calls remembered; results for older ones are refused as unknown. */
const MOST = 64;

/** As they stand in /metrics. */
export function toolGauges(counts: ToolCounts): Readonly<Record<string, number>> {
  return {
    trunkline_tools_called: counts.called,
    trunkline_tools_timed_out: counts.timedOut,
    trunkline_tools_overtaken: counts.overtaken,
    trunkline_tools_cancelled: counts.cancelled,
    trunkline_tools_failed: counts.failed,
    trunkline_tool_results_refused: counts.resultsRefused,
  };
}

export class ToolCalls {
  private readonly calls = new Map<string, { readonly turnId: number; readonly name: string; state: ToolCallState }>();

  constructor(
    private readonly callId: string,
    private readonly counts: ToolCounts,
  ) {}

  /** Returns the id for the application; each turn calls one tool at most. */
  open(turnId: number, name: string): string {
    const toolCallId = this.idOf(turnId);
    this.calls.set(toolCallId, { turnId, name, state: 'waiting' });
    this.counts.called += 1;
    const [oldest] = this.calls.keys();
    if (this.calls.size > MOST && oldest !== undefined) this.calls.delete(oldest);
    return toolCallId;
  }

  /** A result or an error came. Returns the turn that waits for it; throws `tool.…`, counted, when none does. */
  answer(toolCallId: string): number {
    const call = this.calls.get(toolCallId);
    const next = call && nextToolCallState(call.state, 'answer');
    if (call !== undefined && next !== undefined) {
      call.state = next;
      return call.turnId;
    }
    this.counts.resultsRefused += 1;
    if (call === undefined || call.state === 'waiting') {
      throw new TrunklineError('tool.unknown-call', 'This call has made no such tool call.', {
        fix: 'Send the toolCallId of tool.called to the call that told it.',
      });
    }
    const [code, message, fix] = REFUSALS[call.state];
    throw new TrunklineError(code, message, { fix, details: { tool: call.name } });
  }

  /** Nobody waits for it any more. */
  giveUp(turnId: number, because: keyof typeof STEPS): { toolCallId: string; name: string } | undefined {
    const toolCallId = this.idOf(turnId);
    const call = this.calls.get(toolCallId);
    const next = call && nextToolCallState(call.state, STEPS[because]);
    if (call === undefined || next === undefined) return undefined;
    call.state = next;
    this.counts[COUNTED[because]] += 1;
    return { toolCallId, name: call.name };
  }

  private idOf(turnId: number): string {
    return `${this.callId}_tool_${turnId}`;
  }
}
