/**
 * Latents that grow at their end, and the sound of any span of them: the generator is shown some either side, so that a
 * span sounds as it does in the whole (12 before are exact, 8 behind are inaudible).
 */
import { amplify } from '../piper/loudness';
import { type Latents, sliceLatents } from '../piper/vits-graphs';

const LEFT_LATENTS = 12;
/** Latents that should stand behind a span. */
export const RIGHT_LATENTS = 8;

export interface LatentGenerator {
  readonly hopSamples: number;
  readonly gain: number;
  /** `hopSamples` samples for each latent given, before the gain. */
  toSound(latents: Latents): Promise<Float32Array>;
}

export class LatentSound {
  private readonly pieces: Latents[] = [];
  private count = 0;

  constructor(private readonly generator: LatentGenerator) {}

  get frames(): number {
    return this.count;
  }

  push(piece: Latents): void {
    if (piece.frames === 0) return;
    this.pieces.push(piece);
    this.count += piece.frames;
  }

  /** Samples of the latents [from, to), at the voice's level; the generator may look as far as `end`. */
  async between(from: number, to: number, end: number): Promise<Float32Array> {
    const { hopSamples, gain } = this.generator;
    const start = Math.max(0, from - LEFT_LATENTS);
    const pcm = await this.generator.toSound(sliceLatents(this.joined(), start, Math.min(end, this.count)));
    const cut = pcm.slice((from - start) * hopSamples, (to - start) * hopSamples);
    amplify(cut, gain);
    return cut;
  }

  private joined(): Latents {
    const { pieces, frames } = this;
    if (pieces.length > 1) {
      const channels = pieces[0]!.data.length / pieces[0]!.frames;
      const data = new Float32Array(channels * frames);
      let at = 0;
      for (const piece of pieces) {
        for (let channel = 0; channel < channels; channel += 1) {
          const row = piece.data.subarray(channel * piece.frames, (channel + 1) * piece.frames);
          data.set(row, channel * frames + at);
        }
        at += piece.frames;
      }
      pieces.splice(0, pieces.length, { data, frames });
    }
    return pieces[0] ?? { data: new Float32Array(0), frames: 0 };
  }
}
