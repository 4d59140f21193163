import fc from 'fast-check';
import { Limiter, limiterCeiling } from '../../src/audio/limiter';
import { sharpestBend } from '../../src/audio/pcm';
import { VoiceMixer } from '../../src/audio/voice-mixer';
import { amplitudeAt, concat, sine } from '../support/signal';

const frames = (pcm: Int16Array, length: number): Int16Array[] =>
  Array.from({ length: Math.floor(pcm.length / length) }, (_, at) => pcm.subarray(at * length, (at + 1) * length));

describe('voices that are added', () => {
  it('are their sum, to the sample, while that is below the ceiling', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: -7_000, max: 7_000 }), { minLength: 320, maxLength: 320 }), {
          minLength: 1,
          maxLength: 4,
        }),
        (voices) => {
          const out = new Int16Array(320);
          new VoiceMixer().mix(
            voices.map((voice) => Int16Array.from(voice)),
            out,
          );
          expect([...out]).toEqual(voices[0]!.map((_, i) => voices.reduce((sum, voice) => sum + voice[i]!, 0)));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('never leave above the ceiling, whatever they are', () => {
    const sample = fc.integer({ min: -4 * 32_768, max: 4 * 32_767 });
    fc.assert(
      fc.property(fc.array(fc.array(sample, { minLength: 1, maxLength: 64 }), { maxLength: 12 }), (blocks) => {
        const limiter = new Limiter();
        for (const block of blocks) {
          const out = new Int16Array(block.length);
          limiter.process(Float32Array.from(block), out);
          for (const value of out) expect(Math.abs(value)).toBeLessThanOrEqual(limiterCeiling + 1);
        }
      }),
    );
  });

  it('keep their tones apart, and do not click, when two are at their loudest', () => {
    const mixer = new VoiceMixer();
    const [low, high] = [sine(400, 26_000, 16_000, 16_000), sine(900, 26_000, 16_000, 16_000)];
    const quiet = new Int16Array(320);
    const out = frames(low, 320).map((frame, index) => {
      const mixed = new Int16Array(320);
      // The second comes in the middle of it, and goes.
      const second = index >= 15 && index < 35 ? frames(high, 320)[index]! : quiet;
      mixer.mix([frame, second], mixed);
      return mixed;
    });
    const both = concat(out.slice(16, 35));
    expect(amplitudeAt(both, 400, 16_000)).toBeGreaterThan(12_000);
    expect(amplitudeAt(both, 900, 16_000)).toBeGreaterThan(12_000);
    // What clipping would have made of them.
    expect(amplitudeAt(both, 1_400, 16_000)).toBeLessThan(600);
    const alone = concat(out.slice(36));
    expect(sharpestBend(alone)).toBeLessThan(1.1 * sharpestBend(low));
  });
});
