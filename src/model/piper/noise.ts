/**
 * The voice's chance: a table of normal deviates from a seed, so that the same text sounds the same every time.
 * Generator: mulberry32; normal deviates by Box and Muller (1958).
 */
export function normalDeviates(count: number, seed: number): Float32Array {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const deviates = new Float32Array(count);
  for (let index = 0; index < count; index += 2) {
    // 1 − u is never 0, whose logarithm there is none of.
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    deviates[index] = radius * Math.cos(angle);
    if (index + 1 < count) deviates[index + 1] = radius * Math.sin(angle);
  }
  return deviates;
}
