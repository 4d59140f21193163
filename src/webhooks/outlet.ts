/** One receiver: a lane per call, of which only the head is ever under way, and pauses that grow until a 2xx. */
import type { CallEvent } from '../core/call-event';
import type { Clock, Timer } from '../core/clock';
import type { DeliveryLedger, DeliveryState, WaitingDelivery } from '../core/delivery';
import { TrunklineError } from '../core/errors';
import type { Logger } from '../core/log';
import { type Post, type PostResult, postJson, type TargetPolicy } from './post-json';

export interface WebhookEndpoint {
  readonly url: string;
  readonly secrets: readonly string[];
  /** Event types; `*` for all, `call.*` for those that begin so. */
  readonly events: readonly string[];
}

export interface OutletOptions {
  readonly policy: TargetPolicy;
  readonly clock: Clock;
  /** Wall time, for signatures. */
  readonly now: () => Date;
  /** 0 … 1, for the spread of retries. */
  readonly random: () => number;
  readonly logger: Logger;
  /** What a receiver answered; whoever gets it says whether the call could take it. */
  readonly onAnswer?: (callId: string, answer: unknown) => 'taken' | 'ignored';
  /** Where deliveries outlive the process; left out: nowhere. */
  readonly ledger?: () => DeliveryLedger | undefined;
  /** Events that wait in memory at one endpoint, all calls together. */
  readonly maxWaiting?: number;
  /** Deliveries under way at one endpoint. */
  readonly maxParallel?: number;
  readonly post?: (post: Post, policy: TargetPolicy) => Promise<PostResult>;
}

export interface OutletCounters {
  delivered: number;
  attemptsFailed: number;
  dropped: number;
  spilled: number;
  abandoned: number;
  answersTaken: number;
  answersIgnored: number;
}

const answerWithinMs = 5_000;
const firstPauseMs = 1_000;
const longestPauseMs = 3_600_000;
const giveUpAfterMs = 24 * 3_600_000;
/** What waits in the database only is looked for again after this long when it could not be read. */
const refillAgainMs = 5_000;

interface Waiting {
  readonly event: CallEvent;
  attempts: number;
  /** Of the first attempt: an event that waited behind another has its own day. */
  firstAttemptMs: number;
  firstAttemptAt: Date | undefined;
}

interface Lane {
  readonly queue: Waiting[];
  busy: boolean;
  timer: Timer | undefined;
}

interface Outcome {
  readonly state: DeliveryState;
  readonly status?: number | undefined;
  readonly error?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

export class Outlet {
  waiting = 0;
  private underWay = 0;
  private readonly lanes = new Map<string, Lane>();
  private readonly stopping = new AbortController();
  private settled: (() => void) | undefined;
  /** Events wait in the database alone, behind those in memory: until they were fetched new ones go there too. */
  private spilling = false;
  private refilling: Timer | undefined;

  constructor(
    readonly endpoint: WebhookEndpoint,
    private readonly options: OutletOptions,
    private readonly counted: OutletCounters,
  ) {}

  wants(event: CallEvent): boolean {
    return this.endpoint.events.some((pattern) =>
      pattern.endsWith('*') ? event.type.startsWith(pattern.slice(0, -1)) : pattern === event.type,
    );
  }

  /** `event` is in the ledger, if there is one. */
  enqueue(event: CallEvent): void {
    this.take({ event, attempts: 0 });
    this.pump();
  }

  /** What an earlier run or another agent left, or what shall be sent again. `more`: the database alone knows of more. */
  restore(deliveries: readonly WaitingDelivery[], more = false): void {
    for (const delivery of deliveries) this.take(delivery);
    if (more) this.spilling = true;
    this.pump();
    if (more && this.waiting === 0) void this.refill();
  }

  /** What waits here is another's from now on; what is under way comes to its end. */
  letGo(): void {
    for (const lane of this.lanes.values()) {
      lane.timer?.cancel();
      this.waiting -= lane.queue.length - (lane.busy ? 1 : 0);
      lane.queue.splice(lane.busy ? 1 : 0);
      lane.timer = undefined;
    }
    for (const [callId, lane] of this.lanes) if (lane.queue.length === 0) this.lanes.delete(callId);
  }

  /** Resolves when nothing waits in memory, or after `graceMs`. */
  settle(graceMs: number): Promise<void> {
    if (this.waiting === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.options.clock.after(graceMs, resolve);
      this.settled = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  stop(): void {
    this.stopping.abort();
    this.refilling?.cancel();
    for (const lane of this.lanes.values()) lane.timer?.cancel();
    this.lanes.clear();
  }

  private take({ event, attempts, firstAttemptAt }: WaitingDelivery): void {
    const full = this.waiting >= (this.options.maxWaiting ?? 10_000);
    if (this.stopping.signal.aborted) {
      // With a ledger the next run delivers it.
      if (this.ledger === undefined) this.counted.dropped += 1;
      return;
    }
    if (full || this.spilling) {
      // The newest stays out, so that what waits here is in order and without a hole.
      if (this.ledger === undefined) this.counted.dropped += 1;
      else {
        this.counted.spilled += 1;
        this.spilling = true;
      }
      return;
    }
    let lane = this.lanes.get(event.callId);
    if (lane === undefined) {
      lane = { queue: [], busy: false, timer: undefined };
      this.lanes.set(event.callId, lane);
    }
    // Fetched from the database at the same moment by another way.
    if (lane.queue.some((waiting) => waiting.event.id === event.id)) return;
    lane.queue.push({ event, attempts, firstAttemptAt, firstAttemptMs: this.onOwnClock(firstAttemptAt) });
    this.waiting += 1;
  }

  private get ledger(): DeliveryLedger | undefined {
    return this.options.ledger?.();
  }

  private onOwnClock(at: Date | undefined): number {
    const { clock, now } = this.options;
    return at === undefined ? 0 : clock.nowMs() - Math.max(0, now().getTime() - at.getTime());
  }

  private pump(): void {
    for (const [callId, lane] of this.lanes) {
      if (this.underWay >= (this.options.maxParallel ?? 8)) return;
      const head = lane.queue[0];
      if (head === undefined || lane.busy || lane.timer !== undefined) continue;
      lane.busy = true;
      this.underWay += 1;
      void this.attempt(callId, lane, head);
    }
  }

  private async attempt(callId: string, lane: Lane, head: Waiting): Promise<void> {
    if (head.attempts === 0) {
      head.firstAttemptMs = this.options.clock.nowMs();
      head.firstAttemptAt = this.options.now();
    }
    head.attempts += 1;
    const outcome = await this.deliver(head.event);
    lane.busy = false;
    this.underWay -= 1;
    if (this.stopping.signal.aborted) {
      // What was taken at the last moment must not be sent again by the next run.
      if (outcome.state === 'delivered') this.note(head, outcome, undefined);
      return;
    }
    if (outcome.state === 'waiting') this.retryLater(callId, lane, head, outcome);
    else this.takeHead(callId, lane, outcome);
    this.pump();
  }

  private async deliver(event: CallEvent): Promise<Outcome> {
    const { policy, now, logger } = this.options;
    const post = this.options.post ?? postJson;
    try {
      const result = await post(
        {
          url: this.endpoint.url,
          messageId: event.id,
          body: JSON.stringify(event),
          secrets: this.endpoint.secrets,
          timeoutMs: answerWithinMs,
          now: now(),
          signal: this.stopping.signal,
        },
        policy,
      );
      const { status, retryAfterMs } = result;
      if (status >= 200 && status < 300) {
        this.counted.delivered += 1;
        if (result.json !== undefined && result.json !== null) this.passOn(event.callId, result.json);
        return { state: 'delivered', status };
      }
      this.counted.attemptsFailed += 1;
      // 410: the receiver says that it will never want it (Standard Webhooks).
      if (status !== 410) return { state: 'waiting', status, retryAfterMs };
      this.counted.abandoned += 1;
      return { state: 'gone', status };
    } catch (error) {
      this.counted.attemptsFailed += 1;
      const code = error instanceof TrunklineError ? error.code : 'webhook.unreachable';
      const fix = error instanceof TrunklineError ? error.fix : undefined;
      if (!this.stopping.signal.aborted)
        logger.warn('A webhook could not be delivered.', { code, fix, eventId: event.id });
      return { state: 'waiting', error: code };
    }
  }

  private passOn(callId: string, answer: unknown): void {
    const outcome = this.options.onAnswer?.(callId, answer) ?? 'ignored';
    if (outcome === 'taken') this.counted.answersTaken += 1;
    else this.counted.answersIgnored += 1;
  }

  private retryLater(callId: string, lane: Lane, head: Waiting, outcome: Outcome): void {
    const { clock, random, logger, now } = this.options;
    if (clock.nowMs() - head.firstAttemptMs >= giveUpAfterMs) {
      this.counted.abandoned += 1;
      logger.error('A webhook was given up after a day.', { code: 'webhook.given-up', eventId: head.event.id });
      this.takeHead(callId, lane, { ...outcome, state: 'given-up' });
      return;
    }
    const growing = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(head.attempts - 1, 20));
    // Spread over the upper half, so that receivers that come back are not met by all at once.
    const pauseMs = Math.min(longestPauseMs, Math.max(growing * (0.5 + random() / 2), outcome.retryAfterMs ?? 0));
    this.note(head, outcome, new Date(now().getTime() + pauseMs));
    lane.timer = clock.after(pauseMs, () => {
      lane.timer = undefined;
      this.pump();
    });
  }

  private takeHead(callId: string, lane: Lane, outcome: Outcome): void {
    const head = lane.queue.shift();
    if (head !== undefined) this.note(head, outcome, undefined);
    this.waiting -= 1;
    if (lane.queue.length === 0) this.lanes.delete(callId);
    if (this.waiting === 0) {
      this.settled?.();
      if (this.spilling) void this.refill();
    }
  }

  /** Nothing waits in memory: what waits in the database is all there is. */
  private async refill(): Promise<void> {
    const { clock, maxWaiting, logger } = this.options;
    try {
      const most = maxWaiting ?? 10_000;
      const found = (await this.ledger?.waiting(this.endpoint.url, most)) ?? [];
      if (this.stopping.signal.aborted) return;
      this.spilling = false;
      this.restore(found);
      this.spilling = found.length === most;
      if (this.spilling && this.waiting === 0) void this.refill();
    } catch (error) {
      logger.warn('Events that wait in the database cannot be read.', { error: String(error) });
      if (this.stopping.signal.aborted) return;
      this.refilling = clock.after(refillAgainMs, () => void this.refill());
    }
  }

  private note(head: Waiting, { state, status, error }: Outcome, nextAttemptAt: Date | undefined): void {
    const { now } = this.options;
    this.ledger?.note({
      endpoint: this.endpoint.url,
      eventId: head.event.id,
      state,
      attempts: head.attempts,
      firstAttemptAt: head.firstAttemptAt ?? now(),
      nextAttemptAt,
      lastStatus: status,
      lastError: error,
      settledAt: state === 'waiting' ? undefined : now(),
    });
  }
}
