/** What the manifest of an imported Mini-Omni says of its shapes, its ids and its codec. */
import { z } from 'zod';
import { snacParametersSchema } from '../codec/snac-decoder';

const count = z.number().int().positive();

export const miniOmniParametersSchema = z.object({
  layers: count,
  width: count,
  groups: count,
  headSize: count,
  positions: count,
  textVocabulary: count,
  audioVocabulary: count,
  specialIds: count,
  whisper: z.object({ melBands: count, frames: count }),
  snac: snacParametersSchema,
});

export type MiniOmniParameters = z.infer<typeof miniOmniParametersSchema>;
