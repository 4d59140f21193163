/**
 * The three graphs of the Piper voice (VITS: Kim, Kong and Son, 2021): text to means and durations, the flow from the
 * sampled prior to the latents z, and the HiFi-GAN generator from z to sound. One utterance at a time, all chance fed in.
 */
import { z } from 'zod';
import { type OnnxSession, openSession } from '../../onnx/session';
import { float32Data, float32Tensor, int64Tensor } from '../../onnx/tensors';
import type { ModelFolder } from '../manifest';

export const voiceParameters = z.object({
  sampleRate: z.number().int(),
  /** Samples per latent. */
  hopSamples: z.number().int(),
  channels: z.number().int(),
  noiseScale: z.number(),
  durationNoiseScale: z.number(),
  /** Brings active speech to about −19 dBFS. */
  gain: z.number(),
  phonemeIds: z.record(z.string(), z.number().int()),
});
export type VoiceParameters = z.infer<typeof voiceParameters>;

/** Row-major [channels, frames]. */
export interface Latents {
  readonly data: Float32Array;
  readonly frames: number;
}

export interface EncodedText {
  /** [channels, symbols] */
  readonly mean: Float32Array;
  readonly logScale: Float32Array;
  /** Latents per symbol, not yet rounded. */
  readonly frames: Float32Array;
}

/** Latents either side that one latent depends on in the flow: 4 couplings of 4 convolutions of 5. */
export const FLOW_CONTEXT_FRAMES = 32;

export class VitsGraphs {
  private constructor(
    private readonly text: OnnxSession,
    private readonly flow: OnnxSession,
    private readonly generator: OnnxSession,
    readonly parameters: VoiceParameters,
  ) {}

  static async open(folder: ModelFolder, threads = 1): Promise<VitsGraphs> {
    const parameters = folder.parameters(voiceParameters);
    const { channels } = parameters;
    const names = ['text.onnx', 'flow.onnx', 'generator.onnx'] as const;
    // Read and verified at once, while other models open.
    const graphs = new Map(await Promise.all(names.map(async (name) => [name, await folder.read(name)] as const)));
    const open = (name: (typeof names)[number], expect: Parameters<typeof openSession>[1]['expect']) =>
      openSession(graphs.get(name)!, { threads, expect, label: `${folder.manifest.name}/${name}` });
    const text = await open('text.onnx', {
      inputs: {
        phonemes: { type: 'int64', dims: [1, null] },
        duration_noise: { type: 'float32', dims: [1, 2, null] },
      },
      outputs: {
        mean: { type: 'float32', dims: [1, channels, null] },
        log_scale: { type: 'float32', dims: [1, channels, null] },
        frames: { type: 'float32', dims: [1, 1, null] },
      },
    });
    const flow = await open('flow.onnx', {
      inputs: { latents: { type: 'float32', dims: [1, channels, null] } },
      outputs: { z: { type: 'float32', dims: [1, channels, null] } },
    });
    const generator = await open('generator.onnx', {
      inputs: { z: { type: 'float32', dims: [1, channels, null] } },
      outputs: { pcm: { type: 'float32', dims: [1, 1, null] } },
    });
    return new VitsGraphs(text, flow, generator, parameters);
  }

  async encode(ids: readonly number[], durationNoise: Float32Array): Promise<EncodedText> {
    const out = await this.text.run({
      phonemes: int64Tensor(ids, [1, ids.length]),
      duration_noise: float32Tensor(durationNoise, [1, 2, ids.length]),
    });
    return {
      mean: float32Data(out['mean'], 'mean'),
      logScale: float32Data(out['log_scale'], 'log_scale'),
      frames: float32Data(out['frames'], 'frames'),
    };
  }

  async toLatents(sampled: Latents): Promise<Latents> {
    const out = await this.flow.run({ latents: this.tensor(sampled) });
    return { data: float32Data(out['z'], 'z'), frames: sampled.frames };
  }

  /** `hopSamples` samples for each latent given. */
  async toSound(latents: Latents): Promise<Float32Array> {
    const out = await this.generator.run({ z: this.tensor(latents) });
    return float32Data(out['pcm'], 'pcm');
  }

  async close(): Promise<void> {
    await Promise.all([this.text.close(), this.flow.close(), this.generator.close()]);
  }

  private tensor(latents: Latents) {
    return float32Tensor(latents.data, [1, this.parameters.channels, latents.frames]);
  }
}

/** A span of latents, copied. */
export function sliceLatents(latents: Latents, from: number, to: number): Latents {
  const channels = latents.data.length / latents.frames;
  const frames = to - from;
  const data = new Float32Array(channels * frames);
  for (let channel = 0; channel < channels; channel += 1) {
    const row = channel * latents.frames;
    data.set(latents.data.subarray(row + from, row + to), channel * frames);
  }
  return { data, frames };
}
