/**
 * Integrated loudness of one channel after ITU-R BS.1770-4: K-weighted power in blocks of 400 ms that overlap by three
 * quarters, those below −70 LKFS left out, then those 10 LU below the mean of what is left.
 */
import { KWeighting } from './k-weighting';

const STEP_MS = 100;
const STEPS_PER_BLOCK = 4;
const ABSOLUTE_GATE_LKFS = -70;
const RELATIVE_GATE_LU = -10;
/** So that 997 Hz at full scale in one channel reads −3.01: the recommendation's constant. */
const OFFSET_DB = -0.691;

/** Takes a sound piece by piece, so that a long one does not hold up the process. */
export class ProgrammeLoudness {
  private readonly weighting: KWeighting;
  private readonly stepSamples: number;
  /** Sum of squares of every whole step. */
  private readonly steps: number[] = [];
  private sum = 0;
  private filled = 0;

  constructor(sampleRate: number) {
    this.weighting = new KWeighting(sampleRate);
    this.stepSamples = Math.round((sampleRate * STEP_MS) / 1000);
  }

  write(pcm: Int16Array): void {
    for (let i = 0; i < pcm.length; i += 1) {
      const weighted = this.weighting.next(pcm[i]! / 32768);
      this.sum += weighted * weighted;
      this.filled += 1;
      if (this.filled < this.stepSamples) continue;
      this.steps.push(this.sum);
      this.sum = 0;
      this.filled = 0;
    }
  }

  /** In LKFS; undefined: shorter than a block, or nothing but silence. */
  get integratedLkfs(): number | undefined {
    const powers: number[] = [];
    for (let at = 0; at + STEPS_PER_BLOCK <= this.steps.length; at += 1) {
      let sum = 0;
      for (let step = at; step < at + STEPS_PER_BLOCK; step += 1) sum += this.steps[step]!;
      powers.push(sum / (STEPS_PER_BLOCK * this.stepSamples));
    }
    const heard = powers.filter((power) => lkfs(power) > ABSOLUTE_GATE_LKFS);
    if (heard.length === 0) return undefined;
    const gate = lkfs(mean(heard)) + RELATIVE_GATE_LU;
    return lkfs(mean(heard.filter((power) => lkfs(power) > gate)));
  }
}

/** No file is made louder or quieter than by this: what is so far off is meant to be, or is noise. */
export const MOST_GAIN_DB = 20;
/** −1 dBFS: codecs overshoot what they are given. */
const CEILING = 32767 * 10 ** (-1 / 20);

/**
 * The factor that brings a sound to a loudness: within ±20 dB, and never so much that its highest sample would pass −1 dBFS;
 * one that passes it already is not made quieter for that alone.
 */
export function gainTowards(targetLkfs: number, loudnessLkfs: number | undefined, peak: number): number {
  if (loudnessLkfs === undefined) return 1;
  const wantedDb = Math.max(-MOST_GAIN_DB, Math.min(MOST_GAIN_DB, targetLkfs - loudnessLkfs));
  const wanted = 10 ** (wantedDb / 20);
  return wanted <= 1 || peak === 0 ? wanted : Math.max(1, Math.min(wanted, CEILING / peak));
}

function lkfs(power: number): number {
  return OFFSET_DB + 10 * Math.log10(power);
}

function mean(powers: readonly number[]): number {
  return powers.reduce((sum, power) => sum + power, 0) / powers.length;
}
