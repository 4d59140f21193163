/**
 * The graphs of our own LLaMA-Omni voice: symbols and the trunk's states to features, features on upsampled positions to
 * units (speech-decoder.ts), units and the times told of them to durations and features, those to latents (causal), latents to sound.
 */
import { type OnnxSession, openSession, type SessionOptions } from '../../onnx/session';
import { float32Data, float32Tensor, int64Tensor } from '../../onnx/tensors';
import type { ModelFolder } from '../manifest';
import { encoderFeeds } from '../omni/encoder-feeds';
import type { StepPlace } from '../omni/length-regulator';
import type { EncoderWindow } from '../omni/sentence-features';
import type { Latents } from '../piper/vits-graphs';
import { SpeechDecoder, type UnitStream } from './speech-decoder';
import { type UnitVoiceParameters, unitVoiceParametersSchema } from './unit-voice-parameters';

/** Of symbols or of units. */
export interface TimedFeatures {
  /** One row for each. */
  readonly features: Float32Array;
  /** In latents, real numbers, one for each. */
  readonly durations: Float32Array;
}

/** The runs that a sentence is made of. */
export interface UnitVoiceSteps {
  readonly parameters: UnitVoiceParameters;
  encode(window: EncoderWindow): Promise<TimedFeatures>;
  beginUnits(): UnitStream;
  /**
   * `units` and their told times in latents, with `neighbours` more at either end, which are only looked at; the blank's
   * number and no time where there is none.
   */
  describe(units: readonly number[], times: readonly number[]): Promise<TimedFeatures>;
  /** Two latents for each place; `state` [stateWidth, state], zeros at the start of a sentence. */
  latents(
    features: Float32Array,
    places: readonly StepPlace[],
    state: Float32Array,
  ): Promise<{ readonly latents: Latents; readonly state: Float32Array }>;
  toSound(latents: Latents): Promise<Float32Array>;
}

const float = (...dims: (number | null)[]) => ({ type: 'float32', dims }) as const;
const int = (...dims: (number | null)[]) => ({ type: 'int64', dims }) as const;

export class UnitVoiceGraphs implements UnitVoiceSteps {
  private constructor(
    private readonly encoder: OnnxSession,
    private readonly decoder: SpeechDecoder,
    private readonly units: OnnxSession,
    private readonly frames: OnnxSession,
    private readonly generator: OnnxSession,
    readonly parameters: UnitVoiceParameters,
  ) {}

  /** `generatorFolder`: the Piper voice whose latents the units were found in. */
  static async open(folder: ModelFolder, generatorFolder: ModelFolder, threads = 1): Promise<UnitVoiceGraphs> {
    const p = folder.parameters(unitVoiceParametersSchema);
    const { vocoder: v } = p;
    const opened: { close(): Promise<void> }[] = [];
    const keep = <T extends { close(): Promise<void> }>(one: T): T => {
      opened.push(one);
      return one;
    };
    const label = (from: ModelFolder, name: string) => `${from.manifest.name}/${name}`;
    const open = async (from: ModelFolder, name: string, expect: SessionOptions['expect']) =>
      keep(await openSession(await from.read(name), { threads, expect, label: label(from, name) }));
    try {
      return new UnitVoiceGraphs(
        await open(folder, 'symbol-encoder.onnx', {
          inputs: {
            symbols: int(1, null),
            words: int(1, null),
            hidden: float(1, null, p.trunkWidth),
            known: float(1, null),
          },
          outputs: { features: float(1, null, p.width), durations: float(1, null) },
        }),
        keep(
          await SpeechDecoder.open(await folder.read('speech-decoder.onnx'), p.decoder, {
            threads,
            label: label(folder, 'speech-decoder.onnx'),
          }),
        ),
        await open(folder, 'unit-encoder.onnx', {
          inputs: { units: int(1, null), times: float(1, null) },
          outputs: { features: float(1, null, v.features), durations: float(1, null) },
        }),
        await open(folder, 'unit-frames.onnx', {
          inputs: {
            features: float(1, null, v.features),
            index: int(1, null),
            position: float(1, null, 4),
            state: float(1, v.stateWidth, v.state),
          },
          outputs: { z: float(1, p.latentChannels, null), next_state: float(1, v.stateWidth, v.state) },
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

  async encode(window: EncoderWindow): Promise<TimedFeatures> {
    return timedFeatures(await this.encoder.run(encoderFeeds(window, this.parameters.trunkWidth)));
  }

  beginUnits(): UnitStream {
    return this.decoder.begin();
  }

  async describe(units: readonly number[], times: readonly number[]): Promise<TimedFeatures> {
    const shape = [1, units.length];
    return timedFeatures(
      await this.units.run({
        units: int64Tensor(units, shape),
        times: float32Tensor(Float32Array.from(times), shape),
      }),
    );
  }

  async latents(
    features: Float32Array,
    places: readonly StepPlace[],
    state: Float32Array,
  ): Promise<{ latents: Latents; state: Float32Array }> {
    const { latentChannels, vocoder } = this.parameters;
    const out = await this.frames.run({
      features: float32Tensor(features, [1, features.length / vocoder.features, vocoder.features]),
      index: int64Tensor(
        places.map((place) => place.symbol),
        [1, places.length],
      ),
      position: float32Tensor(Float32Array.from(places.flatMap((place) => [...place.position])), [1, places.length, 4]),
      state: float32Tensor(state, [1, vocoder.stateWidth, vocoder.state]),
    });
    const data = float32Data(out['z'], 'z');
    return {
      latents: { data, frames: data.length / latentChannels },
      state: float32Data(out['next_state'], 'next_state'),
    };
  }

  async toSound(latents: Latents): Promise<Float32Array> {
    const z = float32Tensor(latents.data, [1, this.parameters.latentChannels, latents.frames]);
    return float32Data((await this.generator.run({ z }))['pcm'], 'pcm');
  }

  async close(): Promise<void> {
    const { encoder, decoder, units, frames, generator } = this;
    await Promise.all([encoder, decoder, units, frames, generator].map((one) => one.close()));
  }
}

function timedFeatures(out: Awaited<ReturnType<OnnxSession['run']>>): TimedFeatures {
  return { features: float32Data(out['features'], 'features'), durations: float32Data(out['durations'], 'durations') };
}
