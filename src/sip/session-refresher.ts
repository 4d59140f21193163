/** Runs one call's session timer: refreshes halfway if that is our part, gives the call up if nobody did (RFC 4028 §10). */
import type { Clock, Timer } from '../core/clock';
import { expiresAfterMs, refreshAfterMs, type SessionTimerAgreement } from './session-timer';

/** What a refresh came to: a new agreement, none any more, or a refusal after which the old one still runs. */
export type RefreshOutcome = { readonly agreed: SessionTimerAgreement | undefined } | 'failed';

export class SessionRefresher {
  private agreement: SessionTimerAgreement | undefined;
  private refresh: Timer | undefined;
  private expiry: Timer | undefined;
  private closed = false;

  constructor(
    private readonly clock: Clock,
    /** Sends the sign of life. Must not reject. */
    private readonly send: (agreed: SessionTimerAgreement) => Promise<RefreshOutcome>,
    /** No sign of life in time. */
    private readonly expired: () => void,
  ) {}

  get agreed(): SessionTimerAgreement | undefined {
    return this.agreement;
  }

  /** Each 2xx to an INVITE or UPDATE, of either side, begins the time anew. */
  restart(agreed: SessionTimerAgreement | undefined): void {
    this.stop();
    if (this.closed) return;
    this.agreement = agreed;
    if (agreed === undefined) return;
    this.expiry = this.clock.after(expiresAfterMs(agreed), () => {
      this.close();
      this.expired();
    });
    if (agreed.weRefresh) this.refresh = this.clock.after(refreshAfterMs(agreed), () => void this.run(agreed));
  }

  close(): void {
    this.stop();
    this.closed = true;
  }

  private async run(agreed: SessionTimerAgreement): Promise<void> {
    const outcome = await this.send(agreed);
    // A request that crossed with ours may have begun the time anew meanwhile.
    if (this.closed || this.agreement !== agreed) return;
    if (outcome !== 'failed') this.restart(outcome.agreed);
  }

  private stop(): void {
    this.refresh?.cancel();
    this.expiry?.cancel();
    this.refresh = undefined;
    this.expiry = undefined;
  }
}
