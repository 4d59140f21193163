/** Waiting for something at most so long, and going on without it: what a call's closing is made of. */
import type { Clock, Timer } from '../core/clock';
import type { Logger } from '../core/log';

/** Undefined: there was nothing to wait for, it took too long, or it failed; the last two are logged as `what`. */
export async function within<T>(
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  limitMs: number,
  what: string,
  work: Promise<T> | undefined,
): Promise<T | undefined> {
  if (work === undefined) return undefined;
  let timer: Timer | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = clock.after(limitMs, () => {
      log.warn('closing goes on without waiting', { what, limitMs });
      resolve(undefined);
    });
  });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    log.warn('closing goes on after a failure', { what, error: String(error) });
    return undefined;
  } finally {
    timer?.cancel();
  }
}
