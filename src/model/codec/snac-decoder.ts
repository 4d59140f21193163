/**
 * SNAC's decoder (Siuzdak, Grötschla and Lanzendörfer, 2024) in ONNX: frames of seven codes to sound. The noise of its
 * blocks is drawn by the place in the utterance, so that overlapping windows hear the same noise and join without a seam.
 */
import { z } from 'zod';
import { type OnnxSession, openSession, type TensorShape } from '../../onnx/session';
import { float32Data, float32Tensor, int64Tensor, type Tensor } from '../../onnx/tensors';
import type { ModelFolder } from '../manifest';
import { normalDeviates } from '../piper/noise';
import type { Frame } from './delay-pattern';
import { toCodebooks } from './frame-codes';
import type { FrameDecoder } from './streaming-decoder';

export const snacParametersSchema = z.object({
  sampleRate: z.number().int().positive(),
  codebookSize: z.number().int().positive(),
  samplesPerFrame: z.number().int().positive(),
  /** Samples of noise that each block takes per frame; empty for a codec without noise. */
  noiseSamples: z.array(z.number().int().positive()),
});

export type SnacParameters = z.infer<typeof snacParametersSchema>;

export interface SnacOptions {
  readonly threads?: number;
  /** 1: as published; 0: without chance, for comparison with a reference. */
  readonly noiseLevel?: number;
}

/** Frames after which the noise repeats (5.5 s at 24 kHz). */
const NOISE_FRAMES = 64;
const NOISE_SEED = 11;

export class SnacDecoder implements FrameDecoder {
  private readonly noise: readonly Float32Array[];

  private constructor(
    private readonly session: OnnxSession,
    private readonly parameters: SnacParameters,
    noiseLevel: number,
  ) {
    this.noise = parameters.noiseSamples.map((samples, block) =>
      normalDeviates(samples * NOISE_FRAMES, NOISE_SEED + block).map((value) => value * noiseLevel),
    );
  }

  static async open(
    folder: ModelFolder,
    name: string,
    parameters: SnacParameters,
    options: SnacOptions = {},
  ): Promise<SnacDecoder> {
    const inputs: Record<string, TensorShape> = {};
    for (let book = 0; book < 3; book += 1) inputs[`codes_${book}`] = { type: 'int64', dims: [1, null] };
    parameters.noiseSamples.forEach((_, block) => {
      inputs[`noise_${block}`] = { type: 'float32', dims: [1, 1, null] };
    });
    const session = await openSession(await folder.read(name), {
      threads: options.threads,
      label: `${folder.manifest.name}/${name}`,
      expect: { inputs, outputs: { pcm: { type: 'float32', dims: [1, 1, null] } } },
    });
    return new SnacDecoder(session, parameters, options.noiseLevel ?? 1);
  }

  get sampleRate(): number {
    return this.parameters.sampleRate;
  }

  get samplesPerFrame(): number {
    return this.parameters.samplesPerFrame;
  }

  get codebookSize(): number {
    return this.parameters.codebookSize;
  }

  async decode(frames: readonly Frame[], firstFrame: number): Promise<Float32Array> {
    const feeds: Record<string, Tensor> = {};
    toCodebooks(frames).forEach((codes, book) => {
      feeds[`codes_${book}`] = int64Tensor(codes, [1, codes.length]);
    });
    this.parameters.noiseSamples.forEach((samples, block) => {
      const noise = this.noiseOf(block, firstFrame * samples, frames.length * samples);
      feeds[`noise_${block}`] = float32Tensor(noise, [1, 1, noise.length]);
    });
    return float32Data((await this.session.run(feeds))['pcm'], 'pcm');
  }

  close(): Promise<void> {
    return this.session.close();
  }

  private noiseOf(block: number, from: number, count: number): Float32Array {
    const source = this.noise[block]!;
    const out = new Float32Array(count);
    for (let i = 0; i < count; i += 1) out[i] = source[(from + i) % source.length]!;
    return out;
  }
}
