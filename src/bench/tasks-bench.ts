/**
 * `bench tasks`: an agent with tools is rung once for each spoken task, by a synthetic caller over SIP and G.711, and judged by what the
 * tables of a real database hold afterwards, and by nothing else.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Form, formOf } from '../call/forms/form';
import { localDay } from '../call/forms/spoken-date';
import type { CallEvent } from '../core/call-event';
import { loadDialplan } from '../dialplan/load-dialplan';
import type { Phone } from '../phone/phone';
import type { PhoneStack } from '../phone/phone-stack';
import type { Database } from '../store/database';
import { openEmbeddedDatabase } from '../store/embedded-database';
import { postgresDatabase } from '../store/postgres-database';
import { type OwnAgent, startOwnAgent } from './own-agent';
import { postgresIsThere, startPostgres } from './own-postgres';
import { spreadOver } from './questions';
import { type BenchReport, report, single, spread } from './report';
import { newestLiveCall, openPhones, timelineOf } from './tape-bench';
import { beginning, type CallerStep, type Errands, hearAgent, hearSilence, interruption } from './tasks/caller';
import { type Desk, openDesk } from './tasks/desk';
import { differences, expectedRows, resolveRows, told } from './tasks/grade';
import { readTasks, type Task } from './tasks/script';
import { type Speech, speak } from './tasks/voices';

/** After the agent has said something that is no question. */
const PATIENCE_MS = 2_500;
/** After the caller has spoken: the answer may take its time. */
const ANSWER_MS = 12_000;
/** How far into what the agent says it is talked over. */
const INTO_MS = 1_000;
const LONGEST_CALL_MS = 100_000;
/** What was still under way when the caller hung up is done by then. */
const SETTLED_MS = 3_000;
const LOOK_EVERY_MS = 100;

export interface TasksBenchOptions {
  readonly root: string;
  /** Of the agent: `threads`, `name`. */
  readonly engine: Readonly<Record<string, unknown>>;
  readonly mediaEntry: string;
  readonly databaseEntry: string;
  /** tasks.yaml, and what is rung: dialplan/plan.yaml. */
  readonly folder: string;
  readonly count?: number | undefined;
  /** Where ID.wav and ID.txt of each call go. */
  readonly keep?: string | undefined;
  readonly progress: (line: string) => void;
}

interface Outcome {
  readonly task: Task;
  /** Empty: it is done. */
  readonly wrong: readonly string[];
  readonly ended: string;
  readonly durationMs: number;
}

export async function benchTasks(options: TasksBenchOptions): Promise<BenchReport> {
  const tasks = spreadOver(readTasks(join(options.folder, 'tasks.yaml')), options.count);
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-tasks-'));
  const opened: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  try {
    // A voice that is missing is told before anything is started.
    for (const voice of new Set(tasks.map((task) => task.voice))) await speak(voice, 'Hello.', folder);
    const { database, name, remove } = await openDatabase(folder, options.databaseEntry);
    opened.push(remove);
    const desk = await openDesk(database);
    opened.push(() => desk.close());
    const plan = readFileSync(join(options.folder, 'dialplan/plan.yaml'), 'utf8').replaceAll(
      'http://localhost:3000',
      desk.url,
    );
    const dialplans = join(folder, 'dialplans');
    mkdirSync(dialplans);
    writeFileSync(join(dialplans, 'plan.yaml'), plan);
    const config = { dialplans: dialplans as never, engine: options.engine, webhooks: { allowPrivate: ['localhost'] } };
    const agent = await startOwnAgent({ root: options.root, config });
    opened.push(() => agent.stop());
    await agent.prepared();
    const stack = await openPhones(options.mediaEntry);
    opened.push(() => stack.close());
    const outcomes: Outcome[] = [];
    for (const task of tasks) {
      const outcome = await runTask(task, {
        ...options,
        agent,
        stack,
        desk,
        folder,
        forms: formsOf(dialplans, task.route),
      });
      outcomes.push(outcome);
      const judged = outcome.wrong.length === 0 ? 'done' : `FAILED, ${outcome.wrong.join('; ')}`;
      options.progress(`${task.id}: ${judged} (${Math.round(outcome.durationMs / 1_000)} s; ${outcome.ended})`);
    }
    return reportOf(outcomes, name, /engine (\S+)/.exec(agent.output())?.[1] ?? 'unknown engine');
  } finally {
    for (const close of opened.reverse()) await close();
  }
}

function reportOf(outcomes: readonly Outcome[], database: string, engine: string): BenchReport {
  const done = outcomes.filter(({ wrong }) => wrong.length === 0);
  const voices = [...new Set(outcomes.map(({ task }) => task.voice))].sort();
  const failed = outcomes.filter(({ wrong }) => wrong.length > 0);
  const lines = failed.map(
    ({ task, wrong, ended }) => `- ${task.id}: ${wrong.join('; ')}. The caller hung up because ${ended}.`,
  );
  return report(
    `spoken tasks by the state of the database, G.711 over SIP, ${engine}`,
    [
      single('tasks done', `of ${outcomes.length}`, done.length),
      spread(
        'length of a call',
        's',
        outcomes.map(({ durationMs }) => durationMs / 1_000),
      ),
    ],
    [
      `Database: ${database}. Voices: ${voices.join(', ')}.`,
      lines.length === 0 ? 'Failed: none.' : `Failed:\n${lines.join('\n')}`,
    ],
  );
}

async function openDatabase(folder: string, entry: string) {
  if (!postgresIsThere()) {
    const database = await openEmbeddedDatabase(join(folder, 'database'), entry);
    return { database, name: 'the embedded one (PGlite)', remove: () => database.close() };
  }
  const server = await startPostgres();
  const database: Database = postgresDatabase(server.url);
  const remove = async () => {
    await database.close();
    server.remove();
  };
  return { database, name: 'PostgreSQL', remove };
}

/** The forms of the tools behind a number. */
export function formsOf(dialplans: string, number: string): ReadonlyMap<string, Form> {
  const route = loadDialplan(dialplans).routes.find(({ name }) => name === number);
  const tools = route?.action.type === 'agent' ? (route.action.persona.tools ?? []) : [];
  return new Map(
    tools.flatMap((tool) => {
      const form = formOf(tool);
      return form === undefined ? [] : [[tool.name, form] as const];
    }),
  );
}

interface Ringing extends Omit<TasksBenchOptions, 'folder'> {
  readonly agent: OwnAgent;
  readonly stack: PhoneStack;
  readonly desk: Desk;
  readonly folder: string;
  readonly forms: ReadonlyMap<string, Form>;
}

async function runTask(task: Task, { agent, stack, desk, folder, forms, keep }: Ringing): Promise<Outcome> {
  const today = localDay(new Date());
  await desk.lay(resolveRows(task.given, today));
  if (keep !== undefined) mkdirSync(keep, { recursive: true });
  const phone = await stack.dial({
    to: `sip:${task.route}@127.0.0.1:${agent.sipPort}`,
    bindAddress: '127.0.0.1',
    ports: [23_000, 23_999],
    ...(keep === undefined ? {} : { tapePath: join(keep, `${task.id}.wav`) }),
  });
  const callId = await newestLiveCall(agent);
  const errands: Errands = { list: task.errands, forms, today };
  const said = new Map<string, Promise<Speech>>();
  const voiced = (text: string) => {
    const speech = said.get(text) ?? speak(task.voice, text, folder);
    said.set(text, speech);
    return speech;
  };
  const ended = await converse(errands, { phone, voiced, heard: () => wholeTurns(agent, callId) });
  const durationMs = phone.nowMs;
  if (phone.howItEnded === undefined) await phone.hangUp();
  const events = await timelineOf(agent, callId);
  const expected = expectedRows(task, today);
  const found = await settled(desk, expected);
  const transcript = events.flatMap(({ type, data }) => {
    if (type !== 'turn.user' && type !== 'turn.agent') return type.startsWith('t') ? [`(${type})`] : [];
    return [
      `${type === 'turn.user' ? 'caller' : 'agent '}: ${data.text ?? ''}${data.interrupted === true ? ' —' : ''}`,
    ];
  });
  const wrong = differences(expected, found).map(told);
  if (keep !== undefined)
    writeFileSync(join(keep, `${task.id}.txt`), `${[...transcript, ended, ...wrong].join('\n')}\n`);
  return { task, wrong, ended, durationMs };
}

interface Line {
  readonly phone: Phone;
  readonly voiced: (text: string) => Promise<Speech>;
  /** What the agent has said to its end so far, turn by turn; undefined: a turn that was broken off. */
  readonly heard: () => Promise<readonly (string | undefined)[]>;
}

/** Until the caller hangs up, or the agent does. Returns why. */
async function converse(errands: Errands, { phone, voiced, heard }: Line): Promise<string> {
  let state = beginning;
  /** Turns that the caller has answered, or that were over before it had finished speaking. */
  let taken = 0;
  let quietFromMs = phone.nowMs;
  let patienceMs = ANSWER_MS;
  let wasTalking = false;
  const speakUp = async ({ state: next, line }: CallerStep): Promise<string | undefined> => {
    state = next;
    if (line.do === 'hang-up') return line.because;
    if (line.do === 'wait') return undefined;
    const { pcm, sampleRate } = await voiced(line.text);
    await phone.say(pcm, sampleRate);
    taken = (await heard()).length;
    quietFromMs = phone.nowMs;
    patienceMs = ANSWER_MS;
    wasTalking = false;
    return undefined;
  };
  while (phone.howItEnded === undefined) {
    if (phone.nowMs > LONGEST_CALL_MS) return 'the call took too long';
    if (phone.agentIsTalking) {
      const over = wasTalking ? undefined : interruption(errands, state);
      wasTalking = true;
      if (over !== undefined) {
        await phone.pass(INTO_MS);
        await speakUp(over);
      }
      quietFromMs = phone.nowMs;
      await phone.pass(LOOK_EVERY_MS);
      continue;
    }
    if (wasTalking) patienceMs = PATIENCE_MS;
    wasTalking = false;
    const turns = await heard();
    const last = turns.slice(taken).at(-1);
    const step =
      last !== undefined
        ? hearAgent(errands, state, last)
        : phone.nowMs - quietFromMs > patienceMs
          ? hearSilence(errands, state)
          : undefined;
    const isStatement = step?.line.do === 'wait';
    const waited = isStatement && phone.nowMs - quietFromMs > patienceMs ? hearSilence(errands, state) : step;
    if (waited !== undefined && waited.line.do !== 'wait') {
      const because = await speakUp(waited);
      if (because !== undefined) return because;
    } else await phone.pass(LOOK_EVERY_MS);
  }
  return 'the agent hung up';
}

async function wholeTurns(agent: OwnAgent, callId: string): Promise<readonly (string | undefined)[]> {
  const { events } = (await agent.request('GET', `/v1/calls/${callId}/timeline`)) as { events: readonly CallEvent[] };
  return events.flatMap((event) =>
    event.type === 'turn.agent' ? [event.data.interrupted ? undefined : event.data.text] : [],
  );
}

/** What the tables hold once they hold what is expected, or once nothing more is to come. */
async function settled(desk: Desk, expected: Parameters<typeof differences>[0]) {
  const until = performance.now() + SETTLED_MS;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    const found = await desk.look();
    if (performance.now() >= until) return found;
    if (differences(expected, found).length > 0) continue;
    // Right so far: it must stay so.
    await new Promise((resolve) => setTimeout(resolve, SETTLED_MS / 2));
    return desk.look();
  }
}
