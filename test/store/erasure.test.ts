/** What is erased is gone from memory, from disk and from the database, is told once, and goes by itself when it is too old. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CallEvent, CallEventSequence } from '../../src/core/call-event';
import { ManualClock, SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import { CallStore } from '../../src/store/call-store';
import { PersistentLedger } from '../../src/store/delivery-ledger';
import { openEmbeddedDatabase } from '../../src/store/embedded-database';
import { Erasure } from '../../src/store/erasure';
import { Recordings } from '../../src/store/recordings';
import { workerEntry } from '../../src/workers/locate';

const dayMs = 86_400_000;
/** Words and digits that nothing may hold afterwards. */
const words = /zebra|crimson|4711|violet/;

let folder: string;
let now: Date;
let store: CallStore;
let recordings: Recordings;
let erasure: Erasure;
let told: CallEvent[];
let clock: ManualClock;
let serial = 0;
const sources = { newId: () => `evt_${++serial}`, now: () => new Date(now) };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'trunkline-erasure-'));
  now = new Date('2026-03-01T10:00:00Z');
  clock = new ManualClock();
  store = new CallStore({ dataFolder: folder, sources, logger: silentLogger });
  recordings = await Recordings.open({
    folder: join(folder, 'recordings'),
    format: 'wav',
    retentionDays: 30,
    clock,
    now: sources.now,
    log: silentLogger,
    transcode: async () => undefined,
  });
  told = [];
  erasure = open();
});
afterEach(async () => {
  await erasure.close();
  await recordings.close();
});

function open(more: Partial<ConstructorParameters<typeof Erasure>[0]> = {}): Erasure {
  return new Erasure({
    store,
    sources,
    clock,
    log: silentLogger,
    recordings,
    tell: (event) => told.push(event),
    recordDays: 365,
    transcriptDays: 30,
    ...more,
  });
}

async function call(id: string, ended = true): Promise<CallEvent[]> {
  const sequence = new CallEventSequence(id, sources);
  const events: CallEvent[] = [
    sequence.next('call.started', { direction: 'inbound', transport: 'sip', from: 'a', to: 'demo' }),
    sequence.next('call.answered', { action: 'agent' }),
    sequence.next('turn.user', { turn: 1, text: 'A zebra, please.' }),
    sequence.next('tool.called', { toolCallId: 't', name: 'find', said: 'A zebra.', arguments: { colour: 'crimson' } }),
    sequence.next('turn.agent', { turn: 1, text: 'The violet one?', interrupted: true }),
    sequence.next('turn.interrupted', { turn: 1, heardText: 'The violet' }),
    sequence.next('dtmf.received', { digit: '4711', durationMs: 80 }),
    sequence.next('ask.answered', { reason: 'digits', digits: '4711', choice: 'crimson', attempts: 1 }),
    ...(ended ? [sequence.next('call.ended', { cause: 'caller-hangup', durationMs: 9_000 })] : []),
  ];
  for (const event of events) await store.record(event);
  writeFileSync(recordings.pathFor(id), 'RIFF');
  writeFileSync(recordings.pathFor(recordings.messageOf(id)), 'RIFF');
  writeFileSync(recordings.pathFor(recordings.messageOf(id, 2)), 'RIFF');
  return events;
}

const journal = (day = '2026-03-01', id = 'c1') => join(folder, 'calls', day, `${id}.jsonl`);
const waitFor = async (what: () => boolean): Promise<void> => {
  for (let turn = 0; turn < 1_000 && !what(); turn++) await new Promise((done) => setTimeout(done, 10));
  expect(what()).toBe(true);
};
const kinds = () => told.map(({ type, sequence, data }) => [type, sequence, data]);

describe('by order', () => {
  it('reaches what is kept of it in memory', async () => {
    await call('c9');
    const erased: string[] = [];
    const reaching = open({ traces: { erase: (callId, what) => erased.push(`${callId} ${what}`) } });
    await reaching.erase('c9', 'recording');
    await reaching.erase('c9', 'call');
    expect(erased).toEqual(['c9 recording', 'c9 call']);
    await reaching.close();
  });

  it('a transcript goes from memory and disk, the record stays, and it is told once', async () => {
    await call('c1');
    await erasure.erase('c1', 'transcript');
    await erasure.erase('c1', 'transcript');
    expect(readFileSync(journal(), 'utf8')).not.toMatch(words);
    expect(JSON.stringify(await store.timeline('c1'))).not.toMatch(words);
    expect(await store.transcript('c1')).toEqual([]);
    expect(await store.get('c1')).toMatchObject({ state: 'ended', cause: 'caller-hangup' });
    expect((await store.timeline('c1'))?.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(kinds()).toEqual([['call.erased', 10, { what: 'transcript', by: 'order' }]]);
  });

  it('stays erased for the next run, which goes on counting', async () => {
    await call('c1');
    await erasure.erase('c1', 'transcript');
    store = new CallStore({ dataFolder: folder, sources, logger: silentLogger });
    expect(await store.recover()).toEqual([]);
    expect(await store.transcript('c1')).toEqual([]);
    erasure = open();
    await erasure.erase('c1', 'recording');
    expect(kinds().at(-1)).toEqual(['call.erased', 11, { what: 'recording', by: 'order' }]);
  });

  it.each(['recording', 'voicemail'] as const)('a %s goes, and nothing else', async (what) => {
    await call('c1');
    await erasure.erase('c1', what);
    await erasure.erase('c1', what);
    expect(await recordings.find('c1')).toEqual(what === 'recording' ? undefined : expect.anything());
    for (const message of ['c1.message', 'c1.message-2'])
      expect(await recordings.find(message)).toEqual(what === 'voicemail' ? undefined : expect.anything());
    expect(await store.transcript('c1')).toHaveLength(2);
    expect(kinds()).toEqual([['call.erased', 10, { what, by: 'order' }]]);
  });

  it('a call goes with all that is kept of it', async () => {
    await call('c1');
    await call('c2');
    await erasure.erase('c1', 'call');
    await erasure.erase('c1', 'call');
    expect(existsSync(journal())).toBe(false);
    expect([await store.get('c1'), await recordings.find('c1'), await recordings.find('c1.message')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(await store.get('c2')).toBeDefined();
    expect(kinds()).toEqual([['call.erased', 10, { what: 'call', by: 'order' }]]);
  });

  it('goes for a call that is on disk alone', async () => {
    await call('c1');
    store = new CallStore({ dataFolder: folder, sources, logger: silentLogger });
    erasure = open();
    await erasure.erase('c1', 'transcript');
    expect(readFileSync(journal(), 'utf8')).not.toMatch(words);
    await erasure.erase('c1', 'call');
    expect(existsSync(journal())).toBe(false);
  });

  it('numbers its events without a gap, however many orders come at once', async () => {
    await call('c1');
    await Promise.all(
      (['recording', 'voicemail', 'transcript', 'recording'] as const).map((what) => erasure.erase('c1', what)),
    );
    expect(told.map(({ sequence }) => sequence)).toEqual([10, 11, 12]);
  });

  it('leaves a call that lives, and what there is not', async () => {
    await call('c1', false);
    for (const what of ['call', 'transcript'] as const) {
      await expect(erasure.erase('c1', what)).rejects.toMatchObject({ code: 'call.wrong-state' });
    }
    await erasure.erase('nobody', 'call');
    await erasure.erase('../../etc/passwd', 'call');
    expect(told).toEqual([]);
    expect(await store.transcript('c1')).toHaveLength(2);
  });

  it('takes the settled deliveries of a call out of the database, and leaves what waits', async () => {
    const database = await openEmbeddedDatabase(join(folder, 'database'), workerEntry('database'));
    const ledger = await PersistentLedger.open({
      database,
      node: 'here',
      clock: new SystemClock(),
      now: sources.now,
      logger: silentLogger,
      keepDays: 7,
    });
    const events = await call('c1');
    const endpoint = 'https://crm.example/hook';
    for (const event of [...events, ...(await call('c2'))]) {
      ledger.add(event, [endpoint]);
      if (event === events.at(-1)) continue;
      const at = sources.now();
      ledger.note({ endpoint, eventId: event.id, state: 'delivered', attempts: 1, firstAttemptAt: at, settledAt: at });
    }
    for (const id of ['c1', 'c2'])
      await database.query({
        sql: `insert into trunkline_calls (id, node, state, started_at, last_sequence, record) values ($1, 'here', 'ended', now(), 9, '{}')`,
        values: [id],
      });
    erasure = open({ deliveries: ledger });
    await erasure.erase('c1', 'transcript');
    expect(await database.query({ sql: `select id from trunkline_calls` })).toHaveLength(2);
    await erasure.erase('c1', 'call');
    expect(await database.query({ sql: `select id from trunkline_calls` })).toEqual([{ id: 'c2' }]);
    const left = await database.query({ sql: `select type, body from webhook_events where call_id = 'c1'` });
    expect(left.map(({ type }) => type)).toEqual(['call.ended']);
    expect(JSON.stringify(left)).not.toMatch(words);
    expect(await database.query({ sql: `select id from webhook_events where call_id = 'c2'` })).toHaveLength(9);
    await ledger.close();
  }, 60_000);
});

describe('by age', () => {
  it('transcripts go after their days, records after theirs, live calls and younger ones stay', async () => {
    await call('c1');
    await call('live', false);
    const begun = now.getTime();
    // The day of the call ends fourteen hours after it.
    now = new Date(begun + 30 * dayMs);
    await erasure.sweep();
    expect(await store.transcript('c1')).toHaveLength(2);
    now = new Date(begun + 30.6 * dayMs);
    await call('young');
    await erasure.sweep();
    expect(readFileSync(journal(), 'utf8')).not.toMatch(words);
    expect(await store.transcript('c1')).toEqual([]);
    expect((await store.timeline('c1'))?.at(-1)).toMatchObject({
      type: 'call.erased',
      data: { what: 'transcript', by: 'age' },
    });
    expect(await store.transcript('live')).toHaveLength(2);
    expect(await store.transcript('young')).toHaveLength(2);
    expect(told).toEqual([]);
    await erasure.sweep();
    expect((await store.timeline('c1'))?.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    now = new Date(begun + 365.6 * dayMs);
    await erasure.sweep();
    expect(existsSync(journal())).toBe(false);
    expect(await store.get('c1')).toBeUndefined();
    expect(await store.get('live')).toBeDefined();
    expect(existsSync(journal('2026-04-01', 'young'))).toBe(true);
    expect(erasure.counters).toMatchObject({ callsExpired: 1 });
  });

  it('days of which nothing is left are gone, and the hour of the next look comes by itself', async () => {
    mkdirSync(join(folder, 'calls', '2020-01-01'), { recursive: true });
    await call('c1');
    const days = () => readdirSync(join(folder, 'calls'));
    erasure.start();
    await waitFor(() => days().length === 1);
    expect(days()).toEqual(['2026-03-01']);
    now = new Date(now.getTime() + 400 * dayMs);
    // The next look is asked for when the one before it is over.
    await waitFor(() => {
      clock.advance(3_600_000);
      return days().length === 0;
    });
  });

  it('recordings go after theirs', async () => {
    await call('c1');
    now = new Date(Date.now() + 29 * dayMs);
    await recordings.sweep();
    expect(await recordings.find('c1')).toBeDefined();
    now = new Date(Date.now() + 31 * dayMs);
    await recordings.sweep();
    expect(await recordings.find('c1')).toBeUndefined();
  });
});
