/**
 * What one call's caller said, as far as it was understood: hears spans of the call's audio, ahead of being asked where
 * the caller falls silent, so that the words are known when the turn is over.
 *
 * An ear that reads whole spans (Whisper) cannot be given its audio bit by bit. So it is run again at each pause, and
 * now and then in long speech; words that were understood before are only checked, and a span that differs from one
 * understood before by nothing but silence is not heard anew.
 */
import type { HowSaid } from '../core/how-said';
import type { OverlapHeard } from '../core/overlap-heard';
import { HEARING_RATE, HeardAudio } from './heard-audio';
import type { Recognition } from './parts';
import { SpeechLevels } from './speech-levels';

/** What was understood: words as a by-product, and the vectors that an end-to-end model reads. */
export interface Understood {
  readonly recognition: Recognition;
  readonly vectors: readonly Float32Array[];
  /** How it was said, and what the model reads of it where no words were understood. Left out: nothing is known of it. */
  readonly how?: { readonly said: HowSaid; readonly vectors: readonly Float32Array[] };
}

export interface Ear {
  readonly maxSeconds: number;
  /** `pcm`: 16 kHz mono −1…1. `earlier`: what was understood of the beginning of the same audio. */
  hear(pcm: Float32Array, signal: AbortSignal, earlier?: Understood): Promise<Understood>;
  /** Words alone. */
  recognise(pcm: Float32Array, signal: AbortSignal): Promise<Recognition>;
  close(): Promise<void>;
}

interface Span {
  readonly fromSample: number;
  readonly toSample: number;
}

interface Draft extends Span {
  readonly understood: Understood;
}

const HEARING_SECONDS = 30;
/** Silence after which the ear looks. A shorter one most likely stands inside of a word. */
const PAUSE_SAMPLES = 0.08 * HEARING_RATE;
/** An ear that judges by the silence behind the words whether the caller is done gets as much as when it is asked. */
const ORDER_PAUSE_SAMPLES = 0.2 * HEARING_RATE;
/** Less speech than this is not worth a look ahead. */
const LEAST_SPEECH_SAMPLES = 0.15 * HEARING_RATE;
/** Speech without a pause is looked at this often, so that at its end few words are new. */
const LOOK_EVERY_SAMPLES = 0.8 * HEARING_RATE;
/** A turn that began longer ago is heard when it is over: the ear's cost grows with the span. */
const MOST_AHEAD_SAMPLES = 12 * HEARING_RATE;
/** Audio that begins this long after the last belongs to another turn, unless an answer says otherwise. */
const TURN_GAP_SAMPLES = 2.5 * HEARING_RATE;
/** Below this probability of "no speech" somebody is speaking: for coughs, keys and music it lies above 0.8. */
const SURELY_SPOKEN = 0.2;

export class CallHearing {
  private readonly heard = new HeardAudio(HEARING_SECONDS);
  private draft: Draft | undefined;
  /** Where the caller's turn most likely began. */
  private turnFrom = 0;
  private over = false;

  constructor(private readonly ear: Ear) {}

  write(pcm: Int16Array, startSample: number): void {
    const { endSample } = this.heard;
    const gap = this.over ? 0 : TURN_GAP_SAMPLES;
    if (endSample === 0 || startSample > endSample + gap) this.startTurn(startSample);
    this.heard.write(pcm, startSample);
  }

  /** What was asked is answered: audio after the next gap is another turn's. */
  settle(): void {
    this.over = true;
  }

  async listen(fromSample: number, toSample: number, signal: AbortSignal): Promise<OverlapHeard> {
    return overlapWords(await this.ear.recognise(this.read({ fromSample, toSample }), signal));
  }

  async understand(span: Span, signal: AbortSignal): Promise<Understood> {
    const { draft } = this;
    this.turnFrom = span.fromSample;
    this.over = false;
    if (draft !== undefined && this.differsBySilence(draft, span)) {
      this.draft = { ...span, understood: draft.understood };
      return draft.understood;
    }
    return this.hear(span, signal);
  }

  /**
   * Hears what there is if it is worth it. `quiet`: the caller has fallen silent, so that this may be all; undefined:
   * there was nothing to do.
   */
  async attend(signal: AbortSignal): Promise<{ readonly understood: Understood; readonly quiet: boolean } | undefined> {
    const span = { fromSample: this.turnFrom, toSample: this.heard.endSample };
    if (span.toSample - span.fromSample > MOST_AHEAD_SAMPLES) return undefined;
    const levels = new SpeechLevels(this.heard.read(span.fromSample, span.toSample, MOST_AHEAD_SAMPLES));
    if (levels.loudSamples < LEAST_SPEECH_SAMPLES) return undefined;
    const quiet = levels.quietTail >= PAUSE_SAMPLES;
    const { draft } = this;
    if (draft !== undefined && this.differsBySilence(draft, span)) {
      return quiet ? { understood: draft.understood, quiet } : undefined;
    }
    const knownTo = draft?.fromSample === span.fromSample ? draft.toSample : span.fromSample;
    if (!quiet && span.toSample - knownTo < LOOK_EVERY_SAMPLES) return undefined;
    const silence = quiet ? Math.max(0, ORDER_PAUSE_SAMPLES - levels.quietTail) : 0;
    return { understood: await this.hear(span, signal, silence), quiet };
  }

  /** `silence`: samples of it that are to be expected behind the span. */
  private async hear(span: Span, signal: AbortSignal, silence = 0): Promise<Understood> {
    // A caller who went on after a pause repeats nothing: what was understood before it is only checked.
    const earlier = this.draft?.fromSample === span.fromSample ? this.draft.understood : undefined;
    const heard = this.read({ ...span, toSample: span.toSample + silence });
    const understood = await this.ear.hear(heard, signal, earlier);
    this.draft = { ...span, understood };
    return understood;
  }

  private startTurn(fromSample: number): void {
    this.turnFrom = fromSample;
    this.draft = undefined;
    this.over = false;
  }

  private read({ fromSample, toSample }: Span): Float32Array {
    return this.heard.read(fromSample, toSample, this.ear.maxSeconds * HEARING_RATE);
  }

  /** What lies in one span and not in the other holds nothing that was said. */
  private differsBySilence(known: Span, asked: Span): boolean {
    if (known.fromSample === asked.fromSample && known.toSample === asked.toSample) return true;
    const from = Math.min(known.fromSample, asked.fromSample);
    const to = Math.max(known.toSample, asked.toSample);
    if (to - from > MOST_AHEAD_SAMPLES) return false;
    const levels = new SpeechLevels(this.heard.read(from, to, MOST_AHEAD_SAMPLES));
    return (
      levels.isQuiet(0, Math.max(known.fromSample, asked.fromSample) - from) &&
      levels.isQuiet(Math.min(known.toSample, asked.toSample) - from, to - from)
    );
  }
}

/** Half a word over the agent's voice is spoken without being understood; only a sound that is none for sure is noise. */
export function overlapWords({ text, speech, noSpeechProbability, sound }: Recognition): OverlapHeard {
  return {
    text,
    speech: speech || (noSpeechProbability ?? 1) < SURELY_SPOKEN,
    ...(sound === undefined ? {} : { sound }),
  };
}
