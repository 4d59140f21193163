/**
 * One sentence up to its frames: words become symbols, features and durations, and the frames of the time that they take are
 * made in order. What was made never changes by what follows.
 */
import { joinFloat32 } from '../../audio/pcm';
import type { PhonemeIdMap } from '../piper/phoneme-ids';
import { LengthRegulator } from './length-regulator';
import { SentenceFeatures, type SpokenWord } from './sentence-features';
import type { SentenceSymbols } from './sentence-symbols';
import type { MadeFrames, SymbolFeatures, VoiceSteps } from './voice-graphs';

export class SentenceFrames {
  private readonly read: SentenceFeatures<SymbolFeatures>;
  readonly regulator: LengthRegulator;
  private state: Float32Array;
  private done = 0;

  constructor(
    private readonly graphs: VoiceSteps,
    map: PhonemeIdMap,
  ) {
    this.read = new SentenceFeatures((window) => graphs.encode(window), graphs.parameters, map);
    this.regulator = new LengthRegulator(graphs.parameters.maxDuration);
    this.state = graphs.freshState;
  }

  get symbols(): SentenceSymbols {
    return this.read.symbols;
  }

  get ended(): boolean {
    return this.symbols.ended;
  }

  /** Frames made so far. */
  get made(): number {
    return this.done;
  }

  /** Frames that can be made of what was spoken so far; all of them once the sentence has ended. */
  get makeable(): number {
    const { stepsPerFrame, latentsPerFrame } = this.graphs.parameters;
    if (this.symbols.ended) return Math.max(1, Math.ceil(this.regulator.total / latentsPerFrame));
    return Math.floor(this.regulator.knownSteps / stepsPerFrame);
  }

  /** Speaks `word`; `ahead`: the words behind it, `lookAheadWords` of them unless the sentence ends before. */
  async speak(word: SpokenWord, ahead: readonly SpokenWord[]): Promise<void> {
    const { encoded, first, from, to } = await this.read.add(word, ahead);
    this.regulator.push(encoded.durations.subarray(from - first, to - first));
  }

  /** Makes the frames up to `upTo` that are not made yet, at least one. */
  async make(upTo: number): Promise<MadeFrames> {
    const { stepsPerFrame } = this.graphs.parameters;
    const places = [];
    for (let step = this.done * stepsPerFrame; step < upTo * stepsPerFrame; step += 1) {
      places.push(this.regulator.place(step));
    }
    const first = places[0]!.symbol;
    const rows = this.read.rows.slice(first, places[places.length - 1]!.symbol + 1);
    const made = await this.graphs.frames(
      joinFloat32(rows),
      places.map(({ symbol, position }) => ({ symbol: symbol - first, position })),
      this.state,
    );
    this.state = made.state;
    this.done = upTo;
    return made;
  }
}
