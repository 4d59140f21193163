/**
 * The Piper voice behind the `Voice` contract: text in, chunks of sound with the times of their words out, the first one
 * after a tenth of a second of speech is made.
 */

import { openModelFolder } from '../manifest';
import type { Word } from '../omni-model';
import type { Voice, VoiceChunk } from '../parts';
import { normalise } from '../text/normaliser';
import type { OwnWords } from '../text/own-words';
import { Pronouncer } from '../text/pronouncer';
import type { PauseMark, WrittenWord } from '../text/spoken-text';
import { Breath } from './breath';
import { type BreathGroup, breathGroups } from './breath-groups';
import { CONTEXT_FRAMES, type FrameSpan, planChunks } from './chunk-plan';
import { amplify, fadeIn, fadeOut } from './loudness';
import { normalDeviates } from './noise';
import { phonemeIds } from './phoneme-ids';
import { VitsGraphs } from './vits-graphs';

export interface PiperVoiceOptions {
  readonly voiceFolder: string;
  readonly pronunciationFolder: string;
  /** Of ONNX Runtime within a step, 1 if not given. */
  readonly threads?: number;
  /** Chance of the voice; the same seed speaks the same text alike. */
  readonly seed?: number;
}

/** Silence behind a group, beside the decay that the net itself speaks. */
export const PAUSE_MS: Readonly<Record<PauseMark, number>> = {
  ',': 90,
  ':': 150,
  ';': 170,
  '.': 240,
  '!': 240,
  '?': 260,
};
const FADE_MS = 4;
/** Latents of noise before it repeats (12 s): longer than any breath group. */
const NOISE_FRAMES = 1_024;
/** Speech is refused no text, but one call must end: the rest of a longer text is left out. */
const MAX_CHARACTERS = 20_000;

/** A breath group and its place in the text. */
interface BreathTurn {
  readonly group: BreathGroup;
  readonly end: PauseMark | undefined;
  readonly written: readonly WrittenWord[];
  /** Nothing was heard yet. */
  readonly early: boolean;
  readonly own: OwnWords | undefined;
  /** The last written word of the group before; a very long one goes on here and is not told twice. */
  readonly saidUpTo: number;
}

export class PiperVoice implements Voice {
  private readonly noise: Float32Array;
  private readonly durationNoise: Float32Array;

  private constructor(
    private readonly graphs: VitsGraphs,
    private readonly pronouncer: Pronouncer,
    seed: number,
  ) {
    const { channels, durationNoiseScale } = graphs.parameters;
    this.noise = normalDeviates(channels * NOISE_FRAMES, seed);
    this.durationNoise = normalDeviates(2 * NOISE_FRAMES, seed + 1).map((value) => value * durationNoiseScale);
  }

  static async open(options: PiperVoiceOptions): Promise<PiperVoice> {
    const graphs = await VitsGraphs.open(await openModelFolder(options.voiceFolder), options.threads);
    try {
      return new PiperVoice(graphs, await Pronouncer.open(options.pronunciationFolder), options.seed ?? 1);
    } catch (error) {
      await graphs.close();
      throw error;
    }
  }

  get sampleRate(): number {
    return this.graphs.parameters.sampleRate;
  }

  async *synthesise(text: string, signal: AbortSignal, own?: OwnWords): AsyncGenerator<VoiceChunk> {
    signal.throwIfAborted();
    const spoken = normalise(text.slice(0, MAX_CHARACTERS), own);
    // White space behind the last word says that the sentence goes on in the next call.
    const goesOn = /\s$/.test(text);
    const groups = breathGroups(spoken);
    let saidUpTo = -1;
    for (const [index, group] of groups.entries()) {
      const end = group.end ?? (index + 1 < groups.length || goesOn ? undefined : '.');
      yield* this.breathe({ group, end, written: spoken.written, early: index === 0, own, saidUpTo }, signal);
      saidUpTo = group.parts.at(-1)?.token.written ?? saidUpTo;
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.graphs.close(), this.pronouncer.close()]);
  }

  private async *breathe(turn: BreathTurn, signal: AbortSignal): AsyncGenerator<VoiceChunk> {
    const { end, early } = turn;
    const breath = await this.prepare(turn, signal);
    if (breath === undefined || breath.to <= breath.from) return;
    const plan = planChunks(breath.from, breath.to, early);
    for (const [nth, span] of plan.entries()) {
      signal.throwIfAborted();
      const latents = await breath.latents(
        Math.max(0, span.from - CONTEXT_FRAMES),
        Math.min(breath.frames, span.to + CONTEXT_FRAMES),
      );
      signal.throwIfAborted();
      const sound = await this.graphs.toSound(latents);
      signal.throwIfAborted();
      const { hopSamples, gain } = this.graphs.parameters;
      const skip = Math.min(span.from, CONTEXT_FRAMES) * hopSamples;
      const speech = sound.slice(skip, skip + (span.to - span.from) * hopSamples);
      amplify(speech, gain);
      if (nth === 0) fadeIn(speech, this.samples(FADE_MS));
      const last = nth + 1 === plan.length;
      if (last) fadeOut(speech, this.samples(FADE_MS));
      const pcm = last && end !== undefined ? withSilence(speech, this.samples(PAUSE_MS[end])) : speech;
      yield { pcm, words: this.wordsIn(breath, span, nth === 0, turn) };
    }
  }

  private async prepare({ group, end, own }: BreathTurn, signal: AbortSignal): Promise<Breath | undefined> {
    const pauses = new Map(group.parts.map(({ token, pauseAfter }) => [token, pauseAfter]));
    const pronounced = await this.pronouncer.pronounce(
      group.parts.map(({ token }) => token),
      own,
    );
    signal.throwIfAborted();
    const said = pronounced.map((word) => ({ ...word, pauseAfter: pauses.get(word.token) }));
    if (said.length === 0) return undefined;
    const phonemes = phonemeIds(said, end ?? ',', this.graphs.parameters.phonemeIds);
    const count = phonemes.ids.length;
    const noise = new Float32Array(2 * count);
    for (let index = 0; index < noise.length; index += 1)
      noise[index] = this.durationNoise[index % this.durationNoise.length] ?? 0;
    const encoded = await this.graphs.encode(phonemes.ids, noise);
    signal.throwIfAborted();
    return new Breath(this.graphs, phonemes, encoded, this.noise);
  }

  /** Words that begin in the span; the first chunk also has those that begin in the silence cut off before it. */
  private wordsIn(breath: Breath, span: FrameSpan, first: boolean, { written, saidUpTo }: BreathTurn): Word[] {
    const { hopSamples } = this.graphs.parameters;
    return breath.words
      .filter((word) => word.written > saidUpTo && (word.from >= span.from || first) && word.from < span.to)
      .map((word) => ({
        text: written[word.written]?.text ?? '',
        startSample: Math.max(0, word.from - span.from) * hopSamples,
        endSample: Math.max(0, Math.min(word.to, breath.to) - span.from) * hopSamples,
      }));
  }

  private samples(ms: number): number {
    return Math.round((ms * this.sampleRate) / 1000);
  }
}

function withSilence(speech: Float32Array, samples: number): Float32Array {
  const pcm = new Float32Array(speech.length + samples);
  pcm.set(speech);
  return pcm;
}
