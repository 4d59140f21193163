/**
 * How the caller of our own knows that the other side is talking: loudness of 20 ms frames with a hang-over. Simple on
 * purpose: a measuring instrument must not share its parts with what it measures.
 */
export interface EarOptions {
  readonly thresholdDbfs: number;
  /** Speech must last this long to count. */
  readonly onsetMs: number;
  /** Silence after which the talkspurt is over. */
  readonly quietMs: number;
}

const DEFAULTS: EarOptions = { thresholdDbfs: -45, onsetMs: 60, quietMs: 900 };
const FRAME_MS = 20;

export type EarEvent =
  | { readonly type: 'talking'; readonly sinceSample: number }
  | { readonly type: 'quiet'; readonly sinceSample: number };

export class CallerEar {
  private loudMs = 0;
  private quietMs = 0;
  private talking = false;

  constructor(private readonly options: EarOptions = DEFAULTS) {}

  get isTalking(): boolean {
    return this.talking;
  }

  /** One frame of 16 kHz PCM; at most one event comes of it. */
  push(pcm: Int16Array, startSample: number): EarEvent | undefined {
    const loud = levelDbfs(pcm) > this.options.thresholdDbfs;
    this.loudMs = loud ? this.loudMs + FRAME_MS : 0;
    this.quietMs = loud ? 0 : this.quietMs + FRAME_MS;
    const frames = pcm.length / FRAME_MS;
    if (!this.talking && this.loudMs >= this.options.onsetMs) {
      this.talking = true;
      return { type: 'talking', sinceSample: startSample + pcm.length - this.loudMs * frames };
    }
    if (this.talking && this.quietMs >= this.options.quietMs) {
      this.talking = false;
      return { type: 'quiet', sinceSample: startSample + pcm.length - this.quietMs * frames };
    }
    return undefined;
  }
}

function levelDbfs(pcm: Int16Array): number {
  let sum = 0;
  for (const sample of pcm) sum += sample * sample;
  return 10 * Math.log10(sum / Math.max(1, pcm.length) / 32_768 ** 2 + 1e-10);
}
