/**
 * The graphs of the omni voice: the talker's encoder (symbols and the trunk's states to features and durations), its
 * frames (features to codes, causal), the codec's decoder (codes to latents) and the generator (latents to sound).
 */
import { type OnnxSession, openSession, type SessionOptions, type Tensors } from '../../onnx/session';
import { float32Data, float32Tensor, int64Numbers, int64Tensor } from '../../onnx/tensors';
import type { Frame } from '../codec/delay-pattern';
import { type Codebooks, toCodebooks, toFrames } from '../codec/frame-codes';
import type { ModelFolder } from '../manifest';
import type { Latents } from '../piper/vits-graphs';
import { encoderFeeds } from './encoder-feeds';
import type { StepPlace } from './length-regulator';
import type { EncoderWindow } from './sentence-features';
import { type OmniVoiceParameters, omniVoiceParametersSchema } from './voice-parameters';

export interface SymbolFeatures {
  /** [symbols, width] */
  readonly features: Float32Array;
  /** In latents, one for each symbol. */
  readonly durations: Float32Array;
}

export interface MadeFrames {
  readonly frames: Frame[];
  /** The codec's latent for each frame before it became codes: [stepsPerFrame, width]. */
  readonly latents: Float32Array[];
  readonly state: Float32Array;
}

/** The runs that a sentence is made of. */
export interface VoiceSteps {
  readonly parameters: OmniVoiceParameters;
  /** The talker's state at the start of a sentence: [width, talkerState] zeros. */
  readonly freshState: Float32Array;
  encode(window: EncoderWindow): Promise<SymbolFeatures>;
  frames(features: Float32Array, places: readonly StepPlace[], state: Float32Array): Promise<MadeFrames>;
  latents(frames: readonly Frame[]): Promise<Latents>;
  toSound(latents: Latents): Promise<Float32Array>;
}

const float = (...dims: (number | null)[]) => ({ type: 'float32', dims }) as const;
const int = (...dims: (number | null)[]) => ({ type: 'int64', dims }) as const;

export class VoiceGraphs implements VoiceSteps {
  private constructor(
    private readonly encoder: OnnxSession,
    private readonly framer: OnnxSession,
    private readonly decoder: OnnxSession,
    private readonly generator: OnnxSession,
    readonly parameters: OmniVoiceParameters,
  ) {}

  /** `generatorFolder`: the Piper voice whose latents the codec was made for. */
  static async open(folder: ModelFolder, generatorFolder: ModelFolder, threads = 1): Promise<VoiceGraphs> {
    const p = folder.parameters(omniVoiceParametersSchema);
    const opened: OnnxSession[] = [];
    const open = async (from: ModelFolder, name: string, expect: SessionOptions['expect']) => {
      const session = await openSession(await from.read(name), {
        threads,
        expect,
        label: `${from.manifest.name}/${name}`,
      });
      opened.push(session);
      return session;
    };
    try {
      return new VoiceGraphs(
        await open(folder, 'talker-encoder.onnx', {
          inputs: {
            symbols: int(1, null),
            words: int(1, null),
            hidden: float(1, null, p.trunkWidth),
            known: float(1, null),
          },
          outputs: { features: float(1, null, p.width), durations: float(1, null) },
        }),
        await open(folder, 'talker-frames.onnx', {
          inputs: {
            features: float(1, null, p.width),
            index: int(1, null),
            position: float(1, null, 4),
            state: float(1, p.width, p.talkerState),
          },
          outputs: {
            codes0: int(1, null),
            codes1: int(1, null),
            codes2: int(1, null),
            next_state: float(1, p.width, p.talkerState),
            latent: float(1, p.width, null),
          },
        }),
        await open(folder, 'codec-decoder.onnx', {
          inputs: { codes0: int(1, null), codes1: int(1, null), codes2: int(1, null) },
          outputs: { z: float(1, p.latentChannels, null) },
        }),
        await open(generatorFolder, 'generator.onnx', {
          inputs: { z: float(1, p.latentChannels, null) },
          outputs: { pcm: float(1, 1, null) },
        }),
        p,
      );
    } catch (error) {
      for (const session of opened) await session.close();
      throw error;
    }
  }

  async encode(window: EncoderWindow): Promise<SymbolFeatures> {
    const out = await this.encoder.run(encoderFeeds(window, this.parameters.trunkWidth));
    return {
      features: float32Data(out['features'], 'features'),
      durations: float32Data(out['durations'], 'durations'),
    };
  }

  get freshState(): Float32Array {
    return new Float32Array(this.parameters.width * this.parameters.talkerState);
  }

  /** `features` [n, width]; `places` point into its rows, `stepsPerFrame` of them for each frame. */
  async frames(features: Float32Array, places: readonly StepPlace[], state: Float32Array): Promise<MadeFrames> {
    const { width, talkerState, stepsPerFrame } = this.parameters;
    const steps = places.length;
    const out = await this.framer.run({
      features: float32Tensor(features, [1, features.length / width, width]),
      index: int64Tensor(
        places.map((place) => place.symbol),
        [1, steps],
      ),
      position: float32Tensor(Float32Array.from(places.flatMap((place) => [...place.position])), [1, steps, 4]),
      state: float32Tensor(state, [1, width, talkerState]),
    });
    const codes = codebooksOf(out);
    const latents = frameByFrame(float32Data(out['latent'], 'latent'), width, steps / stepsPerFrame, stepsPerFrame);
    return { frames: toFrames(codes), latents, state: float32Data(out['next_state'], 'next_state') };
  }

  async latents(frames: readonly Frame[]): Promise<Latents> {
    const feeds = Object.fromEntries(
      toCodebooks(frames).map((codes, level) => [`codes${level}`, int64Tensor(codes, [1, codes.length])]),
    );
    const data = float32Data((await this.decoder.run(feeds))['z'], 'z');
    return { data, frames: frames.length * this.parameters.latentsPerFrame };
  }

  /** `hopSamples` samples for each latent given, before the gain. */
  async toSound(latents: Latents): Promise<Float32Array> {
    const z = float32Tensor(latents.data, [1, this.parameters.latentChannels, latents.frames]);
    return float32Data((await this.generator.run({ z }))['pcm'], 'pcm');
  }

  async close(): Promise<void> {
    await Promise.all([this.encoder.close(), this.framer.close(), this.decoder.close(), this.generator.close()]);
  }
}

/** The outputs codes0, codes1 and codes2 of a graph. */
export function codebooksOf(out: Tensors): Codebooks {
  const codes = (level: number) => int64Numbers(out[`codes${level}`], `codes${level}`);
  return [codes(0), codes(1), codes(2)];
}

/** [width, frames · steps] → for each frame [steps, width]. */
function frameByFrame(data: Float32Array, width: number, frames: number, steps: number): Float32Array[] {
  return Array.from({ length: frames }, (_, frame) => {
    const out = new Float32Array(steps * width);
    for (let step = 0; step < steps; step += 1) {
      for (let at = 0; at < width; at += 1) {
        out[step * width + at] = data[at * frames * steps + frame * steps + step]!;
      }
    }
    return out;
  });
}
