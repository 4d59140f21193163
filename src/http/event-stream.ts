/**
 * `GET /v1/events`: the calls' events as they happen, as server-sent events (WHATWG HTML §9.2). Whoever comes back with
 * `Last-Event-ID` gets what it missed first: from memory in the order in which it was told, or from the records of the calls,
 * which outlive the process.
 */
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { CallEvent, CallEventData } from '../core/call-event';
import type { CallRecords } from '../core/call-records';
import { withoutWords } from '../core/erased-event';
import { TrunklineError } from '../core/errors';
import { checkedQuery } from './checked-input';
import type { EventFeed } from './ports';

/** What is written ahead of a listener that reads slowly; the rest waits as events. */
const mostBufferedBytes = 1_048_576;
/** A listener that is this many events behind is closed; it comes back with Last-Event-ID. */
const mostEventsBehind = 20_000;
const mostListeners = 64;
/** Kept for those who come back after a moment. */
const rememberedEvents = 1000;
const heartbeatMs = 15_000;

export const eventQuerySchema = z.strictObject({ callId: z.string().max(100).optional() });

interface Listener {
  readonly response: Response;
  readonly callId: string | undefined;
  /** In order, not yet written. */
  readonly behind: CallEvent[];
  /** What it missed is still being looked up: new events wait behind it. */
  lookingUp: boolean;
}

export class EventStream {
  private recent: CallEvent[] = [];
  private readonly listeners = new Set<Listener>();
  private readonly unsubscribe: () => void;
  /** Listeners that were too slow. */
  dropped = 0;

  constructor(
    feed: EventFeed,
    private readonly records: Pick<CallRecords, 'eventsAfter'>,
  ) {
    this.unsubscribe = feed.subscribe((event) => {
      if (event.type === 'call.erased') this.forget(event.callId, event.data.what);
      this.recent.push(event);
      if (this.recent.length > rememberedEvents) this.recent.shift();
      for (const listener of this.listeners) this.send(listener, [event]);
    });
  }

  get listening(): number {
    return this.listeners.size;
  }

  async open(request: Request, response: Response): Promise<void> {
    const { callId } = checkedQuery(request, eventQuerySchema);
    if (this.listeners.size >= mostListeners) {
      throw new TrunklineError('http.too-many-listeners', 'Too many programs listen to the events.', {
        fix: 'Close one, or use webhooks.',
      });
    }
    response.status(200).set({
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    });
    response.flushHeaders();
    response.write('retry: 2000\n\n');
    const listener: Listener = { response, callId, behind: [], lookingUp: true };
    this.listeners.add(listener);
    const heartbeat = setInterval(() => response.write(': still here\n\n'), heartbeatMs);
    heartbeat.unref();
    response.on('drain', () => this.write(listener));
    response.on('close', () => {
      clearInterval(heartbeat);
      this.listeners.delete(listener);
    });
    const missed = await this.missedSince(request.get('Last-Event-ID'));
    listener.lookingUp = false;
    const meanwhile = listener.behind.splice(0);
    if (missed === 'unknown') response.write('event: stream.gap\ndata: {}\n\n');
    else {
      const known = new Set(missed.map(({ id }) => id));
      this.send(listener, [...missed, ...meanwhile.filter(({ id }) => !known.has(id))]);
      return;
    }
    this.send(listener, meanwhile);
  }

  close(): void {
    this.unsubscribe();
    for (const { response } of this.listeners) response.end();
    this.listeners.clear();
  }

  /** What was said is not told again to those who come back. */
  private forget(callId: string, what: CallEventData<'call.erased'>['what']): void {
    if (what === 'call') this.recent = this.recent.filter((event) => event.callId !== callId);
    if (what !== 'transcript') return;
    this.recent = this.recent.map((event) => (event.callId === callId ? withoutWords(event) : event));
  }

  /** Everything after the event that the listener saw last; `unknown` when nobody remembers that event any more. */
  private async missedSince(lastId: string | undefined): Promise<readonly CallEvent[] | 'unknown'> {
    if (lastId === undefined || lastId === '') return [];
    const at = this.recent.findIndex((event) => event.id === lastId);
    if (at >= 0) return this.recent.slice(at + 1);
    return (await this.records.eventsAfter(lastId)) ?? 'unknown';
  }

  private send(listener: Listener, events: readonly CallEvent[]): void {
    for (const event of events)
      if (listener.callId === undefined || listener.callId === event.callId) listener.behind.push(event);
    if (listener.behind.length > mostEventsBehind) {
      this.dropped += 1;
      this.listeners.delete(listener);
      listener.response.destroy();
      return;
    }
    this.write(listener);
  }

  private write({ response, behind, lookingUp }: Listener): void {
    if (lookingUp) return;
    let written = 0;
    while (written < behind.length && response.writableLength < mostBufferedBytes) {
      const event = behind[written++]!;
      response.write(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    }
    behind.splice(0, written);
  }
}
