/**
 * `bench model --engine NAME`: a whole engine by itself, asked the recorded questions through G.711:
 * once with nothing heard before, once hearing while the caller speaks.
 *
 * Listening ahead is timed on a clock on which audio comes as it is spoken and a step takes what it took here: what is
 * unfinished when the answer is ordered has to be waited for.
 */
import { StartTrace } from '../core/start-trace';
import { type LoadOptions, loadModel } from '../model/load-model';
import type { OmniModel, OmniSession, Persona } from '../model/omni-model';
import { SpeechLevels } from '../model/speech-levels';
import { heardOnThePhone, isRight, readQuestions, recordingOf, spreadOver } from './questions';
import { type BenchReport, report, single, spread } from './report';

export const RATE = 16_000;
/** As the listener hands audio on (listener/speech-tap.ts), and as long after the end of speech as an answer is ordered. */
export const CHUNK_SAMPLES = 0.064 * RATE;
export const ORDER_AFTER_MS = 200;
const never = new AbortController().signal;

export interface EngineBenchOptions {
  readonly engine: string;
  /** Of the engine `remote`: its server. */
  readonly remote?: LoadOptions['remote'];
  readonly modelsDir: string;
  readonly threads: number;
  readonly questionsFolder: string;
  readonly personas: readonly Persona[];
  readonly count?: number;
  readonly progress: (line: string) => void;
}

interface Reply {
  readonly text: string;
  readonly stages: Readonly<Record<string, number>>;
  readonly firstAudioMs: number;
  readonly tookMs: number;
  readonly audioMs: number;
  readonly steps: readonly number[];
}

export async function benchEngine(options: EngineBenchOptions): Promise<BenchReport> {
  const { engine, remote, modelsDir, threads, questionsFolder, personas, progress } = options;
  const nowMs = () => performance.now();
  const model = await loadModel({ name: engine, modelsDir, threads, remote }, new StartTrace(nowMs));
  const cold: Reply[] = [];
  const ahead: { readonly orderMs: number; readonly speechMs: number; readonly workMs: number }[] = [];
  const steps: number[] = [];
  let right = 0;
  let rightAhead = 0;
  let asked = 0;
  try {
    for (const persona of personas) for await (const _ of model.warm?.(persona) ?? []);
    for (const question of spreadOver(readQuestions(questionsFolder), options.count)) {
      const persona = personas.find(({ id }) => id === question.persona);
      if (persona === undefined) continue;
      const speech = await heardOnThePhone(recordingOf(questionsFolder, question));
      const reply = await askAtOnce(model, persona, speech);
      cold.push(reply);
      steps.push(...reply.steps);
      const second = await askAsSpoken(model, persona, speech);
      ahead.push(second);
      asked += 1;
      if (isRight(question, reply.text)) right += 1;
      else progress(`${question.id} “${question.text}” → “${reply.text.trim()}”`);
      if (isRight(question, second.text)) rightAhead += 1;
      else if (second.text !== reply.text) progress(`${question.id} as it was spoken → “${second.text.trim()}”`);
    }
  } finally {
    await model.close();
  }
  const stage = (name: string) => cold.flatMap(({ stages }) => stages[name] ?? []);
  return report(`the engine ${engine}, ${threads} thread${threads === 1 ? '' : 's'}, questions through G.711`, [
    spread('asked at once: to the words', 'ms', stage('transcript')),
    spread('asked at once: to the first text', 'ms', stage('text')),
    spread('asked at once: to the first audio', 'ms', stage('audio'), 'p50 ≤ 250, aim 120'),
    spread(
      `heard as it was spoken, ordered ${ORDER_AFTER_MS} ms after its end: order to first audio`,
      'ms',
      ahead.map(({ orderMs }) => orderMs),
    ),
    spread(
      'the same: end of speech to first audio',
      'ms',
      ahead.map(({ speechMs }) => speechMs),
    ),
    spread(
      'the same: work done before the order',
      'ms',
      ahead.map(({ workMs }) => workMs),
    ),
    spread(
      'whole answer, share of real time',
      '',
      cold.map(({ tookMs, audioMs }) => tookMs / audioMs),
      '≤ 0.4, aim 0.25',
    ),
    spread('a step, in which nobody else is served', 'ms', steps),
    spread(
      'cancelled at any moment: until the step ends',
      'ms',
      cold.flatMap((reply) => restsOf(reply.steps)),
      '≤ 30',
    ),
    spread(
      'the longest step of an answer',
      'ms',
      cold.map((reply) => Math.max(...reply.steps)),
    ),
    single('right answers, asked at once', '%', (100 * right) / Math.max(1, asked)),
    single('right answers, heard as it was spoken', '%', (100 * rightAhead) / Math.max(1, asked)),
    single('questions', '', asked),
  ]);
}

async function askAtOnce(model: OmniModel, persona: Persona, speech: Int16Array): Promise<Reply> {
  const session = await opened(model, persona);
  session.hear(speech, 0);
  try {
    return await replyTo(session, speech.length);
  } finally {
    session.close();
  }
}

async function askAsSpoken(model: OmniModel, persona: Persona, speech: Int16Array) {
  const session = await opened(model, persona);
  const endMs = endOfSpeech(speech) / (RATE / 1_000);
  const toSample = Math.round((endMs + ORDER_AFTER_MS) * (RATE / 1_000));
  const whole = new Int16Array(toSample);
  whole.set(speech.subarray(0, toSample));
  /** The clock of the call, and when the model is free again on it. */
  let freeMs = 0;
  let workMs = 0;
  try {
    for (let from = 0; from < toSample; from += CHUNK_SAMPLES) {
      const chunk = whole.subarray(from, Math.min(toSample, from + CHUNK_SAMPLES));
      session.hear(chunk, from);
      freeMs = Math.max(freeMs, (from + chunk.length) / (RATE / 1_000));
      for (let more = session.attend !== undefined; more && freeMs < endMs + ORDER_AFTER_MS; ) {
        const startedMs = performance.now();
        more = (await session.attend?.(never)) ?? false;
        workMs += performance.now() - startedMs;
        freeMs += performance.now() - startedMs;
      }
    }
    const { firstAudioMs, text } = await replyTo(session, toSample);
    const speechMs = Math.max(freeMs - endMs, ORDER_AFTER_MS) + firstAudioMs;
    return { orderMs: speechMs - ORDER_AFTER_MS, speechMs, workMs, text };
  } finally {
    session.close();
  }
}

/** With its prompt and the greeting read, as when somebody has been listening to it. */
async function opened(model: OmniModel, persona: Persona): Promise<OmniSession> {
  const session = await model.openSession(persona);
  const greeting = 'Hello, how can I help you?';
  for await (const event of session.answer({ kind: 'text', text: greeting }, never)) if (event.type === 'text') break;
  session.commit({ userText: undefined, heardText: greeting, interrupted: false });
  await new Promise((resolve) => setTimeout(resolve, 50));
  return session;
}

async function replyTo(session: OmniSession, toSample: number): Promise<Reply> {
  const startedMs = performance.now();
  let lastMs = startedMs;
  let firstAudioMs = Number.NaN;
  let audioMs = 0;
  let text = '';
  let stages: Readonly<Record<string, number>> = {};
  const steps: number[] = [];
  for await (const event of session.answer({ kind: 'audio', fromSample: 0, toSample }, never)) {
    const nowMs = performance.now();
    steps.push(nowMs - lastMs);
    lastMs = nowMs;
    if (event.type === 'text') text += event.delta;
    else if (event.type === 'end') stages = event.stages;
    else if (event.type === 'audio') {
      if (audioMs === 0) firstAudioMs = nowMs - startedMs;
      audioMs += (event.pcm.length * 1_000) / event.sampleRate;
    }
  }
  return { text, stages, firstAudioMs, tookMs: lastMs - startedMs, audioMs, steps };
}

/** What is left of a step at moments a millisecond apart: how long whoever cancels then would wait. */
export function restsOf(stepsMs: readonly number[]): number[] {
  return stepsMs.flatMap((stepMs) => Array.from({ length: Math.ceil(stepMs) }, (_, passedMs) => stepMs - passedMs));
}

export function endOfSpeech(pcm: Int16Array): number {
  const levels = new SpeechLevels(Float32Array.from(pcm, (sample) => sample / 32_768));
  return pcm.length - levels.quietTail;
}
