/**
 * Cuts out of a caller's audio what a model should hear: speech with some audio before its onset and after its end, in
 * chunks of 64 ms, each sample once. Everything else is dropped after a second.
 */
import { VAD_SAMPLE_RATE, type VadEvent } from '../turn/vad';

export interface HeardChunk {
  readonly startSample: number;
  readonly pcm: Int16Array;
}

const PRE_ROLL_SAMPLES = 0.3 * VAD_SAMPLE_RATE;
const HANGOVER_SAMPLES = 0.3 * VAD_SAMPLE_RATE;
const CHUNK_SAMPLES = 0.064 * VAD_SAMPLE_RATE;
/** The pre-roll and the time that it takes to believe an onset. */
const KEPT_SAMPLES = VAD_SAMPLE_RATE;

export class SpeechTap {
  private readonly kept: HeardChunk[] = [];
  /** Samples before it were handed out. */
  private handedTo = 0;
  /** Audio up to here is wanted; undefined: none is. */
  private openTo: number | undefined;

  /** One window and what the detector made of it. Returns the audio to hand on before the events. */
  push(window: HeardChunk, events: readonly VadEvent[]): HeardChunk | undefined {
    this.keep(window);
    const headSample = window.startSample + window.pcm.length;
    for (const event of events) this.follow(event);
    if (this.openTo === undefined) return undefined;
    const over = headSample >= this.openTo;
    if (over) this.openTo = undefined;
    if (events.length === 0 && !over && headSample - this.handedTo < CHUNK_SAMPLES) return undefined;
    return this.cut(headSample);
  }

  reset(): void {
    this.kept.length = 0;
    this.openTo = undefined;
  }

  private follow(event: VadEvent): void {
    if (event.type === 'speech-ended') {
      this.openTo = event.sample + HANGOVER_SAMPLES;
      return;
    }
    if (this.openTo === undefined) this.handedTo = Math.max(this.handedTo, event.sample - PRE_ROLL_SAMPLES);
    this.openTo = Number.POSITIVE_INFINITY;
  }

  private keep(window: HeardChunk): void {
    this.kept.push(window);
    const oldest = window.startSample + window.pcm.length - KEPT_SAMPLES;
    while (this.kept.length > 1 && this.kept[0]!.startSample < oldest) this.kept.shift();
  }

  private cut(to: number): HeardChunk | undefined {
    const startSample = Math.max(this.handedTo, this.kept[0]?.startSample ?? to);
    if (startSample >= to) return undefined;
    const pcm = new Int16Array(to - startSample);
    for (const window of this.kept) {
      const skip = Math.max(0, startSample - window.startSample);
      if (skip >= window.pcm.length) continue;
      pcm.set(window.pcm.subarray(skip), window.startSample + skip - startSample);
    }
    this.handedTo = to;
    return { startSample, pcm };
  }
}
