/**
 * One call by several trunks in turn: the next when one says 503, cannot be reached, or says nothing at all (RFC 3263 §4.3,
 * RFC 3261 §16.7 and §21.5.4). Who has begun to ring is not left any more.
 */
import type { Clock, Timer } from '../core/clock';
import { hasCode, TrunklineError } from '../core/errors';

/** Twice what the endpoint gives each of a trunk's own places. */
const silenceMs = 8_000;
/** One that was not reached is asked again after so long, as places are. */
const unreachablePauseSeconds = 30;
const longestPauseSeconds = 3_600;

export interface TrunkFailure {
  /** 0: it was not reached. */
  readonly status: number;
  /** How long no other call should go there. */
  readonly pauseSeconds: number;
}

export interface Attempt {
  readonly signal: AbortSignal;
  /** For any answer, 100 included. */
  readonly heard: () => void;
  /** The far end is being alerted: from now on its refusal counts. */
  readonly rings: () => void;
}

export interface FailoverParts<Route> {
  readonly clock: Clock;
  /** The order to give up altogether. */
  readonly signal: AbortSignal;
  readonly attempt: (route: Route, attempt: Attempt) => Promise<void>;
  /** `next` undefined: there is no other. */
  readonly failed: (route: Route, failure: TrunkFailure, next: Route | undefined) => void;
}

/** Rejects as the last attempt did. */
export async function placeByTrunks<Route>(
  routes: readonly [Route, ...Route[]],
  { clock, signal, attempt, failed }: FailoverParts<Route>,
): Promise<void> {
  let [route, ...left] = routes;
  for (;;) {
    const next = left[0];
    let rang = false;
    try {
      await once(route, next !== undefined, {
        clock,
        signal,
        attempt,
        rings: () => {
          rang = true;
        },
      });
      return;
    } catch (error) {
      const failure = trunkFailureOf(error);
      if (failure === undefined || rang || signal.aborted) throw error;
      failed(route, failure, next);
      if (next === undefined) throw error;
      [route, left] = [next, left.slice(1)];
    }
  }
}

/** With somewhere else to go, silence is not borne. */
function once<Route>(
  route: Route,
  impatient: boolean,
  { clock, signal, attempt, rings }: Omit<FailoverParts<Route>, 'failed'> & { readonly rings: () => void },
): Promise<void> {
  const stop = new AbortController();
  const giveUp = (): void => stop.abort();
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp, { once: true });
  let patience: Timer | undefined;
  return new Promise<void>((resolve, reject) => {
    if (impatient) {
      patience = clock.after(silenceMs, () => {
        giveUp();
        reject(new TrunklineError('sip.unreachable', 'The far end says nothing.', { details: { because: 'silence' } }));
      });
    }
    const heard = (): void => patience?.cancel();
    attempt(route, { signal: stop.signal, heard, rings }).then(resolve, reject);
  }).finally(() => {
    patience?.cancel();
    signal.removeEventListener('abort', giveUp);
  });
}

/** Undefined: it is the callee who cannot be had, not the trunk. */
function trunkFailureOf(error: unknown): TrunkFailure | undefined {
  if (hasCode(error, 'sip.unreachable')) return { status: 0, pauseSeconds: unreachablePauseSeconds };
  if (!hasCode(error, 'sip.rejected') || error.details['status'] !== 503) return undefined;
  const { retryAfterSeconds } = error.details;
  const asked = typeof retryAfterSeconds === 'number' ? retryAfterSeconds : 0;
  return { status: 503, pauseSeconds: Math.min(asked, longestPauseSeconds) };
}
