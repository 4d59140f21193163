/**
 * Hands out even UDP ports for RTP (RFC 3550 §11: RTCP takes the odd one above) and keeps a released one in quarantine,
 * so that a late packet of the last call is never heard in the next.
 */
export class PortPool {
  private readonly count: number;
  private readonly first: number;
  private readonly inUse = new Set<number>();
  private readonly releasedMs = new Map<number, number>();
  private next: number;

  /** `first` to `last` inclusive; `random` yields 0…1 and picks where to begin. */
  constructor(
    first: number,
    last: number,
    random: () => number,
    readonly quarantineMs = 30_000,
  ) {
    this.first = first + (first & 1);
    this.count = Math.max(0, Math.floor((last - this.first + 1) / 2));
    this.next = Math.floor(random() * this.count) % Math.max(1, this.count);
  }

  get size(): number {
    return this.count;
  }

  /** The next free port in turn, undefined when all are in use or in quarantine. */
  take(nowMs: number): number | undefined {
    for (let tried = 0; tried < this.count; tried++) {
      const port = this.first + 2 * this.next;
      this.next = (this.next + 1) % this.count;
      if (this.inUse.has(port)) continue;
      const releasedMs = this.releasedMs.get(port);
      if (releasedMs !== undefined && nowMs - releasedMs < this.quarantineMs) continue;
      this.releasedMs.delete(port);
      this.inUse.add(port);
      return port;
    }
    return undefined;
  }

  release(port: number, nowMs: number): void {
    if (this.inUse.delete(port)) this.releasedMs.set(port, nowMs);
  }
}
