/** Serial number arithmetic (RFC 1982) for the counters of RTP that wrap: 16-bit sequence numbers, 32-bit timestamps. */

/** Signed distance from `b` to `a` on a ring of 2^16: 1 - 65535 is 2. */
export function sequenceDelta(a: number, b: number): number {
  return ((a - b) << 16) >> 16;
}

/** Signed distance from `b` to `a` on a ring of 2^32. */
export function timestampDelta(a: number, b: number): number {
  return (a - b) | 0;
}

/** Turns a wrapping counter into one that does not: the value nearest to the last one seen. */
export class Unwrapper {
  private last: number | undefined;

  constructor(private readonly bits: 16 | 32) {}

  unwrap(value: number): number {
    if (this.last === undefined) {
      this.last = value;
      return value;
    }
    const delta = this.bits === 16 ? sequenceDelta(value, this.last) : timestampDelta(value, this.last);
    const extended = this.last + delta;
    // An old packet must not pull the reference back, else a slow reordering would walk it around the ring.
    if (delta > 0) this.last = extended;
    return extended;
  }

  /** What `unwrap` would give, without moving the reference. */
  peek(value: number): number {
    if (this.last === undefined) return value;
    return this.last + (this.bits === 16 ? sequenceDelta(value, this.last) : timestampDelta(value, this.last));
  }

  reset(): void {
    this.last = undefined;
  }
}
