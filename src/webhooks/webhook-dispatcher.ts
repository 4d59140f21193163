/**
 * Delivers call events to their receivers: in order within a call, again with growing pauses until a 2xx, for at most a
 * day. What waits in memory is bounded; what does not fit waits in the database, or is counted where there is none.
 */
import type { CallEvent } from '../core/call-event';
import type { DeliveryLedger, WaitingDelivery } from '../core/delivery';
import { Outlet, type OutletCounters, type OutletOptions, type WebhookEndpoint } from './outlet';

export type { WebhookEndpoint } from './outlet';

export interface DispatcherOptions extends Omit<OutletOptions, 'ledger'> {
  readonly endpoints: readonly WebhookEndpoint[];
  /** A database is being opened: nothing is sent before `resume`, because what an earlier run left comes first. */
  readonly awaitsLedger?: boolean;
}

export interface DispatcherCounts {
  readonly delivered: number;
  readonly attemptsFailed: number;
  /** There was no room, in memory or anywhere: the event was not taken. */
  readonly dropped: number;
  /** There was no room in memory: the event waits in the database. */
  readonly spilled: number;
  /** A day of attempts, or 410 Gone. */
  readonly abandoned: number;
  readonly answersTaken: number;
  readonly answersIgnored: number;
  /** In memory. */
  readonly waiting: number;
}

/** Events that came while a database was being opened. */
const mostHeld = 10_000;

export class WebhookDispatcher {
  private readonly outlets: readonly Outlet[];
  private readonly counted: OutletCounters = {
    delivered: 0,
    attemptsFailed: 0,
    dropped: 0,
    spilled: 0,
    abandoned: 0,
    answersTaken: 0,
    answersIgnored: 0,
  };
  private ledger: DeliveryLedger | undefined;
  private held: CallEvent[] | undefined;
  /** The newest event that the database is still to take before it is sent; they are taken in order. */
  private keeping: Promise<void> | undefined;

  constructor(options: DispatcherOptions) {
    const withLedger: OutletOptions = { ...options, ledger: () => this.ledger };
    this.outlets = options.endpoints.map((endpoint) => new Outlet(endpoint, withLedger, this.counted));
    this.held = options.awaitsLedger === true ? [] : undefined;
  }

  get counts(): DispatcherCounts {
    const waiting = this.outlets.reduce((sum, outlet) => sum + outlet.waiting, this.held?.length ?? 0);
    return { ...this.counted, waiting };
  }

  publish(event: CallEvent): void {
    if (this.held === undefined) this.send(event);
    else if (this.held.length < mostHeld) this.held.push(event);
    else this.counted.dropped += 1;
  }

  /**
   * The database is open, or will not be (`ledger` left out). What an earlier run left goes first, then `missed`, events that it
   * had no time to keep, then what came meanwhile.
   */
  async resume(ledger?: DeliveryLedger, missed: readonly CallEvent[] = []): Promise<void> {
    if (ledger !== undefined) {
      // One more than fits: then the outlet knows that there is more to fetch.
      const most = 10_001;
      const found = await Promise.all(
        this.outlets.map(async (outlet) => [outlet, await ledger.waiting(outlet.endpoint.url, most)] as const),
      );
      this.ledger = ledger;
      for (const [outlet, deliveries] of found) outlet.restore(deliveries);
    }
    const held = this.held ?? [];
    this.held = undefined;
    for (const event of [...missed, ...held]) this.send(event);
  }

  /**
   * Sends again what the ledger has made to wait again, or another agent has left; endpoints that are gone from the configuration
   * get nothing. `more`: the database has more of it.
   */
  replay(again: ReadonlyMap<string, readonly WaitingDelivery[]>, more = false): number {
    let replayed = 0;
    for (const outlet of this.outlets) {
      const deliveries = again.get(outlet.endpoint.url) ?? [];
      outlet.restore(deliveries, more);
      replayed += deliveries.length;
    }
    return replayed;
  }

  /** Another agent delivers what waits here. */
  letGo(): void {
    for (const outlet of this.outlets) outlet.letGo();
  }

  /** Lets what is deliverable go out for at most `graceMs`, then stops; returns how many events were left. */
  async close(graceMs: number): Promise<number> {
    await this.keeping;
    await Promise.all(this.outlets.map((outlet) => outlet.settle(graceMs)));
    const left = this.counts.waiting;
    for (const outlet of this.outlets) outlet.stop();
    return left;
  }

  private send(event: CallEvent): void {
    const wanting = this.outlets.filter((outlet) => outlet.wants(event));
    const kept = this.ledger?.add(event, [...new Set(wanting.map(({ endpoint }) => endpoint.url))]);
    const enqueue = (): void => {
      for (const outlet of wanting) outlet.enqueue(event);
    };
    if (kept === undefined) enqueue();
    else this.keeping = kept.then(enqueue);
  }
}
