/**
 * The calls that the agent knows of: the newest in memory for reading, every event on disk before it is forgotten. A
 * database can take its place behind `CallRecords`.
 */
import { join } from 'node:path';
import type { CallEvent, EventSources } from '../core/call-event';
import type { CallRecord, TurnRecord } from '../core/call-record';
import type { CallPage, CallQuery, CallRecords } from '../core/call-records';
import { TrunklineError } from '../core/errors';
import type { Logger } from '../core/log';
import { CallJournal, type ReadCall } from './call-journal';
import { lostCallEnd } from './lost-call';
import { foldEvent, type StoredCall } from './stored-call';

export interface CallStoreOptions {
  /** The data folder; calls lie in `calls/` below it. */
  readonly dataFolder: string;
  readonly sources: EventSources;
  readonly logger: Logger;
  /** Ended calls that stay in memory; older ones are on disk only. */
  readonly keepCalls?: number;
  /** Events of one call that stay in memory; beyond them only turns and the record grow. */
  readonly keepEvents?: number;
}

/** One event is told at most this much later than another that happened after it. */
const toldOutOfOrderMs = 5_000;

export interface CallStoreCounts {
  readonly eventsWritten: number;
  readonly writesFailed: number;
  readonly eventsWithoutCall: number;
  readonly timelineEventsDropped: number;
  readonly callsForgotten: number;
}

export class CallStore implements CallRecords {
  /** In the order in which they began. */
  private readonly calls = new Map<string, StoredCall>();
  private readonly journal: CallJournal;
  private readonly keepCalls: number;
  private readonly keepEvents: number;
  private failing = false;
  private readonly counted = {
    eventsWritten: 0,
    writesFailed: 0,
    eventsWithoutCall: 0,
    timelineEventsDropped: 0,
    callsForgotten: 0,
  };

  constructor(private readonly options: CallStoreOptions) {
    this.journal = new CallJournal(join(options.dataFolder, 'calls'));
    this.keepCalls = options.keepCalls ?? 2000;
    this.keepEvents = options.keepEvents ?? 2000;
  }

  get counts(): CallStoreCounts {
    return { ...this.counted };
  }

  /**
   * Reads the calls of earlier runs. Those that a crash cut off are ended here, on disk too; their `call.ended` events
   * are returned, for whoever tells the world.
   */
  async recover(): Promise<CallEvent[]> {
    const { logger } = this.options;
    const found = await this.journal.readNewest(this.keepCalls, (path, error) =>
      logger.warn('A call record could not be read.', { path, error: String(error) }),
    );
    const ended: CallEvent[] = [];
    const byAge = [...found].sort((left, right) => startOf(left).localeCompare(startOf(right)));
    for (const read of byAge) {
      if (read.skippedLines > 0) {
        logger.warn('A call record holds lines that are no events.', { callId: read.callId, lines: read.skippedLines });
      }
      let call: StoredCall | undefined;
      for (const event of read.events) call = foldEvent(call, event);
      if (call === undefined) continue;
      this.calls.set(read.callId, call);
      if (call.record.state !== 'ended') {
        this.journal.adopt(read);
        ended.push(this.endLostCall(call));
      }
    }
    this.forgetOldest();
    return ended;
  }

  /** Resolves when the event is on disk, or when that failed and was counted: a full disk ends no call. */
  async record(event: CallEvent): Promise<void> {
    const before = this.calls.get(event.callId);
    const after = foldEvent(before, event);
    if (after === undefined) {
      this.counted.eventsWithoutCall += 1;
      return;
    }
    this.calls.set(event.callId, this.bounded(after));
    if (event.type === 'call.ended') this.forgetOldest();
    try {
      await this.journal.append(event);
      this.counted.eventsWritten += 1;
      this.failing = false;
    } catch (error) {
      this.counted.writesFailed += 1;
      // Told once per outage: a full disk must not be filled with lines that say so.
      if (!this.failing) {
        const code = error instanceof TrunklineError ? error.code : 'store.write-failed';
        const fix = error instanceof TrunklineError ? error.fix : undefined;
        this.options.logger.error('Call records cannot be written.', { code, fix, error: String(error) });
      }
      this.failing = true;
    }
  }

  async list(query: CallQuery): Promise<CallPage> {
    const newestFirst = [...this.calls.values()].reverse();
    let from = 0;
    if (query.cursor !== undefined) {
      const at = newestFirst.findIndex(({ record }) => record.id === query.cursor);
      if (at < 0) {
        throw new TrunklineError('store.bad-cursor', 'The cursor points at no call.', {
          fix: 'Begin again without a cursor.',
        });
      }
      from = at + 1;
    }
    const since = query.since?.toISOString() ?? '';
    const fitting = newestFirst
      .slice(from)
      .map(({ record }) => record)
      .filter((record) => query.state === undefined || record.state === query.state)
      .filter((record) => record.startedAt >= since);
    const calls = fitting.slice(0, query.limit);
    return { calls, nextCursor: fitting.length > query.limit ? calls.at(-1)?.id : undefined };
  }

  /** As the events so far tell it; for who cannot wait. */
  recordOf(callId: string): CallRecord | undefined {
    return this.calls.get(callId)?.record;
  }

  has(callId: string): boolean {
    return this.calls.has(callId);
  }

  liveCalls(): string[] {
    return [...this.calls.values()].flatMap(({ record }) => (record.state === 'ended' ? [] : [record.id]));
  }

  async get(callId: string): Promise<CallRecord | undefined> {
    return this.calls.get(callId)?.record;
  }

  async timeline(callId: string): Promise<readonly CallEvent[] | undefined> {
    return this.calls.get(callId)?.events;
  }

  /** Of the calls in memory, oldest first: what happened after `since` and before this run. */
  eventsSince(since: Date, before: Date): CallEvent[] {
    const [from, to] = [since.toISOString(), before.toISOString()];
    return inOrder(
      [...this.calls.values()]
        .flatMap(({ events }) => events)
        .filter(({ occurredAt }) => occurredAt >= from && occurredAt < to),
    );
  }

  /**
   * Calls tell their events when these are on disk, and the disk is not equally quick for each: so it goes back a moment
   * before the event, and only what its own call told before is surely known.
   */
  async eventsAfter(eventId: string): Promise<readonly CallEvent[] | undefined> {
    const all = [...this.calls.values()].flatMap(({ events }) => events);
    const last = all.find(({ id }) => id === eventId);
    if (last === undefined) return undefined;
    const from = new Date(Date.parse(last.occurredAt) - toldOutOfOrderMs).toISOString();
    return inOrder(
      all.filter(({ occurredAt, callId, sequence }) =>
        callId === last.callId ? sequence > last.sequence : occurredAt >= from,
      ),
    );
  }

  async transcript(callId: string): Promise<readonly TurnRecord[] | undefined> {
    return this.calls.get(callId)?.turns;
  }

  /** Every event of a call, from disk where it has ended; undefined: there is no such call. */
  async load(callId: string): Promise<readonly CallEvent[] | undefined> {
    const known = this.calls.get(callId);
    if (known !== undefined && known.record.state !== 'ended') return known.events;
    const read = await this.journal.read(callId);
    return read === undefined || read.events.length === 0 ? known?.events : read.events;
  }

  /** Of a call that has ended: puts other events in the place of its own, on disk and in memory. */
  async rewrite(callId: string, change: (events: readonly CallEvent[]) => readonly CallEvent[]): Promise<void> {
    await this.journal.rewrite(callId, change);
    const known = this.calls.get(callId);
    if (known === undefined) return;
    let again: StoredCall | undefined;
    for (const event of change(known.events)) again = foldEvent(again, event);
    if (again !== undefined) this.calls.set(callId, { ...again, record: known.record });
  }

  async eraseCall(callId: string): Promise<void> {
    await this.journal.remove(callId);
    this.calls.delete(callId);
  }

  days(): Promise<string[]> {
    return this.journal.days();
  }

  /** Returns how many calls are gone; one that lives stays. */
  async eraseDay(day: string): Promise<number> {
    let gone = 0;
    for (const callId of await this.endedOf(day)) {
      await this.eraseCall(callId);
      gone += 1;
    }
    await this.journal.removeEmptyDay(day);
    return gone;
  }

  /** Once for each day; returns how many calls were rewritten. */
  async rewriteDay(day: string, change: (events: readonly CallEvent[]) => readonly CallEvent[]): Promise<number> {
    if (await this.journal.isMarked(day)) return 0;
    const ended = await this.endedOf(day);
    for (const callId of ended) await this.rewrite(callId, change);
    if (ended.length === (await this.journal.idsOf(day)).length) await this.journal.mark(day);
    return ended.length;
  }

  private async endedOf(day: string): Promise<string[]> {
    const ids = await this.journal.idsOf(day);
    return ids.filter((callId) => (this.calls.get(callId)?.record.state ?? 'ended') === 'ended');
  }

  /** Resolves when everything recorded is on disk or has failed. */
  async flush(): Promise<void> {
    await this.journal.flush();
  }

  private endLostCall(call: StoredCall): CallEvent {
    const last = call.events.at(-1);
    const event = lostCallEnd({ record: call.record, last }, this.options.sources.now);
    void this.record(event);
    return event;
  }

  private bounded(call: StoredCall): StoredCall {
    if (call.events.length <= this.keepEvents) return call;
    this.counted.timelineEventsDropped += 1;
    // The first stays, it says what call this was; what falls out is the oldest of the rest.
    return { ...call, events: [call.events[0]!, ...call.events.slice(2)] };
  }

  /** Live calls are never forgotten. */
  private forgetOldest(): void {
    let surplus = this.calls.size - this.keepCalls;
    for (const [callId, call] of this.calls) {
      if (surplus <= 0) return;
      if (call.record.state !== 'ended') continue;
      this.calls.delete(callId);
      this.counted.callsForgotten += 1;
      surplus -= 1;
    }
  }
}

function inOrder(events: CallEvent[]): CallEvent[] {
  return events.sort(
    (left, right) => left.occurredAt.localeCompare(right.occurredAt) || left.sequence - right.sequence,
  );
}

function startOf(call: ReadCall): string {
  return call.events[0]?.occurredAt ?? '';
}
