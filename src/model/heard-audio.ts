/**
 * The last half minute of a caller on the call's own 16 kHz sample clock, so that a model can be given any span of it
 * again: a speculation, its longer successor, an interruption. What was never heard reads as silence.
 */
export const HEARING_RATE = 16_000;

export class HeardAudio {
  private readonly ring: Int16Array;
  /** Absolute sample number one past the newest sample. */
  private end = 0;

  constructor(seconds: number) {
    this.ring = new Int16Array(seconds * HEARING_RATE);
  }

  get endSample(): number {
    return this.end;
  }

  /** `startSample` may leave a gap (silence) or repeat what is known (overwritten by the same). */
  write(pcm: Int16Array, startSample: number): void {
    if (!Number.isSafeInteger(startSample) || startSample < 0) return;
    const capacity = this.ring.length;
    const chunkEnd = startSample + pcm.length;
    if (startSample > this.end) this.silence(Math.max(this.end, startSample - capacity), startSample);
    const from = Math.max(startSample, chunkEnd - capacity, this.end - capacity);
    for (let sample = from; sample < chunkEnd; sample += 1) {
      this.ring[sample % capacity] = pcm[sample - startSample] ?? 0;
    }
    this.end = Math.max(this.end, chunkEnd);
  }

  /** Float samples −1…1 of [fromSample, toSample), the newest `maxSamples` of them if the span is longer. */
  read(fromSample: number, toSample: number, maxSamples: number): Float32Array {
    const to = Math.max(0, Math.floor(toSample));
    const from = Math.max(0, Math.floor(fromSample), to - maxSamples, to - this.ring.length);
    const out = new Float32Array(Math.max(0, to - from));
    const oldest = this.end - this.ring.length;
    for (let index = 0; index < out.length; index += 1) {
      const sample = from + index;
      if (sample >= oldest && sample < this.end) out[index] = (this.ring[sample % this.ring.length] ?? 0) / 32_768;
    }
    return out;
  }

  private silence(from: number, to: number): void {
    for (let sample = from; sample < to; sample += 1) this.ring[sample % this.ring.length] = 0;
  }
}
