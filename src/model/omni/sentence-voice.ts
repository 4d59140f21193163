/**
 * One sentence on its way from words to sound, one run of a graph at a time: features and durations word by word, codes
 * frame by frame, latents, sound in chunks of one, two and then four frames. What was made never changes by what follows.
 */
import { CodeRepair } from '../codec/code-repair';
import type { Frame } from '../codec/delay-pattern';
import { WindowPlanner } from '../codec/window-plan';
import { amplify, fadeIn, fadeOut } from '../piper/loudness';
import type { PhonemeIdMap } from '../piper/phoneme-ids';
import { type Latents, sliceLatents } from '../piper/vits-graphs';
import type { PauseMark } from '../text/spoken-text';
import { LengthRegulator } from './length-regulator';
import { SentenceSymbols, type SentenceWord } from './sentence-symbols';
import type { VoiceSteps } from './voice-graphs';

/** A word with those behind it as far as they are known: their sound colours its own. */
export interface SpokenWord extends SentenceWord {
  /** The trunk's state for it; undefined: the text came from elsewhere. */
  readonly hidden: Float32Array | undefined;
  /** The mark that ends the sentence, on its last word. */
  readonly end?: PauseMark;
}

export interface SoundPiece {
  readonly pcm: Float32Array;
  /** Words that begin in this piece: their number in the sentence, samples from the piece's first. */
  readonly words: readonly { readonly word: number; readonly startSample: number; readonly endSample: number }[];
  /** The sentence ends with this piece. */
  readonly last: boolean;
}

/** Latents around a chunk that the generator is shown: 12 before are exact, 8 behind are inaudible. */
const LEFT_LATENTS = 12;
/** Latents kept of the silence before the first sound. */
const LEAD_LATENTS = 2;
/** Chunks of frames; one frame must be there behind a chunk, for the generator. */
const CHUNKS = { left: 0, right: 1, firstRight: 1 } as const;
const SIZES = { early: [1, 2, 4], later: [2, 4] } as const;
const FADE_MS = 4;

export class SentenceVoice {
  private readonly symbols: SentenceSymbols;
  private readonly hidden: (Float32Array | undefined)[] = [];
  private readonly regulator: LengthRegulator;
  private readonly repair: CodeRepair;
  private readonly planner: WindowPlanner;
  private readonly features: Float32Array[] = [];
  private readonly frames: Frame[] = [];
  private readonly latents: Latents[] = [];
  private state: Float32Array;
  private told = 0;
  private started = false;

  /** `early`: nothing was heard yet, so the first chunk is one frame. */
  constructor(
    private readonly graphs: VoiceSteps,
    private readonly map: PhonemeIdMap,
    early: boolean,
  ) {
    this.symbols = new SentenceSymbols(map);
    this.regulator = new LengthRegulator(graphs.parameters.maxDuration);
    this.repair = new CodeRepair(graphs.parameters.codes);
    this.planner = new WindowPlanner({ ...CHUNKS, sizes: early ? SIZES.early : SIZES.later });
    this.state = graphs.freshState;
  }

  /** Words spoken so far. */
  get words(): number {
    return this.symbols.words.length;
  }

  get concealedCodes(): number {
    return this.repair.concealed;
  }

  /** Speaks `word`; `ahead`: the words behind it, `lookAheadWords` of them unless the sentence ends before. */
  async speak(word: SpokenWord, ahead: readonly SpokenWord[]): Promise<void> {
    const { leftSymbols, width } = this.graphs.parameters;
    const number = this.symbols.words.length;
    addTo(this.symbols, word);
    this.hidden.push(word.hidden);
    const own = this.symbols.words[number]!;
    const first = Math.max(0, own.from - leftSymbols);
    const window = new SentenceSymbols(this.map);
    // What stands behind the word is only shown: its symbols may still change when more is known.
    const behind = { ids: [] as number[], words: [] as number[] };
    ahead.forEach((next, place) => {
      const before = window.ids.length;
      addTo(window, next);
      const start = place === 0 ? 1 : 0;
      behind.ids.push(...window.ids.slice(before + start));
      behind.words.push(...new Array<number>(window.ids.length - before - start).fill(number + 1 + place));
    });
    const words = [...this.symbols.wordOf.slice(first, own.to), ...behind.words];
    const base = words[0] ?? number;
    const { features, durations } = await this.graphs.encode({
      symbols: [...this.symbols.ids.slice(first, own.to), ...behind.ids],
      words,
      hidden: [...this.hidden.slice(base), ...ahead.map((next) => next.hidden)],
    });
    for (let symbol = own.from; symbol < own.to; symbol += 1) {
      const row = symbol - first;
      this.features.push(features.slice(row * width, (row + 1) * width));
    }
    this.regulator.push(durations.subarray(own.from - first, own.to - first));
  }

  /** Frames that can be made of what was spoken so far. */
  private get makeable(): number {
    const { stepsPerFrame, latentsPerFrame } = this.graphs.parameters;
    if (this.symbols.ended) return Math.max(1, Math.ceil(this.regulator.total / latentsPerFrame));
    return Math.floor(this.regulator.knownSteps / stepsPerFrame);
  }

  /** True when `next` has something to do without another word. */
  get ready(): boolean {
    const frames = this.makeable;
    return this.symbols.ended ? this.planner.done < frames : frames >= this.planner.needed;
  }

  /** The next piece, when enough was spoken. Aborts between two runs. */
  async next(signal: AbortSignal): Promise<SoundPiece | undefined> {
    if (!this.ready) return undefined;
    const { ended } = this.symbols;
    const wanted = Math.min(this.makeable, this.planner.needed);
    if (wanted > this.frames.length) {
      await this.makeFrames(wanted);
      signal.throwIfAborted();
    }
    const last = ended && wanted === this.makeable;
    const window = this.planner.next(this.frames.length, last);
    if (window === undefined) return undefined;
    const { latentsPerFrame, hopSamples } = this.graphs.parameters;
    const from = window.from * latentsPerFrame;
    const to = window.to * latentsPerFrame;
    const sound = await this.sound(from, to, window.end * latentsPerFrame);
    const lead = this.skip(from, to);
    const pcm = sound.subarray(lead * hopSamples);
    const fade = Math.round((this.graphs.parameters.sampleRate * FADE_MS) / 1000);
    if (!this.started && pcm.length > 0) {
      fadeIn(pcm, fade);
      this.started = true;
    }
    const ends = ended && this.planner.done >= this.makeable;
    if (ends) fadeOut(pcm, fade);
    return { pcm, words: this.wordsIn(from + lead, to, ends), last: ends };
  }

  private async makeFrames(upTo: number): Promise<void> {
    const { stepsPerFrame, decoderLeftFrames, latentsPerFrame } = this.graphs.parameters;
    const from = this.frames.length;
    const places = [];
    for (let step = from * stepsPerFrame; step < upTo * stepsPerFrame; step += 1)
      places.push(this.regulator.place(step));
    const first = places[0]!.symbol;
    const rows = this.features.slice(first, places[places.length - 1]!.symbol + 1);
    const made = await this.graphs.frames(
      concatenated(rows),
      places.map(({ symbol, position }) => ({ symbol: symbol - first, position })),
      this.state,
    );
    this.state = made.state;
    for (const frame of made.frames) this.frames.push(this.repair.repair(frame));
    const left = Math.max(0, from - decoderLeftFrames);
    const latents = await this.graphs.latents(this.frames.slice(left));
    this.latents.push(sliceLatents(latents, (from - left) * latentsPerFrame, latents.frames));
  }

  /** Samples of the latents [from, to), which may look as far as `end`. */
  private async sound(from: number, to: number, end: number): Promise<Float32Array> {
    const { hopSamples, gain } = this.graphs.parameters;
    const start = Math.max(0, from - LEFT_LATENTS);
    const whole = joined(this.latents);
    const pcm = await this.graphs.toSound(sliceLatents(whole, start, Math.min(end, whole.frames)));
    const cut = pcm.slice((from - start) * hopSamples, (to - start) * hopSamples);
    amplify(cut, gain);
    return cut;
  }

  /** Latents of a chunk that lie before the first sound: the silence of the start mark is pure delay. */
  private skip(from: number, to: number): number {
    const speech = this.regulator.startOf(this.symbols.words[0]?.speechFrom ?? 0);
    return Math.min(to, Math.max(from, Math.floor(speech) - LEAD_LATENTS)) - from;
  }

  private wordsIn(from: number, to: number, ends: boolean): SoundPiece['words'] {
    const { hopSamples } = this.graphs.parameters;
    const words: { word: number; startSample: number; endSample: number }[] = [];
    for (; this.told < this.symbols.words.length; this.told += 1) {
      const { speechFrom, speechTo } = this.symbols.words[this.told]!;
      const start = this.regulator.startOf(speechFrom);
      if (start >= to && !ends) break;
      const at = (time: number) => Math.max(0, Math.round((time - from) * hopSamples));
      words.push({
        word: this.told,
        startSample: at(Math.min(start, to)),
        endSample: at(this.regulator.startOf(speechTo)),
      });
    }
    return words;
  }
}

function addTo(symbols: SentenceSymbols, word: SpokenWord): void {
  if (word.end === undefined) symbols.add(word);
  else symbols.addLast(word, word.end);
}

function concatenated(rows: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(rows.reduce((sum, row) => sum + row.length, 0));
  let at = 0;
  for (const row of rows) {
    out.set(row, at);
    at += row.length;
  }
  return out;
}

/** Pieces of latents as one; `pieces` is left with that one. */
function joined(pieces: Latents[]): Latents {
  if (pieces.length <= 1) return pieces[0] ?? { data: new Float32Array(0), frames: 0 };
  const frames = pieces.reduce((sum, piece) => sum + piece.frames, 0);
  const channels = pieces[0]!.data.length / pieces[0]!.frames;
  const data = new Float32Array(channels * frames);
  let at = 0;
  for (const piece of pieces) {
    for (let channel = 0; channel < channels; channel += 1) {
      data.set(piece.data.subarray(channel * piece.frames, (channel + 1) * piece.frames), channel * frames + at);
    }
    at += piece.frames;
  }
  pieces.splice(0, pieces.length, { data, frames });
  return pieces[0]!;
}
