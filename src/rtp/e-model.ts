/**
 * How good a call sounded, estimated from its packets: the E-model of ITU-T G.107 with its default values, reduced to
 * what a receiver knows (delay, loss), and its mean opinion score (annex B). The equipment factors are those of G.113
 * appendix I for G.711 with concealment; other codecs are counted like it, on the same narrow-band scale.
 */

/** R with every parameter of G.107 table 2 at its default and neither delay nor loss: Ro - Is. */
const bestRating = 93.2;
/** G.113 table I.4: G.711 with the concealment of appendix I. */
const equipmentImpairment = 0;
const lossRobustness = 25.1;
/** G.107 §7.4: delays below it do not count. */
const harmlessDelayMs = 100;

export interface HeardQuality {
  /** Share of the packets that was not there to be played, 0…1: lost, or too late. */
  readonly lostShare: number;
  /** From mouth to ear, one way. */
  readonly delayMs: number;
  /** Mean length of a run of losses over what it would be by chance; 1 for random loss (G.107 §7.5). */
  readonly burstRatio?: number;
}

/** 0…93.2. */
export function transmissionRating({ lostShare, delayMs, burstRatio = 1 }: HeardQuality): number {
  return Math.max(0, bestRating - delayImpairment(delayMs) - lossImpairment(lostShare, burstRatio));
}

/** 1…4.5 (annex B.4). */
export function meanOpinionScore(quality: HeardQuality): number {
  const r = transmissionRating(quality);
  if (r >= 100) return 4.5;
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}

/** Idd, §7.4 (7-27): an echo-free line on which one has to wait. */
function delayImpairment(delayMs: number): number {
  if (delayMs <= harmlessDelayMs) return 0;
  const x = Math.log2(delayMs / harmlessDelayMs);
  return 25 * ((1 + x ** 6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2);
}

/** Ie-eff, §7.5 (7-29). */
function lossImpairment(lostShare: number, burstRatio: number): number {
  const percent = 100 * Math.min(1, Math.max(0, lostShare));
  return equipmentImpairment + ((95 - equipmentImpairment) * percent) / (percent / burstRatio + lossRobustness);
}
