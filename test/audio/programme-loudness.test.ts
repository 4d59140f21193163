/** Integrated loudness: the values of ITU-R BS.1770-4 and of EBU Tech 3341, and what must hold for any sound. */
import fc from 'fast-check';
import { highPass, shelf } from '../../src/audio/k-weighting';
import { gainTowards, MOST_GAIN_DB, ProgrammeLoudness } from '../../src/audio/programme-loudness';

function sine(levelDbfs: number, seconds: number, sampleRate: number, frequencyHz = 997): Int16Array {
  const amplitude = 32767 * 10 ** (levelDbfs / 20);
  const step = (2 * Math.PI * frequencyHz) / sampleRate;
  return Int16Array.from({ length: Math.round(seconds * sampleRate) }, (_, i) => amplitude * Math.sin(step * i));
}

function loudness(sampleRate: number, ...parts: Int16Array[]): number | undefined {
  const meter = new ProgrammeLoudness(sampleRate);
  for (const part of parts) meter.write(part);
  return meter.integratedLkfs;
}

describe('K-weighting', () => {
  test('has the coefficients of the recommendation at 48 kHz', () => {
    const head = shelf(48_000);
    expect([...head.b, ...head.a].map((value) => value.toFixed(9))).toEqual(
      [1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585].map((value) =>
        value.toFixed(9),
      ),
    );
    const pass = highPass(48_000);
    expect(pass.a.map((value) => value.toFixed(9))).toEqual(
      [-1.99004745483398, 0.99007225036621].map((value) => value.toFixed(9)),
    );
  });
});

describe('integrated loudness', () => {
  test.each([8_000, 16_000, 24_000, 44_100, 48_000])(
    'of 997 Hz at 0 dBFS in one channel is -3.01 LKFS at %i Hz',
    (rate) => {
      // The bilinear transform bends the shelf at low rates: a tenth of a decibel at 8 kHz.
      expect(Math.abs((loudness(rate, sine(0, 5, rate)) ?? 0) + 3.01)).toBeLessThan(rate < 16_000 ? 0.2 : 0.06);
    },
  );

  test('leaves out what is 10 LU below the rest, and silence (EBU Tech 3341, cases 3 and 4, in one channel)', () => {
    const quiet = sine(-36, 10, 48_000, 1_000);
    const loud = sine(-23, 60, 48_000, 1_000);
    const almostNothing = sine(-72, 10, 48_000, 1_000);
    // The stereo signals of the cases read -23 LUFS; one channel of them reads 3.01 less.
    expect(loudness(48_000, quiet, loud, quiet)).toBeCloseTo(-26.01, 1);
    expect(loudness(48_000, almostNothing, quiet, loud, quiet, almostNothing)).toBeCloseTo(-26.01, 1);
  });

  test('of silence, or of less than a block, there is none', () => {
    expect(loudness(8_000, new Int16Array(80_000))).toBeUndefined();
    expect(loudness(8_000, sine(-20, 0.39, 8_000))).toBeUndefined();
  });

  const noise = fc.record({
    seed: fc.integer({ min: 1, max: 2 ** 31 - 2 }),
    amplitude: fc.integer({ min: 500, max: 8_000 }),
  });

  test('does not depend on how the sound is cut, and rises by as much as the sound', () => {
    fc.assert(
      fc.property(noise, fc.integer({ min: 1, max: 7_999 }), ({ seed, amplitude }, cut) => {
        const pcm = noiseOf(seed, amplitude);
        const whole = loudness(8_000, pcm)!;
        expect(loudness(8_000, pcm.subarray(0, cut), pcm.subarray(cut))).toBe(whole);
        expect(
          loudness(
            8_000,
            pcm.map((value) => 4 * value),
          )! - whole,
        ).toBeCloseTo(20 * Math.log10(4), 6);
      }),
      { numRuns: 20 },
    );
  });

  test('the gain is bounded, never clips, and meets the target where nothing forbids it', () => {
    const level = fc.double({ min: -60, max: 0, noNaN: true });
    fc.assert(
      fc.property(level, level, fc.integer({ min: 0, max: 32_768 }), (target, measured, peak) => {
        const gain = gainTowards(target, measured, peak);
        expect(Math.abs(20 * Math.log10(gain))).toBeLessThanOrEqual(MOST_GAIN_DB + 1e-9);
        if (gain > 1) expect(gain * peak).toBeLessThanOrEqual(29_205);
        if (target <= measured)
          expect(20 * Math.log10(gain)).toBeCloseTo(Math.max(-MOST_GAIN_DB, target - measured), 9);
      }),
    );
    expect(gainTowards(-20, -30, 3_000)).toBeCloseTo(10 ** 0.5, 9);
    expect(gainTowards(-20, undefined, 3_000)).toBe(1);
  });
});

function noiseOf(seed: number, amplitude: number): Int16Array {
  let state = seed;
  return Int16Array.from({ length: 8_000 }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return Math.round((state / 2_147_483_647 - 0.5) * amplitude);
  });
}
