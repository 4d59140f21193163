/**
 * The codec's encoder of PCM: anybody's speech to the seven codes a frame that our voice speaks. What the recogniser's encoder
 * made of it hardly depends on the speaker; a net turns those states, with the pitch and level beside them, into latents of
 * the voice, and the codec's encoder turns these into codes (models/recipe/trunkline_recipe/omni/codec_ear.py trains it).
 *
 *      hidden  [1, frames, 512]   the recogniser's encoder, 50 a second
 *      tune    [1, latents, 4]    utterance-tune.ts
 *      z       [1, 192, latents]  86.13 a second
 *
 * An utterance at a time, for the recogniser's encoder looks both ways. Words and melody are kept, the speaker is not: the
 * generator behind the codes knows one voice.
 */
import { type OnnxSession, openSession } from '../../onnx/session';
import { float32Data, float32Tensor } from '../../onnx/tensors';
import type { Frame } from '../codec/delay-pattern';
import { toFrames } from '../codec/frame-codes';
import type { ModelFolder } from '../manifest';
import type { Latents } from '../piper/vits-graphs';
import type { EncodedSpeech } from '../whisper/whisper-recogniser';
import { latentsOf, TUNE_COLUMNS, utteranceTune } from './utterance-tune';
import { codebooksOf } from './voice-graphs';
import { type CodecEarParameters, codecEarParametersSchema } from './voice-parameters';

/** The recogniser's encoder, which whoever hears a caller has open: `WhisperRecogniser` is one. */
export interface SpeechEncoder {
  encode(pcm: Float32Array): Promise<EncodedSpeech>;
}

export class CodecEar {
  private constructor(
    private readonly ear: OnnxSession,
    private readonly coder: OnnxSession,
    private readonly encoder: SpeechEncoder,
    private readonly parameters: CodecEarParameters,
  ) {}

  /** `folder`: the voice's, as `VoiceGraphs.open` takes it. `encoder` stays its owner's. Whoever opens it closes it. */
  static async open(folder: ModelFolder, encoder: SpeechEncoder, threads = 1): Promise<CodecEar> {
    const p = folder.parameters(codecEarParametersSchema);
    const open = async (name: string, expect: Parameters<typeof openSession>[1]['expect']) =>
      openSession(await folder.read(name), { threads, expect, label: `${folder.manifest.name}/${name}` });
    const ear = await open('codec-ear.onnx', {
      inputs: {
        hidden: { type: 'float32', dims: [1, null, p.codecEarStates] },
        tune: { type: 'float32', dims: [1, null, TUNE_COLUMNS] },
      },
      outputs: { z: { type: 'float32', dims: [1, p.latentChannels, null] } },
    });
    try {
      const state = { type: 'float32', dims: [1, p.width, p.codecEncoderState] } as const;
      const codes = { type: 'int64', dims: [1, null] } as const;
      const coder = await open('codec-encoder.onnx', {
        inputs: { z: { type: 'float32', dims: [1, p.latentChannels, null] }, state },
        outputs: { codes0: codes, codes1: codes, codes2: codes, next_state: state },
      });
      return new CodecEar(ear, coder, encoder, p);
    } catch (error) {
      await ear.close();
      throw error;
    }
  }

  /**
   * `pcm`: 16 kHz mono −1…1, no longer than the recogniser hears at once; `speech`: what its encoder made of it, where that is
   * known already. One frame for every 92.9 ms begun.
   */
  async encode(pcm: Float32Array, speech?: EncodedSpeech): Promise<Frame[]> {
    if (pcm.length === 0) return [];
    return this.codes(await this.latents(pcm, speech));
  }

  /** What the voice would be given, before it becomes codes. */
  async latents(pcm: Float32Array, speech?: EncodedSpeech): Promise<Latents> {
    const { sampleRate, hopSamples, latentsPerFrame } = this.parameters;
    const latentRate = sampleRate / hopSamples;
    const frames = latentsOf(pcm.length, latentRate, latentsPerFrame);
    const { tensors } = speech ?? (await this.encoder.encode(pcm));
    const tune = float32Tensor(utteranceTune(pcm, frames, latentRate), [1, frames, TUNE_COLUMNS]);
    const out = await this.ear.run({ hidden: tensors['hidden']!, tune });
    return { data: float32Data(out['z'], 'z'), frames };
  }

  /** The nearest codes; the codec starts as before any sound. */
  async codes(latents: Latents): Promise<Frame[]> {
    const { latentChannels, width, codecEncoderState } = this.parameters;
    const out = await this.coder.run({
      z: float32Tensor(latents.data, [1, latentChannels, latents.frames]),
      state: float32Tensor(new Float32Array(width * codecEncoderState), [1, width, codecEncoderState]),
    });
    return toFrames(codebooksOf(out));
  }

  async close(): Promise<void> {
    await Promise.all([this.ear.close(), this.coder.close()]);
  }
}
