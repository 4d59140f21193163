/** The timer values of RFC 3261 Table 4 and RFC 6026 §7, derived from T1, T2, T4. */
import type { TimerName } from './transaction-tables';

export interface BaseTimers {
  /** Estimated round trip: 500 ms. */
  readonly t1Ms: number;
  /** Longest gap between copies: 4 s. */
  readonly t2Ms: number;
  /** How long a message may wander in the network: 5 s. */
  readonly t4Ms: number;
}

export const defaultTimers: BaseTimers = { t1Ms: 500, t2Ms: 4000, t4Ms: 5000 };

/** Retransmissions (A, E, G): these do not run on reliable transports. */
export const retransmissionTimers: ReadonlySet<TimerName> = new Set(['A', 'E', 'G']);

/**
 * How long timer `name` runs when it is armed for the `count`-th time (from 0). A doubles without a cap because B ends
 * it; E and G double up to T2. 0: fires at once.
 */
export function timerDelayMs(
  name: TimerName,
  count: number,
  reliable: boolean,
  proceeding: boolean,
  { t1Ms, t2Ms, t4Ms }: BaseTimers,
): number {
  switch (name) {
    case 'A':
      return t1Ms * 2 ** count;
    case 'E':
      return proceeding ? t2Ms : Math.min(t1Ms * 2 ** count, t2Ms);
    case 'G':
      return Math.min(t1Ms * 2 ** count, t2Ms);
    case 'B':
    case 'F':
    case 'H':
    case 'L':
    case 'M':
      return 64 * t1Ms;
    case 'D':
      // "At least 32 seconds" on UDP, whatever T1 is (§17.1.1.2).
      return reliable ? 0 : Math.max(64 * t1Ms, t1Ms >= 500 ? 32_000 : 0);
    case 'I':
    case 'K':
      return reliable ? 0 : t4Ms;
    case 'J':
      return reliable ? 0 : 64 * t1Ms;
  }
}
