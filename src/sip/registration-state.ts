/** The states of our registration at a trunk as one table (RFC 3261 §10.2). */
export type RegistrationState = 'idle' | 'trying' | 'registered' | 'refreshing' | 'waiting' | 'removing' | 'closed';

export type RegistrationEvent = 'start' | 'ok' | 'failed' | 'due' | 'close' | 'removed';

const table: Readonly<Record<RegistrationState, Readonly<Partial<Record<RegistrationEvent, RegistrationState>>>>> = {
  idle: { start: 'trying', close: 'closed' },
  trying: { ok: 'registered', failed: 'waiting', close: 'closed' },
  /** A refresh is due long before the registration ends: calls still come in meanwhile. */
  registered: { due: 'refreshing', close: 'removing' },
  refreshing: { ok: 'registered', failed: 'waiting', close: 'removing' },
  waiting: { due: 'trying', close: 'closed' },
  removing: { removed: 'closed' },
  closed: {},
};

/** The same state when the event means nothing in it. */
export function nextRegistration(state: RegistrationState, event: RegistrationEvent): RegistrationState {
  return table[state][event] ?? state;
}
