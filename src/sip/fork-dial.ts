/** Several places of one person rung at once: the first answer wins, the others are cancelled (RFC 3261 §16.7 in a user agent). */
import { hasCode, TrunklineError } from '../core/errors';

/**
 * `dial` must give up when its signal is aborted; a place that answers all the same is handed to `discard`. Rejects like the
 * best refusal: a 6xx before the others, then the lowest class (RFC 3261 §16.7, step 6).
 */
export async function forkDial<Place, Answer>(
  places: readonly Place[],
  dial: (place: Place, signal: AbortSignal) => Promise<Answer>,
  discard: (answer: Answer) => void,
  signal?: AbortSignal,
): Promise<Answer> {
  const stop = new AbortController();
  const giveUp = (): void => stop.abort();
  if (signal?.aborted) giveUp();
  signal?.addEventListener('abort', giveUp, { once: true });
  let won = false;
  const refusals: unknown[] = [];
  try {
    return await new Promise<Answer>((resolve, reject) => {
      for (const place of places) {
        dial(place, stop.signal).then(
          (answer) => {
            if (won) {
              discard(answer);
              return;
            }
            won = true;
            resolve(answer);
            giveUp();
          },
          (error: unknown) => {
            refusals.push(error);
            // Somebody has said no for all of their phones.
            if (statusOf(error) >= 600) giveUp();
            if (!won && refusals.length === places.length) reject(best(refusals));
          },
        );
      }
      if (places.length === 0) reject(nobody());
    });
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}

function best(refusals: readonly unknown[]): unknown {
  const rank = (error: unknown): number => {
    const status = statusOf(error);
    if (status >= 600) return 0;
    return status === 0 ? 9 : Math.floor(status / 100);
  };
  return [...refusals].sort((a, b) => rank(a) - rank(b))[0];
}

function statusOf(error: unknown): number {
  const status = hasCode(error, 'sip.rejected') ? error.details['status'] : 0;
  return typeof status === 'number' ? status : 0;
}

function nobody(): TrunklineError {
  return new TrunklineError('sip.no-contact', 'No phone is registered by that name.', {
    fix: 'Register one, or call another.',
    details: { status: 480 },
  });
}
