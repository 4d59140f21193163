/**
 * The Silero voice activity network, version 6, 16 kHz (github.com/snakers4/silero-vad): one window of 512 samples with
 * the 64 before it and a recurrent state in, the probability of speech and the next state out.
 *
 *      input  [1, 576]     | 64 samples of the window before | 512 new samples |   −1…1
 *      state  [2, 1, 128]  zeros at the start of a stream
 */
import { type OnnxSession, openSession } from '../onnx/session';
import { float32Data, float32Tensor } from '../onnx/tensors';
import { VAD_WINDOW_SAMPLES } from './vad';

const CONTEXT_SAMPLES = 64;
const STATE_DIMS = [2, 1, 128] as const;
const STATE_SIZE = 2 * 1 * 128;

/** One caller's stream through a speech network. */
export interface SpeechProbability {
  /** `window`: VAD_WINDOW_SAMPLES samples. */
  next(window: Int16Array): Promise<number>;
  reset(): void;
}

export class SileroVad {
  private constructor(private readonly session: OnnxSession) {}

  /** `weights`: the bytes of the .onnx file. */
  static async open(weights: Uint8Array): Promise<SileroVad> {
    const session = await openSession(weights, {
      threads: 1,
      label: 'silero-vad.onnx',
      expect: {
        inputs: {
          input: { type: 'float32', dims: [1, CONTEXT_SAMPLES + VAD_WINDOW_SAMPLES] },
          state: { type: 'float32', dims: [...STATE_DIMS] },
        },
        outputs: {
          output: { type: 'float32', dims: [1, 1] },
          stateN: { type: 'float32', dims: [...STATE_DIMS] },
        },
      },
    });
    return new SileroVad(session);
  }

  openStream(): SpeechProbability {
    return new SileroStream(this.session);
  }

  close(): Promise<void> {
    return this.session.close();
  }
}

class SileroStream implements SpeechProbability {
  private readonly input = new Float32Array(CONTEXT_SAMPLES + VAD_WINDOW_SAMPLES);
  private readonly state = new Float32Array(STATE_SIZE);

  constructor(private readonly session: OnnxSession) {}

  async next(window: Int16Array): Promise<number> {
    // The last samples of this window are the context of the next.
    this.input.copyWithin(0, VAD_WINDOW_SAMPLES);
    for (let i = 0; i < VAD_WINDOW_SAMPLES; i += 1) this.input[CONTEXT_SAMPLES + i] = (window[i] ?? 0) / 32_768;
    const outputs = await this.session.run({
      input: float32Tensor(this.input, [1, this.input.length]),
      state: float32Tensor(this.state, STATE_DIMS),
    });
    this.state.set(float32Data(outputs['stateN'], 'stateN'));
    return float32Data(outputs['output'], 'output')[0] ?? 0;
  }

  reset(): void {
    this.input.fill(0);
    this.state.fill(0);
  }
}
