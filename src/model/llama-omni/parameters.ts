/** What the manifest of an imported LLaMA-Omni says of its shapes, its prompt and its vocoder. */
import { z } from 'zod';
import { speechDecoderSchema } from './speech-decoder';

const count = z.number().int().positive();
const ids = z.array(z.number().int().nonnegative());

export const llamaOmniParametersSchema = z.object({
  trunk: z.object({
    layers: count,
    width: count,
    groups: count,
    headSize: count,
    positions: count,
    vocabulary: count,
    /** Tokens that end an answer. */
    ends: ids.min(1),
  }),
  whisper: z.object({
    melBands: count,
    frames: count,
    /** Whisper's states in one vector, k of the paper. */
    stack: count,
  }),
  decoder: speechDecoderSchema,
  /** Positions of each text token. */
  upsample: count,
  vocoder: z.object({ sampleRate: count, samplesPerFrame: count }),
  /** Ids from here on are control tokens. */
  textTokens: count,
  /** Token ids around the question: what was heard is followed by the task, what was typed is not. */
  prompt: z.object({ before: ids, task: ids, behind: ids }),
});

export type LlamaOmniParameters = z.infer<typeof llamaOmniParametersSchema>;
