/**
 * Between the seven codes of a frame and the three codebooks of SNAC (Siuzdak, Grötschla and Lanzendörfer, 2024): the
 * coarse one speaks once per frame, the middle one twice, the fine one four times.
 *
 *   a frame      t0 ─┬─ t1 ─┬─ t2          codebook 0   t0
 *                    │      └─ t3          codebook 1   t1 t4
 *                    └─ t4 ─┬─ t5          codebook 2   t2 t3 t5 t6
 *                           └─ t6          depth first, each branch in time order
 */
import { type Frame, LAYERS } from './delay-pattern';

/** Codes of the coarse, the middle and the fine codebook: L, 2L and 4L of them for L frames. */
export type Codebooks = readonly [readonly number[], readonly number[], readonly number[]];

/** For each codebook the layers that belong to it, in time order. */
export const CODEBOOK_LAYERS = [[0], [1, 4], [2, 3, 5, 6]] as const;

export function toCodebooks(frames: readonly Frame[]): Codebooks {
  const pick = (layers: readonly number[]) => frames.flatMap((frame) => layers.map((layer) => frame[layer] ?? 0));
  return [pick(CODEBOOK_LAYERS[0]), pick(CODEBOOK_LAYERS[1]), pick(CODEBOOK_LAYERS[2])];
}

export function toFrames(codebooks: Codebooks): number[][] {
  const count = codebooks[0].length;
  if (codebooks[1].length !== 2 * count || codebooks[2].length !== 4 * count) {
    const lengths = codebooks.map((codes) => codes.length).join(', ');
    throw new RangeError(`Codebooks of ${lengths} codes do not make whole frames of 1, 2 and 4.`);
  }
  return Array.from({ length: count }, (_, f) => {
    const frame = new Array<number>(LAYERS);
    CODEBOOK_LAYERS.forEach((layers, book) => {
      layers.forEach((layer, place) => {
        frame[layer] = codebooks[book]?.[f * layers.length + place] ?? 0;
      });
    });
    return frame;
  });
}
