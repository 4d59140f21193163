/** Several agents on one PostgreSQL: who is gone is taken over once and whole, and each can tell of the calls of all. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CallEvent, CallEventSequence } from '../../src/core/call-event';
import { ManualClock, SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import { CallStore } from '../../src/store/call-store';
import type { Database } from '../../src/store/database';
import { PersistentLedger } from '../../src/store/delivery-ledger';
import { lostCallEnd } from '../../src/store/lost-call';
import { type Estate, NodeLease } from '../../src/store/node-lease';
import { postgresDatabase } from '../../src/store/postgres-database';
import { SharedRecords } from '../../src/store/shared-records';
import { type PostgresServer, postgresInstalled, startPostgres } from '../support/postgres-server';

const url = 'https://crm.example/hook';
const leaseSeconds = 30;
const startMs = Date.UTC(2026, 0, 31, 9);
let made = 0;

/** `call.started`, `call.answered`, a turn of each side; the later the number the later the call. */
function callOf(callId: string, number = 0): CallEvent[] {
  let second = 0;
  const sequence = new CallEventSequence(callId, {
    newId: () => `evt_${++made}`,
    now: () => new Date(startMs + number * 60_000 + ++second * 1_000),
  });
  return [
    sequence.next('call.started', { direction: 'inbound', transport: 'sip', from: 'sip:a@x', to: 'sip:demo@x' }),
    sequence.next('call.answered', { action: 'agent' }),
    sequence.next('turn.user', { turn: 1, text: 'When do you open?' }),
    sequence.next('turn.agent', { turn: 1, text: 'At eight.', interrupted: false }),
  ];
}

interface TestNode {
  readonly database: Database;
  readonly ledger: PersistentLedger;
  readonly store: CallStore;
  readonly records: SharedRecords;
  tell(events: readonly CallEvent[], endpoints?: readonly string[]): Promise<void>;
  die(): Promise<void>;
}

(postgresInstalled() ? describe : describe.skip)('agents that share PostgreSQL', () => {
  let server: PostgresServer;
  const folder = mkdtempSync(join(tmpdir(), 'nodes-'));
  const leases: NodeLease[] = [];
  const opened: PersistentLedger[] = [];
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterEach(async () => {
    for (const lease of leases.splice(0)) await lease.stop();
    for (const ledger of opened.splice(0)) await ledger.close();
    const database = postgresDatabase(server.url);
    await database.query({ sql: 'truncate trunkline_nodes, trunkline_calls, webhook_deliveries, webhook_events' });
    await database.close();
  });
  afterAll(() => {
    server?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  async function nodeNamed(node: string): Promise<TestNode> {
    const database = postgresDatabase(server.url);
    const now = () => new Date(startMs + 3_600_000);
    const store = new CallStore({
      dataFolder: join(folder, node),
      sources: { newId: () => `evt_${++made}`, now },
      logger: silentLogger,
    });
    const ledger = await PersistentLedger.open({
      database,
      node,
      recordOf: (callId) => store.recordOf(callId),
      clock: new SystemClock(),
      now,
      logger: silentLogger,
      keepDays: 10_000,
    });
    await ledger.beginRun();
    opened.push(ledger);
    const records = new SharedRecords(store);
    records.share(database, node, `name-of-${node}`);
    return {
      database,
      ledger,
      store,
      records,
      async tell(events, endpoints = [url]) {
        for (const event of events) {
          await store.record(event);
          await ledger.add(event, endpoints);
        }
      },
      async die() {
        await ledger.flush();
        await database.query({
          sql: `update trunkline_nodes set name = $2, alive_until = now() - interval '1 second' where node = $1`,
          values: [node, `name-of-${node}`],
        });
      },
    };
  }

  async function leaseOf(
    { database }: TestNode,
    node: string,
    more: Partial<Parameters<typeof NodeLease.take>[0]> = {},
  ) {
    const clock = new ManualClock();
    const estates: Estate[] = [];
    const lease = await NodeLease.take({
      database,
      node,
      name: `name-of-${node}`,
      leaseSeconds,
      clock,
      logger: silentLogger,
      onEstate: (estate) => estates.push(estate),
      onLost: async () => undefined,
      ...more,
    });
    leases.push(lease);
    /** One beat of the lease, to its end. */
    const beat = async (): Promise<void> => {
      clock.advance((leaseSeconds * 1_000) / 3);
      await lease['beating'];
      // The next one is set when it is over.
      await new Promise((resolve) => setImmediate(resolve));
    };
    return { lease, estates, beat };
  }

  it('leave what was not delivered, in order, and their live calls, to one that goes on', async () => {
    const dead = await nodeNamed('dead');
    const told = callOf('call_dead');
    await dead.tell(told);
    const over = callOf('call_over', 1);
    await dead.tell(over);
    await dead.tell([
      lostCallEnd({ record: dead.store.recordOf('call_over')!, last: over[3] }, () => new Date(startMs)),
    ]);
    const at = new Date(startMs);
    dead.ledger.note({
      endpoint: url,
      eventId: told[0]!.id,
      state: 'delivered',
      attempts: 1,
      firstAttemptAt: at,
      settledAt: at,
    });
    await dead.die();
    const { estates, beat } = await leaseOf(await nodeNamed('living'), 'living');
    // It has only just come itself: others may be on their way back.
    await beat();
    await beat();
    expect(estates).toEqual([]);
    await beat();
    expect(estates).toHaveLength(1);
    const [{ gone, waiting, calls, more }] = estates as [Estate];
    expect([gone, more]).toEqual(['name-of-dead', false]);
    const mine = waiting.get(url)?.map(({ event }) => event) ?? [];
    expect(mine.filter(({ callId }) => callId === 'call_dead')).toEqual(told.slice(1));
    expect(calls.map(({ record }) => record.id)).toEqual(['call_dead']);
    expect(lostCallEnd(calls[0]!, () => at)).toMatchObject({
      callId: 'call_dead',
      sequence: 5,
      data: { cause: 'lost', durationMs: 2_000 },
    });
    // Nothing is left for the next one.
    await beat();
    expect(estates).toHaveLength(1);
  });

  it('are each taken over by one alone, however many look at once', async () => {
    for (const node of ['gone_1', 'gone_2', 'gone_3']) {
      const gone = await nodeNamed(node);
      await gone.tell(callOf(`call_${node}`));
      await gone.die();
    }
    const heirs = await Promise.all(['heir_1', 'heir_2'].map(async (node) => leaseOf(await nodeNamed(node), node)));
    for (let beats = 0; beats < 4; beats += 1) await Promise.all(heirs.map(({ beat }) => beat()));
    const taken = heirs.flatMap(({ estates }) => estates).flatMap(({ calls }) => calls.map(({ record }) => record.id));
    expect(taken.sort()).toEqual(['call_gone_1', 'call_gone_2', 'call_gone_3']);
  });

  it('are told when they stood still and were taken over, and are there again', async () => {
    const slow = await nodeNamed('slow');
    let lost = 0;
    const { lease, beat } = await leaseOf(slow, 'slow', {
      onLost: async () => {
        lost += 1;
      },
    });
    await slow.tell(callOf('call_slow'));
    await slow.die();
    const other = await leaseOf(await nodeNamed('other'), 'other');
    for (let beats = 0; beats < 4; beats += 1) await other.beat();
    expect(other.estates.map(({ gone }) => gone)).toEqual(['name-of-slow']);
    await beat();
    expect([lost, lease.counts.lost]).toEqual([1, 1]);
    // What it says of a call that another one has now does not count.
    await slow.tell(callOf('call_slow').slice(1, 2));
    expect(await lease.ownLiveCalls()).toEqual([]);
    await beat();
    expect(lost).toBe(1);
    await slow.tell(callOf('call_again'));
    expect((await lease.ownLiveCalls()).map(({ record }) => record.id)).toEqual(['call_again']);
  });

  it('tell nothing of a call after another has ended it', async () => {
    const died = await nodeNamed('died');
    const events = callOf('call_half');
    // The last of them were on its disk alone.
    await died.tell(events.slice(0, 2));
    const heir = await nodeNamed('heir');
    const end = lostCallEnd({ record: died.store.recordOf('call_half')!, last: events[1] }, () => new Date(startMs));
    await heir.ledger.add(end, [url]);
    await heir.ledger.flush();
    expect(end.sequence).toBe(events[2]!.sequence);
    expect(await died.ledger.missing(events)).toEqual([]);
    // At its start the agent that died finds the call lost as well: it is the same event.
    const again = lostCallEnd({ record: died.store.recordOf('call_half')!, last: events[3] }, () => new Date(startMs));
    expect(again.id).toBe(end.id);
    expect(await died.ledger.missing([again])).toEqual([]);
  });

  it('tell of the calls of all, newest first, by pages', async () => {
    const here = await nodeNamed('here');
    const there = await nodeNamed('there');
    for (const [number, node] of [here, there, here, there, there].entries()) {
      // What nobody wants to be told of is kept all the same.
      await node.tell(callOf(`call_page_${number}`, 100 + number), []);
    }
    await leaseOf(here, 'here');
    await leaseOf(there, 'there');
    const since = new Date(startMs + 100 * 60_000);
    const first = await here.records.list({ since, limit: 3 });
    expect(first.calls.map(({ id, node }) => [id, node])).toEqual([
      ['call_page_4', 'name-of-there'],
      ['call_page_3', 'name-of-there'],
      ['call_page_2', 'name-of-here'],
    ]);
    const second = await here.records.list({ since, limit: 3, cursor: first.nextCursor });
    expect(second.calls.map(({ id }) => id)).toEqual(['call_page_1', 'call_page_0']);
    expect(second.nextCursor).toBeUndefined();
    expect((await here.records.list({ since, state: 'ended', limit: 3 })).calls).toEqual([]);
    await expect(here.records.list({ limit: 3, cursor: 'call_nowhere' })).rejects.toMatchObject({
      code: 'store.bad-cursor',
    });
    expect(await here.records.elsewhere('call_page_4')).toBe('name-of-there');
    expect(await here.records.elsewhere('call_page_2')).toBeUndefined();
    expect(await here.records.get('call_page_4')).toMatchObject({ state: 'answered', node: 'name-of-there' });
    expect((await here.records.timeline('call_page_4'))?.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
    expect((await here.records.transcript('call_page_4'))?.map(({ text }) => text)).toEqual([
      'When do you open?',
      'At eight.',
    ]);
    expect(await here.records.get('call_nowhere')).toBeUndefined();
    expect(await here.records.timeline('call_nowhere')).toBeUndefined();
  });

  it('tell of their own calls alone while the database is away', async () => {
    const here = await nodeNamed('alone');
    const [started] = callOf('call_alone', 900);
    await here.tell([started!]);
    server.stop();
    try {
      expect(await here.records.get('call_alone')).toMatchObject({ id: 'call_alone' });
      expect((await here.records.list({ limit: 5 })).calls.map(({ id }) => id)).toEqual(['call_alone']);
      expect(await here.records.get('call_elsewhere')).toBeUndefined();
      // Nobody who tells an event waits for it.
      const [later] = callOf('call_outage', 901);
      await here.tell([later!]);
    } finally {
      server.start();
    }
  });
});
