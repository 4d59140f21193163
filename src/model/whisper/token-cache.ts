/**
 * The decoder's self-attention cache: one buffer with time first, so that each step's keys and values are written by the
 * model at its end, and forgetting is a smaller number.
 *
 *     past  [t, layers, 2, width]   the first t rows      (fed)
 *     fresh [n, layers, 2, width]   the n rows after them (filled by the model)
 */
import { float32Tensor, type Tensor } from '../../onnx/tensors';

export class TokenCache {
  private readonly rows: Float32Array;
  private readonly rowSize: number;
  private used = 0;

  constructor(
    readonly capacity: number,
    private readonly layers: number,
    private readonly width: number,
  ) {
    this.rowSize = layers * 2 * width;
    this.rows = new Float32Array(capacity * this.rowSize);
  }

  get length(): number {
    return this.used;
  }

  past(): Tensor {
    return this.view(0, this.used);
  }

  /** Where the model writes the next `count` rows; they count after `advance`. */
  fresh(count: number): Tensor {
    if (this.used + count > this.capacity) throw new RangeError(`The cache holds ${this.capacity} tokens.`);
    return this.view(this.used, count);
  }

  advance(count: number): void {
    this.used += count;
  }

  truncate(length: number): void {
    this.used = Math.min(this.used, length);
  }

  private view(from: number, count: number): Tensor {
    const data = this.rows.subarray(from * this.rowSize, (from + count) * this.rowSize);
    return float32Tensor(data, [count, this.layers, 2, this.width]);
  }
}
