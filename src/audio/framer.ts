/** Cuts a stream of samples into frames of one size, whatever the blocks were in which it came. */
import type { Stage } from '../core/stage';

export class Framer implements Stage<Int16Array, Int16Array> {
  private pending: Int16Array;
  private filled = 0;

  constructor(readonly frameSamples: number) {
    this.pending = new Int16Array(frameSamples);
  }

  /** Every frame returned is a fresh array that the receiver may keep or transfer. */
  push(samples: Int16Array): Int16Array[] {
    const frames: Int16Array[] = [];
    let at = 0;
    while (at < samples.length) {
      const taken = Math.min(samples.length - at, this.frameSamples - this.filled);
      this.pending.set(samples.subarray(at, at + taken), this.filled);
      this.filled += taken;
      at += taken;
      if (this.filled === this.frameSamples) {
        frames.push(this.pending);
        this.pending = new Int16Array(this.frameSamples);
        this.filled = 0;
      }
    }
    return frames;
  }

  /** What is left over, filled up with silence; undefined if nothing is. */
  flush(): Int16Array | undefined {
    if (this.filled === 0) return undefined;
    const last = this.pending;
    this.pending = new Int16Array(this.frameSamples);
    this.filled = 0;
    return last;
  }

  reset(): void {
    this.pending.fill(0);
    this.filled = 0;
  }
}
