/**
 * `bench model --engine NAME --lines N`: several conversations at once with one engine behind its scheduler, without a
 * telephone, on a clock of processor time. Each asks, hears the answer to its end and asks again; the language model's steps
 * are batched, and then each is taken alone.
 */
import { StartTrace } from '../core/start-trace';
import { EngineHost } from '../inference/engine-host';
import type { FromEngine } from '../inference/protocol';
import { loadModel } from '../model/load-model';
import type { OmniModel, Persona } from '../model/omni-model';
import { CHUNK_SAMPLES, type EngineBenchOptions, endOfSpeech, ORDER_AFTER_MS, RATE } from './engine-bench';
import { ProcessorClock } from './processor-clock';
import { heardOnThePhone, readQuestions, recordingOf, spreadOver } from './questions';
import { type BenchReport, report, single, spread } from './report';

const PAUSE_BETWEEN_TURNS_MS = 500;
/** Calls begin one after the other by this much, so that they do not ask in step. */
const STAGGER_MS = 700;

type AnswerEvent = Extract<FromEngine, { type: 'answer-event' }>['event'];

interface Outcome {
  /** End of the caller's speech to the first sound. */
  readonly gapsMs: number[];
  /** Answers with a piece of sound that came too late to be played without a gap. */
  late: number;
}

export async function benchCalls(options: EngineBenchOptions & { readonly lines: number }): Promise<BenchReport> {
  const { engine, modelsDir, threads, lines, progress } = options;
  const model = await loadModel({ name: engine, modelsDir, threads }, new StartTrace(() => performance.now()));
  const figures = [];
  try {
    const calls = await scriptsOf(options);
    for (const { persona } of calls) for await (const _ of model.warm?.(persona) ?? []);
    for (const [name, served] of [
      ['batched', model],
      ['one by one', oneByOne(model)],
    ] as const) {
      const clock = new ProcessorClock();
      const startedMs = clock.nowMs();
      const workedMs = clock.workedMs;
      const outcome = await clock.drive(talk(clock, served, calls));
      const gaps = outcome.gapsMs.length;
      progress(`${lines} calls, ${name}: ${gaps} answers`);
      figures.push(
        spread(`${name}: end of speech to first audio`, 'ms', outcome.gapsMs, 'p95 ≤ 1,000 with 3 calls'),
        single(`${name}: answers with a gap in their sound`, '%', (100 * outcome.late) / Math.max(1, gaps)),
        single(`${name}: processor`, '%', (100 * (clock.workedMs - workedMs)) / (clock.nowMs() - startedMs)),
      );
    }
  } finally {
    await model.close();
  }
  const title = `${lines} conversations at once, ${engine}, ${threads} thread${threads === 1 ? '' : 's'}`;
  const notes = threads > 1 ? ['Time is processor time, which two threads spend twice as fast: say --threads 1.'] : [];
  return report(title, figures, notes);
}

interface Script {
  readonly persona: Persona;
  /** What the caller says, 16 kHz. */
  readonly questions: readonly Int16Array[];
}

/** Line after line: a persona, and questions to it, not the same as on the line before. */
async function scriptsOf(options: EngineBenchOptions & { readonly lines: number }): Promise<Script[]> {
  const { personas, questionsFolder, lines } = options;
  const scripts: Script[] = [];
  for (let line = 0; line < lines; line += 1) {
    const persona = personas[line % personas.length]!;
    const own = readQuestions(questionsFolder).filter((question) => question.persona === persona.id);
    const turned = [...own.slice(line), ...own.slice(0, line)];
    const questions: Int16Array[] = [];
    for (const question of spreadOver(turned, options.count ?? 12)) {
      questions.push(await heardOnThePhone(recordingOf(questionsFolder, question)));
    }
    scripts.push({ persona, questions });
  }
  return scripts;
}

/** The same model, told nothing of how soon an answer is needed: then it takes every step alone. */
function oneByOne(model: OmniModel): OmniModel {
  return {
    name: model.name,
    outputSampleRate: model.outputSampleRate,
    openSession: async (persona) => {
      const session = await model.openSession(persona);
      const answer = session.answer.bind(session);
      session.answer = (input, signal) => answer(input, signal);
      return session;
    },
    close: () => model.close(),
  };
}

async function talk(clock: ProcessorClock, model: OmniModel, scripts: readonly Script[]): Promise<Outcome> {
  const outcome: Outcome = { gapsMs: [], late: 0 };
  const listeners = new Map<string, (event: AnswerEvent) => void>();
  const waiting = new Map<string, () => void>();
  const host = new EngineHost({
    load: async () => model,
    send: (message) => {
      if (message.type === 'answer-event') listeners.get(message.callId)?.(message.event);
      else if (message.type === 'failed') throw new Error(message.message);
      else if (message.type === 'opened') waiting.get(message.callId)?.();
      else if (message.type === 'ready') waiting.get('')?.();
    },
    nowMs: () => clock.nowMs(),
    after: (delayMs, run) => clock.after(delayMs, run),
    breathe: () => new Promise((resolve) => setImmediate(resolve)),
    maxCalls: scripts.length,
  });
  const told = (name: string) => new Promise<void>((resolve) => waiting.set(name, resolve));
  host.receive({ type: 'load', config: { name: model.name, modelsDir: '', threads: 1 } });
  await told('');
  const beganMs = clock.nowMs();
  await Promise.all(
    scripts.map(async ({ persona, questions }, line) => {
      const callId = String(line);
      await clock.until(beganMs + line * STAGGER_MS);
      host.receive({ type: 'open', callId, persona });
      await told(callId);
      const heardText = 'Hello, how can I help you?';
      host.receive({ type: 'commit', callId, turnId: 0, userText: undefined, heardText, interrupted: false });
      for (const [turn, question] of questions.entries()) {
        await ask(clock, host, listeners, callId, turn + 1, question, outcome);
      }
      host.receive({ type: 'close', callId });
    }),
  );
  return outcome;
}

async function ask(
  clock: ProcessorClock,
  host: EngineHost,
  listeners: Map<string, (event: AnswerEvent) => void>,
  callId: string,
  turnId: number,
  pcm: Int16Array,
  outcome: Outcome,
): Promise<void> {
  const startMs = clock.nowMs();
  const startSample = Math.round((startMs * RATE) / 1_000);
  const end = endOfSpeech(pcm);
  const whole = new Int16Array(end + (ORDER_AFTER_MS * RATE) / 1_000);
  whole.set(pcm.subarray(0, whole.length));
  for (let from = 0; from < whole.length; from += CHUNK_SAMPLES) {
    const chunk = whole.slice(from, from + CHUNK_SAMPLES);
    await clock.until(startMs + ((from + chunk.length) * 1_000) / RATE);
    host.receive({ type: 'hear', callId, startSample: startSample + from, pcm: chunk });
  }
  let userText = '';
  let heardText = '';
  let firstAudioMs: number | undefined;
  let audioMs = 0;
  const ended = new Promise<void>((resolve) => {
    listeners.set(callId, (event) => {
      if (event.type === 'transcript') userText = event.text;
      else if (event.type === 'text') heardText += event.delta;
      else if (event.type === 'audio') {
        firstAudioMs ??= clock.nowMs();
        audioMs += (event.pcm.length * 1_000) / event.sampleRate;
      } else if (event.type === 'end') {
        if ((event.stages['late'] ?? 0) > 0) outcome.late += 1;
        resolve();
      }
    });
  });
  const input = { kind: 'audio', fromSample: startSample, toSample: startSample + whole.length } as const;
  host.receive({ type: 'answer', callId, turnId, input, speculative: false });
  await ended;
  if (firstAudioMs !== undefined) {
    outcome.gapsMs.push(firstAudioMs - startMs - (end * 1_000) / RATE);
    await clock.until(firstAudioMs + audioMs);
  }
  host.receive({ type: 'commit', callId, turnId, userText, heardText, interrupted: false });
  await clock.until(clock.nowMs() + PAUSE_BETWEEN_TURNS_MS);
}
