/**
 * What a sound over the agent's voice is, by its sound alone: talk, a sign of listening ("mm-hmm", "okay") or a noise. A
 * small network of our own (models/recipe/trunkline_recipe/turns/sound_net.py): log-mel energies in the telephone band,
 * three convolutions, mean and maximum over time.
 *
 *      pcm      [1, samples]  16 kHz, −1…1, from about 100 ms before the onset to now; any level
 *      chances  [1, 3]        talk, backchannel, noise; together 1
 */
import type { SoundChances } from '../core/overlap-heard';
import { type OnnxSession, openSession } from '../onnx/session';
import { float32Data, float32Tensor } from '../onnx/tensors';

/** What the listener asks about a sound. */
export interface OverlapSound {
  /** `pcm`: 16 kHz mono, −1…1. */
  judge(pcm: Float32Array): Promise<SoundChances>;
}

export class OverlapSoundNet implements OverlapSound {
  private constructor(private readonly session: OnnxSession) {}

  /** `weights`: the bytes of overlap-sound.onnx. */
  static async open(weights: Uint8Array): Promise<OverlapSoundNet> {
    const session = await openSession(weights, {
      threads: 1,
      label: 'overlap-sound.onnx',
      expect: {
        inputs: { pcm: { type: 'float32', dims: [1, null] } },
        outputs: { chances: { type: 'float32', dims: [1, 3] } },
      },
    });
    return new OverlapSoundNet(session);
  }

  async judge(pcm: Float32Array): Promise<SoundChances> {
    const { chances } = await this.session.run({ pcm: float32Tensor(pcm, [1, pcm.length]) });
    const [talk = 0, backchannel = 0, noise = 0] = float32Data(chances, 'chances');
    return { talk, backchannel, noise };
  }

  close(): Promise<void> {
    return this.session.close();
  }
}
