/**
 * Sentences as vectors whose cosine tells how near two are in meaning: all-MiniLM-L6-v2 (Sentence-BERT, Reimers and
 * Gurevych 2019), mean pooling and length 1 inside the graph. `embed` blocks its thread while it computes.
 */
import { createRequire } from 'node:module';
import { z } from 'zod';
import { TrunklineError } from '../../core/errors';
import { type OnnxSession, openSession } from '../../onnx/session';
import { int64Tensor } from '../../onnx/tensors';
import type { ModelFolder } from '../manifest';

interface WordPieces {
  encode(text: string, options: { add_special_tokens: boolean }): { readonly ids: number[] };
}

/** The package ships CommonJS code, but types for ES modules alone, so an `import` of it would not compile. */
const { Tokenizer }: { Tokenizer: new (json: object, config: object) => WordPieces } =
  createRequire(__filename)('@huggingface/tokenizers');

const parametersSchema = z.object({
  width: z.int().positive(),
  maxTokens: z.int().min(8),
  /** Token ids that begin and end a text. */
  first: z.int(),
  last: z.int(),
});

export class SentenceEmbedder {
  private constructor(
    /** `minilm-l6 1.0.0`: vectors of different names cannot be compared. */
    readonly name: string,
    private readonly parameters: z.output<typeof parametersSchema>,
    private readonly tokenizer: WordPieces,
    private readonly session: OnnxSession,
  ) {}

  static async open(folder: ModelFolder, threads = 1): Promise<SentenceEmbedder> {
    const parameters = folder.parameters(parametersSchema);
    const tokenizer = readTokenizer(await folder.readText('tokenizer.json'));
    const session = await openSession(await folder.read('minilm.onnx'), {
      threads,
      label: 'minilm-l6/minilm.onnx',
      expect: {
        inputs: {
          input_ids: { type: 'int64', dims: [null, null] },
          attention_mask: { type: 'int64', dims: [null, null] },
        },
        outputs: { sentence: { type: 'float32', dims: [null, parameters.width] } },
      },
    });
    const { name, version } = folder.manifest;
    return new SentenceEmbedder(`${name} ${version}`, parameters, tokenizer, session);
  }

  get width(): number {
    return this.parameters.width;
  }

  /** One vector of length 1 per text, in a row; what a text has beyond `maxTokens` is not read. */
  async embed(texts: readonly string[]): Promise<Float32Array> {
    if (texts.length === 0) return new Float32Array(0);
    const tokens = texts.map((text) => this.tokensOf(text));
    const longest = Math.max(...tokens.map(({ length }) => length));
    const ids = new BigInt64Array(texts.length * longest);
    const mask = new BigInt64Array(texts.length * longest);
    tokens.forEach((row, at) => {
      row.forEach((id, place) => {
        ids[at * longest + place] = BigInt(id);
        mask[at * longest + place] = 1n;
      });
    });
    const dims = [texts.length, longest];
    const { sentence } = await this.session.run({
      input_ids: int64Tensor(ids, dims),
      attention_mask: int64Tensor(mask, dims),
    });
    return Float32Array.from(sentence!.data as Float32Array);
  }

  close(): Promise<void> {
    return this.session.close();
  }

  private tokensOf(text: string): number[] {
    const { first, last, maxTokens } = this.parameters;
    // A lone surrogate has no UTF-8 form; the round trip puts U+FFFD in its place.
    const wellFormed = Buffer.from(text, 'utf8').toString('utf8');
    const { ids } = this.tokenizer.encode(wellFormed, { add_special_tokens: false });
    return [first, ...ids.slice(0, maxTokens - 2), last];
  }
}

function readTokenizer(json: string): WordPieces {
  try {
    const parsed: unknown = JSON.parse(json);
    // Special tokens in a text are text: nobody may write [SEP].
    return new Tokenizer({ ...(parsed as object), added_tokens: [], post_processor: null }, {});
  } catch (cause) {
    throw new TrunklineError('knowledge.bad-tokenizer', 'The tokenizer file of the embedding model cannot be read.', {
      cause,
      fix: 'Restore it with `git checkout -- models`, then `npx trunkline models verify`.',
    });
  }
}
