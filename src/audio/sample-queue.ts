/** A bounded ring of 16-bit samples between two stages that work in different block sizes. */
export class SampleQueue {
  private readonly ring: Int16Array;
  private head = 0;
  private count = 0;
  /** Samples thrown away, oldest first, because the ring was full. */
  dropped = 0;

  constructor(readonly capacity: number) {
    this.ring = new Int16Array(capacity);
  }

  get length(): number {
    return this.count;
  }

  /** Appends `samples` (or its first `length`). When there is no room the oldest samples go. */
  write(samples: Int16Array, length = samples.length): void {
    let from = 0;
    if (length > this.capacity) {
      from = length - this.capacity;
      this.dropped += from;
    }
    const writing = length - from;
    const overflow = this.count + writing - this.capacity;
    if (overflow > 0) {
      this.skip(overflow);
      this.dropped += overflow;
    }
    let tail = this.head + this.count;
    if (tail >= this.capacity) tail -= this.capacity;
    for (let i = from; i < length; i++) {
      this.ring[tail] = samples[i]!;
      if (++tail === this.capacity) tail = 0;
    }
    this.count += writing;
  }

  /** Takes up to `length` samples into `out` from `offset`; returns how many there were. */
  read(out: Int16Array, length = out.length, offset = 0): number {
    const taken = Math.min(length, this.count);
    let head = this.head;
    for (let i = 0; i < taken; i++) {
      out[offset + i] = this.ring[head]!;
      if (++head === this.capacity) head = 0;
    }
    this.head = head;
    this.count -= taken;
    return taken;
  }

  skip(length: number): void {
    const skipped = Math.min(length, this.count);
    this.head = (this.head + skipped) % this.capacity;
    this.count -= skipped;
  }

  reset(): void {
    this.head = 0;
    this.count = 0;
  }
}
