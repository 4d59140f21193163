/** The real thread with the real embedding model, over real folders; vectors kept on PGlite and on PostgreSQL. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '../../src/core/log';
import { silentLogger } from '../../src/core/log';
import { KnowledgeBase } from '../../src/knowledge/knowledge-base';
import { KnowledgeThread } from '../../src/knowledge/knowledge-thread';
import type { Database } from '../../src/store/database';
import { openEmbeddedDatabase } from '../../src/store/embedded-database';
import { migrate } from '../../src/store/migrations';
import { openPassageStore } from '../../src/store/passage-store';
import { postgresDatabase } from '../../src/store/postgres-database';
import { workerEntry } from '../../src/workers/locate';
import { postgresInstalled, startPostgres } from '../support/postgres-server';

const root = join(__dirname, '../..');
const boathouse = join(root, 'dialplans/examples/boathouse');
const fixture: { settled: [string, string][]; open: string[] } = JSON.parse(
  readFileSync(join(root, 'test/fixtures/knowledge/boathouse.json'), 'utf8'),
);
const WIDTH = 384;

let thread: KnowledgeThread;
const folders: string[] = [];

beforeAll(() => {
  thread = new KnowledgeThread(workerEntry('knowledge'), { modelsDir: join(root, 'models'), threads: 1 });
});
afterAll(async () => {
  await thread.close();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'knowledge-'));
  folders.push(folder);
  return folder;
}

function baseWith(more: Partial<ConstructorParameters<typeof KnowledgeBase>[0]> = {}): KnowledgeBase {
  return new KnowledgeBase({ thread, store: Promise.resolve(undefined), log: silentLogger, ...more });
}

function recordingLogger(codes: unknown[]): Logger {
  return { ...silentLogger, warn: (_, fields) => codes.push(fields?.['code']), child: () => recordingLogger(codes) };
}

describe('the shipped example', () => {
  it('has the passage that settles a question among the first three, far more often than not', async () => {
    const base = baseWith();
    const state = await base.load(boathouse);
    expect(state).toMatchObject({ files: 7, faults: [], search: 'memory' });
    expect(state?.embedded).toBe(state?.passages);
    let found = 0;
    for (const [question, answer] of fixture.settled) {
      const passages = await base.search(boathouse, question);
      if (passages.some(({ passage }) => passage.includes(answer))) found += 1;
    }
    // docs/knowledge.md has the figure.
    expect(found).toBeGreaterThanOrEqual(36);
  }, 120_000);

  it('names file and headings, and page of a PDF', async () => {
    const base = baseWith();
    await base.load(boathouse);
    const [canoe] = await base.search(boathouse, 'How much is a canoe for the first hour?');
    expect(canoe).toMatchObject({ file: 'boats.md', heading: 'Boats > Prices' });
    expect(canoe?.passage).toContain('14 dollars');
    const [school] = await base.search(boathouse, 'Is there a discount for a school class?');
    expect(school).toMatchObject({ file: 'terms.pdf', heading: 'page 2' });
  }, 120_000);

  it('finds nothing for what it does not speak of', async () => {
    const base = baseWith();
    await base.load(boathouse);
    expect(await base.search(boathouse, 'What is the capital of France?')).toEqual([]);
    expect(await base.search(boathouse, 'Who won the football game last night?')).toEqual([]);
  }, 120_000);
});

describe('a folder', () => {
  it('that is empty is told, and nothing is found in it', async () => {
    const base = baseWith();
    const folder = newFolder();
    const state = await base.load(folder);
    expect(state?.faults).toMatchObject([{ code: 'knowledge.empty' }]);
    expect(await base.search(folder, 'When are you open?')).toEqual([]);
  }, 60_000);

  it('with a broken PDF, an empty one and bytes that are no text keeps its good files', async () => {
    const folder = newFolder();
    const pdf = readFileSync(join(boathouse, 'terms.pdf'));
    writeFileSync(join(folder, 'broken.pdf'), pdf.subarray(0, 900));
    writeFileSync(join(folder, 'lies.pdf'), 'not a PDF at all');
    writeFileSync(join(folder, 'noise.txt'), Buffer.from([1, 0, 2, 0, 3, 255]));
    writeFileSync(join(folder, 'nothing.md'), '\n\n');
    writeFileSync(join(folder, '.hidden.md'), 'The safe is behind the picture.');
    writeFileSync(join(folder, 'good.md'), 'The library opens at seven in the morning.');
    const codes: unknown[] = [];
    const base = baseWith({ log: recordingLogger(codes) });
    const state = await base.load(folder);
    expect(Object.fromEntries((state?.faults ?? []).map(({ file, code }) => [file, code]))).toEqual({
      'broken.pdf': 'knowledge.bad-pdf',
      'lies.pdf': 'knowledge.bad-pdf',
      'noise.txt': 'knowledge.no-text',
      'nothing.md': 'knowledge.no-text',
    });
    expect(codes).toHaveLength(4);
    expect(await base.search(folder, 'When does the library open?')).toMatchObject([{ file: 'good.md' }]);
    expect(await base.search(folder, 'Where is the safe?')).toEqual([]);
  }, 60_000);

  it('that is not there is told, and stops nothing', async () => {
    const base = baseWith();
    const state = await base.load(join(newFolder(), 'gone'));
    expect(state?.faults).toMatchObject([{ code: 'knowledge.unreadable' }]);
  }, 60_000);
});

const databases = [
  { name: 'the embedded database', installed: () => true, start: embedded, findsNeighbours: true },
  { name: 'a PostgreSQL without pgvector', installed: postgresInstalled, start: postgres, findsNeighbours: false },
];

async function embedded() {
  const folder = newFolder();
  return { open: () => openEmbeddedDatabase(folder, workerEntry('database')), remove: () => undefined };
}

async function postgres() {
  const server = await startPostgres();
  return { open: async (): Promise<Database> => postgresDatabase(server.url), remove: () => server.remove() };
}

describe.each(databases.filter(({ installed }) => installed()))('vectors on $name', ({ start, findsNeighbours }) => {
  it('outlive the agent: a start embeds only what has changed, from the first schema on', async () => {
    const { open, remove } = await start();
    const folder = newFolder();
    cpSync(boathouse, folder, { recursive: true });
    try {
      const first = await open();
      await migrate(first, 1);
      const codes: unknown[] = [];
      const store = await openPassageStore(first, WIDTH, recordingLogger(codes));
      expect(store.findsNeighbours).toBe(findsNeighbours);
      expect(codes).toEqual(findsNeighbours ? [] : ['knowledge.no-pgvector']);
      const once = await baseWith({ store: Promise.resolve(store) }).load(folder);
      expect(once?.embedded).toBe(once?.passages);
      await store.close();

      writeFileSync(join(folder, 'cafe.md'), '# Café\n\nThe café is closed for good.\n');
      mkdirSync(join(folder, 'news'));
      writeFileSync(join(folder, 'news/today.txt'), 'A heron has built its nest on the roof.');
      const second = await openPassageStore(await open(), WIDTH, silentLogger);
      const base = baseWith({ store: Promise.resolve(second), scanUpTo: findsNeighbours ? 0 : 10_000 });
      const again = await base.load(folder);
      expect(again).toMatchObject({ embedded: 2, faults: [], search: findsNeighbours ? 'database' : 'memory' });
      expect((await base.search(folder, 'What lives on the roof?'))[0]).toMatchObject({ file: 'news/today.txt' });
      expect((await base.search(folder, 'How much is a canoe for the first hour?'))[0]?.passage).toContain(
        '14 dollars',
      );
      expect(await base.search(folder, 'Do you have a vegetable curry?')).not.toContainEqual(
        expect.objectContaining({ file: 'cafe.md', heading: 'Lake café > Food' }),
      );
      // Once more, with nothing changed.
      expect(await base.load(folder)).toMatchObject({ embedded: 0 });
      await second.close();
    } finally {
      remove();
    }
  }, 240_000);
});
