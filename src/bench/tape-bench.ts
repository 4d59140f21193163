/**
 * `bench tape`: rings an agent over SIP with G.711, asks recorded questions, and reads the turn gaps off the caller's
 * own tape. The same calls give the share of right answers, by what the caller heard of them.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../core/clock';
import { silentLogger } from '../core/log';
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

export async function benchTape(options: TapeBenchOptions): Promise<BenchReport> {
  const { agent, questionsFolder, progress } = options;
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-bench-'));
  const questions = spreadOver(readQuestions(questionsFolder), options.count);
  const stack = await openPhones(options.mediaEntry);
  const gapsMs: number[] = [];
  const stages = new Map<string, number[]>();
  const paceMs: number[] = [];
  const wrong: string[] = [];
  let right = 0;
  let asked = 0;
  const lost = { unanswered: 0, cutIns: 0, discarded: 0 };
  try {
    for (const [index, group] of groupsOf(questions).entries()) {
      const tapePath = join(folder, `${index}.wav`);
      const phone = await stack.dial({
        to: `sip:${group[0]?.persona ?? 'demo'}@127.0.0.1:${agent.sipPort}`,
        bindAddress: '127.0.0.1',
        ports: [23_000, 23_999],
        tapePath,
      });
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
      gapsMs.push(...reading.gaps.map(({ gapMs }) => gapMs));
      lost.unanswered += reading.unanswered;
      lost.cutIns += reading.cutIns;
      lost.discarded += reading.discarded;
      const { turns, events, quality } = await lastCall(agent);
      if (quality?.paceP99Ms !== undefined) paceMs.push(quality.paceP99Ms);
      collectStages(events, stages);
      const answers = answersOf(turns);
      group.forEach((question, place) => {
        const { user, agent: answer } = answers[place] ?? { user: '', agent: '' };
        asked += 1;
        if (isRight(question, answer)) right += 1;
        else wrong.push(`${question.id} (${question.voice}) “${question.text}” heard as “${user}” → “${answer}”`);
      });
      progress(
        `${asked} questions, ${right} right, gaps ${reading.gaps.map(({ gapMs }) => Math.round(gapMs)).join(' ')} ms`,
      );
    }
  } finally {
    await stack.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return report(
    `turn gap on tape, G.711 over SIP, ${/engine (\S+)/.exec(agent.output())?.[1] ?? 'unknown engine'}`,
    [
      spread('turn gap', 'ms', gapsMs, 'p50 ≤ 900, p95 ≤ 1,400'),
      ...[...stages].map(([name, values]) => spread(`  ${name}`, 'ms', values)),
      single('right answers', '%', (100 * right) / Math.max(1, asked)),
      single('questions', '', asked),
      single('not answered', '', lost.unanswered),
      single('agent cut in', '', lost.cutIns),
      single('discarded edges', '', lost.discarded),
      spread('deviation of sent packets, p99 of each call', 'ms', paceMs, 'p99 < 2'),
    ],
    wrong.length === 0 ? [] : [`Wrong answers:\n${wrong.map((line) => `- ${line}`).join('\n')}`],
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

interface LastCall {
  readonly turns: readonly Turn[];
  readonly events: readonly EventRow[];
  readonly quality: { readonly paceP99Ms?: number } | undefined;
}

/** The newest call's record, once it has ended. */
export async function lastCall(agent: OwnAgent): Promise<LastCall> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const { calls } = (await agent.request('GET', '/v1/calls?limit=1')) as {
      calls: { id: string; state: string; quality?: { paceP99Ms?: number } }[];
    };
    const [newest] = calls;
    if (newest?.state === 'ended') {
      const { turns } = (await agent.request('GET', `/v1/calls/${newest.id}/transcript`)) as { turns: Turn[] };
      return { turns, events: await eventsOf(agent, newest.id), quality: newest.quality };
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { turns: [], events: [], quality: undefined };
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
