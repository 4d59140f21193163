/**
 * One request to several places in turn: the next one when a place cannot be reached, stays silent or says 503 (RFC 3263
 * §4.3). To its user it is one request; what a place that was given up says later is told apart.
 */
import type { Timer } from '../../core/clock';
import type { EndpointContext } from './endpoint-context';
import type { SipRequest, SipResponse } from './message';
import type { ClientTransaction, TransactionEnd } from './transaction-layer';
import type { Hop } from './transport';

export interface AttemptsUser {
  /** Puts a Via with a fresh branch on top. */
  stamp(request: SipRequest, hop: Hop): void;
  onResponse(response: SipResponse, from: Hop): void;
  onEnd(end: TransactionEnd, fault: Error | undefined): void;
  /** From a place that was given up: `request` is what it was sent. */
  onLate(request: SipRequest, hop: Hop, response: SipResponse, from: Hop): void;
}

/** With somewhere else to go, silence is not borne for the 64·T1 of RFC 3261. */
const patienceInT1 = 8;

export class Attempts {
  private current: { readonly request: SipRequest; readonly hop: Hop };
  private left: readonly Hop[];
  private transaction: ClientTransaction | undefined;
  private patience: Timer | undefined;
  private heard = false;

  /** `request` has no Via yet; `hops` has at least one. */
  constructor(
    private readonly context: EndpointContext,
    private readonly plain: SipRequest,
    hops: readonly [Hop, ...Hop[]],
    private readonly user: AttemptsUser,
  ) {
    this.left = hops.slice(1);
    this.current = this.stamped(hops[0]);
  }

  /** As it went, or goes, to the present place. */
  get request(): SipRequest {
    return this.current.request;
  }

  get hop(): Hop {
    return this.current.hop;
  }

  start(): void {
    const { current } = this;
    this.heard = false;
    this.transaction = this.context.layer.request(current.request, current.hop, {
      onResponse: (response, from) => {
        if (this.current === current) this.onResponse(response, from);
        else this.user.onLate(current.request, current.hop, response, from);
      },
      onEnd: (end, fault) => {
        if (this.current === current && !this.tryNext()) this.end(end, fault);
      },
    });
    if (this.left.length === 0) return;
    this.patience = this.context.clock.after(patienceInT1 * this.context.timers.t1Ms, () => {
      if (this.current === current && !this.heard) this.tryNext();
    });
  }

  /** Nowhere else from now on: the application has given up, or somebody has answered. */
  settle(): void {
    this.left = [];
    this.patience?.cancel();
  }

  /** Stops waiting for the present place. */
  abandon(): void {
    this.settle();
    this.transaction?.abandon();
  }

  private onResponse(response: SipResponse, from: Hop): void {
    this.heard = true;
    if (response.status === 503 && this.tryNext()) return;
    if (response.status >= 200) {
      this.settle();
      if (response.status !== 503) this.context.targets.worked(this.current.hop);
    }
    this.user.onResponse(response, from);
  }

  private end(end: TransactionEnd, fault: Error | undefined): void {
    this.settle();
    this.user.onEnd(end, fault);
  }

  private tryNext(): boolean {
    this.patience?.cancel();
    const [next, ...rest] = this.left;
    this.context.targets.failed(this.current.hop, next);
    if (next === undefined) return false;
    this.left = rest;
    this.current = this.stamped(next);
    this.start();
    return true;
  }

  private stamped(hop: Hop): { readonly request: SipRequest; readonly hop: Hop } {
    const request = { ...this.plain, headers: this.plain.headers.clone() };
    this.user.stamp(request, hop);
    return { request, hop };
  }
}
