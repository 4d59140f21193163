/**
 * What Whisper's decoder had in mind, in the trunk's embedding space: for each piece of a written token the embedding that
 * the trunk would expect under the decoder's distribution. The adapter adds what the states know beyond it.
 */
import { TrunklineError } from '../../core/errors';
import type { WrittenToken } from '../whisper/greedy-decoder';

/** Trunk tokens of every Whisper token: as it stands, and without its leading space (for the first of an utterance). */
export class PieceTable {
  private readonly ids: Uint16Array;

  /** `bytes`: uint16 little-endian [2][vocabulary][maxPieces], 65535 for none. */
  constructor(
    bytes: Uint8Array,
    private readonly vocabulary: number,
    private readonly maxPieces: number,
  ) {
    if (bytes.length !== 2 * 2 * vocabulary * maxPieces) {
      throw new TrunklineError('ear.bad-pieces', 'The table of pieces does not have the size its manifest implies.', {
        fix: 'Weights and program belong to different versions: check out both from one commit.',
      });
    }
    this.ids = new Uint16Array(bytes.slice().buffer);
  }

  of(token: number, first: boolean): number[] {
    const from = ((first ? this.vocabulary : 0) + token) * this.maxPieces;
    const pieces: number[] = [];
    for (let i = 0; i < this.maxPieces && this.ids[from + i] !== NONE; i += 1) pieces.push(this.ids[from + i]!);
    return pieces;
  }
}

const NONE = 65_535;

/** Rows for the adapter, one for each piece. */
export interface AdapterRows {
  readonly count: number;
  /** [count, stateWidth]: of the token, and of the one before it. */
  readonly states: Float32Array;
  readonly before: Float32Array;
  /** [count, width] */
  readonly base: Float32Array;
  readonly piece: readonly number[];
}

export function adapterRows(
  written: readonly WrittenToken[],
  pieces: PieceTable,
  embed: (tokenIds: readonly number[]) => Float32Array,
  stateWidth: number,
  width: number,
): AdapterRows {
  const rows: { state: Float32Array; before: Float32Array; base: Float32Array; piece: number }[] = [];
  const zeros = new Float32Array(stateWidth);
  written.forEach(({ token, state, candidates }, i) => {
    const own = pieces.of(token, i === 0);
    if (own.length === 0) return;
    const top = Math.max(...candidates.map(({ logit }) => logit));
    // Only candidates of as many pieces can stand piece by piece beside it; the token itself is always among them.
    const fitting = candidates
      .map((candidate) => ({ pieces: pieces.of(candidate.token, i === 0), weight: Math.exp(candidate.logit - top) }))
      .filter((candidate) => candidate.pieces.length === own.length);
    const all = fitting.length > 0 ? fitting : [{ pieces: own, weight: 1 }];
    const total = all.reduce((sum, { weight }) => sum + weight, 0);
    for (let piece = 0; piece < own.length; piece += 1) {
      const base = new Float32Array(width);
      const embeddings = embed(all.map((candidate) => candidate.pieces[piece]!));
      all.forEach(({ weight }, k) => {
        for (let d = 0; d < width; d += 1) base[d]! += (embeddings[k * width + d]! * weight) / total;
      });
      rows.push({ state, before: written[i - 1]?.state ?? zeros, base, piece });
    }
  });
  const states = new Float32Array(rows.length * stateWidth);
  const before = new Float32Array(rows.length * stateWidth);
  const base = new Float32Array(rows.length * width);
  rows.forEach((row, at) => {
    states.set(row.state, at * stateWidth);
    before.set(row.before, at * stateWidth);
    base.set(row.base, at * width);
  });
  return { count: rows.length, states, before, base, piece: rows.map((row) => row.piece) };
}
