/** `GET /v1/events`: the calls' events as they happen, as server-sent events (WHATWG HTML §9.2). */
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { CallEvent } from '../core/call-event';
import { TrunklineError } from '../core/errors';
import { checkedQuery } from './checked-input';
import type { EventFeed } from './ports';

/** A listener that reads slower than this much behind is closed; it comes back with Last-Event-ID. */
const mostBufferedBytes = 1_048_576;
const mostListeners = 64;
/** Kept for those who come back. */
const rememberedEvents = 1000;
const heartbeatMs = 15_000;

export const eventQuerySchema = z.strictObject({ callId: z.string().max(100).optional() });

export class EventStream {
  private readonly recent: CallEvent[] = [];
  private readonly listeners = new Set<Response>();
  private readonly unsubscribe: () => void;
  /** Listeners that were too slow. */
  dropped = 0;

  constructor(feed: EventFeed) {
    this.unsubscribe = feed.subscribe((event) => {
      this.recent.push(event);
      if (this.recent.length > rememberedEvents) this.recent.shift();
      for (const response of this.listeners) this.send(response, event);
    });
  }

  get listening(): number {
    return this.listeners.size;
  }

  open(request: Request, response: Response): void {
    const { callId } = checkedQuery(request, eventQuerySchema);
    if (this.listeners.size >= mostListeners) {
      throw new TrunklineError('http.too-many-listeners', 'Too many programs listen to the events.', {
        fix: 'Close one, or use webhooks.',
      });
    }
    response.locals['callId'] = callId;
    response.status(200).set({
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    });
    response.flushHeaders();
    response.write('retry: 2000\n\n');
    for (const event of this.missedSince(request.get('Last-Event-ID'))) this.send(response, event);
    this.listeners.add(response);
    const heartbeat = setInterval(() => response.write(': still here\n\n'), heartbeatMs);
    heartbeat.unref();
    response.on('close', () => {
      clearInterval(heartbeat);
      this.listeners.delete(response);
    });
  }

  close(): void {
    this.unsubscribe();
    for (const response of this.listeners) response.end();
    this.listeners.clear();
  }

  /** Everything after the event that the listener saw last; nothing when that is no longer remembered. */
  private missedSince(lastId: string | undefined): readonly CallEvent[] {
    const at = lastId === undefined ? -1 : this.recent.findIndex((event) => event.id === lastId);
    return at < 0 ? [] : this.recent.slice(at + 1);
  }

  private send(response: Response, event: CallEvent): void {
    const wanted: unknown = response.locals['callId'];
    if (typeof wanted === 'string' && wanted !== event.callId) return;
    if (response.writableLength > mostBufferedBytes) {
      this.dropped += 1;
      this.listeners.delete(response);
      response.destroy();
      return;
    }
    response.write(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }
}
