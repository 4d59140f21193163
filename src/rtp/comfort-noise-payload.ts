/**
 * Comfort noise (RFC 3389): what a sender that falls silent says of its background. One byte of level, in decibels below
 * overload; reflection coefficients may follow, which we neither use nor send: our noise is white.
 *
 *    0 1 2 3 4 5 6 7
 *   +-+-+-+-+-+-+-+-+
 *   |0|   level     |
 *   +-+-+-+-+-+-+-+-+
 */

/** RFC 3551 §6, table 4. */
export const staticComfortNoiseType = 13;
const overload = 32_768;

/** In 16-bit steps; undefined for a payload without a level. */
export function comfortNoiseRms(payload: Uint8Array): number | undefined {
  if (payload.length === 0) return undefined;
  return overload * 10 ** (-(payload[0]! & 0x7f) / 20);
}

export function writeComfortNoise(rms: number): Uint8Array {
  const level = Math.round(-20 * Math.log10(rms / overload));
  return Uint8Array.of(Math.min(127, Math.max(0, level)));
}
