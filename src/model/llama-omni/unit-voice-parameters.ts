/** What the manifest of the unit voice says of its rates and widths. */
import { z } from 'zod';
import { speechDecoderSchema } from './speech-decoder';

const count = z.number().int().positive();

export const unitVoiceParametersSchema = z.object({
  sampleRate: count,
  /** Samples of one latent. */
  hopSamples: count,
  latentChannels: count,
  /** Width of a symbol's features. */
  width: count,
  /** Width of the trunk's hidden states. */
  trunkWidth: count,
  /** Complete words behind a word that must be known before it is spoken. */
  lookAheadWords: z.number().int().nonnegative(),
  /** Symbols before a word that its features depend on. */
  leftSymbols: z.number().int().nonnegative(),
  /** Positions that each symbol of the voice is laid out on. */
  positions: z.array(count),
  decoder: speechDecoderSchema,
  vocoder: z.object({
    /** Units either side that a unit's duration and features depend on. */
    neighbours: z.number().int().nonnegative(),
    /** Width of a unit's features. */
    features: count,
    /** Columns and rows of the state of its causal net. */
    stateWidth: count,
    state: count,
  }),
  maxDuration: z.number().positive(),
  gain: z.number().positive(),
});

export type UnitVoiceParameters = z.infer<typeof unitVoiceParametersSchema>;
