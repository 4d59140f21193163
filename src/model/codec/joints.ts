/**
 * How audible a joint between two chunks is. A click is a corner in the wave: its second difference stands out of what
 * the speech around it does anyway. One is as smooth as the neighbourhood, above about four a click is heard.
 */

/** Samples either side of the joint in which the corner may lie. */
const CORNER_SAMPLES = 2;
/** Second differences below this (−80 dB of full scale) are silence, in which nothing can stand out. */
const FLOOR = 1e-4;

/**
 * `pcm` −1…1, `joint` the index of the first sample behind it. The largest second difference at the joint over the
 * largest one within `neighbourhood` samples either side.
 */
export function jointRoughness(pcm: Float32Array, joint: number, neighbourhood = 480): number {
  const corner = largest(pcm, joint - CORNER_SAMPLES, joint + CORNER_SAMPLES);
  const before = largest(pcm, joint - neighbourhood, joint - CORNER_SAMPLES - 1);
  const behind = largest(pcm, joint + CORNER_SAMPLES + 1, joint + neighbourhood);
  return corner / Math.max(before, behind, FLOOR);
}

function largest(pcm: Float32Array, from: number, to: number): number {
  let most = 0;
  for (let at = Math.max(2, from); at <= Math.min(pcm.length - 1, to); at += 1) {
    const corner = Math.abs((pcm[at] ?? 0) - 2 * (pcm[at - 1] ?? 0) + (pcm[at - 2] ?? 0));
    if (corner > most) most = corner;
  }
  return most;
}
