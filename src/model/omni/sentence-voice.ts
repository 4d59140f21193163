/**
 * One sentence on its way from words to sound, one run of a graph at a time: features and durations word by word, codes
 * frame by frame, latents, sound in chunks of one, two and then four frames. What was made never changes by what follows.
 */
import { CodeRepair } from '../codec/code-repair';
import type { Frame } from '../codec/delay-pattern';
import { WindowPlanner } from '../codec/window-plan';
import { fadeIn, fadeOut } from '../piper/loudness';
import type { PhonemeIdMap } from '../piper/phoneme-ids';
import { sliceLatents } from '../piper/vits-graphs';
import { LatentSound } from './latent-sound';
import type { SpokenWord } from './sentence-features';
import { SentenceFrames } from './sentence-frames';
import type { VoiceSteps } from './voice-graphs';

export interface SoundPiece {
  readonly pcm: Float32Array;
  /** Words that begin in this piece: their number in the sentence, samples from the piece's first. */
  readonly words: readonly { readonly word: number; readonly startSample: number; readonly endSample: number }[];
  /** The sentence ends with this piece. */
  readonly last: boolean;
}

/** Latents kept of the silence before the first sound. */
const LEAD_LATENTS = 1;
/** Chunks of frames; one frame must be there behind a chunk, for the generator. */
const CHUNKS = { left: 0, right: 1, firstRight: 1 } as const;
const SIZES = { early: [1, 2, 4], later: [2, 4] } as const;
const FADE_MS = 4;

export class SentenceVoice {
  private readonly sentence: SentenceFrames;
  private readonly repair: CodeRepair;
  private readonly planner: WindowPlanner;
  private readonly frames: Frame[] = [];
  private readonly latents: LatentSound;
  private told = 0;
  private started = false;

  /** `early`: nothing was heard yet, so the first chunk is one frame. */
  constructor(
    private readonly graphs: VoiceSteps,
    map: PhonemeIdMap,
    early: boolean,
  ) {
    this.sentence = new SentenceFrames(graphs, map);
    const { hopSamples, gain } = graphs.parameters;
    this.latents = new LatentSound({ hopSamples, gain, toSound: (latents) => graphs.toSound(latents) });
    this.repair = new CodeRepair(graphs.parameters.codes);
    this.planner = new WindowPlanner({ ...CHUNKS, sizes: early ? SIZES.early : SIZES.later });
  }

  /** Words spoken so far. */
  get words(): number {
    return this.sentence.symbols.words.length;
  }

  get concealedCodes(): number {
    return this.repair.concealed;
  }

  /** Speaks `word`; `ahead`: the words behind it, `lookAheadWords` of them unless the sentence ends before. */
  speak(word: SpokenWord, ahead: readonly SpokenWord[]): Promise<void> {
    return this.sentence.speak(word, ahead);
  }

  /** True when `next` has something to do without another word. */
  get ready(): boolean {
    const frames = this.sentence.makeable;
    return this.sentence.ended ? this.planner.done < frames : frames >= this.planner.needed;
  }

  /** The next piece, when enough was spoken. Aborts between two runs. */
  async next(signal: AbortSignal): Promise<SoundPiece | undefined> {
    if (!this.ready) return undefined;
    const { ended } = this.sentence;
    const wanted = Math.min(this.sentence.makeable, this.planner.needed);
    if (wanted > this.frames.length) {
      await this.makeFrames(wanted);
      signal.throwIfAborted();
    }
    const last = ended && wanted === this.sentence.makeable;
    const window = this.planner.next(this.frames.length, last);
    if (window === undefined) return undefined;
    const { latentsPerFrame, hopSamples } = this.graphs.parameters;
    const from = window.from * latentsPerFrame;
    const to = window.to * latentsPerFrame;
    const sound = await this.latents.between(from, to, window.end * latentsPerFrame);
    const lead = this.skip(from, to);
    const pcm = sound.subarray(lead * hopSamples);
    const fade = Math.round((this.graphs.parameters.sampleRate * FADE_MS) / 1000);
    if (!this.started && pcm.length > 0) {
      fadeIn(pcm, fade);
      this.started = true;
    }
    const ends = ended && this.planner.done >= this.sentence.makeable;
    if (ends) fadeOut(pcm, fade);
    return { pcm, words: this.wordsIn(from + lead, to, ends), last: ends };
  }

  private async makeFrames(upTo: number): Promise<void> {
    const { decoderLeftFrames, latentsPerFrame } = this.graphs.parameters;
    const from = this.frames.length;
    const made = await this.sentence.make(upTo);
    for (const frame of made.frames) this.frames.push(this.repair.repair(frame));
    const left = Math.max(0, from - decoderLeftFrames);
    const latents = await this.graphs.latents(this.frames.slice(left));
    this.latents.push(sliceLatents(latents, (from - left) * latentsPerFrame, latents.frames));
  }

  /** Latents of a chunk that lie before the first sound: the silence of the start mark is pure delay. */
  private skip(from: number, to: number): number {
    const speech = this.sentence.regulator.startOf(this.sentence.symbols.words[0]?.speechFrom ?? 0);
    return Math.min(to, Math.max(from, Math.floor(speech) - LEAD_LATENTS)) - from;
  }

  private wordsIn(from: number, to: number, ends: boolean): SoundPiece['words'] {
    const { hopSamples } = this.graphs.parameters;
    const words: { word: number; startSample: number; endSample: number }[] = [];
    for (; this.told < this.sentence.symbols.words.length; this.told += 1) {
      const { speechFrom, speechTo } = this.sentence.symbols.words[this.told]!;
      const start = this.sentence.regulator.startOf(speechFrom);
      if (start >= to && !ends) break;
      const at = (time: number) => Math.max(0, Math.round((time - from) * hopSamples));
      words.push({
        word: this.told,
        startSample: at(Math.min(start, to)),
        endSample: at(this.sentence.regulator.startOf(speechTo)),
      });
    }
    return words;
  }
}
