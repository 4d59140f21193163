/**
 * Mini-Omni's "TTS adapter" on our own trunk, in ONNX: from the trunk's state at a step, the codes of the steps before and
 * what the guide expects of the frames in question to the scores of seven layers; and from codes to what is added to the
 * text's embedding, so that the trunk reads both as one.
 */
import { z } from 'zod';
import { TrunklineError } from '../../core/errors';
import { type OnnxSession, openSession, type SessionOptions } from '../../onnx/session';
import { float32Data, float32Tensor, int64Tensor } from '../../onnx/tensors';
import { LAYERS } from '../codec/delay-pattern';
import type { ModelFolder } from '../manifest';

const count = z.number().int().positive();

export const postAdapterParametersSchema = z.object({
  /** Codes of each layer. */
  codes: count,
  /** Width and number of the codec's latents in a frame. */
  width: count,
  stepsPerFrame: count,
  /** Ids of a layer behind its codes: end, pad, and room. */
  specialAudioIds: count,
  adapterBlocks: count,
  /** Steps that a block sees, its own among them. */
  adapterWindow: count,
  adapterWidth: count,
  trunkStateWidth: count,
});

export type PostAdapterParameters = z.infer<typeof postAdapterParametersSchema>;

/** No code: a layer that has not begun or has ended. */
export const NO_CODE = -1;

export interface AdapterStep {
  /** Codes of the last seven steps, the newest first: [7][7], `NO_CODE` where there was none. */
  readonly recent: readonly (readonly number[])[];
  /** What the guide expects of the frame whose layer 0 is next and of the six before it; undefined: no such frame. */
  readonly latents: readonly (Float32Array | undefined)[];
  /** [trunk state width] */
  readonly state: Float32Array;
  readonly pasts: Float32Array;
}

export interface PostAdapter {
  readonly parameters: PostAdapterParameters;
  readonly freshPasts: Float32Array;
  /** `scores` [7, codes] */
  step(input: AdapterStep): Promise<{ readonly scores: Float32Array; readonly pasts: Float32Array }>;
  /** What is added to the embedding of the text that stands beside these codes: [trunk state width]. */
  fuse(codes: readonly number[]): Promise<Float32Array>;
  /** Added at the last position of the prompt (answer_a). */
  readonly answerAudio: Float32Array;
  /** Added to the embedding of the end of the text, where no text is left (pad_t). */
  readonly padText: Float32Array;
  close(): Promise<void>;
}

export class OnnxPostAdapter implements PostAdapter {
  private constructor(
    private readonly adapter: OnnxSession,
    private readonly fuser: OnnxSession,
    readonly answerAudio: Float32Array,
    readonly padText: Float32Array,
    readonly parameters: PostAdapterParameters,
  ) {}

  static async open(folder: ModelFolder, threads = 1): Promise<OnnxPostAdapter> {
    const p = folder.parameters(postAdapterParametersSchema);
    const width = p.trunkStateWidth;
    const bytes = (await folder.read('specials.bin')).slice();
    if (bytes.length !== 2 * 4 * width) {
      throw new TrunklineError('mini-omni.bad-specials', 'specials.bin does not have the size its manifest implies.', {
        fix: 'Weights and program belong to different versions: check out both from one commit.',
      });
    }
    const specials = new Float32Array(bytes.buffer);
    const float = (...dims: (number | null)[]) => ({ type: 'float32', dims }) as const;
    const pasts = float(p.adapterBlocks, 1, p.adapterWindow - 1, 2 * p.adapterWidth);
    const open = async (name: string, expect: SessionOptions['expect']) =>
      openSession(await folder.read(name), { threads, expect, label: `${folder.manifest.name}/${name}` });
    const adapter = await open('post-adapter.onnx', {
      inputs: {
        recent: { type: 'int64', dims: [1, LAYERS, LAYERS] },
        latents: float(1, LAYERS, p.stepsPerFrame * p.width),
        state: float(1, width),
        pasts,
      },
      outputs: { scores: float(1, LAYERS, p.codes), next_pasts: pasts },
    });
    try {
      const fuser = await open('fuse.onnx', {
        inputs: { codes: { type: 'int64', dims: [null, LAYERS] } },
        outputs: { added: float(null, width) },
      });
      return new OnnxPostAdapter(adapter, fuser, specials.subarray(0, width), specials.subarray(width), p);
    } catch (error) {
      await adapter.close();
      throw error;
    }
  }

  get freshPasts(): Float32Array {
    const { adapterBlocks, adapterWindow, adapterWidth } = this.parameters;
    return new Float32Array(adapterBlocks * (adapterWindow - 1) * 2 * adapterWidth);
  }

  async step({ recent, latents, state, pasts }: AdapterStep): Promise<{ scores: Float32Array; pasts: Float32Array }> {
    const { adapterBlocks, adapterWindow, adapterWidth, stepsPerFrame, width, trunkStateWidth } = this.parameters;
    const expected = new Float32Array(LAYERS * stepsPerFrame * width);
    latents.forEach((latent, place) => {
      if (latent !== undefined) expected.set(latent, place * stepsPerFrame * width);
    });
    const out = await this.adapter.run({
      recent: int64Tensor(recent.flat(), [1, LAYERS, LAYERS]),
      latents: float32Tensor(expected, [1, LAYERS, stepsPerFrame * width]),
      state: float32Tensor(state, [1, trunkStateWidth]),
      pasts: float32Tensor(pasts, [adapterBlocks, 1, adapterWindow - 1, 2 * adapterWidth]),
    });
    return { scores: float32Data(out['scores'], 'scores'), pasts: float32Data(out['next_pasts'], 'next_pasts') };
  }

  async fuse(codes: readonly number[]): Promise<Float32Array> {
    const out = await this.fuser.run({ codes: int64Tensor([...codes], [1, LAYERS]) });
    return float32Data(out['added'], 'added');
  }

  async close(): Promise<void> {
    await Promise.all([this.adapter.close(), this.fuser.close()]);
  }
}
