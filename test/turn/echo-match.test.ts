import fc from 'fast-check';
import { ECHO_FRAME_SAMPLES, EchoMatch } from '../../src/turn/echo-match';

/** Levels of a voice: syllables of different length and loudness, from a seed. */
function voice(seed: number, frames: number): number[] {
  let state = seed;
  const next = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const levels: number[] = [];
  while (levels.length < frames) {
    const loudDb = -18 - 20 * next();
    for (let left = 3 + Math.floor(8 * next()); left > 0; left -= 1) levels.push(loudDb - 4 * next());
    for (let left = Math.floor(5 * next()); left > 0; left -= 1) levels.push(-60);
  }
  return levels.slice(0, frames);
}

function matched(heardDb: readonly number[], sentDb: readonly number[], from: number): number | undefined {
  const echo = new EchoMatch();
  heardDb.forEach((levelDb, frame) => {
    echo.push(frame * ECHO_FRAME_SAMPLES, levelDb, sentDb[frame] ?? -96);
  });
  return echo.match(from * ECHO_FRAME_SAMPLES, heardDb.length * ECHO_FRAME_SAMPLES);
}

const FRAMES = 80;

describe('a sound that is our own voice come back', () => {
  it.each([2, 8, 15])('is recognised %d frames later, quieter and over noise', (delay) => {
    const sent = voice(7, FRAMES);
    const heard = sent.map((_, frame) => Math.max(-62, (sent[frame - delay] ?? -96) - 18));
    expect(matched(heard, sent, 30)).toBeGreaterThan(0.95);
  });

  it('is not what a caller says meanwhile', () => {
    for (let seed = 1; seed < 40; seed += 1)
      expect(matched(voice(seed + 500, FRAMES), voice(seed, FRAMES), 30)).toBeLessThan(0.88);
  });

  it('is nothing while we are silent, and not known of a short sound', () => {
    expect(matched(voice(3, FRAMES), new Array(FRAMES).fill(-96), 30)).toBe(0);
    expect(matched(voice(3, FRAMES), voice(3, FRAMES), FRAMES - 10)).toBeUndefined();
  });

  it('is recognised in a third of a second when it is all but the same', () => {
    const sent = voice(7, FRAMES);
    const heard = sent.map((_, frame) => Math.max(-62, (sent[frame - 6] ?? -96) - 12));
    expect(matched(heard, sent, FRAMES - 16)).toBeGreaterThan(0.88);
    let taken = 0;
    for (let seed = 1; seed <= 200; seed += 1)
      if ((matched(voice(seed + 500, FRAMES), voice(seed, FRAMES), FRAMES - 16) ?? 0) >= 0.88) taken += 1;
    expect(taken).toBeLessThan(6);
  });

  it('is found at the end of a long echo, too, when its beginning is forgotten', () => {
    const sent = voice(11, 300);
    const heard = sent.map((_, frame) => (sent[frame - 6] ?? -96) - 10);
    expect(matched(heard, sent, 20)).toBeGreaterThan(0.95);
  });
});

it('is between 0 and 1 whatever the levels, the gaps and the span', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ skip: fc.nat(3), heard: fc.integer({ min: -96, max: 0 }), sent: fc.integer({ min: -96, max: 0 }) }),
      ),
      fc.nat(60_000),
      fc.nat(60_000),
      (frames, from, to) => {
        const echo = new EchoMatch();
        let at = 0;
        for (const { skip, heard, sent } of frames) {
          at += ECHO_FRAME_SAMPLES * (skip === 0 ? 2 : 1);
          echo.push(at, heard, sent);
        }
        const match = echo.match(from, to) ?? 0;
        expect(match).toBeGreaterThanOrEqual(0);
        expect(match).toBeLessThanOrEqual(1 + 1e-9);
      },
    ),
  );
});
