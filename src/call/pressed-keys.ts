/**
 * Keys as the caller pressed them: phones that send a key both in RTP (RFC 4733) and by INFO (RFC 6086) press it once. Of two
 * equal ones from different ways, close together, the second is dropped.
 */
export type KeyWay = 'rtp' | 'info';

const SAME_KEY_WITHIN_MS = 500;

export class PressedKeys {
  private last: { readonly way: KeyWay; readonly digit: string; readonly atMs: number } | undefined;

  /** False: the other way told the same press before. */
  take(way: KeyWay, digit: string, durationMs: number, atMs: number): boolean {
    const { last } = this;
    // In RTP a key is told when it is let go, by INFO often when it is pressed.
    const near = last !== undefined && atMs - last.atMs < durationMs + SAME_KEY_WITHIN_MS;
    if (near && last.way !== way && last.digit === digit) {
      this.last = undefined;
      return false;
    }
    this.last = { way, digit, atMs };
    return true;
  }
}
