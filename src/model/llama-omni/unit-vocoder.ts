/**
 * Units to sound by CodeHiFiGAN (Polyak et al., 2021) with its duration predictor: a chunk of Ω units gets its durations
 * with two neighbours either side, exactly those of the whole; each unit is repeated for its frames, and frames are
 * sounded with as many before as a sample depends on and some behind. The published loop gives a chunk alone to the
 * vocoder, and its joints are heard.
 */
import { type OnnxSession, openSession } from '../../onnx/session';
import { float32Data, int64Tensor } from '../../onnx/tensors';
import { UnitChunks } from './unit-chunks';

/** Units either side that a duration depends on: two convolutions of three. */
const DURATION_NEIGHBOURS = 2;
/** Frames either side that a sample depends on. */
export const FIELD_FRAMES = 22;
/** Frames of one piece of sound at most: 0.8 s. */
const MOST_FRAMES = 40;

export interface VocoderRules {
  /** Ω: units of a chunk, the first and later ones. */
  readonly first: number;
  readonly omega: number;
  /** Frames that must stand behind a piece; `FIELD_FRAMES` gives exactly the sound of the whole. */
  readonly framesBehind: number;
}

export const VOCODER_RULES: VocoderRules = { first: 10, omega: 30, framesBehind: 8 };

export interface VocoderGraphs {
  /** Frames of each unit. */
  durations(units: readonly number[]): Promise<number[]>;
  /** Samples of units that are repeated for their frames. */
  sound(frames: readonly number[]): Promise<Float32Array>;
}

export class UnitVocoder implements VocoderGraphs {
  private constructor(
    private readonly durationGraph: OnnxSession,
    private readonly soundGraph: OnnxSession,
  ) {}

  static async open(
    sources: { readonly durations: Uint8Array; readonly sound: Uint8Array },
    { threads, label }: { readonly threads: number; readonly label: string },
  ): Promise<UnitVocoder> {
    const durations = await openSession(sources.durations, {
      threads,
      label: `${label}/unit-durations.onnx`,
      expect: {
        inputs: { units: { type: 'int64', dims: [1, null] } },
        outputs: { frames: { type: 'float32', dims: [1, null] } },
      },
    });
    try {
      const sound = await openSession(sources.sound, {
        threads,
        label: `${label}/unit-sound.onnx`,
        expect: {
          inputs: { frames: { type: 'int64', dims: [1, null] } },
          outputs: { pcm: { type: 'float32', dims: [1, 1, null] } },
        },
      });
      return new UnitVocoder(durations, sound);
    } catch (error) {
      await durations.close();
      throw error;
    }
  }

  async durations(units: readonly number[]): Promise<number[]> {
    const out = await this.durationGraph.run({ units: int64Tensor(units, [1, units.length]) });
    return Array.from(float32Data(out['frames'], 'frames'));
  }

  async sound(frames: readonly number[]): Promise<Float32Array> {
    const out = await this.soundGraph.run({ frames: int64Tensor(frames, [1, frames.length]) });
    return float32Data(out['pcm'], 'pcm').slice();
  }

  async close(): Promise<void> {
    await Promise.all([this.durationGraph.close(), this.soundGraph.close()]);
  }
}

/** One answer's units on their way to sound. */
export class UnitSound {
  private readonly chunks: UnitChunks;
  private readonly frames: number[] = [];
  /** The frame at which each unit begins, and behind the last one where it ends. */
  private readonly starts: number[] = [0];
  private sounded = 0;

  constructor(
    private readonly graphs: VocoderGraphs,
    private readonly samplesPerFrame: number,
    private readonly rules: VocoderRules = VOCODER_RULES,
  ) {
    this.chunks = new UnitChunks({ omega: rules.omega, first: rules.first, context: DURATION_NEIGHBOURS });
  }

  push(units: readonly number[]): void {
    this.chunks.push(units);
  }

  /** No unit follows. */
  end(): void {
    this.chunks.end();
  }

  /** The frame at which `unit` begins; undefined while its duration is not known. */
  startOf(unit: number): number | undefined {
    return this.starts[unit];
  }

  /** The next piece: its frames [from, to) and their samples. Undefined: more units are needed, or all was said. */
  async next(signal: AbortSignal): Promise<{ from: number; to: number; pcm: Float32Array; last: boolean } | undefined> {
    for (;;) {
      const behind = this.chunks.done ? 0 : this.rules.framesBehind;
      const from = this.sounded;
      const to = Math.min(from + MOST_FRAMES, this.frames.length - behind);
      if (to > from) {
        const start = Math.max(0, from - FIELD_FRAMES);
        const end = Math.min(this.frames.length, to + FIELD_FRAMES);
        const pcm = await this.graphs.sound(this.frames.slice(start, end));
        signal.throwIfAborted();
        this.sounded = to;
        const cut = pcm.subarray((from - start) * this.samplesPerFrame, (to - start) * this.samplesPerFrame);
        return { from, to, pcm: cut, last: this.chunks.done && to === this.frames.length };
      }
      const window = this.chunks.next();
      if (window === undefined) return undefined;
      const durations = await this.graphs.durations(window.units);
      signal.throwIfAborted();
      for (let unit = window.from; unit < window.to; unit += 1) {
        const place = unit - window.start;
        const frames = Math.max(1, durations[place] ?? 1);
        for (let n = 0; n < frames; n += 1) this.frames.push(window.units[place]!);
        this.starts.push(this.frames.length);
      }
    }
  }
}
