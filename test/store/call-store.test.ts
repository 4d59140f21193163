/** Calls in memory and on disk: reading, a crash between two lines, a disk that refuses. */
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type CallEvent, CallEventSequence, type EventSources } from '../../src/core/call-event';
import { type Logger, silentLogger } from '../../src/core/log';
import { parseJournal } from '../../src/store/call-journal';
import { CallStore } from '../../src/store/call-store';

let tick = 0;
const sources: EventSources = {
  newId: () => `evt_${++tick}`,
  now: () => new Date(Date.UTC(2026, 2, 2, 10, 0, 0) + ++tick * 1000),
};

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'trunkline-store-'));
const newStore = (
  dataFolder: string,
  more: { keepCalls?: number; keepEvents?: number; logger?: Logger } = {},
): CallStore => new CallStore({ dataFolder, sources, logger: silentLogger, ...more });

function startOf(callId: string): { sequence: CallEventSequence; started: CallEvent } {
  const sequence = new CallEventSequence(callId, sources);
  const started = sequence.next('call.started', { direction: 'inbound', transport: 'sip', from: 'a', to: 'demo' });
  return { sequence, started };
}

async function wholeCall(store: CallStore, callId: string): Promise<void> {
  const { sequence, started } = startOf(callId);
  await store.record(started);
  await store.record(sequence.next('call.answered', { action: 'agent' }));
  await store.record(sequence.next('turn.user', { turn: 1, text: 'When do you open?' }));
  await store.record(sequence.next('turn.agent', { turn: 1, text: 'At nine.', interrupted: false }));
  await store.record(sequence.next('call.ended', { cause: 'caller-hangup', durationMs: 3000 }));
}

function journalOf(folder: string, callId: string): string {
  const days = readdirSync(join(folder, 'calls'));
  return join(folder, 'calls', days[0] ?? '', `${callId}.jsonl`);
}

describe('CallStore', () => {
  it('tells a call as its events made it: record, transcript, timeline', async () => {
    const store = newStore(newFolder());
    await wholeCall(store, 'c1');
    expect(await store.get('c1')).toMatchObject({
      state: 'ended',
      to: 'demo',
      action: 'agent',
      cause: 'caller-hangup',
    });
    expect(await store.transcript('c1')).toMatchObject([
      { role: 'user', text: 'When do you open?' },
      { role: 'agent', text: 'At nine.', interrupted: false },
    ]);
    expect((await store.timeline('c1'))?.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
    expect(await store.get('c2')).toBeUndefined();
  });

  it('reads the calls of earlier runs back', async () => {
    const folder = newFolder();
    const before = newStore(folder);
    await wholeCall(before, 'c1');
    await before.flush();
    const after = newStore(folder);
    expect(await after.recover()).toEqual([]);
    expect(await after.get('c1')).toEqual(await before.get('c1'));
    expect(await after.transcript('c1')).toEqual(await before.transcript('c1'));
  });

  it('ends a call that a crash cut off, in the record and on disk, once', async () => {
    const folder = newFolder();
    const before = newStore(folder);
    const { sequence, started } = startOf('cut');
    await before.record(started);
    await before.record(sequence.next('call.answered', {}));
    // The process dies in the middle of a line.
    appendFileSync(journalOf(folder, 'cut'), '{"id":"evt_x","type":"turn.us');
    const after = newStore(folder);
    const [ended] = await after.recover();
    expect(ended).toMatchObject({ type: 'call.ended', callId: 'cut', sequence: 3, data: { cause: 'lost' } });
    expect(await after.get('cut')).toMatchObject({ state: 'ended', cause: 'lost' });
    await after.flush();
    const again = newStore(folder);
    expect(await again.recover()).toEqual([]);
    expect(await again.get('cut')).toMatchObject({ cause: 'lost' });
    expect((await again.timeline('cut'))?.map(({ sequence: place }) => place)).toEqual([1, 2, 3]);
  });

  it('keeps the order of events that are recorded without waiting', async () => {
    const folder = newFolder();
    const store = newStore(folder);
    const { sequence, started } = startOf('c1');
    void store.record(started);
    for (let turn = 1; turn <= 50; turn++) void store.record(sequence.next('turn.user', { turn, text: `${turn}` }));
    await store.flush();
    const read = parseJournal('c1', readFileSync(journalOf(folder, 'c1'), 'utf8'));
    expect(read.events.map((event) => event.sequence)).toEqual(Array.from({ length: 51 }, (_, index) => index + 1));
  });

  it('lets the call go on when the disk refuses, counts it and says so once', async () => {
    const folder = newFolder();
    // A file where the folder should be: refused for root too.
    writeFileSync(join(folder, 'calls'), '');
    const told: string[] = [];
    const logger: Logger = { ...silentLogger, error: (message) => told.push(message) };
    const store = newStore(folder, { logger });
    await wholeCall(store, 'c1');
    expect(await store.get('c1')).toMatchObject({ state: 'ended' });
    expect(store.counts).toMatchObject({ writesFailed: 5, eventsWritten: 0 });
    expect(told).toHaveLength(1);
  });

  it('pages from the newest to the oldest, by state and time', async () => {
    const store = newStore(newFolder());
    for (const id of ['c1', 'c2', 'c3']) await wholeCall(store, id);
    await store.record(startOf('c4').started);
    const first = await store.list({ limit: 3 });
    expect(first.calls.map(({ id }) => id)).toEqual(['c4', 'c3', 'c2']);
    const second = await store.list({ limit: 3, cursor: first.nextCursor });
    expect(second).toMatchObject({ calls: [{ id: 'c1' }], nextCursor: undefined });
    expect((await store.list({ limit: 9, state: 'trying' })).calls.map(({ id }) => id)).toEqual(['c4']);
    const since = new Date((await store.get('c3'))?.startedAt ?? '');
    expect((await store.list({ limit: 9, since })).calls.map(({ id }) => id)).toEqual(['c4', 'c3']);
    await expect(store.list({ limit: 3, cursor: 'gone' })).rejects.toMatchObject({ code: 'store.bad-cursor' });
  });

  it('forgets the oldest ended calls, never a live one', async () => {
    const store = newStore(newFolder(), { keepCalls: 2 });
    await store.record(startOf('live').started);
    for (const id of ['c1', 'c2', 'c3']) await wholeCall(store, id);
    expect((await store.list({ limit: 9 })).calls.map(({ id }) => id)).toEqual(['c3', 'live']);
    expect(store.counts.callsForgotten).toBe(2);
  });

  it('bounds the timeline of one call and counts what fell out', async () => {
    const store = newStore(newFolder(), { keepEvents: 3 });
    await wholeCall(store, 'c1');
    expect((await store.timeline('c1'))?.map(({ sequence }) => sequence)).toEqual([1, 4, 5]);
    expect(store.counts.timelineEventsDropped).toBe(2);
  });

  it('counts events of calls that never began, and writes files that only the owner reads', async () => {
    const folder = newFolder();
    const store = newStore(folder);
    await store.record(new CallEventSequence('ghost', sources).next('dtmf.received', { digit: '1', durationMs: 80 }));
    expect(store.counts.eventsWithoutCall).toBe(1);
    await wholeCall(store, 'c1');
    const path = journalOf(folder, 'c1');
    expect(statSync(path).mode & 0o077).toBe(0);
  });

  it('refuses an id that would leave the folder', async () => {
    const folder = newFolder();
    const store = newStore(folder);
    await store.record(startOf('../../evil').started);
    expect(store.counts.writesFailed).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('parseJournal', () => {
  it('never throws, whatever stands in the file', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(fc.json()).map((lines) => lines.join('\n')),
        ),
        (text) => {
          expect(parseJournal('c1', text).events).toEqual([]);
        },
      ),
    );
  });
});
