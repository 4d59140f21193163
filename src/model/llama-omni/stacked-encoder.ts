/**
 * LLaMA-Omni's ear (Fang et al., 2024, §2.1–2.2): Whisper's encoder over the padded 30 s, k of its states side by side,
 * through the adapter. All vectors are kept, those of the silence behind too: so it was taught.
 */
import { type OnnxSession, openSession } from '../../onnx/session';
import { float32Data, float32Tensor } from '../../onnx/tensors';
import { HEARING_RATE } from '../heard-audio';
import { LogMel } from '../whisper/log-mel';
import type { LlamaOmniParameters } from './parameters';

/** Samples of one of Whisper's states: 20 ms. */
const STATE_SAMPLES = 320;

export class StackedEncoder {
  private readonly mel: LogMel;

  private constructor(
    private readonly session: OnnxSession,
    private readonly whisper: LlamaOmniParameters['whisper'],
  ) {
    const { melBands } = whisper;
    this.mel = new LogMel({ sampleRate: HEARING_RATE, windowSamples: 400, hopSamples: STATE_SAMPLES / 2, melBands });
  }

  static async open(
    path: string,
    { whisper, trunk }: LlamaOmniParameters,
    { threads, label }: { readonly threads: number; readonly label: string },
  ): Promise<StackedEncoder> {
    const { melBands, frames, stack } = whisper;
    const session = await openSession(path, {
      threads,
      label,
      expect: {
        inputs: { mel: { type: 'float32', dims: [1, melBands, 2 * frames] } },
        outputs: { vectors: { type: 'float32', dims: [1, Math.floor(frames / stack), trunk.width] } },
      },
    });
    return new StackedEncoder(session, whisper);
  }

  get maxSamples(): number {
    return this.whisper.frames * STATE_SAMPLES;
  }

  /** `pcm`: 16 kHz mono −1…1, at most `maxSamples`. Vectors [frames / k, width]. */
  async encode(pcm: Float32Array): Promise<Float32Array> {
    const padded = new Float32Array(this.maxSamples);
    padded.set(pcm.subarray(0, padded.length));
    const { data, frames } = this.mel.compute(padded);
    const out = await this.session.run({ mel: float32Tensor(data, [1, this.whisper.melBands, frames]) });
    return float32Data(out['vectors'], 'vectors').slice();
  }

  close(): Promise<void> {
    return this.session.close();
  }
}
