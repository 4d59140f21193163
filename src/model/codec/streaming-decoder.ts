/**
 * Frames in, sound out, chunk by chunk: decodes windows with context, cuts out the part that is new and fades it over
 * what the window before had foreseen of it, so that no joint is heard. The tail is flushed exactly.
 */
import { CodeRepair } from './code-repair';
import type { Frame } from './delay-pattern';
import { type FrameWindow, WindowPlanner, type WindowRules } from './window-plan';

export interface FrameDecoder {
  readonly sampleRate: number;
  readonly samplesPerFrame: number;
  readonly codebookSize: number;
  /** `firstFrame`: the place of `frames[0]` in the utterance, for whatever chance the decoder needs. −1…1. */
  decode(frames: readonly Frame[], firstFrame: number): Promise<Float32Array>;
  close(): Promise<void>;
}

export interface StreamingOptions {
  readonly windows: WindowRules;
  /**
   * Length of the cross-fade at a joint. 0 where the windows reach as far as the codec does: then the cut is exact, while
   * what a window foresees beyond it is not.
   */
  readonly fadeSamples: number;
}

export interface SoundChunk {
  readonly pcm: Float32Array;
  /** Frames that it holds: [from, to). */
  readonly from: number;
  readonly to: number;
}

export class StreamingDecoder {
  private readonly planner: WindowPlanner;
  private readonly repair: CodeRepair;
  private readonly frames: Frame[] = [];
  /** The place of `frames[0]` in the utterance: what no window can need any more is forgotten. */
  private forgotten = 0;
  /** What the last window foresaw of the samples behind it. */
  private foreseen: Float32Array = new Float32Array(0);
  private ended = false;

  constructor(
    private readonly decoder: FrameDecoder,
    private readonly options: StreamingOptions,
  ) {
    this.planner = new WindowPlanner(options.windows);
    this.repair = new CodeRepair(decoder.codebookSize);
  }

  get concealedCodes(): number {
    return this.repair.concealed;
  }

  push(frame: Frame): void {
    if (this.ended) throw new RangeError('No frame can follow the end.');
    this.frames.push(this.repair.repair(frame));
  }

  /** No frame follows: the rest comes out with the next calls of `next`. */
  end(): void {
    this.ended = true;
  }

  /** True when `next` would yield sound without another frame. */
  get ready(): boolean {
    const available = this.forgotten + this.frames.length;
    return this.ended ? available > this.planner.done : available >= this.planner.needed;
  }

  /** The next chunk, one decoder run; undefined when more frames are needed or everything was said. */
  async next(): Promise<SoundChunk | undefined> {
    const window = this.planner.next(this.forgotten + this.frames.length, this.ended);
    if (window === undefined) return undefined;
    const { from, to } = window;
    const span = this.frames.slice(window.start - this.forgotten, window.end - this.forgotten);
    const sound = await this.decoder.decode(span, window.start);
    const pcm = this.cut(sound, window);
    this.forget(to - this.options.windows.left);
    return { pcm, from, to };
  }

  private cut(sound: Float32Array, { from, to, start, end }: FrameWindow): Float32Array {
    const { samplesPerFrame } = this.decoder;
    const at = (frame: number): number => (frame - start) * samplesPerFrame;
    const pcm = sound.slice(at(from), at(to));
    fadeOver(pcm, this.foreseen);
    this.foreseen = sound.slice(at(to), Math.min(at(end), at(to) + this.options.fadeSamples));
    return pcm;
  }

  private forget(before: number): void {
    const count = before - this.forgotten;
    if (count <= 0) return;
    this.frames.splice(0, count);
    this.forgotten += count;
  }
}

/**
 * From `old` to the chunk, in place. Both are the same sound but for context and noise, so amplitudes add up to one;
 * with equal power a joint would swell by 3 dB.
 */
function fadeOver(pcm: Float32Array, old: Float32Array): void {
  const length = Math.min(pcm.length, old.length);
  for (let index = 0; index < length; index += 1) {
    const share = 0.5 - 0.5 * Math.cos((Math.PI * (index + 0.5)) / length);
    pcm[index] = (pcm[index] ?? 0) * share + (old[index] ?? 0) * (1 - share);
  }
}
