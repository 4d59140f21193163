/**
 * Text to token ids and back, by the model's own byte-level BPE. Control tokens are no text here: a caller who says or
 * types `<|im_end|>` gets it spelled in ordinary tokens.
 */
import { createRequire } from 'node:module';
import { TrunklineError } from '../../core/errors';

interface BytePairTokenizer {
  encode(text: string, options: { add_special_tokens: boolean }): { readonly ids: number[] };
  decode(tokenIds: number[]): string;
}

/** The package ships CommonJS code, but types for ES modules alone, so an `import` of it would not compile. */
const { Tokenizer }: { Tokenizer: new (json: object, config: object) => BytePairTokenizer } =
  createRequire(__filename)('@huggingface/tokenizers');

/** Without this the package takes the blank out of " ." and "do n't" when it decodes. */
const WHOLE_TEXT = { clean_up_tokenization_spaces: false };

export class TextTokenizer {
  private readonly tokenizer: BytePairTokenizer;

  /** `json`: the text of a tokenizer.json. */
  constructor(json: string) {
    try {
      const parsed: unknown = JSON.parse(json);
      this.tokenizer = new Tokenizer({ ...(parsed as object), added_tokens: [], post_processor: null }, WHOLE_TEXT);
    } catch (cause) {
      throw new TrunklineError('trunk.bad-tokenizer', 'The tokenizer file of the language model cannot be read.', {
        cause,
        fix: 'Restore it with `git checkout -- models`, then `npx trunkline models verify`.',
      });
    }
  }

  encode(text: string): number[] {
    if (text === '') return [];
    // A lone surrogate has no UTF-8 form; the round trip puts U+FFFD in its place.
    const wellFormed = Buffer.from(text, 'utf8').toString('utf8');
    return this.tokenizer.encode(wellFormed, { add_special_tokens: false }).ids;
  }

  /** A character that is not whole yet decodes to U+FFFD at the end. */
  decode(tokenIds: readonly number[]): string {
    return tokenIds.length === 0 ? '' : this.tokenizer.decode([...tokenIds]);
  }
}
