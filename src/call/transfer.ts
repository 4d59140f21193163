/**
 * Handing a caller to somebody else: the far end is asked to call there (REFER), and where it will not, we call and connect the
 * two (docs/sip.md, "Transfer"). What this file decides is the order; who does it is handed in.
 */
import type { CallEndCause } from '../core/call-record';
import type { ReferOptions, ReferOutcome } from '../sip/user-agent';
import type { BridgeSide } from './bridge';
import { failureOf } from './end-cause';
import type { Prompt } from './line-performance';

export interface TransferRequest {
  /** A SIP URI or number. */
  readonly to: string;
  readonly trunk?: string | undefined;
  readonly from?: string | undefined;
  readonly ringSeconds: number;
  /**
   * warm: we call, tell whoever answers about the caller, and connect the two when they want it; conference: the same, and whoever
   * was on the call stays.
   */
  readonly mode: 'auto' | 'refer' | 'bridge' | 'warm' | 'conference';
  /** warm, conference: what is told instead of the conversation. */
  readonly briefing?: string | undefined;
  /** Rings with the summary of the call in a header, where we ring. */
  readonly summaryHeader?: boolean | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The sound of it. */
  readonly spoken?: Promise<readonly Prompt[]> | undefined;
}

export interface TransferPorts {
  /** Undefined where nobody can be asked: a browser. */
  readonly refer: ((options: ReferOptions) => Promise<ReferOutcome>) | undefined;
  /** The SIP URI of a target, for REFER. Throws when there is no such trunk. */
  readonly address: (request: TransferRequest) => string;
  /** Resolves when they answer; rejects with a coded error when they do not. Undefined where we may not call. */
  readonly dial: ((request: TransferRequest, signal: AbortSignal) => Promise<BridgeSide>) | undefined;
}

export type TransferResult =
  | { readonly kind: 'referred'; readonly confirmed: boolean }
  | { readonly kind: 'bridged'; readonly peer: BridgeSide }
  | { readonly kind: 'failed'; readonly cause: CallEndCause; readonly status?: number };

/** Never rejects. */
export async function transfer(
  request: TransferRequest,
  ports: TransferPorts,
  signal: AbortSignal,
): Promise<TransferResult> {
  try {
    if ((request.mode === 'auto' || request.mode === 'refer') && ports.refer !== undefined) {
      const withinMs = (request.ringSeconds + 10) * 1_000;
      const result = resultOf(await ports.refer({ target: ports.address(request), withinMs }));
      if (result.kind !== 'refused') return result;
      if (request.mode === 'refer' || ports.dial === undefined) {
        return { kind: 'failed', cause: 'rejected', status: result.status };
      }
    }
    if (request.mode === 'refer' || ports.dial === undefined) return { kind: 'failed', cause: 'rejected' };
    return { kind: 'bridged', peer: await ports.dial(request, signal) };
  } catch (error) {
    return { kind: 'failed', ...failureOf(error) };
  }
}

function resultOf(outcome: ReferOutcome): TransferResult | { readonly kind: 'refused'; readonly status: number } {
  switch (outcome.kind) {
    case 'completed':
      return { kind: 'referred', confirmed: true };
    case 'unknown':
      // They said that they would. Whoever hangs up on us first has got through in most cases.
      return { kind: 'referred', confirmed: false };
    case 'failed': {
      const cause = outcome.status === 486 || outcome.status === 600 ? 'busy' : 'no-answer';
      return { kind: 'failed', cause, status: outcome.status };
    }
    case 'refused':
      return outcome;
  }
}
