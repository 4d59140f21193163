/**
 * The delayed-parallel pattern of Mini-Omni (Xie and Wu, 2024, §3.2, after MusicGen's): seven layers of audio codes are
 * written side by side, layer i lagging i + 1 steps behind the text, so that each layer can lean on the ones before it.
 *
 *   step     0   1   2   3  …  7          frame f, layer i  ↔  step f + i + 1
 *   layer 0  pad f0  f1  f2
 *   layer 1  pad pad f0  f1
 *   …
 *   layer 6  pad pad pad pad … f0         frame 0 is whole at step 7, then one frame comes with every step
 */
export const LAYERS = 7;

/** Seven codes, one of each layer, in the order of the layers. */
export type Frame = readonly number[];

/** Steps between the text and the codes of `layer`. */
export function delayOf(layer: number): number {
  return layer + 1;
}

/**
 * The rows that a model is taught: for each layer its pads, the codes, `end`, and pads up to a common length of
 * `frames.length + 8` steps.
 */
export function delayed(frames: readonly Frame[], pad: number, end: number): number[][] {
  const steps = frames.length + LAYERS + 1;
  return Array.from({ length: LAYERS }, (_, layer) => {
    const row = new Array<number>(steps).fill(pad);
    frames.forEach((frame, f) => {
      row[f + delayOf(layer)] = codeOf(frame, layer);
    });
    row[frames.length + delayOf(layer)] = end;
    return row;
  });
}

/** Takes the delays away: what layer i said at step f + i + 1 for as many frames as its last layer has. */
export function undelayed(rows: readonly (readonly number[])[]): number[][] {
  if (rows.length !== LAYERS) throw new RangeError(`A frame has ${LAYERS} layers, not ${rows.length}.`);
  const frames = Math.max(0, Math.min(...rows.map((row, layer) => row.length - delayOf(layer))));
  return Array.from({ length: frames }, (_, f) => rows.map((row, layer) => row[f + delayOf(layer)] ?? 0));
}

/** The same, step by step: holds the codes of the last seven steps and hands out each frame once it is whole. */
export class FrameAssembler {
  private readonly recent: Frame[] = [];
  private steps = 0;

  /** `codes`: what the seven layers said at this step. */
  push(codes: Frame): Frame | undefined {
    if (codes.length !== LAYERS) throw new RangeError(`A step has ${LAYERS} codes, not ${codes.length}.`);
    this.recent.push([...codes]);
    if (this.recent.length > LAYERS) this.recent.shift();
    this.steps += 1;
    if (this.steps <= LAYERS) return undefined;
    // `recent` holds the steps f + 1 … f + 7: layer i of frame f stands in its place i.
    return this.recent.map((step, layer) => codeOf(step, layer));
  }

  reset(): void {
    this.recent.length = 0;
    this.steps = 0;
  }
}

function codeOf(frame: Frame, layer: number): number {
  const code = frame[layer];
  if (code === undefined) throw new RangeError(`A frame has ${LAYERS} codes, not ${frame.length}.`);
  return code;
}
