/**
 * Keys and values of one sequence: for each layer two buffers [kvHeads, capacity, headWidth] that the graph reads in
 * place. The graph hands out only the new rows, which are written here; cutting back is a smaller count.
 */
import { float32Tensor, type Tensor } from '../../onnx/tensors';

export interface KvShape {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headWidth: number;
  readonly capacity: number;
}

const PARTS = ['key', 'value'] as const;

export class KvCache {
  /** Under the graph's input names. */
  readonly feeds: Readonly<Record<string, Tensor>>;
  private readonly buffers = new Map<string, Float32Array>();

  constructor(readonly shape: KvShape) {
    const { layers, kvHeads, headWidth, capacity } = shape;
    const feeds: Record<string, Tensor> = {};
    const size = kvHeads * capacity * headWidth;
    // One allocation, so large that it comes from the system and not out of the allocator's used pages, which it would
    // have to clear. Untouched pages cost no memory: a call pays for the positions that it has used.
    const whole = new Float32Array(layers * PARTS.length * size);
    for (let layer = 0; layer < layers; layer += 1) {
      for (const [place, part] of PARTS.entries()) {
        const from = (layer * PARTS.length + place) * size;
        const data = whole.subarray(from, from + size);
        this.buffers.set(`${layer}.${part}`, data);
        feeds[`past.${layer}.${part}`] = float32Tensor(data, [1, kvHeads, capacity, headWidth]);
      }
    }
    this.feeds = feeds;
  }

  /** Names of the outputs that carry new rows, in the order of `names`. */
  static outputNames(layers: number): string[] {
    return Array.from({ length: layers }, (_, layer) => PARTS.map((part) => `new.${layer}.${part}`)).flat();
  }

  /** Takes over the `count` new rows of every layer, from position `position` on. */
  write(outputs: Readonly<Record<string, Tensor>>, position: number, count: number): void {
    const { kvHeads, headWidth, capacity } = this.shape;
    for (const [name, target] of this.buffers) {
      const rows = outputs[`new.${name}`]?.data;
      if (!(rows instanceof Float32Array)) throw new TypeError(`Output "new.${name}" is missing or not float32.`);
      for (let head = 0; head < kvHeads; head += 1) {
        const own = rows.subarray(head * count * headWidth, (head + 1) * count * headWidth);
        target.set(own, (head * capacity + position) * headWidth);
      }
    }
  }

  /** A cache of its own with the first `length` positions. */
  copy(length: number): KvCache {
    const twin = new KvCache(this.shape);
    const { kvHeads, headWidth, capacity } = this.shape;
    for (const [name, source] of this.buffers) {
      const target = twin.buffers.get(name)!;
      for (let head = 0; head < kvHeads; head += 1) {
        const from = head * capacity * headWidth;
        target.set(source.subarray(from, from + length * headWidth), from);
      }
    }
    return twin;
  }
}
