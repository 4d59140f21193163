/** The outbox's SQL: whole batches as arrays, so that a thousand events are one statement. */
import type { CallEvent } from '../core/call-event';
import {
  type Delivery,
  type DeliveryNote,
  type DeliveryQuery,
  deliverySchema,
  type ReplayRequest,
} from '../core/delivery';
import { dateIn, type Row, type Statement } from './database';

/** Events that are known already are left alone, and so are their deliveries. */
export function addStatement(
  added: readonly { readonly event: CallEvent; readonly endpoints: readonly string[] }[],
  node: string,
): Statement {
  const events = added.map(({ event }) => event);
  const pairs = added.flatMap(({ event, endpoints }) => endpoints.map((endpoint) => ({ endpoint, eventId: event.id })));
  return {
    sql: `with fresh as (
            insert into webhook_events (id, call_id, sequence, type, occurred_at, body)
            select id, call_id, sequence, type, occurred_at::timestamptz, body
            from unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::text[])
              as t (id, call_id, sequence, type, occurred_at, body)
            on conflict (id) do nothing returning id)
          insert into webhook_deliveries (node, endpoint, event_id)
          select $9::text, p.endpoint, p.event_id
          from unnest($7::text[], $8::text[]) with ordinality as p (endpoint, event_id, place)
          join fresh on fresh.id = p.event_id order by p.place`,
    values: [
      events.map(({ id }) => id),
      events.map(({ callId }) => callId),
      events.map(({ sequence }) => sequence),
      events.map(({ type }) => type),
      events.map(({ occurredAt }) => occurredAt),
      events.map((event) => JSON.stringify(event)),
      pairs.map(({ endpoint }) => endpoint),
      pairs.map(({ eventId }) => eventId),
      node,
    ],
  };
}

export function noteStatement(notes: readonly DeliveryNote[]): Statement {
  return {
    sql: `update webhook_deliveries d set state = n.state, attempts = n.attempts,
            first_attempt_at = n.first_attempt_at::timestamptz, next_attempt_at = n.next_attempt_at::timestamptz,
            last_status = n.last_status, last_error = n.last_error, settled_at = n.settled_at::timestamptz
          from unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::integer[], $8::text[], $9::text[])
            as n (endpoint, event_id, state, attempts, first_attempt_at, next_attempt_at, last_status, last_error, settled_at)
          where d.endpoint = n.endpoint and d.event_id = n.event_id`,
    values: [
      notes.map(({ endpoint }) => endpoint),
      notes.map(({ eventId }) => eventId),
      notes.map(({ state }) => state),
      notes.map(({ attempts }) => attempts),
      notes.map(({ firstAttemptAt }) => firstAttemptAt.toISOString()),
      notes.map(({ nextAttemptAt }) => nextAttemptAt?.toISOString() ?? null),
      notes.map(({ lastStatus }) => lastStatus ?? null),
      notes.map(({ lastError }) => lastError ?? null),
      notes.map(({ settledAt }) => settledAt?.toISOString() ?? null),
    ],
  };
}

/** Of `node`: what has waited since before `since` for a receiver that is none of `endpoints`. */
export function giveUpRemovedStatement(
  node: string,
  endpoints: readonly string[],
  since: string,
  settledAt: string,
): Statement {
  return {
    sql: `update webhook_deliveries d set state = 'given-up', last_error = 'webhook.not-configured', next_attempt_at = null,
            settled_at = $4::timestamptz
          from webhook_events e where e.id = d.event_id and d.node = $1 and d.state = 'waiting'
            and d.endpoint <> all($2::text[]) and e.occurred_at < $3::timestamptz`,
    values: [node, [...endpoints], since, settledAt],
  };
}

/** One more than asked for: whether there are more. */
export function listStatement({ state, callId, limit, cursor }: DeliveryQuery): Statement {
  return {
    sql: `select d.position::text as position, d.endpoint, d.state, d.attempts, d.first_attempt_at, d.next_attempt_at,
            d.last_status, d.last_error, d.settled_at, e.id, e.call_id, e.sequence, e.type, e.occurred_at
          from webhook_deliveries d join webhook_events e on e.id = d.event_id
          where ($1::text is null or d.state = $1) and ($2::text is null or e.call_id = $2)
            and ($3::bigint is null or d.position < $3::bigint)
          order by d.position desc limit $4::integer`,
    values: [state ?? null, callId ?? null, cursor ?? null, limit + 1],
  };
}

/** The deliveries get places behind all others, in the order of their events; whoever replays delivers them. */
export function replayStatement(request: ReplayRequest, node: string, most: number): Statement {
  return {
    sql: `with chosen as (
            select q.*, nextval(pg_get_serial_sequence('webhook_deliveries', 'position')) as place from (
              select d.position, e.body
              from webhook_deliveries d join webhook_events e on e.id = d.event_id
              where d.state <> 'waiting' and ($1::text[] is null or e.id = any($1::text[]))
                and ($2::text is null or e.call_id = $2) and ($3::text is null or d.state = $3)
                and ($4::timestamptz is null or e.occurred_at >= $4::timestamptz)
                and ($5::timestamptz is null or e.occurred_at <= $5::timestamptz)
              order by d.position limit $7::integer) q),
          again as (
            update webhook_deliveries d set state = 'waiting', attempts = 0, first_attempt_at = null, next_attempt_at = null,
              settled_at = null, node = $6, position = c.place
            from chosen c where d.position = c.position
            returning d.endpoint, d.attempts, c.body, c.place)
          select endpoint, attempts, body from again order by place`,
    values: [
      request.eventIds === undefined ? null : [...request.eventIds],
      request.callId ?? null,
      request.state ?? null,
      request.since?.toISOString() ?? null,
      request.until?.toISOString() ?? null,
      node,
      most,
    ],
  };
}

export function deliveryOf(row: Row): Delivery {
  const time = (column: string): string | undefined => dateIn(row, column)?.toISOString();
  const given = {
    eventId: row['id'],
    callId: row['call_id'],
    sequence: Number(row['sequence']),
    type: row['type'],
    occurredAt: time('occurred_at'),
    endpoint: withoutQuery(String(row['endpoint'])),
    state: row['state'],
    attempts: Number(row['attempts']),
    firstAttemptAt: time('first_attempt_at'),
    nextAttemptAt: time('next_attempt_at'),
    lastStatus: row['last_status'] ?? undefined,
    lastError: row['last_error'] ?? undefined,
    settledAt: time('settled_at'),
  };
  return deliverySchema.parse(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)));
}

/** A receiver's query or user may be its secret. */
function withoutQuery(endpoint: string): string {
  try {
    const { origin, pathname } = new URL(endpoint);
    return `${origin}${pathname}`;
  } catch {
    return '';
  }
}
