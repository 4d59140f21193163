import fc from 'fast-check';
import { FourierTransform } from '../../../src/model/whisper/fourier';

/** The definition, term by term. */
function power(signal: Float64Array): number[] {
  const n = signal.length;
  return Array.from({ length: Math.floor(n / 2) + 1 }, (_, k) => {
    let re = 0;
    let im = 0;
    signal.forEach((value, t) => {
      re += value * Math.cos((2 * Math.PI * k * t) / n);
      im -= value * Math.sin((2 * Math.PI * k * t) / n);
    });
    return re * re + im * im;
  });
}

describe('FourierTransform', () => {
  it.each([4, 5, 16, 20, 25, 100, 400])('agrees with the definition for %i points, two signals at once', (size) => {
    const transform = new FourierTransform(size);
    const signal = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: size, maxLength: size });
    fc.assert(
      fc.property(signal, signal, (first, second) => {
        const a = Float64Array.from(first);
        const b = Float64Array.from(second);
        const bins = Math.floor(size / 2) + 1;
        const powerA = new Float64Array(bins);
        const powerB = new Float64Array(bins);
        transform.powerOfTwo(a, b, powerA, powerB);
        power(a).forEach((value, k) => {
          expect(Math.abs(powerA[k]! - value)).toBeLessThan(1e-9 * size * size);
        });
        power(b).forEach((value, k) => {
          expect(Math.abs(powerB[k]! - value)).toBeLessThan(1e-9 * size * size);
        });
      }),
      { numRuns: 5 },
    );
  });

  it('refuses sizes it has no butterflies for', () => {
    expect(() => new FourierTransform(96 * 7)).toThrow(RangeError);
  });
});
