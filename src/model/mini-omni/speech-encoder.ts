/**
 * Mini-Omni's ear: Whisper small's encoder over 30 s, of which only the vectors of the speech itself are kept, each
 * through the adapter into the language model's space. Shortening its input would change what the model was taught.
 */
import { join } from 'node:path';
import { type OnnxSession, openSession } from '../../onnx/session';
import { float32Data, float32Tensor } from '../../onnx/tensors';
import { HEARING_RATE } from '../heard-audio';
import type { ModelFolder } from '../manifest';
import { LogMel } from '../whisper/log-mel';
import type { MiniOmniParameters } from './parameters';

/** One vector for each 20 ms. */
const VECTOR_SAMPLES = 320;

export interface HeardVectors {
  /** Vectors kept: floor(duration / 20 ms) + 1. */
  readonly heard: number;
  /** [heard, width] */
  readonly vectors: Float32Array;
}

export class SpeechEncoder {
  private readonly mel: LogMel;

  private constructor(
    private readonly session: OnnxSession,
    private readonly parameters: MiniOmniParameters,
  ) {
    const { melBands } = parameters.whisper;
    this.mel = new LogMel({ sampleRate: HEARING_RATE, windowSamples: 400, hopSamples: VECTOR_SAMPLES / 2, melBands });
  }

  static async open(folder: ModelFolder, parameters: MiniOmniParameters, threads: number): Promise<SpeechEncoder> {
    const { melBands, frames } = parameters.whisper;
    const session = await openSession(join(folder.path, 'encoder.onnx'), {
      threads,
      label: `${folder.manifest.name}/encoder.onnx`,
      expect: {
        inputs: { mel: { type: 'float32', dims: [1, melBands, 2 * frames] } },
        outputs: { features: { type: 'float32', dims: [1, frames, parameters.width] } },
      },
    });
    return new SpeechEncoder(session, parameters);
  }

  get maxSamples(): number {
    return this.parameters.whisper.frames * VECTOR_SAMPLES;
  }

  /** `pcm`: 16 kHz mono −1…1, at most `maxSamples`. */
  async encode(pcm: Float32Array): Promise<HeardVectors> {
    const { whisper, width } = this.parameters;
    const padded = new Float32Array(this.maxSamples);
    padded.set(pcm.subarray(0, padded.length));
    const { data, frames } = this.mel.compute(padded);
    const out = await this.session.run({ mel: float32Tensor(data, [1, whisper.melBands, frames]) });
    const heard = Math.min(whisper.frames, Math.floor(pcm.length / VECTOR_SAMPLES) + 1);
    return { heard, vectors: float32Data(out['features'], 'features').slice(0, heard * width) };
  }

  close(): Promise<void> {
    return this.session.close();
  }
}
