/**
 * Which frames to turn into sound next, and how many frames around them the decoder has to see: a first chunk of one
 * frame, because sound starts with it, then longer ones, which cost less context each. The codec's convolutions look
 * both ways (SNAC: 10 latents, so 3 frames suffice for the exact result), and what lies beyond the newest frame is not
 * there yet.
 */
export interface WindowRules {
  /** Frames per chunk: the first, the second …; the last size goes on for ever. */
  readonly sizes: readonly number[];
  /** Frames before the chunk that the decoder is shown. */
  readonly left: number;
  /** Frames behind the chunk that must be there before it is decoded, unless the speech has ended. */
  readonly right: number;
  /** The same for the first chunk, which may start earlier at a small loss. */
  readonly firstRight: number;
}

/** Recommended for SNAC at 24 kHz: see docs/models.md. */
export const SNAC_WINDOWS: WindowRules = { sizes: [1, 2, 4], left: 3, right: 2, firstRight: 1 };

export interface FrameWindow {
  /** Frames to emit: [from, to). */
  readonly from: number;
  readonly to: number;
  /** Frames to decode: [start, end), around them. */
  readonly start: number;
  readonly end: number;
}

export class WindowPlanner {
  private emitted = 0;
  private chunks = 0;

  constructor(private readonly rules: WindowRules) {}

  /** Frames handed out so far. */
  get done(): number {
    return this.emitted;
  }

  /** Frames that must exist before the next chunk can be decoded while speech goes on. */
  get needed(): number {
    return this.emitted + this.size() + this.right();
  }

  /**
   * `available`: frames that exist. `ended`: no more will come, so the rest is flushed with whatever lies to its right.
   * Undefined: nothing to do yet, or nothing left.
   */
  next(available: number, ended: boolean): FrameWindow | undefined {
    const from = this.emitted;
    const missing = available < this.needed;
    if (available <= from || (missing && !ended)) return undefined;
    const to = Math.min(available, from + this.size());
    const window = {
      from,
      to,
      start: Math.max(0, from - this.rules.left),
      end: Math.min(available, to + this.right()),
    };
    this.emitted = to;
    this.chunks += 1;
    return window;
  }

  reset(): void {
    this.emitted = 0;
    this.chunks = 0;
  }

  private size(): number {
    const { sizes } = this.rules;
    return Math.max(1, sizes[Math.min(this.chunks, sizes.length - 1)] ?? 1);
  }

  private right(): number {
    return this.chunks === 0 ? this.rules.firstRight : this.rules.right;
  }
}
