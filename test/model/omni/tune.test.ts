/** The numbers of a tune must be those that the classifier was fitted to (test/fixtures/omni-ear/how, by the recipe). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { pitchContour } from '../../../src/audio/pitch';
import { readWav } from '../../../src/audio/wav';
import { TUNE_SIZE, tuneOf } from '../../../src/model/omni/tune';

interface Golden {
  readonly file: string;
  readonly octaves: readonly (number | null)[];
  readonly tune: readonly number[];
}
const folder = join(__dirname, '../../fixtures/omni-ear/how');
const golden: readonly Golden[] = JSON.parse(readFileSync(join(folder, 'golden.json'), 'utf8'));
const samplesOf = (file: string) =>
  Float32Array.from(readWav(readFileSync(join(folder, file))).pcm[0]!, (sample) => sample / 32_768);

describe('a tune', () => {
  it.each(golden.map((one) => [one.file, one] as const))(
    'has the numbers of the recipe: %s',
    (file, { octaves, tune }) => {
      const pcm = samplesOf(file);
      const found = Array.from(pitchContour(pcm).octaves, (pitch) => (Number.isNaN(pitch) ? null : pitch));
      expect(found.map((pitch) => pitch !== null)).toEqual(octaves.map((pitch) => pitch !== null));
      found.forEach((pitch, frame) => {
        if (pitch !== null) expect(pitch).toBeCloseTo(octaves[frame]!, 4);
      });
      const own = tuneOf(pcm);
      expect(own).toHaveLength(TUNE_SIZE);
      own.forEach((value, i) => {
        expect(value).toBeCloseTo(tune[i]!, 3);
      });
    },
  );

  it('does not depend on how loud it is, nor on silence behind it', () => {
    const pcm = samplesOf(golden[0]!.file);
    const whole = tuneOf(pcm);
    const quieter = tuneOf(pcm.map((sample) => sample / 4));
    const longer = new Float32Array(pcm.length + 8_000);
    longer.set(pcm);
    const followed = tuneOf(longer);
    whole.forEach((value, i) => {
      expect(quieter[i]).toBeCloseTo(value, 1);
      expect(followed[i]).toBeCloseTo(value, 1);
    });
  });

  it('is nothing where there is no voice', () => {
    expect([...tuneOf(new Float32Array(0))]).toEqual(new Array(TUNE_SIZE).fill(0));
    expect([...tuneOf(new Float32Array(16_000))]).toEqual(new Array(TUNE_SIZE).fill(0));
  });

  it('is finite for samples in range', () => {
    const sample = fc.float({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 20 }), fc.integer({ min: 1, max: 300 }), (shape, times) => {
        const pcm = Float32Array.from({ length: shape.length * times }, (_, i) => shape[i % shape.length]!);
        expect(tuneOf(pcm).every(Number.isFinite)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});
