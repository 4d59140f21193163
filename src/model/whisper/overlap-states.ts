/**
 * What a sound over the agent's voice is, by what the recogniser's encoder made of it: a small network of our own beside the
 * decoder, which has learnt to find words and finds them in groans, too. Nothing is computed twice: the recogniser was asked
 * about the sound anyway. models/recipe/trunkline_recipe/turns/sound_states.py trains it.
 *
 *      states   [1, frames, width]  encoder states, 50 a second, of the sound and some 300 ms before it
 *      chances  [1, 3]              talk, backchannel, noise; together 1
 */
import { z } from 'zod';
import type { SoundChances } from '../../core/overlap-heard';
import { type OnnxSession, openSession } from '../../onnx/session';
import { float32Data, float32Tensor } from '../../onnx/tensors';
import type { ModelFolder } from '../manifest';

export const overlapStatesParametersSchema = z.object({
  /** Width of the recogniser's states. */
  width: z.number().int().positive(),
  /** Fewer states tell nothing. */
  fewestFrames: z.number().int().positive(),
  /** Of more, the first are looked at. */
  mostFrames: z.number().int().positive(),
});

type OverlapStatesParameters = z.infer<typeof overlapStatesParametersSchema>;

export class OverlapStates {
  private constructor(
    private readonly session: OnnxSession,
    private readonly parameters: OverlapStatesParameters,
  ) {}

  /** Whoever opens it closes it. */
  static async open(folder: ModelFolder): Promise<OverlapStates> {
    const parameters = folder.parameters(overlapStatesParametersSchema);
    const session = await openSession(await folder.read('overlap-states.onnx'), {
      threads: 1,
      label: `${folder.manifest.name}/overlap-states.onnx`,
      expect: {
        inputs: { states: { type: 'float32', dims: [1, null, parameters.width] } },
        outputs: { chances: { type: 'float32', dims: [1, 3] } },
      },
    });
    return new OverlapStates(session, parameters);
  }

  /** `hidden`: all the encoder's states, [frames, width]; undefined: there are too few. */
  async judge(hidden: Float32Array): Promise<SoundChances | undefined> {
    const { width, fewestFrames, mostFrames } = this.parameters;
    const frames = Math.min(mostFrames, Math.floor(hidden.length / width));
    if (frames < fewestFrames) return undefined;
    const states = hidden.subarray(0, frames * width);
    const { chances } = await this.session.run({ states: float32Tensor(states, [1, frames, width]) });
    const [talk = 0, backchannel = 0, noise = 0] = float32Data(chances, 'chances');
    return { talk, backchannel, noise };
  }

  close(): Promise<void> {
    return this.session.close();
  }
}
