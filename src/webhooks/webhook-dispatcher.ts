/**
 * Delivers call events to their receivers: in order within a call, again with growing pauses until a 2xx, for at most a
 * day. What waits is bounded; what falls out is counted.
 */
import type { CallEvent } from '../core/call-event';
import type { Clock, Timer } from '../core/clock';
import { TrunklineError } from '../core/errors';
import type { Logger } from '../core/log';
import { type Post, type PostResult, postJson, type TargetPolicy } from './post-json';

export interface WebhookEndpoint {
  readonly url: string;
  readonly secrets: readonly string[];
  /** Event types; `*` for all, `call.*` for those that begin so. */
  readonly events: readonly string[];
}

export interface DispatcherOptions {
  readonly endpoints: readonly WebhookEndpoint[];
  readonly policy: TargetPolicy;
  readonly clock: Clock;
  /** Wall time, for signatures. */
  readonly now: () => Date;
  /** 0 … 1, for the spread of retries. */
  readonly random: () => number;
  readonly logger: Logger;
  /** What a receiver answered; whoever gets it says whether the call could take it. */
  readonly onAnswer?: (callId: string, answer: unknown) => 'taken' | 'ignored';
  /** Events that wait at one endpoint, all calls together. */
  readonly maxWaiting?: number;
  /** Deliveries under way at one endpoint. */
  readonly maxParallel?: number;
  readonly post?: (post: Post, policy: TargetPolicy) => Promise<PostResult>;
}

export interface DispatcherCounts {
  readonly delivered: number;
  readonly attemptsFailed: number;
  /** The queue was full: the event was not taken. */
  readonly dropped: number;
  /** A day of attempts, or 410 Gone. */
  readonly abandoned: number;
  readonly answersTaken: number;
  readonly answersIgnored: number;
  readonly waiting: number;
}

const answerWithinMs = 5_000;
const firstPauseMs = 1_000;
const longestPauseMs = 3_600_000;
const giveUpAfterMs = 24 * 3_600_000;

interface Waiting {
  readonly event: CallEvent;
  attempts: number;
  /** Of the first attempt: an event that waited behind another has its own day. */
  firstAttemptMs: number;
}

/** One call's events at one endpoint: only the head is ever under way. */
interface Lane {
  readonly queue: Waiting[];
  busy: boolean;
  timer: Timer | undefined;
}

export class WebhookDispatcher {
  private readonly outlets: readonly Outlet[];
  private readonly counted = {
    delivered: 0,
    attemptsFailed: 0,
    dropped: 0,
    abandoned: 0,
    answersTaken: 0,
    answersIgnored: 0,
  };

  constructor(options: DispatcherOptions) {
    this.outlets = options.endpoints.map((endpoint) => new Outlet(endpoint, options, this.counted));
  }

  get counts(): DispatcherCounts {
    const waiting = this.outlets.reduce((sum, outlet) => sum + outlet.waiting, 0);
    return { ...this.counted, waiting };
  }

  publish(event: CallEvent): void {
    for (const outlet of this.outlets) if (outlet.wants(event)) outlet.enqueue(event);
  }

  /** Lets what is deliverable go out for at most `graceMs`, then stops; returns how many events were left. */
  async close(graceMs: number): Promise<number> {
    await Promise.all(this.outlets.map((outlet) => outlet.settle(graceMs)));
    const left = this.counts.waiting;
    for (const outlet of this.outlets) outlet.stop();
    return left;
  }
}

type Counters = { -readonly [K in keyof Omit<DispatcherCounts, 'waiting'>]: number };

class Outlet {
  waiting = 0;
  private underWay = 0;
  private readonly lanes = new Map<string, Lane>();
  private readonly stopping = new AbortController();
  private settled: (() => void) | undefined;

  constructor(
    private readonly endpoint: WebhookEndpoint,
    private readonly options: DispatcherOptions,
    private readonly counted: Counters,
  ) {}

  wants(event: CallEvent): boolean {
    return this.endpoint.events.some((pattern) =>
      pattern.endsWith('*') ? event.type.startsWith(pattern.slice(0, -1)) : pattern === event.type,
    );
  }

  enqueue(event: CallEvent): void {
    if (this.stopping.signal.aborted || this.waiting >= (this.options.maxWaiting ?? 10_000)) {
      // The newest is refused, so that what waits stays in order and without a hole.
      this.counted.dropped += 1;
      return;
    }
    let lane = this.lanes.get(event.callId);
    if (lane === undefined) {
      lane = { queue: [], busy: false, timer: undefined };
      this.lanes.set(event.callId, lane);
    }
    lane.queue.push({ event, attempts: 0, firstAttemptMs: 0 });
    this.waiting += 1;
    this.pump();
  }

  /** Resolves when nothing waits, or after `graceMs`. */
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
    for (const lane of this.lanes.values()) lane.timer?.cancel();
    this.lanes.clear();
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
    if (head.attempts === 0) head.firstAttemptMs = this.options.clock.nowMs();
    head.attempts += 1;
    const outcome = await this.deliver(head.event);
    lane.busy = false;
    this.underWay -= 1;
    if (this.stopping.signal.aborted) return;
    if (outcome.done) this.takeHead(callId, lane);
    else this.retryLater(callId, lane, head, outcome.retryAfterMs);
    this.pump();
  }

  private async deliver(event: CallEvent): Promise<{ done: boolean; retryAfterMs?: number | undefined }> {
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
      if (result.status >= 200 && result.status < 300) {
        this.counted.delivered += 1;
        if (result.json !== undefined && result.json !== null) this.passOn(event.callId, result.json);
        return { done: true };
      }
      this.counted.attemptsFailed += 1;
      // 410: the receiver says that it will never want it (Standard Webhooks).
      if (result.status === 410) this.counted.abandoned += 1;
      return { done: result.status === 410, retryAfterMs: result.retryAfterMs };
    } catch (error) {
      this.counted.attemptsFailed += 1;
      const code = error instanceof TrunklineError ? error.code : 'webhook.unreachable';
      const fix = error instanceof TrunklineError ? error.fix : undefined;
      if (!this.stopping.signal.aborted)
        logger.warn('A webhook could not be delivered.', { code, fix, eventId: event.id });
      return { done: false };
    }
  }

  private passOn(callId: string, answer: unknown): void {
    const outcome = this.options.onAnswer?.(callId, answer) ?? 'ignored';
    if (outcome === 'taken') this.counted.answersTaken += 1;
    else this.counted.answersIgnored += 1;
  }

  private retryLater(callId: string, lane: Lane, head: Waiting, retryAfterMs: number | undefined): void {
    const { clock, random, logger } = this.options;
    if (clock.nowMs() - head.firstAttemptMs >= giveUpAfterMs) {
      this.counted.abandoned += 1;
      logger.error('A webhook was given up after a day.', { code: 'webhook.given-up', eventId: head.event.id });
      this.takeHead(callId, lane);
      return;
    }
    const growing = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(head.attempts - 1, 20));
    // Spread over the upper half, so that receivers that come back are not met by all at once.
    const pauseMs = Math.min(longestPauseMs, Math.max(growing * (0.5 + random() / 2), retryAfterMs ?? 0));
    lane.timer = clock.after(pauseMs, () => {
      lane.timer = undefined;
      this.pump();
    });
  }

  private takeHead(callId: string, lane: Lane): void {
    lane.queue.shift();
    this.waiting -= 1;
    if (lane.queue.length === 0) this.lanes.delete(callId);
    if (this.waiting === 0) this.settled?.();
  }
}
