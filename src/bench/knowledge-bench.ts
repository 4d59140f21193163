/**
 * `bench knowledge`: whether the passage that settles a question is found (recall at 1 and 3, by words, by meaning, by both), what a
 * look costs, and what the built-in brain makes of it: questions of a fixture about a folder of documents.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { silentLogger } from '../core/log';
import type { Citation } from '../core/passage';
import { KnowledgeBase } from '../knowledge/knowledge-base';
import { KnowledgeThread } from '../knowledge/knowledge-thread';
import { PassageIndex } from '../knowledge/passage-index';
import { readKnowledgeFolder } from '../knowledge/read-folder';
import { RelevanceTable } from '../model/brain/relevance';
import { openTrunkBrain } from '../model/load-model';
import { openModelFolder } from '../model/manifest';
import type { Persona } from '../model/omni-model';
import { type BenchReport, type Figure, report, single, spread } from './report';

const fixtureSchema = z.object({
  folder: z.string(),
  /** Question, and words of the passage that settles it. */
  settled: z.array(z.tuple([z.string(), z.string()])).min(1),
  /** What no passage settles. */
  open: z.array(z.string()),
});

/** Passages of the search that is timed as a large folder. */
const LARGE = 10_000;

export interface KnowledgeBenchOptions {
  readonly root: string;
  readonly file: string;
  readonly modelsDir: string;
  readonly threads: number;
  /** Compiled entry of the thread. */
  readonly entry: string;
  readonly progress: (line: string) => void;
}

export async function benchKnowledge(options: KnowledgeBenchOptions): Promise<BenchReport> {
  const { root, file, modelsDir, threads, entry, progress } = options;
  const fixture = fixtureSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  const folder = join(root, fixture.folder);
  const thread = new KnowledgeThread(entry, { modelsDir, threads: 1 });
  const base = new KnowledgeBase({ thread, store: Promise.resolve(undefined), log: silentLogger });
  try {
    const figures: Figure[] = [];
    const fromMs = performance.now();
    const state = await base.load(folder);
    figures.push(single('first start: read, cut, embed', 'ms', performance.now() - fromMs));
    figures.push(single('passages', '', state?.passages ?? 0));
    figures.push(...(await recalls(folder, modelsDir, thread, fixture.settled)));
    const took: number[] = [];
    let found = 0;
    for (const [question, answer] of fixture.settled) {
      const askedMs = performance.now();
      const passages = await base.search(folder, question);
      took.push(performance.now() - askedMs);
      if (passages.some(({ passage }) => passage.includes(answer))) found += 1;
    }
    figures.push(percent('given to the brain: the passage among them', found, fixture.settled.length));
    let none = 0;
    for (const question of fixture.open) if ((await base.search(folder, question)).length === 0) none += 1;
    figures.push(percent('nothing given where nothing settles it', none, fixture.open.length));
    figures.push(spread('a look', 'ms', took, 'p95 20'));
    figures.push(spread(`a look among ${LARGE}`, 'ms', await inLargeFolder(thread, took.length)));
    figures.push(...(await answers(options, base, folder, fixture)));
    progress('');
    return report('knowledge', figures, [
      `${fixture.settled.length} questions that ${fixture.folder} settles, ${fixture.open.length} that it does not, typed; ${threads} threads for the brain.`,
    ]);
  } finally {
    await base.close();
  }
}

async function recalls(
  folder: string,
  modelsDir: string,
  thread: KnowledgeThread,
  settled: readonly (readonly [string, string])[],
): Promise<Figure[]> {
  const { passages } = await readKnowledgeFolder(folder);
  const brain = await openModelFolder(join(modelsDir, 'smollm2-135m'));
  const table = new RelevanceTable(JSON.parse(await brain.readText('relevance.json')));
  const texts = passages.map(({ heading, text }) => (heading === '' ? text : `${heading}: ${text}`));
  const vectors = await thread.ask<'embed'>({ type: 'embed', texts });
  const index = new PassageIndex(table, passages, vectors);
  const figures: Figure[] = [];
  for (const [name, weights] of [
    ['words', { words: 1, meaning: 0 }],
    ['meaning', { words: 0, meaning: 1 }],
    ['both', undefined],
  ] as const) {
    let first = 0;
    let third = 0;
    for (const [question, answer] of settled) {
      const vector = await thread.ask<'embed'>({ type: 'embed', texts: [question] });
      const best = index.rank(question, vector, weights).slice(0, 3);
      const place = best.findIndex(({ passage }) => passage.text.includes(answer));
      if (place === 0) first += 1;
      if (place >= 0) third += 1;
    }
    figures.push(percent(`recall at 1 by ${name}`, first, settled.length));
    figures.push(percent(`recall at 3 by ${name}`, third, settled.length));
  }
  return figures;
}

/** Passages of random vectors and few words: what counts is how many there are. */
async function inLargeFolder(thread: KnowledgeThread, count: number): Promise<number[]> {
  const { width } = await thread.ask<'about'>({ type: 'about' });
  const passages = Array.from({ length: LARGE }, (_, at) => ({
    file: 'large.txt',
    heading: '',
    text: `Article ${at} costs ${at % 97} dollars and lies on shelf ${at % 31}.`,
  }));
  const vectors = Float32Array.from({ length: LARGE * width }, (_, at) => Math.sin(at * 12.9898) / Math.sqrt(width));
  await thread.ask<'index'>({ type: 'index', knowledge: 'large', passages, vectors });
  const took: number[] = [];
  for (let at = 0; at < count; at += 1) {
    const question = `What does article ${at} cost?`;
    const askedMs = performance.now();
    await thread.ask<'search'>({ type: 'search', knowledge: 'large', question, most: 3, near: undefined });
    took.push(performance.now() - askedMs);
  }
  return took;
}

async function answers(
  { modelsDir, threads, progress }: KnowledgeBenchOptions,
  base: KnowledgeBase,
  knowledge: string,
  { settled, open }: z.output<typeof fixtureSchema>,
): Promise<Figure[]> {
  const brain = await openTrunkBrain(modelsDir, threads, {
    search: (folder, question) => base.search(folder, question),
  });
  const persona: Persona = {
    id: 'bench',
    name: 'Alder Lake Boathouse',
    instructions: 'Receptionist of Alder Lake Boathouse. Short answers, only what the facts say.',
    facts: ['The boathouse is open every day from April to October.'],
    knowledge,
  };
  const ask = async (question: string): Promise<readonly Citation[]> => {
    const conversation = await brain.openConversation(persona);
    let text = '';
    let citations: readonly Citation[] = [];
    for await (const event of conversation.answer(question, new AbortController().signal)) {
      if (event.type === 'delta') text += event.text;
      else if (event.type === 'cited') citations = event.citations;
    }
    conversation.close();
    progress(`${question} → ${text} [${citations.map(({ file }) => file).join(', ')}]`);
    return citations;
  };
  try {
    let right = 0;
    let other = 0;
    let stated = 0;
    for (const [question, answer] of settled) {
      const [cited] = await ask(question);
      if (cited?.passage.includes(answer) === true) right += 1;
      else if (cited !== undefined) other += 1;
    }
    for (const question of open) if ((await ask(question)).length > 0) stated += 1;
    return [
      percent('answered from the passage that settles it', right, settled.length),
      percent('answered from another one', other, settled.length),
      percent('answered from one where nothing settles it', stated, open.length),
    ];
  } finally {
    await brain.close();
  }
}

function percent(name: string, count: number, of: number): Figure {
  return single(`${name} (${count} of ${of})`, '%', (100 * count) / of);
}
