/**
 * One sentence of our own LLaMA-Omni voice, from words to sound: each word's features are laid out on upsampled positions,
 * read by the causal speech decoder, collapsed to units (CTC); Ω units at a time, shown with their neighbours and the time
 * that their positions stand for, get durations, latents and sound. What was made never changes by what follows.
 *
 * Positions belong to symbols and symbols to words: that is the alignment which says when a word begins.
 */
import { LatentSound, RIGHT_LATENTS } from '../omni/latent-sound';
import { LengthRegulator, type StepPlace } from '../omni/length-regulator';
import type { SentenceSpeech } from '../omni/omni-voice';
import { SentenceFeatures, type SpokenWord } from '../omni/sentence-features';
import type { SoundPiece } from '../omni/sentence-voice';
import { fadeIn, fadeOut } from '../piper/loudness';
import type { PhonemeIdMap } from '../piper/phoneme-ids';
import type { UnitStream } from './speech-decoder';
import { type TimedUnit, TimedUnits } from './timed-units';
import { UnitChunks, type UnitWindow } from './unit-chunks';
import type { TimedFeatures, UnitVoiceSteps } from './unit-voice-graphs';

/** Numbers that tell a position's place in its symbol, behind the symbol's features. */
const PLACES = 3;
const OMEGA = { early: 10, later: 24 } as const;
const LATENTS_PER_STEP = 2;
/** Latents of one piece of sound at most: half a second. */
const MOST_LATENTS = 43;
/** Latents kept of the silence before the first sound. */
const LEAD_LATENTS = 2;
const FADE_MS = 4;

export class UnitSentence implements SentenceSpeech {
  private readonly read: SentenceFeatures<TimedFeatures>;
  private readonly stream: UnitStream;
  private readonly found: TimedUnits;
  private readonly chunks: UnitChunks;
  private readonly regulator: LengthRegulator;
  private readonly latents: LatentSound;
  private readonly unitRows: Float32Array[] = [];
  /** Told times of the units, in latents. */
  private readonly times: number[] = [];
  /** Units said when the sound of each word began, and when it ended. */
  private readonly places: { from: number; to: number }[] = [];
  private steps = 0;
  private sounded = 0;
  private told = 0;
  private started = false;
  private finished = false;
  private state: Float32Array;

  /** `early`: nothing was heard yet, so the first chunk is short. */
  constructor(
    private readonly graphs: UnitVoiceSteps,
    map: PhonemeIdMap,
    early: boolean,
  ) {
    const { parameters: p } = graphs;
    const { hopSamples, gain, vocoder } = p;
    this.read = new SentenceFeatures((window) => graphs.encode(window), p, map);
    this.stream = graphs.beginUnits();
    this.found = new TimedUnits(p.decoder.units);
    const first = early ? OMEGA.early : OMEGA.later;
    this.chunks = new UnitChunks({ omega: OMEGA.later, first, context: vocoder.neighbours });
    this.regulator = new LengthRegulator(p.maxDuration);
    this.latents = new LatentSound({ hopSamples, gain, toSound: (latents) => graphs.toSound(latents) });
    this.state = new Float32Array(vocoder.stateWidth * vocoder.state);
  }

  async speak(word: SpokenWord, ahead: readonly SpokenWord[]): Promise<void> {
    const { symbols } = this.read;
    const { encoded, first, from, to } = await this.read.add(word, ahead);
    const { speechFrom, speechTo } = symbols.words[symbols.words.length - 1]!;
    const read = await this.stream.read(this.upsampled(from, to));
    const place = { from: this.found.begun, to: this.found.begun };
    let at = 0;
    for (let symbol = from; symbol < to; symbol += 1) {
      if (symbol === speechFrom) place.from = this.found.begun;
      const positions = this.positionsOf(symbol);
      const time = encoded.durations[symbol - first]! / positions;
      for (const end = at + positions; at < end; at += 1) this.give(this.found.push(read[at]!, time));
      if (symbol < speechTo) place.to = this.found.begun;
    }
    this.places.push(place);
    if (!symbols.ended) return;
    this.give(this.found.end());
    this.chunks.end();
  }

  private give(ended: TimedUnit | undefined): void {
    if (ended === undefined) return;
    this.times.push(ended.time);
    this.chunks.push([ended.unit]);
  }

  get ready(): boolean {
    if (this.finished) return false;
    return this.read.symbols.ended || this.chunks.ready || this.soundable > 0;
  }

  async next(signal: AbortSignal): Promise<SoundPiece | undefined> {
    while (!this.finished) {
      if (this.soundable === 0) {
        const window = this.chunks.next();
        if (window !== undefined) {
          await this.vocode(window, signal);
          continue;
        }
        if (!this.chunks.done) return undefined;
      }
      return this.sound();
    }
    return undefined;
  }

  /** Latents that can be sounded now. */
  private get soundable(): number {
    const right = this.chunks.done ? 0 : RIGHT_LATENTS;
    return Math.max(0, this.latents.frames - right - this.sounded);
  }

  private positionsOf(symbol: number): number {
    return this.graphs.parameters.positions[this.read.symbols.ids[symbol]!] ?? 1;
  }

  /** Rows of the positions of symbols [from, to): features, share before, share behind, positions / 12. */
  private upsampled(from: number, to: number): Float32Array {
    const { width, decoder } = this.graphs.parameters;
    let count = 0;
    for (let symbol = from; symbol < to; symbol += 1) count += this.positionsOf(symbol);
    const rows = new Float32Array(count * decoder.inputs);
    let at = 0;
    for (let symbol = from; symbol < to; symbol += 1) {
      const positions = this.positionsOf(symbol);
      for (let within = 0; within < positions; within += 1, at += width + PLACES) {
        rows.set(this.read.rows[symbol]!, at);
        rows[at + width] = (within + 0.5) / positions;
        rows[at + width + 1] = (positions - within - 0.5) / positions;
        rows[at + width + 2] = positions / 12;
      }
    }
    return rows;
  }

  /** Durations, then latents of the steps whose unit is known. */
  private async vocode({ from, to, units, start }: UnitWindow, signal: AbortSignal): Promise<void> {
    const { neighbours, features: width } = this.graphs.parameters.vocoder;
    const none = this.graphs.parameters.decoder.units;
    const shown = Array.from({ length: to - from + 2 * neighbours }, (_, place) => from - neighbours + place);
    const { features, durations } = await this.graphs.describe(
      shown.map((unit) => units[unit - start] ?? none),
      shown.map((unit) => (units[unit - start] === undefined ? 0 : this.times[unit]!)),
    );
    signal.throwIfAborted();
    for (let unit = 0; unit < to - from; unit += 1) {
      this.unitRows.push(features.slice(unit * width, (unit + 1) * width));
    }
    this.regulator.push(durations.subarray(0, to - from));
    const known = this.chunks.done
      ? Math.max(1, Math.ceil(this.regulator.total / LATENTS_PER_STEP))
      : this.regulator.knownSteps;
    if (known <= this.steps) return;
    const places: StepPlace[] = [];
    for (let step = this.steps; step < known; step += 1) places.push(this.regulator.place(step));
    this.steps = known;
    const first = places[0]!.symbol;
    const rows = this.unitRows.slice(first, places[places.length - 1]!.symbol + 1);
    const joined = new Float32Array(rows.length * width);
    rows.forEach((row, place) => {
      joined.set(row, place * width);
    });
    const own = places.map(({ symbol, position }) => ({ symbol: symbol - first, position }));
    const made = await this.graphs.latents(joined, own, this.state);
    signal.throwIfAborted();
    this.state = made.state;
    this.latents.push(made.latents);
  }

  private async sound(): Promise<SoundPiece> {
    const { hopSamples, sampleRate } = this.graphs.parameters;
    const from = this.sounded;
    const to = from + Math.min(MOST_LATENTS, this.soundable);
    this.sounded = to;
    this.finished = this.chunks.done && to === this.latents.frames;
    const lead = this.started ? 0 : this.skip(from, to);
    const whole = to > from ? await this.latents.between(from, to, to + RIGHT_LATENTS) : new Float32Array(0);
    const pcm = whole.subarray(lead * hopSamples);
    const fade = Math.round((sampleRate * FADE_MS) / 1000);
    if (!this.started && pcm.length > 0) {
      fadeIn(pcm, fade);
      this.started = true;
    }
    if (this.finished) fadeOut(pcm, fade);
    return { pcm, words: this.wordsIn(from + lead, to), last: this.finished };
  }

  /** Latents of a piece that lie before the first sound: the silence of the start mark is pure delay. */
  private skip(from: number, to: number): number {
    const speech = this.regulator.startOf(this.places[0]?.from ?? 0);
    return Math.min(to, Math.max(from, Math.floor(speech) - LEAD_LATENTS)) - from;
  }

  private wordsIn(from: number, to: number): SoundPiece['words'] {
    const { hopSamples } = this.graphs.parameters;
    const words: { word: number; startSample: number; endSample: number }[] = [];
    for (; this.told < this.places.length; this.told += 1) {
      const place = this.places[this.told]!;
      const start = this.regulator.startOf(place.from);
      if (start >= to && !this.finished) break;
      const at = (time: number) => Math.max(0, Math.round((time - from) * hopSamples));
      const startSample = at(Math.min(start, to));
      const endSample = Math.max(startSample, at(this.regulator.startOf(place.to)));
      words.push({ word: this.told, startSample, endSample });
    }
    return words;
  }
}
