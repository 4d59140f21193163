/** The schema of the database as the steps that lead to it: what stands here is never changed, only added to. */
import type { Database, Statement } from './database';

export const migrations: readonly (readonly string[])[] = [
  // 1: events on their way to receivers.
  [
    `create table webhook_events (
       id text primary key,
       call_id text not null,
       sequence integer not null,
       type text not null,
       occurred_at timestamptz not null,
       body text not null
     )`,
    `create index webhook_events_by_call on webhook_events (call_id, sequence)`,
    `create index webhook_events_by_time on webhook_events (occurred_at)`,
    // position: the order in which deliveries were asked for; an endpoint gets a call's events in it.
    `create table webhook_deliveries (
       position bigserial primary key,
       node text not null,
       endpoint text not null,
       event_id text not null references webhook_events (id) on delete cascade,
       state text not null default 'waiting',
       attempts integer not null default 0,
       first_attempt_at timestamptz,
       next_attempt_at timestamptz,
       last_status integer,
       last_error text,
       settled_at timestamptz,
       unique (endpoint, event_id)
     )`,
    `create index webhook_deliveries_by_event on webhook_deliveries (event_id)`,
    `create index webhook_deliveries_waiting on webhook_deliveries (node, endpoint, position) where state = 'waiting'`,
    `create table trunkline_nodes (
       node text primary key,
       started_at timestamptz not null,
       stopped_at timestamptz
     )`,
  ],
  // 2: several agents on one database. alive_until is by the database's clock; null: that agent is alone on it.
  [
    `alter table trunkline_nodes add column name text, add column alive_until timestamptz, add column taken_by text`,
    `create table trunkline_calls (
       id text primary key,
       node text not null,
       state text not null,
       started_at timestamptz not null,
       last_sequence integer not null,
       record text not null
     )`,
    `create index trunkline_calls_by_time on trunkline_calls (started_at, id)`,
    `create index trunkline_calls_live on trunkline_calls (node) where state <> 'ended'`,
  ],
  // 3: passages of knowledge folders. Plain numbers, so that a server without pgvector keeps them as well.
  [
    `create table knowledge_passages (
       knowledge text not null,
       model text not null,
       hash text not null,
       file text not null,
       heading text not null,
       passage text not null,
       embedding real[] not null,
       primary key (knowledge, model, hash)
     )`,
  ],
];

/** Two agents that start at once on one database: the second waits for this lock, then finds nothing to do. */
const migrationLock: Statement = { sql: `lock table trunkline_schema in access exclusive mode` };

/** Brings the schema to the newest step, or to `to` in tests; returns the step that it had. */
export async function migrate(database: Database, to = migrations.length): Promise<number> {
  await database.query({
    sql: `create table if not exists trunkline_schema (step integer primary key, applied_at timestamptz not null default now())`,
  });
  const had = await stepOf(database);
  for (let step = had + 1; step <= to; step += 1) {
    const statements = migrations[step - 1] ?? [];
    try {
      await database.transaction([
        migrationLock,
        // Fails when somebody else has just done this step: then all of it is taken back.
        { sql: `insert into trunkline_schema (step) values ($1)`, values: [step] },
        ...statements.map((sql) => ({ sql })),
      ]);
    } catch (error) {
      if ((await stepOf(database)) < step) throw error;
    }
  }
  return had;
}

async function stepOf(database: Database): Promise<number> {
  const [row] = await database.query({ sql: `select coalesce(max(step), 0) as step from trunkline_schema` });
  return Number(row?.['step'] ?? 0);
}
