import fc from 'fast-check';
import { together } from '../../src/turn/overlap';

const chances = fc
  .tuple(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 1, max: 1000 }))
  .map(([talk, backchannel, noise]) => {
    const all = talk + backchannel + noise;
    return { talk: talk / all, backchannel: backchannel / all, noise: noise / all };
  });

describe('two opinions of one sound', () => {
  it('are the one that there is, or none', () => {
    const one = { talk: 0.2, backchannel: 0.5, noise: 0.3 };
    expect(together(one, undefined)).toEqual(one);
    expect(together(undefined, one)).toEqual(one);
    expect(together(undefined, undefined)).toBeUndefined();
  });

  it('make chances again, and those of one opinion held twice', () => {
    fc.assert(
      fc.property(chances, chances, (a, b) => {
        const both = together(a, b)!;
        expect(both.talk + both.backchannel + both.noise).toBeCloseTo(1, 6);
        expect(together(a, a)!.talk).toBeCloseTo(a.talk, 2);
      }),
    );
  });

  it('find nothing sure where they contradict each other', () => {
    const talk = { talk: 0.98, backchannel: 0.01, noise: 0.01 };
    const noise = { talk: 0.01, backchannel: 0.01, noise: 0.98 };
    const both = together(talk, noise)!;
    expect(both.talk).toBeLessThan(0.7);
    expect(both.noise).toBeLessThan(0.7);
  });
});
