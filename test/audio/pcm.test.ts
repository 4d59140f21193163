import fc from 'fast-check';
import { ComfortNoise } from '../../src/audio/comfort-noise';
import { Framer } from '../../src/audio/framer';
import { levelDbfs, noiseRms, rms, sineAmplitude, toFloat, toInt16 } from '../../src/audio/pcm';
import { SampleQueue } from '../../src/audio/sample-queue';
import { dtmfFrequencies, Tone } from '../../src/audio/tone';
import { amplitudeAt, concat, seededRandom, sine } from '../support/signal';

describe('PCM', () => {
  it('survives the way to float and back', () => {
    const all = Int16Array.from({ length: 65_536 }, (_, i) => i - 32_768);
    expect(toInt16(toFloat(all))).toEqual(all);
  });

  it('clips and never wraps, whatever the float', () => {
    expect([...toInt16(Float32Array.of(2, -2, 1, -1, Number.NaN, Number.POSITIVE_INFINITY))]).toEqual([
      32_767, -32_768, 32_767, -32_768, 0, 32_767,
    ]);
  });

  it('puts a full-scale sine at -3 dBFS', () => {
    expect(levelDbfs(sine(1000, 32_767, 8000, 8000))).toBeCloseTo(-3.01, 1);
    expect(levelDbfs(new Int16Array(100))).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe('the framer', () => {
  it('cuts any blocks into the same frames', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 10 }), (sizes) => {
        const total = sizes.reduce((sum, size) => sum + size, 0);
        const input = Int16Array.from({ length: total }, (_, i) => i & 0x7fff);
        const framer = new Framer(320);
        let at = 0;
        const frames = sizes.flatMap((size) => {
          at += size;
          return framer.push(input.subarray(at - size, at));
        });
        expect(frames.every((frame) => frame.length === 320)).toBe(true);
        const rest = framer.flush();
        const all = concat(rest ? [...frames, rest] : frames);
        expect(all.subarray(0, total)).toEqual(input);
        expect(all.length - total).toBeLessThan(320);
      }),
    );
  });
});

describe('the sample queue', () => {
  it('behaves like an array that forgets its oldest', () => {
    const step = fc.oneof(
      fc.record({ write: fc.integer({ min: 0, max: 90 }) }),
      fc.record({ read: fc.integer({ min: 0, max: 90 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const queue = new SampleQueue(64);
        let model: number[] = [];
        let next = 0;
        let dropped = 0;
        for (const each of steps) {
          if ('write' in each) {
            const samples = Int16Array.from({ length: each.write }, () => next++);
            queue.write(samples);
            model.push(...samples);
            dropped += Math.max(0, model.length - 64);
            model = model.slice(-64);
          } else {
            const out = new Int16Array(each.read);
            const got = queue.read(out);
            expect([...out.subarray(0, got)]).toEqual(model.splice(0, each.read));
          }
          expect(queue.length).toBe(model.length);
          expect(queue.dropped).toBe(dropped);
        }
      }),
    );
  });
});

describe('tones', () => {
  it('are at their frequency and level, without a joint between frames', () => {
    const tone = new Tone([1000], -10, 8000);
    const frames = Array.from({ length: 50 }, () => {
      const frame = new Int16Array(160);
      tone.fill(frame);
      return frame;
    });
    expect(amplitudeAt(concat(frames), 1000, 8000)).toBeCloseTo(sineAmplitude(-10), -1);
  });

  it('follow the keypad of Q.23', () => {
    expect(dtmfFrequencies('1')).toEqual([697, 1209]);
    expect(dtmfFrequencies('#')).toEqual([941, 1477]);
    expect(dtmfFrequencies('d')).toEqual([941, 1633]);
    expect(dtmfFrequencies('x')).toBeUndefined();
    expect(dtmfFrequencies('')).toBeUndefined();
  });
});

describe('comfort noise', () => {
  it('is faint, never silent, and differs between calls', () => {
    const random = seededRandom(7);
    const frames = [1, 2].map(() => {
      const frame = new Int16Array(8000);
      new ComfortNoise(8000, -62, random).fill(frame);
      return frame;
    });
    for (const frame of frames) expect(rms(frame) / noiseRms(-62)).toBeCloseTo(1, 1);
    expect(frames[0]).not.toEqual(frames[1]);
  });
});
