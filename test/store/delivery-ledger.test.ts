/** The outbox on PostgreSQL and on the embedded database alike: what is kept, in which order, and what a death leaves. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CallEvent, CallEventSequence } from '../../src/core/call-event';
import { SystemClock } from '../../src/core/clock';
import type { DeliveryNote } from '../../src/core/delivery';
import { silentLogger } from '../../src/core/log';
import type { Database, Statement } from '../../src/store/database';
import { type LedgerOptions, PersistentLedger } from '../../src/store/delivery-ledger';
import { openEmbeddedDatabase } from '../../src/store/embedded-database';
import { migrate, migrations } from '../../src/store/migrations';
import { postgresDatabase } from '../../src/store/postgres-database';
import { workerEntry } from '../../src/workers/locate';
import { type PostgresServer, postgresInstalled, startPostgres } from '../support/postgres-server';

const url = 'https://crm.example/hook?key=secret';
const startMs = Date.UTC(2026, 0, 31, 9);
let made = 0;

function eventsOf(callId: string, count: number, atMs = startMs): CallEvent[] {
  const sequence = new CallEventSequence(callId, { newId: () => `evt_${++made}`, now: () => new Date(atMs) });
  return Array.from({ length: count }, () => sequence.next('dtmf.received', { digit: '5', durationMs: 80 }));
}

function noteOf({ id }: CallEvent, more: Partial<DeliveryNote> = {}): DeliveryNote {
  const at = new Date(startMs + 1_000);
  return { endpoint: url, eventId: id, state: 'delivered', attempts: 1, firstAttemptAt: at, settledAt: at, ...more };
}

const kinds: { name: string; installed: () => boolean; prepare: () => Promise<Prepared> }[] = [
  { name: 'the embedded database', installed: () => true, prepare: prepareEmbedded },
  { name: 'PostgreSQL', installed: postgresInstalled, prepare: preparePostgres },
];

interface Prepared {
  open(): Promise<Database>;
  remove(): void;
}

async function prepareEmbedded(): Promise<Prepared> {
  const folder = mkdtempSync(join(tmpdir(), 'database-'));
  return {
    open: () => openEmbeddedDatabase(folder, workerEntry('database')),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function preparePostgres(): Promise<Prepared> {
  const server = await startPostgres();
  return { open: async () => postgresDatabase(server.url), remove: () => server.remove() };
}

function open(database: Database, more: Partial<Pick<LedgerOptions, 'keepDays' | 'now' | 'node' | 'endpoints'>> = {}) {
  return PersistentLedger.open({
    database,
    node: 'here',
    clock: new SystemClock(),
    now: () => new Date(startMs + 5_000),
    logger: silentLogger,
    keepDays: 7,
    ...more,
  });
}

describe.each(kinds.filter(({ installed }) => installed()))('on $name', ({ prepare }) => {
  let prepared: Prepared;
  beforeAll(async () => {
    prepared = await prepare();
  });
  afterAll(() => prepared.remove());

  it('keeps what was added in its order, through the death of whoever added it', async () => {
    const first = await open(await prepared.open());
    const events = [...eventsOf('a', 5), ...eventsOf('b', 3)];
    for (const event of events) first.add(event, [url, 'https://other.example/']);
    first.note(noteOf(events[0]!));
    first.note(noteOf(events[1]!, { state: 'waiting', attempts: 3, lastStatus: 503, settledAt: undefined }));
    await first.close();
    const second = await open(await prepared.open());
    const waiting = await second.waiting(url, 100);
    expect(waiting.map(({ event }) => event)).toEqual(events.slice(1));
    expect(waiting[0]).toMatchObject({ attempts: 3, firstAttemptAt: new Date(startMs + 1_000) });
    expect(await second.waiting('https://other.example/', 100)).toHaveLength(8);
    expect(await second.waiting(url, 2)).toHaveLength(2);
    await second.close();
  });

  it('adds no event twice, whoever adds it again', async () => {
    const ledger = await open(await prepared.open());
    const events = eventsOf('twice', 3);
    for (const event of events) ledger.add(event, [url]);
    for (const event of events) ledger.note(noteOf(event));
    await ledger.flush();
    for (const event of events) ledger.add(event, [url]);
    const { deliveries } = await ledger.list({ callId: 'twice', limit: 10 });
    expect(deliveries.map(({ state }) => state)).toEqual(['delivered', 'delivered', 'delivered']);
    expect(await ledger.missing([...events, ...eventsOf('never', 1)])).toHaveLength(1);
    await ledger.close();
  });

  it('shows deliveries by pages, without the secrets of an address', async () => {
    const ledger = await open(await prepared.open());
    const events = eventsOf('pages', 5);
    for (const event of events) ledger.add(event, [url]);
    ledger.note(noteOf(events[4]!, { state: 'given-up', lastError: 'webhook.unreachable', attempts: 30 }));
    const one = await ledger.list({ callId: 'pages', limit: 2 });
    expect(one.deliveries.map(({ sequence }) => sequence)).toEqual([5, 4]);
    expect(one.deliveries[0]).toMatchObject({
      endpoint: 'https://crm.example/hook',
      state: 'given-up',
      lastError: 'webhook.unreachable',
      occurredAt: new Date(startMs).toISOString(),
    });
    const two = await ledger.list({ callId: 'pages', limit: 9, cursor: one.nextCursor });
    expect(two.deliveries.map(({ sequence }) => sequence)).toEqual([3, 2, 1]);
    expect(two.nextCursor).toBeUndefined();
    await expect(ledger.list({ limit: 1, cursor: "0' or 1=1" })).rejects.toMatchObject({ code: 'store.bad-cursor' });
    await ledger.close();
  });

  it('makes dead letters wait again, behind everything else and in their order', async () => {
    const ledger = await open(await prepared.open());
    const events = eventsOf('dead', 4);
    for (const event of events) ledger.add(event, [url]);
    for (const event of events.slice(0, 3)) ledger.note(noteOf(event, { state: 'given-up' }));
    ledger.note(noteOf(events[3]!));
    const again = await ledger.replay({ callId: 'dead', state: 'given-up' }, 100);
    expect(again.get(url)?.map(({ event }) => event.sequence)).toEqual([1, 2, 3]);
    const waiting = (await ledger.waiting(url, 10_000)).filter(({ event }) => event.callId === 'dead');
    expect(waiting.map(({ event, attempts }) => [event.sequence, attempts])).toEqual([
      [1, 0],
      [2, 0],
      [3, 0],
    ]);
    expect((await ledger.replay({ callId: 'dead', state: 'given-up' }, 100)).size).toBe(0);
    await ledger.close();
  });

  it('says what a run that died had kept, and nothing after one that ended in order', async () => {
    const node = 'mortal';
    const died = await open(await prepared.open(), { node });
    expect(await died.beginRun()).toBeUndefined();
    const [event] = eventsOf('mortal', 1);
    died.add(event!, [url]);
    await died.flush();
    // Its database goes, nothing was said: as after kill -9.
    await died['options'].database.close();
    await died.close().catch(() => undefined);
    const next = await open(await prepared.open(), { node });
    expect(await next.beginRun()).toEqual(new Date(startMs));
    await next.close();
    const last = await open(await prepared.open(), { node });
    expect(await last.beginRun()).toBeUndefined();
    expect(await last.waiting(url, 10)).toHaveLength(1);
    await last.close();
  });

  it('forgets what was settled long ago, never what still waits', async () => {
    const ledger = await open(await prepared.open());
    const [old, waiting] = eventsOf('old', 2, startMs - 30 * 86_400_000);
    ledger.add(old!, [url]);
    ledger.add(waiting!, [url]);
    ledger.note(noteOf(old!));
    await ledger.close();
    const database = await prepared.open();
    const next = await open(database);
    for (let attempt = 0; (await next.list({ callId: 'old', limit: 5 })).deliveries.length === 2; attempt += 1) {
      expect(attempt).toBeLessThan(200);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect((await next.list({ callId: 'old', limit: 5 })).deliveries.map(({ sequence }) => sequence)).toEqual([2]);
    await next.close();
  });

  it('gives up after a day what waits for a receiver that is gone from the configuration', async () => {
    const ledger = await open(await prepared.open());
    const [old] = eventsOf('removed', 1, startMs - 2 * 86_400_000);
    const [young] = eventsOf('removed-young', 1, startMs);
    ledger.add(old!, [url, 'https://gone.example/']);
    ledger.add(young!, ['https://gone.example/']);
    await ledger.close();
    const next = await open(await prepared.open(), { endpoints: [url] });
    const stateOf = async (callId: string) =>
      (await next.list({ callId, limit: 5 })).deliveries.map(({ endpoint, state, lastError }) =>
        [endpoint, state, lastError].join(' '),
      );
    for (let attempt = 0; !(await stateOf('removed')).join().includes('given-up'); attempt += 1) {
      expect(attempt).toBeLessThan(200);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect((await stateOf('removed')).sort()).toEqual([
      'https://crm.example/hook waiting ',
      'https://gone.example/ given-up webhook.not-configured',
    ]);
    expect(await stateOf('removed-young')).toEqual(['https://gone.example/ waiting ']);
    expect((await next.waiting('https://gone.example/', 10)).map(({ event }) => event.callId)).toEqual([
      'removed-young',
    ]);
    await next.close();
  });

  it('takes all statements of a transaction or none', async () => {
    const database = await prepared.open();
    await migrate(database);
    const insert = (node: string): Statement => ({
      sql: `insert into trunkline_nodes (node, started_at) values ($1, now())`,
      values: [node],
    });
    await expect(database.transaction([insert('x'), insert('y'), insert('x')])).rejects.toMatchObject({
      code: 'database.failed',
    });
    expect(await database.query({ sql: `select node from trunkline_nodes where node in ('x', 'y')` })).toEqual([]);
    await database.close();
  });
});

describe('the schema', () => {
  let prepared: Prepared;
  beforeAll(async () => {
    prepared = await prepareEmbedded();
  });
  afterAll(() => prepared.remove());

  it('is led from the first step to the newest, once, and two who start at once do not meet', async () => {
    const database = await prepared.open();
    expect(await migrate(database, 0)).toBe(0);
    await Promise.all([migrate(database), migrate(database)]);
    expect(await migrate(database)).toBe(migrations.length);
    await database.close();
  });

  it('belongs to one process: a second one is told so', async () => {
    // A lock with one's own number is an old one, so another process has to hold it.
    const holder = String(process.ppid);
    const folder = mkdtempSync(join(tmpdir(), 'locked-'));
    writeFileSync(join(folder, 'lock'), `${holder}\n`);
    await expect(openEmbeddedDatabase(folder, workerEntry('database'))).rejects.toMatchObject({
      code: 'database.folder-in-use',
    });
    writeFileSync(join(folder, 'lock'), '999999999\n');
    await (await openEmbeddedDatabase(folder, workerEntry('database'))).close();
    rmSync(folder, { recursive: true, force: true });
  });
});

(postgresInstalled() ? describe : describe.skip)('while PostgreSQL is away', () => {
  it('what was added waits in memory and is kept when it is back', async () => {
    const server: PostgresServer = await startPostgres();
    const ledger = await open(postgresDatabase(server.url));
    const events = eventsOf('away', 4);
    ledger.add(events[0]!, [url]);
    await ledger.flush();
    server.stop();
    for (const event of events.slice(1)) ledger.add(event, [url]);
    await ledger.flush();
    expect(ledger.counts).toMatchObject({ failures: 1, pending: 3 });
    server.start();
    for (let attempt = 0; ledger.counts.pending > 0; attempt += 1) {
      expect(attempt).toBeLessThan(300);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect((await ledger.waiting(url, 10)).map(({ event }) => event)).toEqual(events);
    await ledger.close();
    server.remove();
  });
});
