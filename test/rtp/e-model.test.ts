import { meanOpinionScore, transmissionRating } from '../../src/rtp/e-model';

describe('the E-model', () => {
  it('gives 93.2 and 4.41 to a line without delay and loss (G.107 table 2 and annex B)', () => {
    expect(transmissionRating({ lostShare: 0, delayMs: 0 })).toBeCloseTo(93.2);
    expect(meanOpinionScore({ lostShare: 0, delayMs: 0 })).toBeCloseTo(4.41, 2);
  });

  it('counts delay from 100 ms on, and by 400 ms as G.107 (7-27) does', () => {
    expect(transmissionRating({ lostShare: 0, delayMs: 100 })).toBeCloseTo(93.2);
    expect(93.2 - transmissionRating({ lostShare: 0, delayMs: 200 })).toBeCloseTo(3.04, 1);
    expect(93.2 - transmissionRating({ lostShare: 0, delayMs: 400 })).toBeCloseTo(24.1, 1);
  });

  it('counts loss as G.113 does for G.711 with concealment', () => {
    // Ie-eff = 95 p / (p + 25.1).
    expect(93.2 - transmissionRating({ lostShare: 0.02, delayMs: 0 })).toBeCloseTo(7.01, 2);
    expect(93.2 - transmissionRating({ lostShare: 0.1, delayMs: 0 })).toBeCloseTo(27.07, 2);
    expect(transmissionRating({ lostShare: 0.1, delayMs: 0, burstRatio: 2 })).toBeLessThan(
      transmissionRating({ lostShare: 0.1, delayMs: 0 }),
    );
  });

  it('stays between 1 and 4.5 and never rises with loss or delay', () => {
    let before = 4.5;
    for (const lostShare of [0, 0.01, 0.05, 0.2, 0.5, 1, 2]) {
      const score = meanOpinionScore({ lostShare, delayMs: 150 });
      expect(score).toBeGreaterThanOrEqual(1);
      expect(score).toBeLessThanOrEqual(before);
      before = score;
    }
    expect(meanOpinionScore({ lostShare: 0, delayMs: 5_000 })).toBeGreaterThanOrEqual(1);
  });
});
