/**
 * Where to cut a breath group's latents for the generator: a short first chunk, so that sound starts early, then longer
 * ones, which cost less context each.
 */

/** Latents either side that a chunk's samples depend on: with twelve the joint is exact. */
export const CONTEXT_FRAMES = 12;
const FIRST_SIZES = [10, 18, 32] as const;
const LONGEST = 56;
/** A last piece shorter than this goes with the one before it. */
const SHORTEST = 8;

export interface FrameSpan {
  readonly from: number;
  readonly to: number;
}

/** `early`: nothing was heard yet, so the first chunk is short. */
export function planChunks(from: number, to: number, early: boolean): FrameSpan[] {
  const spans: FrameSpan[] = [];
  let nth = early ? 0 : 1;
  let at = from;
  while (at < to) {
    const size = FIRST_SIZES[nth] ?? LONGEST;
    const end = to - (at + size) < SHORTEST ? to : at + size;
    spans.push({ from: at, to: end });
    at = end;
    nth += 1;
  }
  return spans;
}
