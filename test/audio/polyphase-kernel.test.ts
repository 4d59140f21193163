import fc from 'fast-check';
import { kernelTaps, maxKernelInput, PolyphaseKernel } from '../../src/audio/polyphase-kernel';

/** The sum as it stands in the file's head, in double precision. */
function plainSums(
  coefficients: Float32Array,
  { taps, up, down }: { taps: number; up: number; down: number },
  input: Int16Array,
  position: number,
  count: number,
): number[] {
  return Array.from({ length: count }, (_, n) => {
    const at = position + n * down;
    const newest = Math.floor(at / up);
    const phase = at - newest * up;
    let sum = 0;
    for (let k = 0; k < taps; k++) sum += coefficients[phase * taps + k]! * input[newest + k]!;
    return Math.min(32_767, Math.max(-32_768, sum));
  });
}

const filters = fc.record({
  taps: fc.integer({ min: 1, max: 8 }).map((rows) => rows * kernelTaps),
  up: fc.integer({ min: 1, max: 20 }),
  down: fc.integer({ min: 1, max: 50 }),
  seed: fc.integer({ min: 0, max: 1000 }),
  length: fc.integer({ min: 1, max: 500 }),
});

describe('the polyphase kernel', () => {
  it('sums what the formula sums, for any ratio and position', () => {
    const kernel = new PolyphaseKernel();
    fc.assert(
      fc.property(filters, ({ taps, up, down, seed, length }) => {
        const coefficients = Float32Array.from({ length: taps * up }, (_, i) => Math.sin(i * 1.7 + seed) / taps);
        const input = Int16Array.from({ length: taps - 1 + length }, (_, i) => 30_000 * Math.sin(i * (seed + 1)));
        const position = seed % (length * up);
        const count = Math.ceil((length * up - position) / down);
        const step = { coefficientsAt: kernel.keep(coefficients), taps, up, down };
        kernel.input.set(input);
        kernel.run(step, input.length, Math.floor(position / up), position % up, count);
        const expected = plainSums(coefficients, step, input, position, count);
        const found = kernel.output.subarray(0, count);
        expected.forEach((value, n) => {
          expect(Math.abs(found[n]! - value)).toBeLessThanOrEqual(0.51);
        });
      }),
      { numRuns: 200 },
    );
  });

  it('clips at both ends of 16 bits', () => {
    const kernel = new PolyphaseKernel();
    const step = {
      coefficientsAt: kernel.keep(new Float32Array(kernelTaps).fill(1)),
      taps: kernelTaps,
      up: 1,
      down: 1,
    };
    kernel.input.fill(30_000, 0, kernelTaps);
    kernel.run(step, kernelTaps, 0, 0, 1);
    expect(kernel.output[0]).toBe(32_767);
    kernel.input.fill(-30_000, 0, kernelTaps);
    kernel.run(step, kernelTaps, 0, 0, 1);
    expect(kernel.output[0]).toBe(-32_768);
  });

  it('keeps earlier coefficients when its memory grows', () => {
    const kernel = new PolyphaseKernel();
    const first = {
      coefficientsAt: kernel.keep(new Float32Array(kernelTaps).fill(0.25)),
      taps: kernelTaps,
      up: 1,
      down: 1,
    };
    const before = kernel.input;
    for (let i = 0; i < 8; i++) kernel.keep(new Float32Array(16_384));
    expect(kernel.input).not.toBe(before);
    kernel.input.fill(100, 0, maxKernelInput);
    kernel.run(first, kernelTaps, 0, 0, 1);
    expect(kernel.output[0]).toBe(200);
  });
});
