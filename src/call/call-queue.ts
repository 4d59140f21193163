/**
 * Calls that are placed by order of a program, at the hours at which we may: at once, when the hours begin, and again after
 * nobody answered. What waits is bounded, in memory, and lost with the process.
 */
import type { Ordered, RetryPolicy, WaitingCall } from '../core/call-order';
import type { CallRecord } from '../core/call-record';
import type { Clock, Timer } from '../core/clock';
import { TrunklineError } from '../core/errors';
import { isOpen, nextOpening } from '../dialplan/calling-hours';
import type { TimeWindow } from '../dialplan/schema';

/** What the queue needs of an order; the rest is for whoever dials. */
export interface QueuedOrder {
  readonly to: string;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly retry?: RetryPolicy | undefined;
  readonly whenClosed: 'refuse' | 'wait';
}

export interface CallQueueParts<Order extends QueuedOrder> {
  readonly clock: Clock;
  readonly now: () => Date;
  readonly newId: () => string;
  readonly hours: readonly TimeWindow[];
  readonly maxWaiting: number;
  /** Places the call and says its id; throws when it cannot be. */
  readonly dial: (order: Order) => string;
  /** An attempt that had waited could not even be placed. */
  readonly onFailed: (waiting: WaitingCall, error: unknown) => void;
}

interface Entry<Order> {
  readonly order: Order;
  readonly waiting: WaitingCall;
  readonly timer: Timer;
}

interface Attempt<Order> {
  readonly order: Order;
  readonly attempt: number;
  readonly queueId: string;
}

/** A day's timer at most: setTimeout takes no more than 24 days, and clocks are set right now and then. */
const longestTimerMs = 24 * 3_600_000;

export class CallQueue<Order extends QueuedOrder> {
  private readonly entries = new Map<string, Entry<Order>>();
  private readonly live = new Map<string, Attempt<Order>>();
  private dropped = 0;
  private closed = false;

  constructor(private readonly parts: CallQueueParts<Order>) {}

  get waiting(): readonly WaitingCall[] {
    return [...this.entries.values()].map(({ waiting }) => waiting);
  }

  get counts(): { readonly waiting: number; readonly dropped: number } {
    return { waiting: this.entries.size, dropped: this.dropped };
  }

  /** Throws `call.outside-hours`, `call.too-many-waiting`, and what `dial` throws. */
  place(order: Order): Ordered {
    const now = this.parts.now();
    if (isOpen(this.parts.hours, now)) return { callId: this.attempt(order, 1, this.parts.newId()) };
    const opens = nextOpening(this.parts.hours, now);
    if (order.whenClosed === 'refuse' || opens === undefined) {
      throw new TrunklineError('call.outside-hours', 'It is outside of the hours at which we may call.', {
        fix: 'Order the call with whenClosed: wait, or change outbound.hours.',
        details: { opensAt: opens?.toISOString() },
      });
    }
    if (this.entries.size >= this.parts.maxWaiting) {
      throw new TrunklineError('call.too-many-waiting', 'As many calls wait as may.', {
        fix: 'Order it later, or raise outbound.queue.',
      });
    }
    return { waiting: this.wait(order, { id: this.parts.newId(), attempt: 1, at: opens }) };
  }

  /** False: there is no such call waiting. */
  cancel(id: string): boolean {
    this.entries.get(id)?.timer.cancel();
    return this.entries.delete(id);
  }

  /** For every call that ends; those that are none of ours are left alone. */
  ended({ id: callId, cause = 'internal' }: Pick<CallRecord, 'id' | 'cause'>): void {
    const ours = this.live.get(callId);
    this.live.delete(callId);
    const retry = ours?.order.retry;
    if (ours === undefined || retry === undefined || this.closed) return;
    if (ours.attempt >= retry.attempts || !retry.on.some((one) => one === cause)) return;
    const afterSeconds = retry.afterSeconds[ours.attempt - 1] ?? retry.afterSeconds.at(-1) ?? 0;
    const at = nextOpening(this.parts.hours, new Date(this.parts.now().getTime() + afterSeconds * 1_000));
    // Whoever asked finds the attempt in the list of those that wait; one that does not fit is gone, and counted.
    if (at === undefined || this.entries.size >= this.parts.maxWaiting) {
      this.dropped += 1;
      return;
    }
    const last = { lastCallId: callId, lastCause: cause };
    this.wait(ours.order, { id: ours.queueId, attempt: ours.attempt + 1, at, ...last });
  }

  close(): void {
    this.closed = true;
    for (const { timer } of this.entries.values()) timer.cancel();
    this.entries.clear();
  }

  private wait(
    order: Order,
    { at, ...more }: Omit<WaitingCall, 'to' | 'at' | 'metadata'> & { readonly at: Date },
  ): WaitingCall {
    const waiting: WaitingCall = { ...more, to: order.to, at: at.toISOString(), metadata: order.metadata };
    this.entries.set(waiting.id, { order, waiting, timer: this.timerFor(waiting) });
    return waiting;
  }

  private timerFor(waiting: WaitingCall): Timer {
    const inMs = Math.max(0, Date.parse(waiting.at) - this.parts.now().getTime());
    return this.parts.clock.after(Math.min(inMs, longestTimerMs), () => this.due(waiting.id));
  }

  private due(id: string): void {
    const entry = this.entries.get(id);
    if (entry === undefined) return;
    const { order, waiting } = entry;
    if (Date.parse(waiting.at) > this.parts.now().getTime()) {
      this.entries.set(id, { ...entry, timer: this.timerFor(waiting) });
      return;
    }
    this.entries.delete(id);
    try {
      this.attempt(order, waiting.attempt, id, waiting.lastCallId);
    } catch (error) {
      this.dropped += 1;
      this.parts.onFailed(waiting, error);
    }
  }

  private attempt(order: Order, attempt: number, queueId: string, retryOf?: string): string {
    const again = attempt === 1 ? {} : { attempt, retryOf };
    const metadata = { ...order.metadata, ...again };
    const callId = this.parts.dial(Object.keys(metadata).length === 0 ? order : { ...order, metadata });
    if (order.retry !== undefined) this.live.set(callId, { order, attempt, queueId });
    return callId;
  }
}
