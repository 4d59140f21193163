/**
 * Single tones in the voice band: the beep of an answering machine, ringing, the answer of a fax (ITU-T T.30 §4.1), the three
 * of a special information tone (ITU-T E.180). A tone is told from a voice by what voices do not do: nearly all energy within
 * 100 Hz, at a frequency that stands still for a tenth of a second.
 *
 *   32 ms windows under Hann, a new one each 10 ms:  Fourier sums 31.25 Hz apart -> the strongest, its neighbours, the rest
 *   nine windows alike: a tone;  three that are not: it is over
 */
import { goertzel, hannWindow, squared } from './goertzel';

const rate = 8000;
const windowSamples = 256;
const hopSamples = 80;
const binHz = rate / windowSamples;
const lowestBin = Math.round(385 / binHz);
const highestBin = Math.round(2250 / binHz);
/** Of the window's energy, what must lie in the strongest sum and the two beside it. */
const leastPurity = 0.93;
/** Mean square of the window, in 16-bit steps: −42 dBFS. */
const quietestPower = 260 * 260;
const mostDriftHz = 6;
const windowsToBegin = 9;
const windowsToEnd = 3;
/** Longer than any beep: ringing, busy, a fax. */
const lastingMs = 1_100;

export interface HeardTone {
  /** `lasting`: it has gone on for longer than a beep does, and still does. */
  readonly state: 'lasting' | 'ended';
  readonly frequencyHz: number;
  readonly durationMs: number;
  /** Samples at the input's rate from its beginning to where the tone ended, or was last heard. */
  readonly endSample: number;
}

interface Run {
  readonly frequencyHz: number;
  readonly fromSample: number;
  toSample: number;
  windows: number;
  missed: number;
  told: boolean;
}

const hann = hannWindow(windowSamples);

export class ToneDetector {
  private readonly recent = new Float64Array(windowSamples);
  private readonly windowed = new Float64Array(windowSamples);
  private filled = 0;
  private readonly averaged: number;
  private pairSum = 0;
  private pairCount = 0;
  /** Samples taken, at our rate. */
  private taken = 0;
  private run: Run | undefined;
  private readonly sums = new Float64Array(highestBin + 2);

  /** `sampleRate`: 8000, or 16000, which is halved. */
  constructor(sampleRate: 8000 | 16_000) {
    this.averaged = sampleRate / rate;
  }

  /** At most one per 10 ms. */
  push(pcm: Int16Array): HeardTone[] {
    const heard: HeardTone[] = [];
    const { recent, averaged } = this;
    for (let i = 0; i < pcm.length; i++) {
      this.pairSum += pcm[i]!;
      if (++this.pairCount < averaged) continue;
      recent[this.filled++] = this.pairSum / averaged;
      this.pairSum = 0;
      this.pairCount = 0;
      this.taken++;
      if (this.filled < windowSamples) continue;
      const tone = this.step(this.look());
      if (tone !== undefined) heard.push(tone);
      recent.copyWithin(0, hopSamples);
      this.filled = windowSamples - hopSamples;
    }
    return heard;
  }

  private step(frequencyHz: number | undefined): HeardTone | undefined {
    const { run } = this;
    const centre = this.taken - windowSamples / 2;
    if (run !== undefined && frequencyHz !== undefined && Math.abs(frequencyHz - run.frequencyHz) <= mostDriftHz) {
      run.windows++;
      run.missed = 0;
      run.toSample = centre;
      if (run.told || this.durationMs(run) < lastingMs) return undefined;
      run.told = true;
      return this.tell(run, 'lasting');
    }
    // A window that straddles two tones belongs to neither; another tone ends the one before at once.
    const over = run !== undefined && (++run.missed >= windowsToEnd || run.windows < windowsToBegin);
    if (run !== undefined && !over) return undefined;
    this.run =
      frequencyHz === undefined
        ? undefined
        : { frequencyHz, fromSample: centre, toSample: centre, windows: 1, missed: 0, told: false };
    return run !== undefined && run.windows >= windowsToBegin ? this.tell(run, 'ended') : undefined;
  }

  private tell(run: Run, state: HeardTone['state']): HeardTone {
    const { frequencyHz, toSample } = run;
    return {
      state,
      frequencyHz: Math.round(frequencyHz),
      durationMs: Math.round(this.durationMs(run)),
      endSample: toSample * this.averaged,
    };
  }

  /** A window tells of a tone that fills most of it: about a third of one is gained at either end. */
  private durationMs({ fromSample, toSample }: Run): number {
    return ((toSample - fromSample + (2 * windowSamples) / 3) * 1000) / rate;
  }

  /** The frequency that the present window is made of, if it is made of one. */
  private look(): number | undefined {
    const { recent, windowed, sums } = this;
    let power = 0;
    let energy = 0;
    for (let i = 0; i < windowSamples; i++) {
      const sample = recent[i]!;
      power += sample * sample;
      const value = sample * hann[i]!;
      windowed[i] = value;
      energy += value * value;
    }
    if (power / windowSamples < quietestPower) return undefined;
    let best = lowestBin;
    for (let bin = lowestBin - 1; bin <= highestBin + 1; bin++) {
      sums[bin] = squared(goertzel(windowed, bin * binHz, rate));
      if (bin >= lowestBin && bin <= highestBin && sums[bin]! > sums[best]!) best = bin;
    }
    const [below, middle, above] = [sums[best - 1]!, sums[best]!, sums[best + 1]!];
    // Parseval: the sums of all bins, negative ones too, make the energy times the window's length.
    if (2 * (below + middle + above) < leastPurity * energy * windowSamples) return undefined;
    // Under Hann the two strongest sums tell where between them the tone lies.
    const ratio = Math.sqrt(Math.max(below, above) / middle);
    const offset = (2 * ratio - 1) / (1 + ratio);
    return (best + (above > below ? offset : -offset)) * binHz;
  }
}
