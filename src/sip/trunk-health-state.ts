/**
 * Whether a trunk is there, by its answers to OPTIONS (RFC 3261 §11), as one table. Two in a row change the verdict, so that
 * one lost datagram takes no trunk away and one lucky one brings none back.
 */
export type TrunkHealthState = 'unknown' | 'up' | 'falling' | 'down' | 'rising';

export type TrunkHealthEvent = 'answered' | 'missed';

const table: Readonly<Record<TrunkHealthState, Readonly<Record<TrunkHealthEvent, TrunkHealthState>>>> = {
  unknown: { answered: 'up', missed: 'falling' },
  up: { answered: 'up', missed: 'falling' },
  falling: { answered: 'up', missed: 'down' },
  down: { answered: 'rising', missed: 'down' },
  rising: { answered: 'up', missed: 'down' },
};

export function nextTrunkHealth(state: TrunkHealthState, event: TrunkHealthEvent): TrunkHealthState {
  return table[state][event];
}

/** Calls are sent there: whoever has not been asked yet is believed. */
export function isUsable(state: TrunkHealthState): boolean {
  return state !== 'down' && state !== 'rising';
}
