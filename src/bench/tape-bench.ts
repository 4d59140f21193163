/**
 * `bench tape`: rings an agent over SIP with G.711, asks recorded questions, and reads the turn gaps off the caller's
 * own tape. The same calls give the share of right answers, by what the caller heard of them.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../core/clock';
import { silentLogger } from '../core/log';
import type { Phone } from '../phone/phone';
import { PhoneStack } from '../phone/phone-stack';
import { POLITE, runScript } from '../phone/script';
import { readTurnGaps } from '../phone/tape';
import { readTapeFile } from '../phone/tape-file';
import type { OwnAgent } from './own-agent';
import { isRight, type Question, readQuestions, spreadOver, utteranceOf } from './questions';
import { type BenchReport, report, single, spread } from './report';

/** A caller who asks this much per call is neither hasty nor a bore. */
const QUESTIONS_PER_CALL = 4;

export interface TapeBenchOptions {
  readonly agent: OwnAgent;
  readonly questionsFolder: string;
  readonly mediaEntry: string;
  /** How many questions; all if left out. */
  readonly count?: number;
  /** Calls at once; 1 if left out. */
  readonly lines?: number;
  readonly progress: (line: string) => void;
}

interface Turn {
  readonly turn: number;
  readonly role: 'user' | 'agent';
  readonly text: string;
}

interface EventRow {
  readonly type: string;
  readonly data: {
    readonly turn?: number;
    readonly text?: string;
    readonly interrupted?: boolean;
    readonly playedMs?: number;
    readonly stages?: Readonly<Record<string, number>>;
  };
}

/** What the calls of one run gave, put together as they end. */
interface Tally {
  readonly gapsMs: number[];
  readonly stages: Map<string, number[]>;
  readonly paceMs: number[];
  readonly wrong: string[];
  right: number;
  asked: number;
  unanswered: number;
  cutIns: number;
  discarded: number;
}

export async function benchTape(options: TapeBenchOptions): Promise<BenchReport> {
  const { agent, lines = 1 } = options;
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-bench-'));
  const groups = groupsOf(spreadOver(readQuestions(options.questionsFolder), options.count));
  const stack = await openPhones(options.mediaEntry);
  const tally: Tally = {
    gapsMs: [],
    stages: new Map(),
    paceMs: [],
    wrong: [],
    right: 0,
    asked: 0,
    unanswered: 0,
    cutIns: 0,
    discarded: 0,
  };
  const waiting = groups.entries();
  await agent.prepared();
  // One call is set up at a time, so that the newest one that is up is the one just dialled.
  let dialling: Promise<unknown> = Promise.resolve();
  const dial = (tapePath: string, persona: string): Promise<{ phone: Phone; callId: string }> => {
    const dialled = dialling.then(async () => {
      const phone = await stack.dial({
        to: `sip:${persona}@127.0.0.1:${agent.sipPort}`,
        bindAddress: '127.0.0.1',
        ports: [23_000, 23_999],
        tapePath,
      });
      return { phone, callId: await newestLiveCall(agent) };
    });
    dialling = dialled.catch(() => undefined);
    return dialled;
  };
  const line = async () => {
    for (const [index, group] of waiting) {
      const tapePath = join(folder, `${index}.wav`);
      const { phone, callId } = await dial(tapePath, group[0]?.persona ?? 'demo');
      await askOne({ ...options, phone, callId, tapePath, group, tally });
    }
  };
  try {
    await Promise.all(Array.from({ length: lines }, line));
  } finally {
    await stack.close();
    rmSync(folder, { recursive: true, force: true });
  }
  const engine = /engine (\S+)/.exec(agent.output())?.[1] ?? 'unknown engine';
  return report(
    `turn gap on tape, G.711 over SIP, ${engine}${lines === 1 ? '' : `, ${lines} calls at once`}`,
    [
      spread('turn gap', 'ms', tally.gapsMs, lines === 1 ? 'p50 ≤ 900, p95 ≤ 1,400' : 'p95 ≤ 1,000'),
      ...[...tally.stages].map(([name, values]) => spread(`  ${name}`, 'ms', values)),
      single('right answers', '%', (100 * tally.right) / Math.max(1, tally.asked)),
      single('questions', '', tally.asked),
      single('not answered', '', tally.unanswered),
      single('agent cut in', '', tally.cutIns),
      single('discarded edges', '', tally.discarded),
      spread('deviation of sent packets, p99 of each call', 'ms', tally.paceMs, 'p99 < 2'),
    ],
    tally.wrong.length === 0 ? [] : [`Wrong answers:\n${tally.wrong.map((line) => `- ${line}`).join('\n')}`],
  );
}

interface Asking extends TapeBenchOptions {
  readonly phone: Phone;
  readonly callId: string;
  readonly tapePath: string;
  readonly group: readonly Question[];
  readonly tally: Tally;
}

/** One call: its questions are asked, its tape is read, its record is compared with what was expected. */
async function askOne({
  agent,
  questionsFolder,
  phone,
  callId,
  tapePath,
  group,
  tally,
  progress,
}: Asking): Promise<void> {
  const spoken = await runScript(
    phone,
    await Promise.all(group.map((question) => utteranceOf(questionsFolder, question))),
    POLITE,
  );
  await phone.hangUp();
  const reading = readTurnGaps(
    readTapeFile(tapePath),
    spoken.utterances.map(({ span }) => span),
  );
  tally.gapsMs.push(...reading.gaps.map(({ gapMs }) => gapMs));
  tally.unanswered += reading.unanswered;
  tally.cutIns += reading.cutIns;
  tally.discarded += reading.discarded;
  collectStages(await timelineOf(agent, callId), tally.stages);
  const { turns, quality } = await endedCall(agent, callId);
  if (quality?.paceP99Ms !== undefined) tally.paceMs.push(quality.paceP99Ms);
  const answers = answersOf(turns);
  group.forEach((question, place) => {
    const { user, agent: answer } = answers[place] ?? { user: '', agent: '' };
    tally.asked += 1;
    if (isRight(question, answer)) tally.right += 1;
    else tally.wrong.push(`${question.id} (${question.voice}) “${question.text}” heard as “${user}” → “${answer}”`);
  });
  progress(
    `${tally.asked} questions, ${tally.right} right, gaps ${reading.gaps.map(({ gapMs }) => Math.round(gapMs)).join(' ')} ms`,
  );
}

export async function openPhones(mediaEntry: string): Promise<PhoneStack> {
  return PhoneStack.open({
    mediaEntry,
    clock: new SystemClock(),
    log: silentLogger,
    listen: { host: '127.0.0.1', port: 0 },
    codecs: ['PCMU'],
  });
}

/** Set up and not yet ended, the newest first. */
export async function newestLiveCall(agent: OwnAgent): Promise<string> {
  const { calls } = (await agent.request('GET', '/v1/calls?state=answered&limit=1')) as { calls: { id: string }[] };
  return calls[0]?.id ?? '';
}

interface EndedCall {
  readonly turns: readonly Turn[];
  readonly quality: { readonly paceP99Ms?: number } | undefined;
}

async function endedCall(agent: OwnAgent, callId: string): Promise<EndedCall> {
  const { quality } = (await agent.request('GET', `/v1/calls/${callId}`)) as Pick<EndedCall, 'quality'>;
  const { turns } = (await agent.request('GET', `/v1/calls/${callId}/transcript`)) as Pick<EndedCall, 'turns'>;
  return { turns, quality };
}

/** What happened in one call, once it has ended. */
export async function timelineOf(agent: OwnAgent, callId: string): Promise<readonly EventRow[]> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const { state } = (await agent.request('GET', `/v1/calls/${callId}`)) as { state: string };
    if (state === 'ended') break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return eventsOf(agent, callId);
}

async function eventsOf(agent: OwnAgent, callId: string): Promise<readonly EventRow[]> {
  const { events } = (await agent.request('GET', `/v1/calls/${callId}/timeline`)) as { events: EventRow[] };
  return events;
}

/** What was said after each thing that the caller asked. */
function answersOf(turns: readonly Turn[]): { user: string; agent: string }[] {
  const answers: { user: string; agent: string }[] = [];
  for (const { role, text } of turns) {
    if (role === 'user') answers.push({ user: text, agent: '' });
    else {
      const last = answers.at(-1);
      if (last !== undefined) last.agent = `${last.agent} ${text}`.trim();
    }
  }
  return answers;
}

function collectStages(events: readonly EventRow[], into: Map<string, number[]>): void {
  for (const { type, data } of events) {
    if (type !== 'turn.agent') continue;
    for (const [name, value] of Object.entries(data.stages ?? {})) {
      into.set(name, [...(into.get(name) ?? []), value]);
    }
  }
}

function groupsOf(questions: readonly Question[]): Question[][] {
  const groups: Question[][] = [];
  for (const question of questions) {
    const last = groups.at(-1);
    if (last !== undefined && last.length < QUESTIONS_PER_CALL && last[0]?.persona === question.persona)
      last.push(question);
    else groups.push([question]);
  }
  return groups;
}
