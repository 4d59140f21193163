/**
 * The tied embedding of the trunk, 8 bits a weight in blocks with scale and zero point: one row per token, turned into
 * floats when it is asked for. The graph itself takes embeddings, so that heard audio can stand where text stands.
 *
 *   embedding.bin   codes  [vocabulary][width]           uint8
 *                   scales [vocabulary][width / block]   float32, little-endian
 *                   zeros  [vocabulary][width / block]   uint8
 */
import { TrunklineError } from '../../core/errors';

export class EmbeddingTable {
  private readonly codes: Uint8Array;
  private readonly scales: Float32Array;
  private readonly zeros: Uint8Array;

  constructor(
    bytes: Uint8Array,
    readonly vocabulary: number,
    readonly width: number,
    private readonly block: number,
  ) {
    const weights = vocabulary * width;
    const blocks = weights / block;
    if (bytes.length !== weights + blocks * 5) {
      throw new TrunklineError(
        'trunk.bad-embedding',
        'The embedding file does not have the size its manifest implies.',
        {
          fix: 'Weights and program belong to different versions: check out both from one commit.',
          details: { bytes: bytes.length, expected: weights + blocks * 5 },
        },
      );
    }
    this.codes = bytes.subarray(0, weights);
    // Copied: a float array needs an offset divisible by four, which a joined or pooled buffer need not have.
    this.scales = new Float32Array(new Uint8Array(bytes.subarray(weights, weights + blocks * 4)).buffer);
    this.zeros = bytes.subarray(weights + blocks * 4);
  }

  /** Rows of `tokenIds`, one after the other. */
  rows(tokenIds: readonly number[]): Float32Array {
    const { width, block, codes, scales, zeros } = this;
    const out = new Float32Array(tokenIds.length * width);
    const blocksPerRow = width / block;
    tokenIds.forEach((tokenId, row) => {
      if (!Number.isInteger(tokenId) || tokenId < 0 || tokenId >= this.vocabulary) {
        throw new TrunklineError('trunk.bad-token', `There is no token ${tokenId}.`, {
          fix: 'This is a mistake in the program: tokens come from this model’s own tokenizer.',
        });
      }
      for (let b = 0; b < blocksPerRow; b += 1) {
        const scale = scales[tokenId * blocksPerRow + b]!;
        const zero = zeros[tokenId * blocksPerRow + b]!;
        const from = tokenId * width + b * block;
        const to = row * width + b * block;
        for (let i = 0; i < block; i += 1) out[to + i] = (codes[from + i]! - zero) * scale;
      }
    });
    return out;
  }
}
