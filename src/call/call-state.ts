/** The life of a call as one table: which state may follow which, and on what. */
import type { CallState } from '../core/call-record';

export type CallStep = 'ring' | 'answer' | 'close' | 'released';

const TABLE: Readonly<Record<CallState, Readonly<Partial<Record<CallStep, CallState>>>>> = {
  trying: { ring: 'ringing', answer: 'answered', close: 'ending' },
  ringing: { answer: 'answered', close: 'ending' },
  answered: { close: 'ending' },
  // A 200 that crosses with our BYE changes nothing any more.
  ending: { released: 'ended' },
  ended: {},
};

/** The state after `step`, or undefined where the table has no such step. */
export function nextCallState(state: CallState, step: CallStep): CallState | undefined {
  return TABLE[state][step];
}
