/** `trunkline bench`: the published measurements, printed as they stand in the docs and kept as JSON. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { benchActions } from '../bench/actions-bench';
import { benchAmd } from '../bench/amd-bench';
import { benchAnswers } from '../bench/answers-bench';
import { benchBaresipTape } from '../bench/baresip-tape';
import { benchBargeIn } from '../bench/barge-in-bench';
import { benchCalls } from '../bench/calls-bench';
import { benchCapacity } from '../bench/capacity-bench';
import { benchEngine } from '../bench/engine-bench';
import { benchHeldout } from '../bench/heldout-bench';
import { benchHistory } from '../bench/history-bench';
import { benchKnowledge } from '../bench/knowledge-bench';
import { benchLoss } from '../bench/loss-bench';
import { benchMedia } from '../bench/media-bench';
import { benchMemory } from '../bench/memory-bench';
import { benchModel } from '../bench/model-bench';
import { startOwnAgent } from '../bench/own-agent';
import { benchPacing } from '../bench/pacing-bench';
import { type BenchReport, toTable } from '../bench/report';
import { benchSetup } from '../bench/setup-bench';
import { benchTape } from '../bench/tape-bench';
import { benchTasks } from '../bench/tasks-bench';
import { benchTurns } from '../bench/turns-bench';
import { benchUniform } from '../bench/uniform-bench';
import { loadConfig } from '../config';
import { TrunklineError } from '../core/errors';
import { suggestion } from '../core/nearest-word';
import { loadDialplan } from '../dialplan/load-dialplan';
import { workerEntry } from '../workers/locate';
import { type Arguments, type Command, exitCodes, type Terminal } from './command';

const ROOT = join(__dirname, '../..');
const QUESTIONS = join(ROOT, 'test/fixtures/questions');
const HELDOUT = join(ROOT, 'test/fixtures/brain/heldout.json');
const OVERLAPS = join(ROOT, 'test/fixtures/overlaps');
const TASKS = join(ROOT, 'test/fixtures/tasks');

type Measurement = (given: Arguments, progress: (line: string) => void) => Promise<BenchReport>;

const MEASUREMENTS: Readonly<Record<string, Measurement>> = {
  tape: (given, progress) =>
    withAgent(given, (agent) =>
      callerOf(given) === 'baresip'
        ? benchBaresipTape({ agent, questionsFolder: QUESTIONS, count: countOf(given), progress })
        : benchTape({
            agent,
            questionsFolder: QUESTIONS,
            mediaEntry: workerEntry('media'),
            count: countOf(given),
            lines: wholeNumber(given, 'lines'),
            progress,
          }),
    ),
  tasks: (given, progress) =>
    benchTasks({
      root: ROOT,
      engine: engineOf(given),
      mediaEntry: workerEntry('media'),
      databaseEntry: workerEntry('database'),
      folder: TASKS,
      count: countOf(given),
      keep: given.text('keep'),
      progress,
    }),
  'barge-in': (given, progress) =>
    withAgent(given, (agent) =>
      benchBargeIn({
        agent,
        clipsFolder: OVERLAPS,
        mediaEntry: workerEntry('media'),
        count: countOf(given),
        random: seeded(1),
        progress,
      }),
    ),
  history: (given, progress) =>
    withAgent(given, (agent) =>
      benchHistory({
        agent,
        modelsDir: loadConfig().engine.models,
        mediaEntry: workerEntry('media'),
        count: countOf(given) ?? 200,
        random: seeded(2),
        keep: given.text('keep'),
        progress,
      }),
    ),
  model: (given, progress) => {
    const config = loadConfig();
    const engine = given.text('engine');
    if (engine !== undefined) {
      const lines = wholeNumber(given, 'lines');
      const options = {
        engine,
        remote: config.engine.remote,
        modelsDir: config.engine.models,
        threads: Number(given.text('threads') ?? config.engine.threads ?? 2),
        questionsFolder: QUESTIONS,
        personas: loadDialplan(resolve(config.dialplans)).personas,
        count: countOf(given),
        progress,
      };
      return lines === undefined ? benchEngine(options) : benchCalls({ ...options, lines });
    }
    const persona = loadDialplan(resolve(config.dialplans)).personas[0];
    if (persona === undefined)
      throw new TrunklineError('bench.no-persona', 'The dialplan has no persona.', { fix: 'Add one.' });
    const threads = Number(given.text('threads') ?? config.engine.threads ?? 2);
    return benchModel({
      modelsDir: config.engine.models,
      threads,
      questionsFolder: QUESTIONS,
      persona,
      count: countOf(given),
    });
  },
  turns: (given) => {
    const clipsFolder = clipsOf(given, 'turns');
    const { engine } = loadConfig();
    const threads = Number(given.text('threads') ?? engine.threads ?? 2);
    const { models: modelsDir } = engine;
    return benchTurns({ clipsFolder, questionsFolder: QUESTIONS, modelsDir, threads, count: countOf(given) });
  },
  amd: (given) => {
    const { engine, amd } = loadConfig();
    const threads = Number(given.text('threads') ?? engine.threads ?? 2);
    return benchAmd({
      clipsFolder: clipsOf(given, 'amd'),
      modelsDir: engine.models,
      threads,
      rules: amd,
      count: countOf(given),
    });
  },
  answers: (given, progress) => {
    const config = loadConfig();
    const { personas } = loadDialplan(resolve(config.dialplans));
    return benchAnswers({
      modelsDir: config.engine.models,
      threads: Number(given.text('threads') ?? config.engine.threads ?? 2),
      questionsFolder: QUESTIONS,
      personas,
      count: countOf(given),
      progress,
    });
  },
  heldout: (given, progress) => {
    const { engine } = loadConfig();
    const threads = Number(given.text('threads') ?? engine.threads ?? 2);
    const folder = given.text('spoken');
    const spoken =
      folder === undefined ? undefined : { engine: given.text('engine') ?? 'omni', folder, keep: given.text('keep') };
    const file = given.text('questions') ?? HELDOUT;
    return benchHeldout({ modelsDir: engine.models, threads, file, count: countOf(given), spoken, progress });
  },
  knowledge: (given, progress) => {
    const { engine } = loadConfig();
    return benchKnowledge({
      root: ROOT,
      file: given.text('questions') ?? join(ROOT, 'test/fixtures/knowledge/boathouse.json'),
      modelsDir: engine.models,
      threads: Number(given.text('threads') ?? engine.threads ?? 2),
      entry: workerEntry('knowledge'),
      progress,
    });
  },
  pacing: (given, progress) =>
    withAgent(given, (agent) =>
      benchPacing({ agent, questionsFolder: QUESTIONS, mediaEntry: workerEntry('media'), progress }),
    ),
  media: async (given) => benchMedia(countOf(given)),
  loss: (given, progress) => {
    const { engine } = loadConfig();
    return benchLoss({
      modelsDir: engine.models,
      threads: Number(given.text('threads') ?? engine.threads ?? 2),
      questionsFolder: QUESTIONS,
      count: countOf(given),
      randomOf: seeded,
      progress,
    });
  },
  setup: (given, progress) =>
    benchSetup({
      scenario: join(ROOT, 'infra/sipp/bench-setup.xml'),
      callsPerSecond: countOf(given) ?? 100,
      seconds: wholeNumber(given, 'seconds') ?? 60,
      progress,
    }),
  actions: (given, progress) => benchActions({ root: ROOT, count: countOf(given) ?? 100, random: seeded(1), progress }),
  capacity: (given, progress) => benchCapacity(countOf(given) ?? 200, progress),
  uniform: (given, progress) => benchUniform(countOf(given) ?? 500, progress),
  memory: (_given, progress) =>
    benchMemory({ root: ROOT, questionsFolder: QUESTIONS, mediaEntry: workerEntry('media'), progress }),
};

export const bench: Command = {
  name: 'bench',
  summary: `measures what the docs publish: ${Object.keys(MEASUREMENTS).join(', ')}`,
  flags: [
    { name: 'json', value: 'FILE', summary: 'keep the figures' },
    { name: 'against', value: 'FILE', summary: 'show the figures of an earlier --json beside' },
    { name: 'count', value: 'N', summary: 'fewer questions, interruptions or tasks than all' },
    {
      name: 'keep',
      value: 'FOLDER',
      summary:
        'history: keep the sound of interruptions whose words differ; heldout: that of answers; tasks: tapes and transcripts',
    },
    { name: 'seconds', value: 'N', summary: 'setup: for how long; --count is its calls per second' },
    { name: 'lines', value: 'N', summary: 'tape, model with --engine: calls at once' },
    { name: 'threads', value: 'N', summary: 'threads of the model process' },
    { name: 'engine', value: 'NAME', summary: 'what is rung, or measured whole by model: cascade or omni' },
    { name: 'caller', value: 'baresip', summary: 'tape: measure from the recordings of this phone instead of ours' },
    { name: 'questions', value: 'FILE', summary: 'heldout, knowledge: other questions than those of the repository' },
    { name: 'spoken', value: 'FOLDER', summary: 'heldout: its questions as recordings, asked of a whole engine' },
    { name: 'clips', value: 'FOLDER', summary: 'turns, amd: where the labelled clips lie' },
  ],
  positionals: [{ name: 'MEASUREMENT', required: true }],
  async run(given, terminal: Terminal) {
    const name = given.positional('MEASUREMENT') ?? '';
    const measure = MEASUREMENTS[name];
    if (measure === undefined) {
      const near = suggestion(name, Object.keys(MEASUREMENTS));
      throw new TrunklineError('cli.bad-value', `There is no measurement ${name}.${near}`, {
        fix: `Use one of: ${Object.keys(MEASUREMENTS).join(', ')}.`,
      });
    }
    const against = given.text('against');
    const before = against === undefined ? undefined : (JSON.parse(readFileSync(against, 'utf8')) as BenchReport);
    const result = await measure(given, (line) => terminal.err(line));
    terminal.out(toTable(result, before));
    const target = given.text('json');
    if (target !== undefined) writeFileSync(target, `${JSON.stringify(result, null, 2)}\n`);
    return exitCodes.fine;
  },
};

async function withAgent(
  given: Arguments,
  measure: (agent: Awaited<ReturnType<typeof startOwnAgent>>) => Promise<BenchReport>,
): Promise<BenchReport> {
  const agent = await startOwnAgent({ root: ROOT, config: { engine: engineOf(given) } });
  try {
    return await measure(agent);
  } finally {
    await agent.stop();
  }
}

function engineOf(given: Arguments): Readonly<Record<string, unknown>> {
  const [threads, name] = [given.text('threads'), given.text('engine')];
  return {
    ...(threads === undefined ? {} : { threads: Number(threads) }),
    ...(name === undefined ? {} : { name }),
  };
}

function callerOf(given: Arguments): 'baresip' | undefined {
  const caller = given.text('caller');
  if (caller === undefined || caller === 'baresip') return caller;
  throw new TrunklineError('cli.bad-value', `--caller cannot be ${caller}.`, { fix: 'Leave it out, or say baresip.' });
}

function clipsOf(given: Arguments, measurement: string): string {
  const folder = given.text('clips');
  if (folder !== undefined) return folder;
  throw new TrunklineError('cli.missing-value', `The measurement ${measurement} needs --clips FOLDER.`, {
    fix: 'Make the clips with models/recipe, see docs/turn-taking.md and docs/outbound.md.',
  });
}

function countOf(given: Arguments): number | undefined {
  return wholeNumber(given, 'count');
}

function wholeNumber(given: Arguments, flag: string): number | undefined {
  const text = given.text(flag);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new TrunklineError('cli.bad-value', `--${flag} cannot be ${text}.`, { fix: 'Give a whole number.' });
}

/** The same places at every run (mulberry32), so that two runs differ by what they measure. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
