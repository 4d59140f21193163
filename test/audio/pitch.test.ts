/** The pitch tracker: finds a fundamental that the telephone has cut, tells voice from noise, and takes any samples. */
import fc from 'fast-check';
import { pitchContour } from '../../src/audio/pitch';
import { seededRandom } from '../support/signal';

const RATE = 16_000;

/** A buzz without what lies below 300 Hz. `hertz`: of each 10 ms. */
function voice(hertz: readonly number[], noise = 0): Float32Array {
  const chance = seededRandom(3);
  let phase = 0;
  return Float32Array.from({ length: (hertz.length * RATE) / 100 }, (_, i) => {
    const pitch = hertz[Math.floor((i * 100) / RATE)]!;
    phase += (2 * Math.PI * pitch) / RATE;
    let sum = 0;
    for (let k = 2; k < 20; k += 1) if (k * pitch > 300) sum += Math.sin(k * phase) / k;
    return 0.2 * sum + noise * (2 * chance() - 1);
  });
}
const gliding = (from: number, to: number) => Array.from({ length: 100 }, (_, i) => from * (to / from) ** (i / 99));

describe('the pitch of a voice', () => {
  it.each([
    ['a low one that rises', gliding(90, 140), 0],
    ['a high one that falls', gliding(320, 210), 0],
    ['one in noise', gliding(130, 180), 0.06],
  ])('is followed within half a semitone: %s', (_, hertz, noise) => {
    const { octaves, strength } = pitchContour(voice(hertz, noise));
    expect(octaves).toHaveLength(100);
    const away = hertz.slice(5, 95).map((pitch, i) => 12 * Math.abs(octaves[i + 5]! - Math.log2(pitch / 70)));
    expect(away.filter((semitones) => semitones < 0.5).length).toBeGreaterThan(85);
    expect(strength[50]).toBeGreaterThan(0.5);
  });

  it('is none in silence and in noise', () => {
    const chance = seededRandom(5);
    const noise = pitchContour(Float32Array.from({ length: RATE }, () => chance() - 0.5));
    expect(noise.octaves.filter((pitch) => !Number.isNaN(pitch)).length).toBeLessThan(20);
    const silence = pitchContour(new Float32Array(RATE));
    expect(silence.octaves.every(Number.isNaN)).toBe(true);
    expect(silence.levelDb.every((level) => level === -100)).toBe(true);
  });

  it('has no frame in less than ten milliseconds', () => {
    expect(pitchContour(new Float32Array(0)).octaves).toHaveLength(0);
    expect(pitchContour(new Float32Array(100)).octaves).toHaveLength(0);
  });

  it('takes any samples', () => {
    fc.assert(
      fc.property(fc.float32Array({ maxLength: 3_000 }), (pcm) => {
        const { octaves, strength, levelDb } = pitchContour(pcm);
        expect(strength).toHaveLength(octaves.length);
        expect(levelDb).toHaveLength(octaves.length);
      }),
      { numRuns: 60 },
    );
  });
});
