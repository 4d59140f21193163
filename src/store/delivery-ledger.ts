/**
 * The outbox: every event that a receiver wants is in the database until it was taken, and for some days after, so that
 * nothing is lost with the process and everything can be looked at and sent again.
 *
 * Nobody waits for it. What is added or noted is written in the order in which it came, as many as there are in one
 * transaction; while the database does not answer they wait in memory, bounded and counted.
 */
import type { CallEvent } from '../core/call-event';
import { callEventSchema } from '../core/call-event';
import type { CallRecord } from '../core/call-record';
import type { Clock, Timer } from '../core/clock';
import type {
  DeliveryLedger,
  DeliveryNote,
  DeliveryPage,
  DeliveryQuery,
  ReplayRequest,
  WaitingDelivery,
} from '../core/delivery';
import { TrunklineError } from '../core/errors';
import type { Logger } from '../core/log';
import { type Database, dateIn, type Row, type Statement } from './database';
import {
  addStatement,
  deliveryOf,
  giveUpRemovedStatement,
  listStatement,
  noteStatement,
  replayStatement,
} from './delivery-statements';
import { migrate } from './migrations';
import { forgetCalls, keepCallsStatement, overtakenStatement } from './shared-call-statements';

export interface LedgerOptions {
  readonly database: Database;
  /** Which of several agents on one database this is; it delivers its own events. */
  readonly node: string;
  /** Others share the database: every event is kept there with the record of its call, and told after that. */
  readonly recordOf?: ((callId: string) => CallRecord | undefined) | undefined;
  readonly clock: Clock;
  readonly now: () => Date;
  readonly logger: Logger;
  /** Receivers of the configuration; what waits for another one is given up after a day. Left out: nothing is. */
  readonly endpoints?: readonly string[] | undefined;
  /** Days for which settled deliveries can be looked at and replayed. */
  readonly keepDays: number;
  /** Writes that wait in memory at most. */
  readonly maxPending?: number;
}

interface Added {
  readonly event: CallEvent;
  readonly endpoints: readonly string[];
  /** It is kept, or cannot be for now. */
  readonly settled: () => void;
}

const mostPerTransaction = 500;
const retryMs = 2_000;
const tidyEveryMs = 3_600_000;

export class PersistentLedger implements DeliveryLedger {
  private added: Added[] = [];
  /** The newest of each delivery: what an attempt says replaces what the one before it said. */
  private noted = new Map<string, DeliveryNote>();
  private writing: Promise<void> | undefined;
  private retry: Timer | undefined;
  private tidying: Timer | undefined;
  private failing = false;
  private closed = false;
  private readonly counted = { saved: 0, unsaved: 0, failures: 0 };

  private constructor(private readonly options: LedgerOptions) {}

  /** Brings the schema up to date and says that this agent is running. */
  static async open(options: LedgerOptions): Promise<PersistentLedger> {
    await migrate(options.database);
    const ledger = new PersistentLedger(options);
    ledger.tidyLater(0);
    return ledger;
  }

  /** `unsaved`: writes for which there was no room while the database did not answer. */
  get counts(): {
    readonly saved: number;
    readonly unsaved: number;
    readonly failures: number;
    readonly pending: number;
  } {
    return { ...this.counted, pending: this.added.length + this.noted.size };
  }

  /**
   * When the last event was kept, if the run before this one ended without saying so: what its journals hold beyond that
   * was on its way when it died. Begins this run.
   */
  async beginRun(): Promise<Date | undefined> {
    const { database, node, now } = this.options;
    const [before] = await database.query({
      sql: `select n.stopped_at, (select max(e.occurred_at) from webhook_events e join webhook_deliveries d on d.event_id = e.id
              where d.node = $1) as last from trunkline_nodes n where n.node = $1`,
      values: [node],
    });
    await database.query({
      sql: `insert into trunkline_nodes (node, started_at) values ($1, $2::timestamptz)
            on conflict (node) do update set started_at = excluded.started_at, stopped_at = null`,
      values: [node, now().toISOString()],
    });
    if (before === undefined || before['stopped_at'] !== null) return undefined;
    return dateIn(before, 'last');
  }

  /** Those of `events` that were never kept, and that no other agent has overtaken. */
  async missing(events: readonly CallEvent[]): Promise<CallEvent[]> {
    const { database, recordOf } = this.options;
    const known = await database.query({
      sql: `select id from webhook_events where id = any($1::text[])`,
      values: [events.map(({ id }) => id)],
    });
    const overtaken = recordOf === undefined ? [] : await database.query(overtakenStatement(events));
    const ids = new Set([...known, ...overtaken].map(({ id }) => id));
    return events.filter(({ id }) => !ids.has(id));
  }

  add(event: CallEvent, endpoints: readonly string[]): Promise<void> | undefined {
    const { recordOf } = this.options;
    if ((endpoints.length === 0 && recordOf === undefined) || !this.hasRoom()) return undefined;
    const settled = new Promise<void>((resolve) => {
      this.added.push({ event, endpoints, settled: resolve });
      // In an outage nobody waits.
      if (this.failing) resolve();
    });
    this.write();
    return recordOf === undefined ? undefined : settled;
  }

  note(note: DeliveryNote): void {
    const key = `${note.eventId} ${note.endpoint}`;
    if (!this.noted.has(key) && !this.hasRoom()) return;
    this.noted.set(key, note);
    this.write();
  }

  async waiting(endpoint: string, most: number): Promise<WaitingDelivery[]> {
    await this.flush();
    const rows = await this.options.database.query({
      sql: `select e.body, d.attempts, d.first_attempt_at from webhook_deliveries d join webhook_events e on e.id = d.event_id
            where d.node = $1 and d.endpoint = $2 and d.state = 'waiting' order by d.position limit $3`,
      values: [this.options.node, endpoint, most],
    });
    return rows.flatMap(waitingOf);
  }

  async list(query: DeliveryQuery): Promise<DeliveryPage> {
    if (query.cursor !== undefined && !/^\d{1,18}$/.test(query.cursor)) {
      throw new TrunklineError('store.bad-cursor', 'The cursor points at no delivery.', {
        fix: 'Begin again without a cursor.',
      });
    }
    await this.flush();
    const rows = await this.options.database.query(listStatement(query));
    const page = rows.slice(0, query.limit);
    const last = page.at(-1)?.['position'];
    return {
      deliveries: page.map(deliveryOf),
      ...(rows.length > query.limit && last !== undefined ? { nextCursor: String(last) } : {}),
    };
  }

  /** Makes them wait again, behind everything that waits; returns them by endpoint, in order. */
  async replay(request: ReplayRequest, most: number): Promise<ReadonlyMap<string, WaitingDelivery[]>> {
    await this.flush();
    const rows = await this.options.database.query(replayStatement(request, this.options.node, most));
    const again = new Map<string, WaitingDelivery[]>();
    for (const row of rows) {
      const endpoint = String(row['endpoint']);
      again.set(endpoint, [...(again.get(endpoint) ?? []), ...waitingOf(row)]);
    }
    return again;
  }

  /** Of that call, what is settled, and its record with `call`; what waits is still delivered. */
  async forget(callId: string, what: 'call' | 'transcript'): Promise<void> {
    await this.flush();
    if (what === 'call')
      await this.options.database.query({ sql: `delete from trunkline_calls where id = $1`, values: [callId] });
    await this.options.database.query({
      sql: `delete from webhook_events e where e.call_id = $1
            and not exists (select 1 from webhook_deliveries d where d.event_id = e.id and d.state = 'waiting')`,
      values: [callId],
    });
  }

  /** Resolves when everything so far is written, or could not be. */
  async flush(): Promise<void> {
    while (this.writing !== undefined) await this.writing;
  }

  /** Says that this run ended in order; whatever is left unwritten is counted. */
  async close(): Promise<void> {
    this.closed = true;
    this.tidying?.cancel();
    this.retry?.cancel();
    this.retry = undefined;
    this.write();
    await this.flush();
    const { database, node, now } = this.options;
    if (this.counts.pending === 0) {
      await database
        .query({
          // What is left waits for nobody: another agent on this database goes on with it.
          sql: `update trunkline_nodes set stopped_at = $2::timestamptz, alive_until = least(alive_until, now()) where node = $1`,
          values: [node, now().toISOString()],
        })
        .catch(() => undefined);
    }
    await database.close();
  }

  private hasRoom(): boolean {
    if (this.counts.pending < (this.options.maxPending ?? 20_000)) return true;
    this.counted.unsaved += 1;
    return false;
  }

  private write(): void {
    if (this.writing !== undefined || this.retry !== undefined || this.counts.pending === 0) return;
    this.writing = this.writeSome().finally(() => {
      this.writing = undefined;
      this.write();
    });
  }

  private async writeSome(): Promise<void> {
    const { database, node } = this.options;
    // A tick later: the events of one moment go together.
    await new Promise<void>((resolve) => setImmediate(resolve));
    const added = this.added.slice(0, mostPerTransaction);
    const noted = [...this.noted].slice(0, mostPerTransaction);
    // Notes of events that are added in a later transaction stay for it.
    const later = new Set(this.added.slice(mostPerTransaction).map(({ event }) => event.id));
    const ready = noted.filter(([, { eventId }]) => !later.has(eventId));
    const statements: Statement[] = [
      ...(added.length > 0 ? [addStatement(added, node), ...this.callStatements(added)] : []),
      ...(ready.length > 0 ? [noteStatement(ready.map(([, note]) => note))] : []),
    ];
    try {
      await database.transaction(statements);
    } catch (error) {
      this.failed(error);
      return;
    }
    this.failing = false;
    this.counted.saved += added.length;
    this.added = this.added.slice(added.length);
    for (const { settled } of added) settled();
    for (const [key, note] of ready) if (this.noted.get(key) === note) this.noted.delete(key);
  }

  /** The calls' records as they are now: the newest event of each may be on its way behind these. */
  private callStatements(added: readonly Added[]): Statement[] {
    const { recordOf, node } = this.options;
    if (recordOf === undefined) return [];
    const newest = new Map(added.map(({ event }) => [event.callId, event.sequence]));
    const kept = [...newest].flatMap(([callId, lastSequence]) => {
      const record = recordOf(callId);
      return record === undefined ? [] : [{ record, lastSequence }];
    });
    return kept.length === 0 ? [] : [keepCallsStatement(kept, node)];
  }

  private failed(error: unknown): void {
    this.counted.failures += 1;
    if (!this.failing) {
      const code = error instanceof TrunklineError ? error.code : 'database.failed';
      const fix = error instanceof TrunklineError ? error.fix : undefined;
      this.options.logger.error('Events on their way cannot be kept in the database.', {
        code,
        fix,
        error: String(error),
      });
    }
    this.failing = true;
    for (const { settled } of this.added) settled();
    this.retry = this.closed
      ? ({ cancel: () => undefined } as Timer)
      : this.options.clock.after(retryMs, () => {
          this.retry = undefined;
          this.write();
        });
  }

  /** What has been settled for `keepDays` is forgotten, and what waits for a receiver that is gone is settled. */
  private tidyLater(afterMs: number): void {
    this.tidying = this.options.clock.after(afterMs, () => {
      void this.tidy().catch(() => undefined);
      if (!this.closed) this.tidyLater(tidyEveryMs);
    });
  }

  private async tidy(): Promise<void> {
    const { database, node, endpoints, keepDays, now } = this.options;
    const daysAgo = (days: number): string => new Date(now().getTime() - days * 86_400_000).toISOString();
    if (endpoints !== undefined) await database.query(giveUpRemovedStatement(node, endpoints, daysAgo(1), daysAgo(0)));
    await database.query({
      sql: `delete from webhook_events e where e.occurred_at < $1::timestamptz
            and not exists (select 1 from webhook_deliveries d where d.event_id = e.id and d.state = 'waiting')`,
      values: [daysAgo(keepDays)],
    });
    await database.query({ sql: forgetCalls, values: [daysAgo(keepDays)] });
  }
}

export function waitingOf(row: Row): WaitingDelivery[] {
  const parsed = callEventSchema.safeParse(JSON.parse(String(row['body'])));
  // Written by a later version: that one will deliver it.
  if (!parsed.success) return [];
  return [{ event: parsed.data, attempts: Number(row['attempts']), firstAttemptAt: dateIn(row, 'first_attempt_at') }];
}
