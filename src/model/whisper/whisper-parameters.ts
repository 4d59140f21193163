/** What the manifest of a Whisper folder says about its graphs and its token ids. */
import { z } from 'zod';
import type { Signature, TensorShape } from '../../onnx/session';

const id = z.number().int().nonnegative();

export const whisperParametersSchema = z.object({
  sampleRate: z.literal(16000),
  melBands: z.number().int().positive(),
  windowSamples: z.number().int().positive(),
  hopSamples: z.number().int().positive(),
  /** Zeros appended to what was said: the decoder was taught that the context ends after them. */
  tailSamples: z.number().int().nonnegative(),
  maxSeconds: z.number().positive(),
  width: z.number().int().positive(),
  heads: z.number().int().positive(),
  layers: z.number().int().positive(),
  maxTokens: z.number().int().positive(),
  vocabulary: z.number().int().positive(),
  /** Start, English, transcribe, no timestamps. */
  prompt: z.array(id).min(1),
  endToken: id,
  /** Its probability after the start token says that there is no speech. */
  noSpeechToken: id,
  /** Tokens that open the description of a sound: `[`, `(`, `♪`. */
  soundOpeners: z.array(id),
  /** Never written: brackets, quotes, notes, special tokens. */
  suppressed: z.array(id),
  /** Not written first: a lone space, the end. */
  suppressedFirst: z.array(id),
  /** Below this mean log-probability per token the words are taken for noise; measured, see docs/models/ear.md. */
  minMeanLogProbability: z.number(),
  maxNoSpeechProbability: z.number(),
});

export type WhisperParameters = z.infer<typeof whisperParametersSchema>;

/** Names of the tensors that the encoder computes once and every decoder step looks at. */
export function memoryNames({ layers }: WhisperParameters): string[] {
  return Array.from({ length: layers }, (_, i) => [`key_${i}`, `value_${i}`]).flat();
}

export function encoderSignature(parameters: WhisperParameters): Signature {
  return {
    inputs: { mel: { type: 'float32', dims: [1, parameters.melBands, null] } },
    outputs: { hidden: { type: 'float32', dims: [1, null, parameters.width] }, ...memoryShapes(parameters) },
  };
}

export function decoderSignature(parameters: WhisperParameters, states = false): Signature {
  const { layers, width, vocabulary } = parameters;
  return {
    inputs: {
      tokens: { type: 'int64', dims: [1, null] },
      past: { type: 'float32', dims: [null, layers, 2, width] },
      ...memoryShapes(parameters),
    },
    outputs: {
      logits: { type: 'float32', dims: [null, vocabulary] },
      fresh: { type: 'float32', dims: [null, layers, 2, width] },
      ...(states ? { states: { type: 'float32', dims: [null, width] } satisfies TensorShape } : {}),
    },
  };
}

function memoryShapes(parameters: WhisperParameters): Record<string, TensorShape> {
  const { heads, width } = parameters;
  const shape: TensorShape = { type: 'float32', dims: [1, heads, null, width / heads] };
  return Object.fromEntries(memoryNames(parameters).map((name) => [name, shape]));
}
