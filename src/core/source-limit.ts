/** How much a source may send: a token bucket per source, in a table of bounded size. */
import type { Clock } from './clock';

/** Sources remembered; the oldest is forgotten, which at worst gives it a full bucket. */
const MAX_SOURCES = 4_096;
/** Requests that may come at once: a phone that rings, asks OPTIONS and hangs up is no flood. */
const BURST_SECONDS = 4;

export class SourceLimit {
  private readonly buckets = new Map<string, { tokens: number; atMs: number }>();
  private readonly most: number;
  private refused = 0;

  constructor(
    private readonly perSecond: number,
    private readonly clock: Pick<Clock, 'nowMs'>,
    burstSeconds = BURST_SECONDS,
  ) {
    this.most = Math.max(1, perSecond * burstSeconds);
  }

  get dropped(): number {
    return this.refused;
  }

  get sources(): number {
    return this.buckets.size;
  }

  admit(source: string): boolean {
    const tokens = this.tokensOf(source);
    this.buckets.delete(source);
    this.buckets.set(source, { tokens: Math.max(0, tokens >= 1 ? tokens - 1 : tokens), atMs: this.clock.nowMs() });
    const oldest = this.buckets.keys().next();
    if (this.buckets.size > MAX_SOURCES && oldest.done !== true) this.buckets.delete(oldest.value);
    if (tokens >= 1) return true;
    this.refused += 1;
    return false;
  }

  /** Whether the next one would be admitted; nothing is taken for it. */
  hasRoom(source: string): boolean {
    return this.tokensOf(source) >= 1;
  }

  /** Until the next one is admitted, in whole seconds, at least 1. */
  waitSeconds(source: string): number {
    return Math.max(1, Math.ceil((1 - this.tokensOf(source)) / this.perSecond));
  }

  private tokensOf(source: string): number {
    const known = this.buckets.get(source);
    if (known === undefined) return this.most;
    const passedMs = Math.max(0, this.clock.nowMs() - known.atMs);
    return Math.min(this.most, known.tokens + (passedMs * this.perSecond) / 1_000);
  }
}
