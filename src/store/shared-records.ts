/**
 * The calls of all agents on one database: this agent's own from its memory, the others' from what they keep there with their
 * events. While the database does not answer, its own alone.
 */
import type { CallEvent } from '../core/call-event';
import { callEventSchema } from '../core/call-event';
import { type CallRecord, callRecordSchema, type TurnRecord } from '../core/call-record';
import type { CallPage, CallQuery, CallRecords } from '../core/call-records';
import { TrunklineError } from '../core/errors';
import type { Database, Row } from './database';
import { callStatement, eventsOfCallStatement, listCallsStatement } from './shared-call-statements';
import { foldEvent, type StoredCall } from './stored-call';

interface Shared {
  readonly database: Database;
  readonly node: string;
  readonly name: string;
}

interface Placed {
  readonly node: string;
  readonly record: CallRecord;
}

export class SharedRecords implements CallRecords {
  private shared: Shared | undefined;

  constructor(private readonly own: CallRecords) {}

  share(database: Database, node: string, name: string): void {
    this.shared = { database, node, name };
  }

  /** The name of the other agent that has this call, if one has. */
  async elsewhere(callId: string): Promise<string | undefined> {
    const found = (await this.own.get(callId)) === undefined ? await this.find(callId) : undefined;
    return found === undefined || found.node === this.shared?.node ? undefined : found.record.node;
  }

  async list(query: CallQuery): Promise<CallPage> {
    const { shared } = this;
    if (shared === undefined) return this.own.list(query);
    const cursor = query.cursor === undefined ? undefined : await this.get(query.cursor);
    // Says what is wrong with it.
    if (query.cursor !== undefined && cursor === undefined) return this.own.list(query);
    const rows = await ask(shared.database, listCallsStatement(query, cursor));
    if (rows === undefined) return this.own.list(query);
    const found = new Map(rows.flatMap(placedOf).map(({ record }) => [record.id, record]));
    // What happened here a moment ago may be on its way to the database.
    const { calls: own } = cursor === undefined ? await this.own.list({ ...query, cursor: undefined }) : { calls: [] };
    for (const record of own) found.set(record.id, this.named(record));
    for (const id of found.keys()) {
      const record = await this.own.get(id);
      if (record !== undefined) found.set(id, this.named(record));
    }
    const fitting = [...found.values()]
      .filter(({ state }) => query.state === undefined || state === query.state)
      .sort((left, right) => order(right).localeCompare(order(left)));
    const calls = fitting.slice(0, query.limit);
    const more = fitting.length > query.limit || rows.length > query.limit;
    return { calls, nextCursor: more ? calls.at(-1)?.id : undefined };
  }

  async get(callId: string): Promise<CallRecord | undefined> {
    const own = await this.own.get(callId);
    return own === undefined ? (await this.find(callId))?.record : this.named(own);
  }

  async timeline(callId: string): Promise<readonly CallEvent[] | undefined> {
    return (await this.own.timeline(callId)) ?? (await this.eventsElsewhere(callId));
  }

  async transcript(callId: string): Promise<readonly TurnRecord[] | undefined> {
    const own = await this.own.transcript(callId);
    if (own !== undefined) return own;
    let call: StoredCall | undefined;
    for (const event of (await this.eventsElsewhere(callId)) ?? []) call = foldEvent(call, event);
    return call?.turns;
  }

  /** Of this agent, as what it tells live is. */
  eventsAfter(eventId: string): Promise<readonly CallEvent[] | undefined> {
    return this.own.eventsAfter(eventId);
  }

  private named(record: CallRecord): CallRecord {
    return this.shared === undefined ? record : { ...record, node: this.shared.name };
  }

  private async find(callId: string): Promise<Placed | undefined> {
    const rows = this.shared && (await ask(this.shared.database, callStatement(callId)));
    return rows?.flatMap(placedOf)[0];
  }

  private async eventsElsewhere(callId: string): Promise<CallEvent[] | undefined> {
    if (this.shared === undefined || (await this.find(callId)) === undefined) return undefined;
    const rows = await ask(this.shared.database, eventsOfCallStatement(callId));
    return rows?.flatMap((row) => {
      const parsed = callEventSchema.safeParse(JSON.parse(String(row['body'])));
      return parsed.success ? [parsed.data] : [];
    });
  }
}

export function callElsewhere(node: string): TrunklineError {
  return new TrunklineError('call.elsewhere', `The call is with another agent, ${node}.`, {
    fix: 'Ask that agent: a call is steered where it is.',
    details: { node },
  });
}

/** Undefined: the database does not answer. */
async function ask(database: Database, statement: Parameters<Database['query']>[0]) {
  try {
    return await database.query(statement);
  } catch {
    return undefined;
  }
}

function placedOf(row: Row): Placed[] {
  const parsed = callRecordSchema.safeParse(JSON.parse(String(row['record'])));
  if (!parsed.success) return [];
  return [{ node: String(row['node']), record: { ...parsed.data, node: String(row['name'] ?? row['node']) } }];
}

/** As the database sorts them: by time, then by id. */
function order({ startedAt, id }: CallRecord): string {
  return `${startedAt} ${id}`;
}
