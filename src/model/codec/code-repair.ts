/**
 * Conceals codes that are none: a language model may write an end or a pad where a code belongs. The frame is never
 * skipped, which would shift all that follows; the slot holds what it held in the frame before, or a neighbour of its
 * own codebook.
 */
import { type Frame, LAYERS } from './delay-pattern';
import { CODEBOOK_LAYERS } from './frame-codes';

export class CodeRepair {
  private held: Frame | undefined;
  private count = 0;

  /** Valid codes are 0 … `codebookSize` − 1. */
  constructor(private readonly codebookSize: number) {}

  /** Codes concealed so far. */
  get concealed(): number {
    return this.count;
  }

  repair(frame: Frame): number[] {
    const whole = Array.from({ length: LAYERS }, (_, layer) => {
      const code = frame[layer];
      if (this.valid(code)) return code;
      this.count += 1;
      return this.held?.[layer] ?? this.neighbour(frame, layer) ?? 0;
    });
    this.held = whole;
    return whole;
  }

  reset(): void {
    this.held = undefined;
  }

  private valid(code: number | undefined): code is number {
    return code !== undefined && Number.isInteger(code) && code >= 0 && code < this.codebookSize;
  }

  /** The valid code nearest in time that the same codebook has in this frame. */
  private neighbour(frame: Frame, layer: number): number | undefined {
    const layers: readonly number[] = CODEBOOK_LAYERS.find((own) => (own as readonly number[]).includes(layer)) ?? [];
    const place = layers.indexOf(layer);
    const byDistance = layers
      .map((other, at) => ({ code: frame[other], distance: Math.abs(at - place) }))
      .sort((a, b) => a.distance - b.distance);
    return byDistance.map(({ code }) => code).find((code) => this.valid(code));
  }
}
