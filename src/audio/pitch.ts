/**
 * A speaker's pitch over time: peaks of the normalised cross-correlation (Talkin 1995, "A Robust Algorithm for Pitch Tracking")
 * of the voice below 1.5 kHz, which telephone lines carry, and the path through them that leaps least (Boersma 1993). The sums
 * over windows are differences of running sums, so that their cost does not grow with the window. Its twin is
 * models/recipe/trunkline_recipe/omni/ear_tune.py.
 */

export interface PitchContour {
  /** For every 10 ms: octaves above 70 Hz; NaN where nobody's voice sounds. */
  readonly octaves: Float64Array;
  /** How alike one period is to the next, about 0…1; 0 where there is no voice. */
  readonly strength: Float64Array;
  /** Of the whole window, in dB of full scale. */
  readonly levelDb: Float64Array;
}

const INPUT_RATE = 16_000;
const RATE = 4_000;
const HOP_SAMPLES = 40;
const WINDOW_SAMPLES = 100;
/** Periods from 444 to 70 Hz. */
const SHORTEST_LAG = 9;
const LONGEST_LAG = 57;
const LAGS = LONGEST_LAG - SHORTEST_LAG + 3;
const LOWEST_HZ = 70;

const HALF_TAPS = 48;
const CUTOFF_HZ = 1_500;
/** Share of each sample by which the mean follows that is taken away, twice: what lies below about 100 Hz goes. */
const MEAN_SHARE = 0.145;

const MOST_CANDIDATES = 4;
const LEAST_PEAK = 0.3;
/** Strength that an octave more is worth: two periods fit as well as one. */
const OCTAVE_BONUS = 0.03;
/** Cost of an octave's leap from frame to frame, and of beginning or ending to sound. */
const LEAP_COST = 0.35;
const VOICING_COST = 0.14;
const UNVOICED_STRENGTH = 0.5;
/** Share of the loudest frame's amplitude below which silence is likelier than voice. */
const FAINT = 0.06;
/** Farther from the speaker's usual pitch than this many octaves is a slip. */
const FARTHEST_OCTAVES = 0.95;

/** `octaves` undefined: no voice. */
interface Candidate {
  readonly octaves: number | undefined;
  readonly strength: number;
}

/** `pcm`: 16 kHz mono −1…1; values that are no number count as 0. */
export function pitchContour(pcm: Float32Array): PitchContour {
  const { rows, power } = correlations(decimated(pcm));
  const frames = power.length;
  const contour = {
    octaves: new Float64Array(frames).fill(Number.NaN),
    strength: new Float64Array(frames),
    levelDb: power.map((p) => 20 * Math.log10(Math.sqrt(p) + 1e-5)),
  };
  if (frames === 0) return contour;
  const loudest = Math.sqrt(power.reduce((a, b) => Math.max(a, b)));
  let states = Array.from(power, (p, frame) => {
    const level = Math.sqrt(p) / (loudest + 1e-9);
    const unvoiced = { octaves: undefined, strength: UNVOICED_STRENGTH + Math.max(0, 1 - level / FAINT) };
    return [unvoiced, ...candidates(rows.subarray(frame * LAGS, (frame + 1) * LAGS))];
  });
  let path = cheapestPath(states);
  const voiced = path.flatMap((at, frame) => states[frame]![at]!.octaves ?? []).sort((a, b) => a - b);
  if (voiced.length > 0) {
    const usual = quantile(voiced, 0.5);
    const near = (octaves: number) => Math.abs(octaves - usual) < FARTHEST_OCTAVES;
    states = states.map((state) => state.filter(({ octaves }) => octaves === undefined || near(octaves)));
    path = cheapestPath(states);
  }
  path.forEach((at, frame) => {
    const { octaves, strength } = states[frame]![at]!;
    if (octaves === undefined) return;
    contour.octaves[frame] = octaves;
    contour.strength[frame] = strength;
  });
  return contour;
}

/** Of values in ascending order, at least one. */
export function quantile(ordered: ArrayLike<number>, share: number): number {
  return ordered[Math.floor(share * (ordered.length - 1) + 0.5)]!;
}

const lowPass = Float64Array.from({ length: 2 * HALF_TAPS + 1 }, (_, i) => {
  const n = i - HALF_TAPS;
  const x = (Math.PI * n * 2 * CUTOFF_HZ) / INPUT_RATE;
  return (n === 0 ? 1 : Math.sin(x) / x) * (0.5 + 0.5 * Math.cos((Math.PI * n) / (HALF_TAPS + 1)));
});
const lowPassSum = lowPass.reduce((a, b) => a + b);

function decimated(pcm: Float32Array): Float64Array {
  const step = INPUT_RATE / RATE;
  const padded = new Float64Array(pcm.length + 2 * HALF_TAPS);
  for (let i = 0; i < pcm.length; i += 1) padded[i + HALF_TAPS] = Number.isFinite(pcm[i]) ? pcm[i]! : 0;
  const out = new Float64Array(Math.ceil(pcm.length / step));
  for (let i = 0; i < out.length; i += 1) {
    const from = i * step;
    // The filter is symmetric.
    let sum = lowPass[HALF_TAPS]! * padded[from + HALF_TAPS]!;
    for (let n = 0; n < HALF_TAPS; n += 1) {
      sum += lowPass[n]! * (padded[from + n]! + padded[from + 2 * HALF_TAPS - n]!);
    }
    out[i] = sum / lowPassSum;
  }
  for (let times = 0; times < 2; times += 1) {
    let mean = 0;
    for (let i = 0; i < out.length; i += 1) {
      mean += MEAN_SHARE * (out[i]! - mean);
      out[i] = out[i]! - mean;
    }
  }
  return out;
}

/** `rows`: [frames, LAGS], lags from one below the shortest to one above the longest; `power`: of each frame's window. */
function correlations(x: Float64Array): { rows: Float64Array; power: Float64Array } {
  const frames = Math.floor(x.length / HOP_SAMPLES);
  const margin = WINDOW_SAMPLES + LONGEST_LAG;
  const padded = new Float64Array(x.length + 2 * margin);
  padded.set(x, margin);
  const centre = (frame: number) => frame * HOP_SAMPLES + HOP_SAMPLES / 2 + margin;
  const energy = runningSum(padded, 0, new Float64Array(padded.length + 1));
  const sums = new Float64Array(padded.length + 1);
  const over = (running: Float64Array, from: number) => running[from + WINDOW_SAMPLES]! - running[from]!;
  const rows = new Float64Array(frames * LAGS);
  for (let i = 0; i < LAGS; i += 1) {
    const lag = SHORTEST_LAG - 1 + i;
    runningSum(padded, lag, sums);
    for (let frame = 0; frame < frames; frame += 1) {
      const from = centre(frame) - ((WINDOW_SAMPLES + lag) >> 1);
      const size = Math.sqrt(Math.max(over(energy, from) * over(energy, from + lag), 0));
      rows[frame * LAGS + i] = over(sums, from) / (size + 1e-9);
    }
  }
  const power = new Float64Array(frames);
  for (let frame = 0; frame < frames; frame += 1) {
    power[frame] = Math.max(0, over(energy, centre(frame) - WINDOW_SAMPLES / 2)) / WINDOW_SAMPLES;
  }
  return { rows, power };
}

/** Of x[i] · x[i + lag], from 0. */
function runningSum(x: Float64Array, lag: number, into: Float64Array): Float64Array {
  let sum = 0;
  for (let i = 0; i + lag < x.length; i += 1) {
    sum += x[i]! * x[i + lag]!;
    into[i + 1] = sum;
  }
  return into;
}

/** The strongest peaks of one frame, each between its neighbours by a parabola. */
function candidates(row: Float64Array): Candidate[] {
  const found: { octaves: number; strength: number }[] = [];
  for (let i = 1; i < row.length - 1; i += 1) {
    const [before, here, after] = [row[i - 1]!, row[i]!, row[i + 1]!];
    if (here <= LEAST_PEAK || here < before || here <= after) continue;
    const bend = before - 2 * here + after;
    const shift = bend < 0 ? (0.5 * (before - after)) / bend : 0;
    const octaves = Math.log2(RATE / (SHORTEST_LAG - 1 + i + shift) / LOWEST_HZ);
    found.push({ octaves, strength: here - 0.25 * (before - after) * shift + OCTAVE_BONUS * octaves });
  }
  return found.sort((a, b) => b.strength - a.strength).slice(0, MOST_CANDIDATES);
}

/** The index of one candidate for each frame (Viterbi); the first of every frame is "no voice". */
function cheapestPath(states: readonly (readonly Candidate[])[]): number[] {
  let costs = states[0]!.map(({ strength }) => -strength);
  const origins: number[][] = [];
  for (let frame = 1; frame < states.length; frame += 1) {
    const before = states[frame - 1]!;
    const origin: number[] = [];
    const fresh = states[frame]!.map(({ octaves, strength }) => {
      let best = Number.POSITIVE_INFINITY;
      let from = 0;
      before.forEach((earlier, j) => {
        const total = costs[j]! + stepCost(earlier.octaves, octaves);
        if (total < best) [best, from] = [total, j];
      });
      origin.push(from);
      return best - strength;
    });
    costs = fresh;
    origins.push(origin);
  }
  let at = costs.indexOf(Math.min(...costs));
  const path = [at];
  for (const origin of origins.reverse()) {
    at = origin[at]!;
    path.push(at);
  }
  return path.reverse();
}

function stepCost(from: number | undefined, to: number | undefined): number {
  if (from === undefined || to === undefined) return from === to ? 0 : VOICING_COST;
  return LEAP_COST * Math.abs(to - from);
}
