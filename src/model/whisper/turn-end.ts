/**
 * Is the caller done? A small network of our own over what the recogniser has computed anyway: the encoder's last states
 * (the tune and the pace of the last words) and the decoder's states where it wrote the last token and chose the end
 * (what the words want next). models/recipe/trunkline_recipe/turns/end_net.py trains it.
 *
 *      frames   [1, frames, width]  encoder states, the newest last, among them those of the silence after the words
 *      written  [1, 2, width]       decoder states: the last token's, then the end's
 *      done     [1]                 the chance that the caller is done, 0…1
 */
import { z } from 'zod';
import { type OnnxSession, openSession } from '../../onnx/session';
import { float32Data, float32Tensor } from '../../onnx/tensors';
import type { ModelFolder } from '../manifest';

export const turnEndParametersSchema = z.object({
  /** Width of the recogniser's states. */
  width: z.number().int().positive(),
  /** Encoder states that are looked at; where there are fewer, zeros stand before them. */
  frames: z.number().int().positive(),
});

type TurnEndParameters = z.infer<typeof turnEndParametersSchema>;

export class TurnEnd {
  private constructor(
    private readonly session: OnnxSession,
    private readonly parameters: TurnEndParameters,
  ) {}

  /** Whoever opens it closes it. */
  static async open(folder: ModelFolder): Promise<TurnEnd> {
    const parameters = folder.parameters(turnEndParametersSchema);
    const { width, frames } = parameters;
    const session = await openSession(await folder.read('turn-end.onnx'), {
      threads: 1,
      label: `${folder.manifest.name}/turn-end.onnx`,
      expect: {
        inputs: {
          frames: { type: 'float32', dims: [1, frames, width] },
          written: { type: 'float32', dims: [1, 2, width] },
        },
        outputs: { done: { type: 'float32', dims: [1] } },
      },
    });
    return new TurnEnd(session, parameters);
  }

  /** `hidden`: all the encoder's states, [frames, width]. `lastToken`, `end`: decoder states, [width]. */
  async chance(hidden: Float32Array, lastToken: Float32Array, end: Float32Array): Promise<number> {
    const { width, frames } = this.parameters;
    const written = new Float32Array(2 * width);
    written.set(lastToken);
    written.set(end, width);
    const { done } = await this.session.run({
      frames: float32Tensor(lastFrames(hidden, frames, width), [1, frames, width]),
      written: float32Tensor(written, [1, 2, width]),
    });
    return float32Data(done, 'done')[0] ?? 0;
  }

  close(): Promise<void> {
    return this.session.close();
  }
}

/** The newest `frames` states; zeros before them where there are fewer. */
export function lastFrames(hidden: Float32Array, frames: number, width: number): Float32Array {
  const wanted = frames * width;
  if (hidden.length >= wanted) return hidden.slice(hidden.length - wanted);
  const padded = new Float32Array(wanted);
  padded.set(hidden, wanted - hidden.length);
  return padded;
}
