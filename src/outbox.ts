/** Opens what outlives the process for webhooks, behind the start: the database, the ledger in it, what earlier runs left. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from './config';
import type { CallEvent } from './core/call-event';
import type { Clock } from './core/clock';
import type { DeliveryPage, DeliveryQuery, ReplayRequest } from './core/delivery';
import { TrunklineError } from './core/errors';
import type { Logger } from './core/log';
import { systemErrorCode } from './core/system-error';
import type { Database } from './store/database';
import { PersistentLedger } from './store/delivery-ledger';
import { openEmbeddedDatabase } from './store/embedded-database';
import { postgresDatabase } from './store/postgres-database';
import type { WebhookDispatcher } from './webhooks/webhook-dispatcher';
import { workerEntry } from './workers/locate';

export interface OutboxOptions {
  readonly config: Pick<Config, 'database'>;
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly now: () => Date;
  readonly logger: Logger;
  readonly webhooks: WebhookDispatcher;
  /** What the call records hold of the time between. */
  readonly earlierEvents: (since: Date, before: Date) => readonly CallEvent[];
}

export interface Outbox {
  readonly unsaved: number;
  /** All reject with `webhook.no-database` as long as it is not open. */
  list(query: DeliveryQuery): Promise<DeliveryPage>;
  forget(callId: string): Promise<void>;
  /** How many are sent again. */
  replay(request: ReplayRequest): Promise<number>;
  close(): Promise<void>;
}

/** A database that is not there yet is asked again after this long; deliveries go out meanwhile, from memory alone. */
const openAgainMs = 10_000;
/** Longer than this nothing is held back for what an earlier run left. */
const holdMs = 30_000;
const mostReplayed = 10_000;
/** What was told in the last moments of a run that died may be told twice to the records and never to the database. */
const lastMomentsMs = 60_000;

export function openOutbox(options: OutboxOptions): Outbox {
  const { config, dataFolder, clock, now, logger, webhooks, earlierEvents } = options;
  const startedAt = now();
  let ledger: PersistentLedger | undefined;
  let closed = false;
  let released = false;
  let pause: (() => void) | undefined;

  const release = async (open?: PersistentLedger, missed: readonly CallEvent[] = []): Promise<void> => {
    if (released && open === undefined) return;
    hold.cancel();
    await webhooks.resume(open, missed);
    released = true;
  };
  const hold = clock.after(holdMs, () => void release());

  const open = async (): Promise<void> => {
    let database: Database | undefined;
    try {
      database = await openDatabase(config.database.url, dataFolder);
      const opened = await PersistentLedger.open({
        database,
        node: await agentIdOf(dataFolder),
        clock,
        now,
        logger,
        keepDays: config.database.keepDays,
      });
      const lastKept = await opened.beginRun();
      const since = lastKept === undefined ? undefined : new Date(lastKept.getTime() - lastMomentsMs);
      const missed = since === undefined ? [] : await opened.missing(earlierEvents(since, startedAt));
      ledger = opened;
      await release(opened, missed);
      logger.info('events on their way to receivers are kept in the database', {
        kind: config.database.url === undefined ? 'embedded' : 'postgres',
        tookMs: Math.round(now().getTime() - startedAt.getTime()),
        missed: missed.length,
      });
    } catch (error) {
      ledger = undefined;
      await database?.close().catch(() => undefined);
      const code = error instanceof TrunklineError ? error.code : 'database.failed';
      const fix = error instanceof TrunklineError ? error.fix : undefined;
      logger.error('The database cannot be opened: events wait in memory only.', { code, fix, error: String(error) });
      await release();
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
    list: async (query) => mustBeOpen().list(query),
    forget: async (callId) => mustBeOpen().forget(callId),
    replay: async (request) => webhooks.replay(await mustBeOpen().replay(request, mostReplayed)),
    async close() {
      closed = true;
      hold.cancel();
      pause?.();
      await opening;
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

async function openDatabase(url: string | undefined, dataFolder: string): Promise<Database> {
  return url === undefined
    ? openEmbeddedDatabase(join(dataFolder, 'database'), workerEntry('database'))
    : postgresDatabase(url);
}
