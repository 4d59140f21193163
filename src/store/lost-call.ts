/** The end of a call that died with its agent: told by that agent at its next start, or by another that takes over. */
import { createHash } from 'node:crypto';
import { type CallEventOf, CallEventSequence } from '../core/call-event';
import type { CallRecord } from '../core/call-record';

export interface LostCall {
  readonly record: CallRecord;
  /** Its last event, as far as it is known. */
  readonly last: { readonly sequence: number; readonly occurredAt: string } | undefined;
}

/** The id follows from the call's: two agents who both find it lost tell one and the same event. */
export function lostCallEnd({ record, last }: LostCall, now: () => Date): CallEventOf<'call.ended'> {
  const { id: callId, answeredAt } = record;
  const newId = (): string => `evt_${createHash('sha256').update(`lost ${callId}`).digest('hex').slice(0, 32)}`;
  const durationMs =
    answeredAt === undefined || last === undefined ? 0 : Date.parse(last.occurredAt) - Date.parse(answeredAt);
  const sequence = new CallEventSequence(callId, { newId, now }, last?.sequence ?? 0);
  return sequence.next('call.ended', { cause: 'lost', durationMs: Math.max(0, durationMs) });
}
