/**
 * Keys and values of one sequence: for each layer two buffers [kvHeads, room, headWidth] that the graph reads in place.
 * The graph hands out only the new rows, which are written here; cutting back is a smaller count.
 *
 * The graph copies as many positions as there is room for at every step, used or not. So the room is what the sequence
 * needs, and grows with it.
 */
import { float32Tensor, type Tensor } from '../../onnx/tensors';

export interface KvShape {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headWidth: number;
  /** Positions that a sequence may have at most. */
  readonly capacity: number;
}

const PARTS = ['key', 'value'] as const;
/** Room grows by this much: moving to more room costs about a third of a step. */
const GROWTH_POSITIONS = 128;

export class KvCache {
  private readonly buffers = new Map<string, Float32Array>();
  private named: Record<string, Tensor> = {};
  private positions = 0;

  constructor(readonly shape: KvShape) {}

  /** Under the graph's input names. */
  get feeds(): Readonly<Record<string, Tensor>> {
    return this.named;
  }

  /** Positions that fit without moving. */
  get room(): number {
    return this.positions;
  }

  /** Names of the outputs that carry new rows, in the order of `names`. */
  static outputNames(layers: number): string[] {
    return Array.from({ length: layers }, (_, layer) => PARTS.map((part) => `new.${layer}.${part}`)).flat();
  }

  /** Makes room for `length` positions; the first `used` stay what they are. */
  reserve(length: number, used: number): void {
    if (length <= this.positions) return;
    const { capacity } = this.shape;
    this.move(Math.min(capacity, Math.ceil(length / GROWTH_POSITIONS) * GROWTH_POSITIONS), used, this);
  }

  /** Takes over the `count` new rows of every layer, from position `position` on. There must be room for them. */
  write(outputs: Readonly<Record<string, Tensor>>, position: number, count: number): void {
    const { kvHeads, headWidth } = this.shape;
    for (const [name, target] of this.buffers) {
      const rows = outputs[`new.${name}`]?.data;
      if (!(rows instanceof Float32Array)) throw new TypeError(`Output "new.${name}" is missing or not float32.`);
      for (let head = 0; head < kvHeads; head += 1) {
        const own = rows.subarray(head * count * headWidth, (head + 1) * count * headWidth);
        target.set(own, (head * this.positions + position) * headWidth);
      }
    }
  }

  /** A cache of its own with the first `length` positions. */
  copy(length: number): KvCache {
    const twin = new KvCache(this.shape);
    if (this.positions > 0) twin.move(this.positions, length, this);
    return twin;
  }

  /** Buffers of `positions`, with the first `used` positions of `from`. */
  private move(positions: number, used: number, from: KvCache): void {
    const { layers, kvHeads, headWidth } = this.shape;
    const size = kvHeads * positions * headWidth;
    const old = new Map(from.buffers);
    const oldPositions = from.positions;
    const named: Record<string, Tensor> = {};
    // One allocation, so large that it comes from the system and not out of the allocator's used pages, which it would
    // have to clear. Untouched pages cost no memory.
    const whole = new Float32Array(layers * PARTS.length * size);
    for (let layer = 0; layer < layers; layer += 1) {
      for (const [place, part] of PARTS.entries()) {
        const start = (layer * PARTS.length + place) * size;
        const data = whole.subarray(start, start + size);
        const source = old.get(`${layer}.${part}`);
        for (let head = 0; source !== undefined && head < kvHeads; head += 1) {
          const row = head * oldPositions * headWidth;
          data.set(source.subarray(row, row + used * headWidth), head * positions * headWidth);
        }
        this.buffers.set(`${layer}.${part}`, data);
        named[`past.${layer}.${part}`] = float32Tensor(data, [1, kvHeads, positions, headWidth]);
      }
    }
    this.positions = positions;
    this.named = named;
  }
}
