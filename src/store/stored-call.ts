/** A call as its events tell it: record, turns and timeline, folded one event at a time. Pure. */
import type { CallEvent } from '../core/call-event';
import type { CallRecord, TurnRecord } from '../core/call-record';

export interface StoredCall {
  readonly record: CallRecord;
  readonly turns: readonly TurnRecord[];
  readonly events: readonly CallEvent[];
}

/** Undefined before `call.started`: whatever comes earlier has no call to belong to. */
export function foldEvent(call: StoredCall | undefined, event: CallEvent): StoredCall | undefined {
  if (call === undefined) {
    if (event.type !== 'call.started') return undefined;
    const { headers: _headers, ...facts } = event.data;
    const record: CallRecord = { id: event.callId, ...facts, state: 'trying', startedAt: event.occurredAt };
    return { record, turns: [], events: [event] };
  }
  const events = [...call.events, event];
  const withRecord = (change: Partial<CallRecord>): StoredCall => ({
    ...call,
    events,
    record: { ...call.record, ...change },
  });
  const withTurn = (turn: TurnRecord): StoredCall => ({ ...call, events, turns: [...call.turns, turn] });
  switch (event.type) {
    case 'call.ringing':
      return withRecord({ state: 'ringing' });
    case 'call.answered':
      return withRecord({
        state: 'answered',
        answeredAt: event.occurredAt,
        action: event.data.action,
        ...(event.data.trunk === undefined ? {} : { trunk: event.data.trunk }),
      });
    case 'call.ended': {
      const { cause, sipStatus, sipReason, quality } = event.data;
      return withRecord({ state: 'ended', endedAt: event.occurredAt, cause, sipStatus, sipReason, quality });
    }
    case 'amd.result':
      return withRecord({ answeredBy: event.data.answeredBy });
    case 'turn.user':
      return withTurn({
        turn: event.data.turn,
        role: 'user',
        text: event.data.text,
        at: event.occurredAt,
        how: event.data.how,
      });
    case 'turn.agent': {
      const { turn, text, interrupted, citations } = event.data;
      return withTurn({ turn, role: 'agent', text, at: event.occurredAt, interrupted, citations });
    }
    case 'call.erased':
      return { ...call, events, turns: event.data.what === 'transcript' ? [] : call.turns };
    case 'call.started':
    case 'turn.interrupted':
    case 'tool.called':
    case 'dtmf.received':
    case 'agent.handover':
    case 'transfer.started':
    case 'ask.answered':
    case 'transfer.completed':
    case 'transfer.failed':
    case 'queue.joined':
    case 'queue.left':
    case 'hold.started':
    case 'hold.ended':
    case 'recording.ready':
    case 'voicemail.left':
    case 'voicemail.received':
    case 'error':
      return { ...call, events };
    default:
      return event satisfies never;
  }
}
