/**
 * A 2xx to an INVITE is repeated by the endpoint, not by its transaction, until the ACK comes (RFC 3261 §13.3.1.4): after
 * T1, doubling to T2, for 64*T1, over every transport, because proxies in between may lose it.
 */
import type { Timer } from '../../core/clock';
import type { Dialog } from './dialog';
import type { EndpointContext } from './endpoint-context';
import type { SipResponse } from './message';
import type { ServerTransaction } from './transaction-layer';

export class OkRepeater {
  /** By dialog: what is due next for a 2xx whose ACK has not come. */
  private readonly timers = new Map<string, Timer>();

  constructor(
    private readonly context: EndpointContext,
    /** Ends a dialog from our side: BYE to the far end. */
    private readonly hangUp: (dialog: Dialog, reason: string) => void,
  ) {}

  /** A 2xx of this dialog waits for its ACK. */
  waiting(dialogId: string): boolean {
    return this.timers.has(dialogId);
  }

  /** `response` has just been sent for the first time. */
  start(dialog: Dialog, transaction: ServerTransaction, response: SipResponse): void {
    const { clock, timers, counters } = this.context;
    const giveUpAtMs = clock.nowMs() + 64 * timers.t1Ms;
    let gapMs = timers.t1Ms;
    const again = (): void => {
      if (clock.nowMs() >= giveUpAtMs) {
        this.timers.delete(dialog.id);
        counters.missingAcks++;
        this.hangUp(dialog, 'SIP;cause=408;text="no ACK"');
        return;
      }
      gapMs = Math.min(gapMs * 2, timers.t2Ms);
      // First the timer: the ACK may come before `respond` returns, and ends it.
      this.timers.set(dialog.id, clock.after(Math.min(gapMs, giveUpAtMs - clock.nowMs()), again));
      counters.okRetransmissions++;
      transaction.respond(response);
    };
    this.stop(dialog.id);
    this.timers.set(dialog.id, clock.after(gapMs, again));
  }

  /** True if there was a 2xx waiting. */
  stop(dialogId: string): boolean {
    this.timers.get(dialogId)?.cancel();
    return this.timers.delete(dialogId);
  }

  close(): void {
    for (const timer of this.timers.values()) timer.cancel();
    this.timers.clear();
  }
}
