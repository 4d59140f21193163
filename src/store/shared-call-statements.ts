/** SQL of the calls that several agents keep in one database, so that each can tell of all, and end those of one that died. */
import type { CallRecord } from '../core/call-record';
import type { CallQuery } from '../core/call-records';
import type { Statement } from './database';

/** A call that another agent has taken over stays as that one has told it. */
export function keepCallsStatement(
  kept: readonly { readonly record: CallRecord; readonly lastSequence: number }[],
  node: string,
): Statement {
  return {
    sql: `insert into trunkline_calls as c (id, node, state, started_at, last_sequence, record)
          select id, $1, state, started_at::timestamptz, last_sequence, record
          from unnest($2::text[], $3::text[], $4::text[], $5::integer[], $6::text[])
            as t (id, state, started_at, last_sequence, record)
          on conflict (id) do update set state = excluded.state, record = excluded.record,
            last_sequence = greatest(c.last_sequence, excluded.last_sequence)
          where c.node = excluded.node and c.state <> 'ended'`,
    values: [
      node,
      kept.map(({ record }) => record.id),
      kept.map(({ record }) => record.state),
      kept.map(({ record }) => record.startedAt),
      kept.map(({ lastSequence }) => lastSequence),
      kept.map(({ record }) => JSON.stringify(record)),
    ],
  };
}

export const forgetCalls = `delete from trunkline_calls where state = 'ended' and started_at < $1::timestamptz`;

/** An agent is there while it renews this; null: another one has taken over what it had. */
export function renewStatement(node: string, leaseSeconds: number): Statement {
  return {
    sql: `update trunkline_nodes set alive_until = now() + make_interval(secs => $2)
          where node = $1 and taken_by is null returning node`,
    values: [node, leaseSeconds],
  };
}

export function registerStatement(node: string, name: string, leaseSeconds: number): Statement {
  return {
    sql: `update trunkline_nodes set name = $2, alive_until = now() + make_interval(secs => $3), taken_by = null where node = $1`,
    values: [node, name, leaseSeconds],
  };
}

/**
 * One agent that is gone and has left something: its waiting deliveries and its live calls become those of `node`, at once, so that
 * a call's events stay with one agent. Two who ask at the same moment get different ones (`skip locked`). A row of the answer is
 * either a delivery with its event, of at most `most` in their order, or a call.
 */
export function takeOverStatement(node: string, most: number): Statement {
  return {
    sql: `with gone as (
            select n.node, coalesce(n.name, n.node) as name from trunkline_nodes n
            where n.node <> $1 and n.alive_until < now() and (
              exists (select 1 from webhook_deliveries d where d.node = n.node and d.state = 'waiting')
              or exists (select 1 from trunkline_calls c where c.node = n.node and c.state <> 'ended'))
            order by n.alive_until limit 1 for update skip locked),
          claimed as (update trunkline_nodes n set taken_by = $1 from gone g where n.node = g.node returning n.node),
          deliveries as (
            update webhook_deliveries d set node = $1 from gone g where d.node = g.node and d.state = 'waiting'
            returning d.position, d.endpoint, d.event_id, d.attempts, d.first_attempt_at),
          calls as (
            update trunkline_calls c set node = $1 from gone g where c.node = g.node and c.state <> 'ended'
            returning c.last_sequence, c.record, (select max(e.occurred_at) from webhook_events e where e.call_id = c.id) as last_at)
          (select g.name as gone, d.endpoint, e.body, d.attempts, d.first_attempt_at, null::text as record, null::integer as last_sequence,
              null::timestamptz as last_at
            from gone g, deliveries d join webhook_events e on e.id = d.event_id order by d.position limit $2)
          union all
          select g.name, null, null, null, null, c.record, c.last_sequence, c.last_at from gone g, calls c`,
    values: [node, most],
  };
}

/** What this agent left in an earlier life, or took over and had no time to end. */
export function ownLiveCallsStatement(node: string): Statement {
  return {
    sql: `select c.record, c.last_sequence, (select max(e.occurred_at) from webhook_events e where e.call_id = c.id) as last_at
          from trunkline_calls c where c.node = $1 and c.state <> 'ended'`,
    values: [node],
  };
}

/** Which of these events cannot be told any more: another one has their number, or their call was ended before them. */
export function overtakenStatement(
  events: readonly { readonly id: string; readonly callId: string; readonly sequence: number }[],
): Statement {
  return {
    sql: `select t.id from unnest($1::text[], $2::text[], $3::integer[]) as t (id, call_id, sequence)
          where exists (select 1 from webhook_events e where e.call_id = t.call_id and e.id <> t.id
            and (e.sequence = t.sequence or (e.sequence < t.sequence and e.type = 'call.ended')))`,
    values: [events.map(({ id }) => id), events.map(({ callId }) => callId), events.map(({ sequence }) => sequence)],
  };
}

const placedCall = `select c.record, c.node, n.name from trunkline_calls c left join trunkline_nodes n on n.node = c.node`;

export function callStatement(callId: string): Statement {
  return { sql: `${placedCall} where c.id = $1`, values: [callId] };
}

/** Newest first, one more than asked for. */
export function listCallsStatement({ state, since, limit }: CallQuery, after: CallRecord | undefined): Statement {
  return {
    sql: `${placedCall}
          where ($1::text is null or c.state = $1) and ($2::timestamptz is null or c.started_at >= $2::timestamptz)
            and ($3::timestamptz is null or (c.started_at, c.id) < ($3::timestamptz, $4::text))
          order by c.started_at desc, c.id desc limit $5::integer`,
    values: [state ?? null, since?.toISOString() ?? null, after?.startedAt ?? null, after?.id ?? null, limit + 1],
  };
}

export function eventsOfCallStatement(callId: string): Statement {
  return { sql: `select body from webhook_events where call_id = $1 order by sequence`, values: [callId] };
}
