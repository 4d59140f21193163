/**
 * A voice that is a row of the language model: Mini-Omni's batch-parallel decoding with the conversation as the row that
 * thinks. Text comes as it is written; row 0 reads it token by token together with its own codes and says the next ones.
 */
import { joinFloat32 } from '../../audio/pcm';
import { FrameAssembler, LAYERS } from '../codec/delay-pattern';
import { StreamingDecoder } from '../codec/streaming-decoder';
import { LATENT_WINDOWS, LatentDecoder } from '../omni/latent-decoder';
import type { StreamingVoice } from '../omni/omni';
import type { VoiceGraphs } from '../omni/voice-graphs';
import type { Pace, Word } from '../omni-model';
import type { LanguageContext, StreamedSpeech, VoiceChunk } from '../parts';
import { fadeIn, fadeOut } from '../piper/loudness';
import { PAUSE_MS } from '../piper/piper-voice';
import type { OwnWords } from '../text/own-words';
import type { Pronouncer } from '../text/pronouncer';
import { SPEAK_RULES, type Step, speak } from './speak';
import type { TextGuide } from './text-guide';
import { answerHead, type TrunkSequence, type TrunkStreamModel } from './trunk-stream-lm';

const FADE_MS = 4;
/** Where speech ends is the guide's to say: the bounds of a model that may miss its end would cut long words. */
const RULES = { ...SPEAK_RULES, mostSteps: 1_000, mostStepsAfterText: 1_000 };
/** Text of one row when it is read out: some 25 s of speech, far from the end of what the trunk can hold. */
const PORTION_CHARACTERS = 320;

export interface RowVoiceParts {
  readonly model: TrunkStreamModel;
  readonly graphs: VoiceGraphs;
  readonly pronouncer: Pick<Pronouncer, 'close'>;
  /** A guide for one answer; `own`: words with a sound of their own. */
  readonly newGuide: (own?: OwnWords) => TextGuide;
}

export class RowVoice implements StreamingVoice {
  constructor(private readonly parts: RowVoiceParts) {}

  get sampleRate(): number {
    return this.parts.graphs.parameters.sampleRate;
  }

  begin(pace?: Pace, own?: OwnWords): RowSpeech {
    return new RowSpeech(this.parts, pace, own);
  }

  /** T1-A2 without a question: what must be said word for word. */
  async *synthesise(text: string, signal: AbortSignal, own?: OwnWords): AsyncGenerator<VoiceChunk> {
    for (const portion of portions(text)) {
      const speech = this.begin(undefined, own);
      try {
        speech.push(portion);
        speech.end();
        for (let chunk = await speech.next(signal); chunk !== undefined; chunk = await speech.next(signal)) yield chunk;
      } finally {
        await speech.close();
      }
    }
  }

  /** The trunk belongs to whoever opened it. */
  async close(): Promise<void> {
    const { model, graphs, pronouncer } = this.parts;
    await Promise.all([model.adapter.close(), graphs.close(), pronouncer.close()]);
  }
}

/** One answer. Whoever begins it closes it. */
export class RowSpeech implements StreamedSpeech {
  private readonly guide: TextGuide;
  private readonly sound: StreamingDecoder;
  private readonly assembler = new FrameAssembler();
  private context: LanguageContext | undefined;
  private sequence: TrunkSequence | undefined;
  private steps: AsyncGenerator<Step> | undefined;
  /** Tokens that row 0 has not read yet, and text whose last word may still grow. */
  private readonly tokens: number[] = [];
  private unread = '';
  private ended = false;
  private finished = false;
  private closed = false;
  private told = 0;
  private paused = 0;
  private started = false;

  constructor(
    private readonly parts: RowVoiceParts,
    private readonly pace?: Pace,
    own?: OwnWords,
  ) {
    const { graphs } = parts;
    this.guide = parts.newGuide(own);
    const fadeSamples = Math.round((graphs.parameters.sampleRate * FADE_MS) / 1000);
    this.sound = new StreamingDecoder(new LatentDecoder(graphs), { windows: LATENT_WINDOWS, fadeSamples });
    // Layer 0 of frame 0 is the second step of the published layout: a step of pads stands before it.
    this.assembler.push(new Array<number>(LAYERS).fill(parts.model.ids.padAudio));
  }

  answerFrom(context: LanguageContext): void {
    if (this.context !== undefined || this.closed) {
      context.dispose();
      return;
    }
    // The last position of the prompt is read anew, with answer_a beside it.
    context.truncate(context.length - 1);
    this.context = context;
  }

  push(delta: string): void {
    this.unread += delta;
    const blank = this.unread.lastIndexOf(' ');
    if (blank > 0) this.take(blank);
  }

  end(): void {
    this.take(this.unread.length);
    this.ended = true;
  }

  async next(signal: AbortSignal): Promise<VoiceChunk | undefined> {
    for (;;) {
      signal.throwIfAborted();
      if (this.sound.ready) {
        const chunk = await this.sound.next();
        signal.throwIfAborted();
        if (chunk === undefined) return undefined;
        return this.finish(chunk.pcm, chunk.from, chunk.to, this.finished && !this.sound.ready);
      }
      if (this.finished || (this.tokens.length === 0 && !this.ended)) return undefined;
      await this.advance(signal);
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    if (this.sequence === undefined) this.context?.dispose();
    this.sequence?.close();
    this.context = undefined;
    this.sequence = undefined;
  }

  private take(to: number): void {
    const { trunk } = this.parts.model;
    this.tokens.push(...trunk.encode(this.unread.slice(0, to)));
    this.unread = this.unread.slice(to);
  }

  private async advance(signal: AbortSignal): Promise<void> {
    const { model } = this.parts;
    this.steps ??= speak(await this.row(signal), model.ids, 'A1A2', RULES, signal, () => {
      return this.tokens.shift() ?? model.ids.eot;
    });
    const step = await this.steps.next();
    if (step.done === true) {
      this.finished = true;
      this.sound.end();
      return;
    }
    // The row that thinks reads its next token as well: both in one run.
    const { codes, text } = step.value;
    if (this.pace !== undefined) await this.sequence?.foresee(model.ids.position(codes, text), this.pace);
    // While the guide waits for text nothing is said; frames go on afterwards.
    if (step.value.codes.every((code) => code === model.ids.padAudio)) return;
    const frame = this.assembler.push(step.value.codes);
    if (frame !== undefined) this.sound.push(frame);
  }

  private async row(signal: AbortSignal): Promise<TrunkSequence> {
    const { model } = this.parts;
    if (this.context === undefined) {
      this.context = model.trunk.createContext();
      await this.context.append(answerHead(model.trunk).slice(0, -1), signal);
    }
    this.sequence = model.adopt(this.context, this.guide);
    return this.sequence;
  }

  /** A chunk of frames [from, to) with its words, and the silence behind each sentence that ends in it. */
  private finish(pcm: Float32Array, from: number, to: number, last: boolean): VoiceChunk {
    const { sampleRate, hopSamples, latentsPerFrame } = this.parts.graphs.parameters;
    const fade = Math.round((sampleRate * FADE_MS) / 1000);
    if (!this.started && pcm.length > 0) {
      fadeIn(pcm, fade);
      this.started = true;
    }
    if (last) fadeOut(pcm, fade);
    const perFrame = latentsPerFrame * hopSamples;
    const parts: Float32Array[] = [];
    const silences: { readonly at: number; readonly samples: number }[] = [];
    let cut = 0;
    for (let pause = this.guide.pauses[this.paused]; pause !== undefined && pause.frame <= to; ) {
      const at = Math.max(0, (pause.frame - from) * perFrame);
      const samples = Math.round((PAUSE_MS[pause.mark] * sampleRate) / 1000);
      parts.push(pcm.subarray(cut, at), new Float32Array(samples));
      silences.push({ at, samples });
      cut = at;
      this.paused += 1;
      pause = this.guide.pauses[this.paused];
    }
    parts.push(pcm.subarray(cut));
    // A word behind a silence is said later by as much.
    const shifted = (sample: number) =>
      sample + silences.reduce((sum, { at, samples }) => sum + (sample >= at ? samples : 0), 0);
    return {
      pcm: joinFloat32(parts),
      words: this.wordsIn(from * latentsPerFrame, to * latentsPerFrame, last, shifted),
    };
  }

  private wordsIn(from: number, to: number, last: boolean, shifted: (sample: number) => number): Word[] {
    const { hopSamples } = this.parts.graphs.parameters;
    const words: Word[] = [];
    for (let word = this.guide.words[this.told]; word !== undefined; word = this.guide.words[this.told]) {
      if (word.start >= to && !last) break;
      const at = (time: number) => Math.max(0, Math.round((time - from) * hopSamples));
      const startSample = shifted(at(Math.min(word.start, to)));
      words.push({ text: word.text, startSample, endSample: Math.max(startSample, shifted(at(word.end))) });
      this.told += 1;
    }
    return words;
  }
}

/** Whole sentences together, as many as fit; a longer one stands alone. */
function portions(text: string): string[] {
  const found: string[] = [];
  for (const sentence of text.split(/(?<=[.!?])\s+/)) {
    const last = found[found.length - 1];
    if (last !== undefined && last.length + sentence.length < PORTION_CHARACTERS) {
      found[found.length - 1] = `${last} ${sentence}`;
    } else {
      found.push(sentence);
    }
  }
  return found;
}
