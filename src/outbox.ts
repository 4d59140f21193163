/**
 * Opens what outlives the process for webhooks, behind the start: the database, the ledger in it, what earlier runs left. Where
 * PostgreSQL is shared with other agents, also the lease by which they know of one another.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Config } from './config';
import type { CallEvent } from './core/call-event';
import type { CallRecord } from './core/call-record';
import type { CallRecords } from './core/call-records';
import type { Clock } from './core/clock';
import type { DeliveryPage, DeliveryQuery, ReplayRequest } from './core/delivery';
import { TrunklineError } from './core/errors';
import type { Logger } from './core/log';
import { systemErrorCode } from './core/system-error';
import type { CallStore } from './store/call-store';
import type { Database } from './store/database';
import { PersistentLedger } from './store/delivery-ledger';
import { type LostCall, lostCallEnd } from './store/lost-call';
import { NodeLease } from './store/node-lease';
import type { SharedDatabase } from './store/shared-database';
import { SharedRecords } from './store/shared-records';
import type { WebhookDispatcher } from './webhooks/webhook-dispatcher';

export interface OutboxOptions {
  readonly config: Pick<Config, 'database' | 'node' | 'webhooks'>;
  readonly database: SharedDatabase;
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly now: () => Date;
  readonly logger: Logger;
  readonly webhooks: WebhookDispatcher;
  readonly store: CallStore;
  /** Ends of calls that the death of the run before cut off, as this agent's records have them. */
  readonly lost: readonly CallEvent[];
  /** Of a call that another agent had: told like one of ours. */
  readonly tell: (event: CallEvent) => void;
}

export interface Outbox {
  readonly unsaved: number;
  /** Agents whose events and calls were taken over; and how often that happened to this one. */
  readonly nodes: { readonly takenOver: number; readonly lost: number };
  /** Calls of this agent and, as long as the shared database answers, of the others. */
  readonly records: CallRecords & { elsewhere(callId: string): Promise<string | undefined> };
  /** Another agent has told that the call is over: nothing more may be told of it. */
  disowned(callId: string): boolean;
  /** All reject with `webhook.no-database` as long as it is not open. */
  list(query: DeliveryQuery): Promise<DeliveryPage>;
  forget(callId: string, what: 'call' | 'transcript'): Promise<void>;
  /** How many are sent again. */
  replay(request: ReplayRequest): Promise<number>;
  close(): Promise<void>;
}

/** A database that is not there yet is asked again after this long; deliveries go out meanwhile, from memory alone. */
const openAgainMs = 10_000;
/** Longer than this nothing is held back for what an earlier run left. */
const holdMs = 30_000;
const mostReplayed = 10_000;
const mostEnded = 10_000;
/** What was told in the last moments of a run that died may be told twice to the records and never to the database. */
const lastMomentsMs = 60_000;

export function openOutbox(options: OutboxOptions): Outbox {
  const { config, dataFolder, clock, now, logger, webhooks, store, lost, tell } = options;
  const { url, keepDays } = config.database;
  const startedAt = now();
  let ledger: PersistentLedger | undefined;
  let lease: NodeLease | undefined;
  let closed = false;
  let released = false;
  let pause: (() => void) | undefined;
  /** Calls of other agents that are ended from here. */
  const ended = new Map<string, CallRecord>();
  const disowned = new Set<string>();
  const records = new SharedRecords(store);

  const release = async (open?: PersistentLedger, missed: readonly CallEvent[] = []): Promise<void> => {
    if (released && open === undefined) return;
    hold.cancel();
    await webhooks.resume(open, missed);
    released = true;
  };
  const hold = clock.after(holdMs, () => void release(undefined, lost));

  const endLost = (call: LostCall): void => {
    const end = lostCallEnd(call, now);
    ended.set(call.record.id, { ...call.record, state: 'ended', endedAt: end.occurredAt, cause: 'lost' });
    tell(end);
    // The record is kept with the event: what is this old is in the database.
    for (const callId of ended.keys()) if (ended.size > mostEnded) ended.delete(callId);
  };

  const joinOthers = async (database: Database, opened: PersistentLedger, node: string): Promise<void> => {
    const name = config.node.name ?? `${hostname()}-${node.slice(-6)}`;
    const taken = await NodeLease.take({
      database,
      node,
      name,
      leaseSeconds: config.node.leaseSeconds,
      clock,
      logger,
      onEstate: ({ waiting, more, calls }) => {
        webhooks.replay(waiting, more);
        for (const call of calls) endLost(call);
      },
      onLost: async () => {
        for (const callId of store.liveCalls()) disowned.add(callId);
        webhooks.letGo();
        await webhooks.resume(opened);
      },
    });
    lease = taken;
    records.share(database, node, name);
    logger.info('this agent shares its database with others', { name, leaseSeconds: config.node.leaseSeconds });
  };

  const open = async (): Promise<void> => {
    let database: Database | undefined;
    try {
      const shared = url !== undefined;
      database = await options.database.open();
      const node = await agentIdOf(dataFolder);
      const opened = await PersistentLedger.open({
        database,
        node,
        recordOf: shared ? (callId) => store.recordOf(callId) ?? ended.get(callId) : undefined,
        clock,
        now,
        logger,
        endpoints: config.webhooks.endpoints.map(({ url: endpoint }) => endpoint),
        keepDays,
      });
      const lastKept = await opened.beginRun();
      const since = lastKept === undefined ? startedAt : new Date(lastKept.getTime() - lastMomentsMs);
      const missed = await opened.missing([
        ...store.eventsSince(since, startedAt).filter(({ id }) => !lost.some((end) => end.id === id)),
        ...lost,
      ]);
      if (shared) await joinOthers(database, opened, node);
      ledger = opened;
      // Released already: then the ends were told from memory.
      await release(opened, released ? missed.filter(({ id }) => !lost.some((end) => end.id === id)) : missed);
      for (const call of (await lease?.ownLiveCalls()) ?? []) if (!store.has(call.record.id)) endLost(call);
      logger.info('events on their way to receivers are kept in the database', {
        kind: shared ? 'postgres' : 'embedded',
        tookMs: Math.round(now().getTime() - startedAt.getTime()),
        missed: missed.length,
      });
    } catch (error) {
      ledger = undefined;
      await lease?.stop();
      await database?.close().catch(() => undefined);
      const code = error instanceof TrunklineError ? error.code : 'database.failed';
      const fix = error instanceof TrunklineError ? error.fix : undefined;
      logger.error('The database cannot be opened: events wait in memory only.', { code, fix, error: String(error) });
      await release(undefined, lost);
      if (closed) return;
      await new Promise<void>((resolve) => {
        const timer = clock.after(openAgainMs, resolve);
        pause = () => {
          timer.cancel();
          resolve();
        };
      });
      if (!closed) await open();
    }
  };
  const opening = open();
  const mustBeOpen = (): PersistentLedger => {
    if (ledger !== undefined) return ledger;
    throw new TrunklineError('webhook.no-database', 'The database of deliveries is not open.', {
      fix: 'Try again in a moment; if it lasts, the log says why it cannot be opened.',
    });
  };
  return {
    get unsaved() {
      return ledger?.counts.unsaved ?? 0;
    },
    get nodes() {
      return lease?.counts ?? { takenOver: 0, lost: 0 };
    },
    records,
    disowned: (callId) => disowned.has(callId),
    list: async (query) => mustBeOpen().list(query),
    forget: async (callId, what) => mustBeOpen().forget(callId, what),
    replay: async (request) => webhooks.replay(await mustBeOpen().replay(request, mostReplayed)),
    async close() {
      closed = true;
      hold.cancel();
      pause?.();
      await opening;
      await lease?.stop();
      await ledger?.close();
    },
  };
}

/** Each data folder is an agent of its own, wherever it runs and wherever its database is. */
async function agentIdOf(dataFolder: string): Promise<string> {
  const path = join(dataFolder, 'agent-id');
  await mkdir(dataFolder, { recursive: true, mode: 0o700 });
  // Written once: another process that does so at the same time has the same folder, and its id is taken.
  await writeFile(path, `agent_${randomUUID()}\n`, { flag: 'wx', mode: 0o600 }).catch((error: unknown) => {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  });
  return (await readFile(path, 'utf8')).trim();
}
