/**
 * Which passages a question is about, by words and by meaning together: BM25's rarity of the words that both share, and the
 * cosine of their vectors (Karpukhin et al. 2020 found the two to err differently). Exact: every vector is compared.
 */
import type { RelevanceTable } from '../model/brain/relevance';
import type { Passage } from './chunker';

export interface Weights {
  /** What it counts that a passage has all of the question's words. */
  readonly words: number;
  readonly meaning: number;
}

/** Measured in docs/knowledge.md. */
const WEIGHTS: Weights = { words: 0.35, meaning: 1 };
/** Below this nothing is near: measured in docs/knowledge.md. */
export const LEAST_SCORE = 0.35;
/** A passage far less near than the best one is no help. */
const LEAST_OF_BEST = 0.75;

export interface Ranked {
  readonly passage: Passage;
  readonly score: number;
}

export interface Neighbour {
  /** Of the passages. */
  readonly index: number;
  readonly cosine: number;
}

export class PassageIndex {
  private readonly postings = new Map<string, { readonly index: number; readonly weight: number }[]>();

  /** `vectors`: one of length 1 per passage, in a row; undefined: neighbours come from elsewhere. */
  constructor(
    private readonly table: RelevanceTable,
    private readonly passages: readonly Passage[],
    private readonly vectors: Float32Array | undefined,
  ) {
    passages.forEach((passage, index) => {
      for (const [term, weight] of table.factTerms(`${passage.heading}. ${passage.text}`)) {
        const list = this.postings.get(term) ?? [];
        list.push({ index, weight });
        this.postings.set(term, list);
      }
    });
  }

  /** Best first, at most `most`; none when nothing is near. */
  search(question: string, near: Float32Array | readonly Neighbour[], most: number): Ranked[] {
    const ranked = this.rank(question, near);
    const best = ranked[0]?.score ?? 0;
    return ranked.slice(0, most).filter(({ score }) => score >= LEAST_SCORE && score >= LEAST_OF_BEST * best);
  }

  /** All that have neighbours' places, best first. */
  rank(question: string, near: Float32Array | readonly Neighbour[], weights: Weights = WEIGHTS): Ranked[] {
    const scores = this.wordScores(question);
    const neighbours = near instanceof Float32Array ? this.cosines(near) : near;
    const ranked: Ranked[] = [];
    for (const { index, cosine } of neighbours) {
      const passage = this.passages[index];
      if (passage !== undefined) {
        ranked.push({ passage, score: weights.meaning * cosine + weights.words * (scores.get(index) ?? 0) });
      }
    }
    return ranked.sort((a, b) => b.score - a.score);
  }

  /** Index → share of the question's words, by rarity, that the passage has: 0 to 1. */
  private wordScores(question: string): ReadonlyMap<number, number> {
    const scores = new Map<number, number>();
    let all = 0;
    for (const [term, weight] of this.table.questionTerms(question)) {
      const list = this.postings.get(term) ?? [];
      const rarity = Math.log(1 + (this.passages.length - list.length + 0.5) / (list.length + 0.5));
      all += weight * rarity;
      for (const { index, weight: has } of list) {
        scores.set(index, (scores.get(index) ?? 0) + weight * has * rarity);
      }
    }
    if (all > 0) for (const [index, score] of scores) scores.set(index, Math.min(1, score / all));
    return scores;
  }

  private cosines(question: Float32Array): Neighbour[] {
    const { vectors, passages } = this;
    if (vectors === undefined) return [];
    const width = question.length;
    return passages.map((_, index) => {
      let cosine = 0;
      for (let at = 0, from = index * width; at < width; at += 1) cosine += question[at]! * vectors[from + at]!;
      return { index, cosine };
    });
  }
}
