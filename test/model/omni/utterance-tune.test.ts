/** The tune of an utterance beside the states: the same as the recipe's, whoever speaks, however bad the samples. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { toFloat } from '../../../src/audio/pcm';
import { readWav } from '../../../src/audio/wav';
import { latentsOf, TUNE_COLUMNS, utteranceTune } from '../../../src/model/omni/utterance-tune';

const root = join(__dirname, '../../..');
const LATENT_RATE = 22_050 / 256;

function fixture(name: string): Float32Array {
  return toFloat(readWav(readFileSync(join(root, 'test/fixtures', name))).pcm[0]!);
}

describe('utteranceTune', () => {
  it('is what the recipe makes of the same recording', () => {
    const wanted: number[][] = JSON.parse(readFileSync(join(root, 'test/fixtures/omni/golden-ear.json'), 'utf8')).tune;
    const pcm = fixture('whisper/question.wav');
    expect(latentsOf(pcm.length, LATENT_RATE, 8)).toBe(wanted.length);
    const rows = utteranceTune(pcm, wanted.length, LATENT_RATE);
    expect(rows).toHaveLength(wanted.length * TUNE_COLUMNS);
    wanted.flat().forEach((value, i) => {
      expect(rows[i]).toBeCloseTo(value, 3);
    });
    expect(wanted.filter((row) => row[1] === 1).length).toBeGreaterThan(40);
  });

  it('does not change with the level', () => {
    const pcm = fixture('whisper/question.wav');
    const loud = utteranceTune(pcm, 176, LATENT_RATE);
    const quiet = utteranceTune(
      pcm.map((sample) => sample / 4),
      176,
      LATENT_RATE,
    );
    quiet.forEach((value, i) => {
      expect(Math.abs(value - loud[i]!)).toBeLessThan(0.1);
    });
  });

  it('is finite for any samples, and as long as asked', () => {
    const sample = fc.oneof(
      { weight: 9, arbitrary: fc.double({ min: -1, max: 1, noNaN: true }) },
      fc.constantFrom(Number.NaN, Infinity, -Infinity, 1e30),
    );
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 3_000 }), (samples) => {
        const pcm = Float32Array.from(samples);
        const count = latentsOf(pcm.length, LATENT_RATE, 8);
        const rows = utteranceTune(pcm, count, LATENT_RATE);
        expect(count * 256).toBeGreaterThanOrEqual((pcm.length * 22_050) / 16_000);
        expect(rows).toHaveLength(count * TUNE_COLUMNS);
        expect(rows.every(Number.isFinite)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});
