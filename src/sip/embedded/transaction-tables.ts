/**
 * The four transaction machines as pure tables: RFC 3261 §17 with the Accepted states that RFC 6026 put into the INVITE
 * machines. The owner (transaction-layer.ts) executes the effects and feeds the timers back as events.
 */
export type TransactionState =
  | 'calling' // INVITE client: sent, nothing heard
  | 'trying' // non-INVITE: sent or received, nothing answered
  | 'proceeding' // 1xx came or went
  | 'accepted' // 2xx came or went (RFC 6026)
  | 'completed' // other final response came or went
  | 'confirmed' // INVITE server: ACK came, absorbs more
  | 'terminated';

export type TimerName = 'A' | 'B' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'L' | 'M';

export type TransactionEvent =
  | 'request' // server: the request came again
  | 'ack' // INVITE server
  | 'send-1xx' // server: the user answers
  | 'send-2xx'
  | 'send-3xx'
  | 'recv-1xx' // client
  | 'recv-2xx'
  | 'recv-3xx' // any other final
  | 'transport-error'
  | `timer-${TimerName}`;

export type Effect =
  | 'send' // the message this event is about
  | 'resend' // the last message sent
  | 'send-ack' // client: ACK for a non-2xx (§17.1.1.3)
  | 'deliver' // to the transaction user
  | 'report-timeout'
  | 'report-transport-error'
  | `arm-${TimerName}`
  | `disarm-${TimerName}`;

export interface Step {
  readonly next: TransactionState;
  readonly effects: readonly Effect[];
}

export type TransactionTable = Readonly<
  Partial<Record<TransactionState, Readonly<Partial<Record<TransactionEvent, Step>>>>>
>;

const step = (next: TransactionState, ...effects: Effect[]): Step => ({ next, effects });

/** RFC 6026 §7.2. Starts in `calling` with the request sent, A (unreliable only) and B armed. */
export const inviteClientTable: TransactionTable = {
  calling: {
    'timer-A': step('calling', 'resend', 'arm-A'),
    'timer-B': step('terminated', 'report-timeout'),
    'transport-error': step('terminated', 'report-transport-error'),
    'recv-1xx': step('proceeding', 'disarm-A', 'disarm-B', 'deliver'),
    'recv-2xx': step('accepted', 'disarm-A', 'disarm-B', 'arm-M', 'deliver'),
    'recv-3xx': step('completed', 'disarm-A', 'disarm-B', 'arm-D', 'send-ack', 'deliver'),
  },
  proceeding: {
    'recv-1xx': step('proceeding', 'deliver'),
    'recv-2xx': step('accepted', 'arm-M', 'deliver'),
    'recv-3xx': step('completed', 'arm-D', 'send-ack', 'deliver'),
  },
  accepted: {
    // Every 2xx goes up: it may be a retransmission (ACK again) or another branch of a fork.
    'recv-2xx': step('accepted', 'deliver'),
    'timer-M': step('terminated'),
  },
  completed: {
    'recv-3xx': step('completed', 'send-ack'),
    'transport-error': step('terminated', 'report-transport-error'),
    'timer-D': step('terminated'),
  },
};

/** RFC 3261 §17.1.2. Starts in `trying` with the request sent, E (unreliable only) and F armed. */
export const nonInviteClientTable: TransactionTable = {
  trying: {
    'timer-E': step('trying', 'resend', 'arm-E'),
    'timer-F': step('terminated', 'report-timeout'),
    'transport-error': step('terminated', 'report-transport-error'),
    'recv-1xx': step('proceeding', 'deliver'),
    'recv-2xx': step('completed', 'disarm-E', 'disarm-F', 'arm-K', 'deliver'),
    'recv-3xx': step('completed', 'disarm-E', 'disarm-F', 'arm-K', 'deliver'),
  },
  proceeding: {
    'timer-E': step('proceeding', 'resend', 'arm-E'),
    'timer-F': step('terminated', 'report-timeout'),
    'transport-error': step('terminated', 'report-transport-error'),
    'recv-1xx': step('proceeding', 'deliver'),
    'recv-2xx': step('completed', 'disarm-E', 'disarm-F', 'arm-K', 'deliver'),
    'recv-3xx': step('completed', 'disarm-E', 'disarm-F', 'arm-K', 'deliver'),
  },
  completed: {
    'timer-K': step('terminated'),
  },
};

/** RFC 6026 §7.1. Starts in `proceeding` with the request delivered. */
export const inviteServerTable: TransactionTable = {
  proceeding: {
    request: step('proceeding', 'resend'),
    'send-1xx': step('proceeding', 'send'),
    'send-2xx': step('accepted', 'send', 'arm-L'),
    'send-3xx': step('completed', 'send', 'arm-G', 'arm-H'),
    'transport-error': step('terminated', 'report-transport-error'),
  },
  accepted: {
    // The user repeats the 2xx until the ACK (RFC 3261 §13.3.1.4); copies of the INVITE are absorbed.
    request: step('accepted'),
    'send-2xx': step('accepted', 'send'),
    ack: step('accepted', 'deliver'),
    'timer-L': step('terminated'),
  },
  completed: {
    request: step('completed', 'resend'),
    'timer-G': step('completed', 'resend', 'arm-G'),
    'timer-H': step('terminated', 'disarm-G', 'report-timeout'),
    ack: step('confirmed', 'disarm-G', 'disarm-H', 'arm-I'),
    'transport-error': step('terminated', 'report-transport-error'),
  },
  confirmed: {
    'timer-I': step('terminated'),
  },
};

/** RFC 3261 §17.2.2. Starts in `trying` with the request delivered. */
export const nonInviteServerTable: TransactionTable = {
  trying: {
    'send-1xx': step('proceeding', 'send'),
    'send-2xx': step('completed', 'send', 'arm-J'),
    'send-3xx': step('completed', 'send', 'arm-J'),
  },
  proceeding: {
    request: step('proceeding', 'resend'),
    'send-1xx': step('proceeding', 'send'),
    'send-2xx': step('completed', 'send', 'arm-J'),
    'send-3xx': step('completed', 'send', 'arm-J'),
    'transport-error': step('terminated', 'report-transport-error'),
  },
  completed: {
    request: step('completed', 'resend'),
    'transport-error': step('terminated', 'report-transport-error'),
    'timer-J': step('terminated'),
  },
};

/** What the table says, or nothing at all: an event that a state does not know changes nothing. */
export function transition(table: TransactionTable, state: TransactionState, event: TransactionEvent): Step {
  return table[state]?.[event] ?? { next: state, effects: [] };
}
