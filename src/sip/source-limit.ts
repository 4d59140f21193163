/** How many new requests a source may send: a token bucket per address, so that a scanner is dropped without an answer. */
import type { Clock } from '../core/clock';

/** Sources remembered; the oldest is forgotten, which at worst gives it a full bucket. */
const MAX_SOURCES = 4_096;
/** Requests that may come at once: a phone that rings, asks OPTIONS and hangs up is no flood. */
const BURST_SECONDS = 4;

export class SourceLimit {
  private readonly buckets = new Map<string, { tokens: number; atMs: number }>();
  private refused = 0;

  constructor(
    private readonly perSecond: number,
    private readonly clock: Clock,
  ) {}

  get dropped(): number {
    return this.refused;
  }

  admit(address: string): boolean {
    const nowMs = this.clock.nowMs();
    const most = Math.max(1, this.perSecond * BURST_SECONDS);
    const known = this.buckets.get(address);
    const tokens =
      known === undefined ? most : Math.min(most, known.tokens + ((nowMs - known.atMs) * this.perSecond) / 1_000);
    this.buckets.delete(address);
    this.buckets.set(address, { tokens: Math.max(0, tokens - 1), atMs: nowMs });
    const oldest = this.buckets.keys().next();
    if (this.buckets.size > MAX_SOURCES && oldest.done !== true) this.buckets.delete(oldest.value);
    if (tokens >= 1) return true;
    this.refused += 1;
    return false;
  }
}
