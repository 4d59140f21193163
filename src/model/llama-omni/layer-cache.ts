/**
 * Keys and values of one sequence, for graphs that extend them in place: the same memory goes in as past and comes out as
 * present. Pages that no position used cost no memory.
 */
import type { TensorShape } from '../../onnx/session';
import { float32Tensor, int32Tensor, type Tensor } from '../../onnx/tensors';

export interface CacheShape {
  readonly layers: number;
  /** Key and value heads. */
  readonly groups: number;
  readonly headSize: number;
  readonly positions: number;
}

export class LayerCache {
  private tensors: { readonly name: string; readonly tensor: Tensor }[] | undefined;
  private used = 0;

  constructor(readonly shape: CacheShape) {}

  get length(): number {
    return this.used;
  }

  get positions(): number {
    return this.shape.positions;
  }

  forget(): void {
    this.used = 0;
  }

  /** Inputs and outputs of a run that reads `count` positions more; `done` when it has. */
  extend(count: number): { feeds: Record<string, Tensor>; fetches: Record<string, Tensor | null>; done: () => void } {
    const total = this.used + count;
    const feeds: Record<string, Tensor> = {
      last_position: int32Tensor(Int32Array.of(total - 1), [1]),
      total_length: int32Tensor(Int32Array.of(total), [1]),
    };
    const fetches: Record<string, Tensor | null> = {};
    this.tensors ??= this.empty();
    for (const { name, tensor } of this.tensors) {
      feeds[`past.${name}`] = tensor;
      fetches[`present.${name}`] = tensor;
    }
    return {
      feeds,
      fetches,
      done: () => {
        this.used = total;
      },
    };
  }

  close(): void {
    this.tensors = undefined;
    this.used = 0;
  }

  private empty(): { name: string; tensor: Tensor }[] {
    const { layers, groups, headSize, positions } = this.shape;
    const size = groups * positions * headSize;
    const whole = new Float32Array(2 * layers * size);
    return cacheNames(layers).map((name, nth) => ({
      name,
      tensor: float32Tensor(whole.subarray(nth * size, (nth + 1) * size), [1, groups, positions, headSize]),
    }));
  }
}

/** What a graph with such a cache must have beside its own inputs and outputs. */
export function cacheSignature({ layers, groups, headSize }: Omit<CacheShape, 'positions'>): {
  inputs: Record<string, TensorShape>;
  outputs: Record<string, TensorShape>;
} {
  const cache: TensorShape = { type: 'float32', dims: [1, groups, null, headSize] };
  const all = (side: string) =>
    Object.fromEntries(cacheNames(layers).map((name) => [`${side}.${name}`, cache] as const));
  const count: TensorShape = { type: 'int32', dims: [1] };
  return { inputs: { last_position: count, total_length: count, ...all('past') }, outputs: all('present') };
}

function cacheNames(layers: number): string[] {
  return Array.from({ length: layers }, (_, layer) => [`${layer}.key`, `${layer}.value`]).flat();
}
