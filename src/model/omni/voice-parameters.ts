/** What the manifest of the omni voice says of its rates and widths. */
import { z } from 'zod';

const count = z.number().int().positive();

export const omniVoiceParametersSchema = z.object({
  sampleRate: count,
  /** Samples of one latent. */
  hopSamples: count,
  latentsPerFrame: count,
  /** Steps of the talker in one frame. */
  stepsPerFrame: count,
  latentChannels: count,
  width: count,
  /** Width of the trunk's hidden states. */
  trunkWidth: count,
  /** Codes of each codebook. */
  codes: count,
  /** Columns of the talker's state. */
  talkerState: count,
  /** Complete words behind a word that must be known before it is spoken. */
  lookAheadWords: z.number().int().nonnegative(),
  /** Symbols before a word that its sound depends on. */
  leftSymbols: z.number().int().nonnegative(),
  /** Frames before the first that the decoder is to be shown. */
  decoderLeftFrames: z.number().int().nonnegative(),
  maxDuration: z.number().positive(),
  gain: z.number().positive(),
});

/** What the codec's encoder of PCM needs beside them. */
export const codecEarParametersSchema = omniVoiceParametersSchema.extend({
  /** Columns of the codec encoder's state. */
  codecEncoderState: count,
  /** Width of the recogniser's states. */
  codecEarStates: count,
});

export type OmniVoiceParameters = z.infer<typeof omniVoiceParametersSchema>;
export type CodecEarParameters = z.infer<typeof codecEarParametersSchema>;
