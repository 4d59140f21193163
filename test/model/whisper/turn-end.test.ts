import { join } from 'node:path';
import fc from 'fast-check';
import { openModelFolder } from '../../../src/model/manifest';
import { lastFrames, TurnEnd } from '../../../src/model/whisper/turn-end';

const WIDTH = 512;

describe('the network that hears the end of a turn', () => {
  let net: TurnEnd;
  beforeAll(async () => {
    net = await TurnEnd.open(await openModelFolder(join(__dirname, '../../../models/turn-end')));
  });
  afterAll(() => net.close());

  it('gives a chance for speech of any length', async () => {
    for (const frames of [1, 60, 300]) {
      const hidden = Float32Array.from({ length: frames * WIDTH }, (_, i) => Math.sin(i));
      const chance = await net.chance(hidden, hidden.slice(0, WIDTH), hidden.slice(-WIDTH));
      expect(chance).toBeGreaterThanOrEqual(0);
      expect(chance).toBeLessThanOrEqual(1);
    }
  });

  it('depends on what was written as well as on what was heard', async () => {
    const hidden = Float32Array.from({ length: 80 * WIDTH }, (_, i) => Math.sin(i * i));
    const state = (seed: number) => Float32Array.from({ length: WIDTH }, (_, i) => Math.cos(seed * i * i));
    const before = await net.chance(hidden, state(1), state(2));
    expect(await net.chance(hidden, state(3), state(4))).not.toBe(before);
    expect(await net.chance(hidden.slice().reverse(), state(1), state(2))).not.toBe(before);
  });
});

describe('the last states of the encoder', () => {
  it('are the newest, after zeros where there are too few', () => {
    fc.assert(
      fc.property(fc.nat(20), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 8 }), (have, want, width) => {
        const hidden = Float32Array.from({ length: have * width }, (_, i) => i + 1);
        const found = lastFrames(hidden, want, width);
        expect(found).toHaveLength(want * width);
        const kept = Math.min(have, want) * width;
        expect([...found.subarray(found.length - kept)]).toEqual([...hidden.subarray(hidden.length - kept)]);
        expect(found.subarray(0, found.length - kept).every((value) => value === 0)).toBe(true);
      }),
    );
  });
});
