/** People taken for machines, machines found, and what either costs in time, on labelled clips of answered calls. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { AnswerRules } from '../core/answer-rules';
import { overlapWords } from '../model/call-hearing';
import { openRecogniser } from '../model/load-model';
import { openModelFolder } from '../model/manifest';
import { SileroVad } from '../turn/silero-vad';
import { loadClip } from '../turn/turn-bench';
import { type ReplayedVerdict, replayAnswer } from './answer-replay';
import { type BenchReport, type Figure, report, single, spread } from './report';

export interface AmdBenchOptions {
  /** What models/recipe/trunkline_recipe/turns/answered.py made: `answered`. */
  readonly clipsFolder: string;
  readonly modelsDir: string;
  readonly threads: number;
  readonly rules: AnswerRules;
  /** At most so many clips. */
  readonly count?: number;
}

const clipsSchema = z.array(
  z.object({
    file: z.string(),
    split: z.enum(['tune', 'test']),
    kind: z.string(),
    answeredBy: z.enum(['human', 'machine']),
    parts: z.array(z.object({ text: z.string(), startMs: z.number(), endMs: z.number() })),
  }),
);
type Clip = z.output<typeof clipsSchema>[number];

interface Outcome extends Clip {
  readonly verdicts: readonly ReplayedVerdict[];
}

/** As long as the recogniser took on the published tapes (`bench turns` takes the same). */
const LISTEN_MS = 250;
const BEEP = '(beep)';
/** A message that begins earlier than this before the end of the beep has lost its first word. */
const BEEP_SLACK_MS = 100;

export async function benchAmd(options: AmdBenchOptions): Promise<BenchReport> {
  const folder = await openModelFolder(join(options.modelsDir, 'silero-vad'));
  const vad = await SileroVad.open(await folder.read('silero-vad.onnx'));
  const recogniser = await openRecogniser(options.modelsDir, options.threads);
  const clipsFolder = join(options.clipsFolder, 'answered');
  const { signal } = new AbortController();
  try {
    const clips = clipsSchema
      .parse(JSON.parse(await readFile(join(clipsFolder, 'clips.json'), 'utf8')))
      .filter(({ split }) => split === 'test')
      .slice(0, options.count);
    const run = async (recognise?: (pcm: Float32Array) => Promise<{ readonly text: string }>): Promise<Outcome[]> => {
      const outcomes: Outcome[] = [];
      for (const clip of clips) {
        const verdicts = await replayAnswer({
          pcm: await loadClip(join(clipsFolder, clip.file)),
          rules: options.rules,
          openStream: () => vad.openStream(),
          listenMs: LISTEN_MS,
          ...(recognise === undefined ? {} : { recognise }),
        });
        outcomes.push({ ...clip, verdicts });
      }
      return outcomes;
    };
    const bySound = await run();
    const withWords = await run(async (pcm) => overlapWords(await recogniser.recognise(pcm, signal)));
    return report(
      'amd',
      [...figuresOf('by sound alone', bySound), ...figuresOf('with words', withWords)],
      [
        `Offline, on the test half: ${listed(kindsOf(clips))}.`,
        `The recogniser is taken to need ${LISTEN_MS} ms.`,
        `People taken for machines: ${listed(bySound.filter(lost).map(({ file }) => file))} by sound; ${listed(withWords.filter(lost).map(({ file }) => file))} with words.`,
        `Machines not found: ${listed(bySound.filter(missed).map(({ file }) => file))} by sound; ${listed(withWords.filter(missed).map(({ file }) => file))} with words.`,
      ],
    );
  } finally {
    await Promise.all([vad.close(), recogniser.close()]);
  }
}

function figuresOf(way: string, outcomes: readonly Outcome[]): Figure[] {
  const people = outcomes.filter(({ answeredBy }) => answeredBy === 'human');
  const machines = outcomes.filter(({ answeredBy }) => answeredBy === 'machine');
  const beeping = machines.filter((machine) => beepOf(machine) !== undefined);
  const late = (outcome: Outcome): boolean => !missed(outcome) && answersOf(outcome)[0]?.answeredBy !== 'machine';
  const waits = people.flatMap((person) => {
    const first = answersOf(person)[0];
    const spokenTo = greetingEndMs(person);
    return first?.answeredBy === 'human' && first.atMs > spokenTo ? [first.atMs - spokenTo] : [];
  });
  return [
    single(`${way}: people taken for machines (of ${people.length})`, '%', percent(people, lost), '≤ 2'),
    single(
      `${way}: machines found (of ${machines.length})`,
      '%',
      percent(machines, (one) => !missed(one)),
      '≥ 90',
    ),
    single(`${way}: … found by the beep after they had been taken for people`, '%', percent(machines, late)),
    single(
      `${way}: people who said nothing that was heard`,
      '%',
      percent(people, (one) => answersOf(one)[0]?.answeredBy === 'unknown'),
    ),
    spread(`${way}: people wait, from their last word`, 'ms', waits),
    single(`${way}: beeps heard (of ${beeping.length})`, '%', percent(beeping, heardBeep)),
    single(
      `${way}: messages that would begin before the beep is over`,
      '%',
      percent(beeping, (one) => recordsOf(one).some(({ atMs }) => atMs < (beepOf(one)?.endMs ?? 0) - BEEP_SLACK_MS)),
    ),
  ];
}

function answersOf({ verdicts }: Outcome) {
  return verdicts.flatMap((verdict) => (verdict.type === 'answered-by' ? [verdict] : []));
}

function recordsOf({ verdicts }: Outcome) {
  return verdicts.flatMap((verdict) => (verdict.type === 'records' ? [verdict] : []));
}

/** Once is enough: whoever is hung up on does not come back. */
function lost(outcome: Outcome): boolean {
  return outcome.answeredBy === 'human' && answersOf(outcome).some(({ answeredBy }) => answeredBy === 'machine');
}

function missed(outcome: Outcome): boolean {
  return outcome.answeredBy === 'machine' && answersOf(outcome).at(-1)?.answeredBy !== 'machine';
}

function heardBeep(outcome: Outcome): boolean {
  return recordsOf(outcome).some(({ beepHz }) => beepHz !== undefined);
}

function beepOf({ parts }: Clip) {
  return parts.find(({ text }) => text === BEEP);
}

/** The end of what they said before they were believed to be done; a second "hello?" comes after a pause. */
function greetingEndMs(outcome: Outcome): number {
  const first = answersOf(outcome)[0]?.atMs ?? 0;
  const spoken = outcome.parts.filter(({ text, endMs }) => text !== '' && endMs <= first);
  return spoken.at(-1)?.endMs ?? Number.POSITIVE_INFINITY;
}

function kindsOf(clips: readonly Clip[]): string[] {
  const names = [...new Set(clips.map(({ answeredBy, kind }) => `${answeredBy} ${kind}`))].sort();
  return names.map((name) => {
    const count = clips.filter(({ answeredBy, kind }) => `${answeredBy} ${kind}` === name).length;
    return `${count} ${name}`;
  });
}

function percent<T>(all: readonly T[], holds: (one: T) => boolean): number {
  return all.length === 0 ? 0 : Math.round((1_000 * all.filter(holds).length) / all.length) / 10;
}

function listed(names: readonly string[]): string {
  return names.join(', ') || 'none';
}
