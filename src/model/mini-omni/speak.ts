/**
 * The loops of Mini-Omni (Xie and Wu, 2024): a step writes one text token and seven audio codes. In batch-parallel
 * decoding a second row answers in text alone, which it does better, and the first row speaks that text.
 *
 * Beside the published loop: prompts are read once and copied, the second row goes as soon as the text is done, heads
 * are asked only for what is used, and an answer cannot run on for ever.
 */
import { delayOf, LAYERS } from '../codec/delay-pattern';
import { endsInLoop } from '../trunk/greedy';
import type { MiniOmniIds } from './ids';
import { lastPosition, promptHead, type Task } from './prompts';
import type { StreamModel, StreamSequence } from './stream-lm';

export interface Step {
  /** Local ids of the seven layers: codes, and pads where a layer has not begun. */
  readonly codes: readonly number[];
  /** Text id; the pad when the text has ended. */
  readonly text: number;
}

export interface SpeakRules {
  /** Force the leading pads and mask ids that can be no answer; off: exactly the published loop. */
  readonly guarded: boolean;
  /** End a text that repeats itself. */
  readonly endLoops: boolean;
  readonly mostSteps: number;
  /** Steps after the end of the text that speech may take: a missed end must not run to the last position. */
  readonly mostStepsAfterText: number;
  /** A second row thinks in text (A1-A2 "batch"). */
  readonly batch: boolean;
}

/** The published bound of 2048 positions is 175 s of speech; on a telephone an answer is far shorter. */
export const SPEAK_RULES: SpeakRules = {
  guarded: true,
  endLoops: true,
  mostSteps: 700,
  mostStepsAfterText: 240,
  batch: true,
};

/** What was asked: words, or heard speech with its vectors [heard, width]. */
export type SpokenQuestion =
  | { readonly heard: number; readonly vectors: Float32Array }
  | { readonly words: readonly number[] };

/** A sequence that has read a question up to the last position of its prompt. Whoever asks for it closes it. */
export async function readQuestion(
  model: StreamModel,
  ids: MiniOmniIds,
  question: SpokenQuestion,
  signal: AbortSignal,
): Promise<StreamSequence> {
  const sequence = model.open();
  try {
    await readPrompt(sequence, promptHead(ids, question), question, signal);
    return sequence;
  } catch (error) {
    sequence.close();
    throw error;
  }
}

/** Says the next text id instead of the text head; `ids.eot` when the text has ended. */
export type TextWriter = () => number;

/**
 * Answers the question that `sequence` has read, in sound. Uses the sequence up. With a `writer` the text comes from outside
 * (another sequence that thinks, or words that are to be read out): a second row is not needed then.
 */
export async function* speak(
  sequence: StreamSequence,
  ids: MiniOmniIds,
  task: 'A1A2' | 'T1A2',
  rules: SpeakRules,
  signal: AbortSignal,
  writer?: TextWriter,
): AsyncGenerator<Step> {
  let last = [[lastPosition(ids, task)]];
  let two = rules.batch && writer === undefined;
  if (two) {
    // Both prompts agree up to their last position: what was read is copied, not read twice.
    sequence.addRow();
    last.push([lastPosition(ids, task === 'A1A2' ? 'A1T2' : 'T1T2')]);
  }
  const texts: number[] = [];
  let endedAt: number | undefined;
  for (let step = 0; step < rules.mostSteps && sequence.length < sequence.positions; step += 1) {
    await sequence.read(last);
    signal.throwIfAborted();
    const done = endedAt !== undefined;
    let text = ids.padText;
    if (!done) text = writer?.() ?? chooseText(await sequence.textLogits(), ids, rules.guarded);
    const codes = chooseCodes(await sequence.audioLogits(), ids, step, rules.guarded);
    if (codes[LAYERS - 1] === ids.endAudio) return;
    if (!done) {
      texts.push(text);
      if (rules.endLoops && writer === undefined && endsInLoop(texts)) text = ids.eot;
      if (text === ids.eot) endedAt = step;
    }
    yield { codes, text };
    signal.throwIfAborted();
    if (endedAt !== undefined && step - endedAt >= rules.mostStepsAfterText) return;
    if (two && endedAt !== undefined) {
      // The text has ended: the second row cannot change anything any more.
      sequence.dropRow();
      two = false;
    }
    last = [[ids.position(codes, text)]];
    if (two) last.push([ids.column(ids.padAudio, text)]);
  }
}

/** A1-T2, A1-T1 and T1-T2: text alone, token by token, on the question that `sequence` has read. */
export async function* write(
  sequence: StreamSequence,
  ids: MiniOmniIds,
  task: Exclude<Task, 'A1A2' | 'T1A2'>,
  rules: Pick<SpeakRules, 'guarded' | 'endLoops' | 'mostSteps'>,
  signal: AbortSignal,
): AsyncGenerator<number> {
  const texts: number[] = [];
  let last = lastPosition(ids, task);
  while (texts.length < rules.mostSteps && sequence.length < sequence.positions) {
    await sequence.read([[last]]);
    signal.throwIfAborted();
    const text = chooseText(await sequence.textLogits(), ids, rules.guarded);
    if (text === ids.eot) return;
    texts.push(text);
    if (rules.endLoops && endsInLoop(texts)) return;
    yield text;
    signal.throwIfAborted();
    last = ids.column(ids.padAudio, text);
  }
}

/** Positions of one run: between two runs the caller may abort. */
const CHUNK_POSITIONS = 64;

/** Reads a prompt, or its beginning, in row 0: the first position, what was heard with its vectors, the rest. */
async function readPrompt(
  sequence: StreamSequence,
  prompt: readonly (readonly number[])[],
  question: SpokenQuestion,
  signal: AbortSignal,
): Promise<void> {
  const { heard, vectors } = 'heard' in question ? question : { heard: 0, vectors: new Float32Array(0) };
  const width = vectors.length / Math.max(1, heard);
  const read = async (from: number, to: number, spoken?: Float32Array) => {
    signal.throwIfAborted();
    if (to > from) await sequence.read([prompt.slice(from, to)], spoken);
  };
  if (heard > 0) {
    await read(0, 1);
    for (let from = 0; from < heard; from += CHUNK_POSITIONS) {
      const to = Math.min(heard, from + CHUNK_POSITIONS);
      await read(from + 1, to + 1, vectors.subarray(from * width, to * width));
    }
  }
  for (let from = heard > 0 ? heard + 1 : 0; from < prompt.length; from += CHUNK_POSITIONS) {
    await read(from, Math.min(prompt.length, from + CHUNK_POSITIONS));
  }
}

function chooseText(logits: Float32Array, ids: MiniOmniIds, guarded: boolean): number {
  return likeliest(logits, 0, guarded ? ids.textEnd : logits.length);
}

/** Greedy, as published: temperature 0.9 with the single best candidate kept. */
function chooseCodes(logits: Float32Array, ids: MiniOmniIds, step: number, guarded: boolean): number[] {
  const size = ids.sizes.audioVocabulary;
  return Array.from({ length: LAYERS }, (_, layer) => {
    if (!guarded) return likeliest(logits, layer * size, size);
    // A layer that has not begun is silent; codes, the end and the pad are all that it may say later.
    return step < delayOf(layer) ? ids.padAudio : likeliest(logits, layer * size, ids.padAudio + 1);
  });
}

/** The place of the largest of `count` values from `from` on, counted from there. */
function likeliest(logits: Float32Array, from: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i += 1) if (logits[from + i]! > logits[from + best]!) best = i;
  return best;
}
