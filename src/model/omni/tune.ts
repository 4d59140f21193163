/**
 * How the tune of an utterance ends, in numbers that do not depend on who speaks: where its last voiced tenths of a second lie
 * against the speaker's usual pitch, and where they go. Its twin is models/recipe/trunkline_recipe/omni/ear_tune.py.
 */
import { pitchContour, quantile } from '../../audio/pitch';

/** Numbers that describe a tune. */
export const TUNE_SIZE = 30;

/** Voiced milliseconds before the end, from and to, over which height and level are averaged. */
const BINS_MS = [
  [0, 30],
  [30, 60],
  [60, 100],
  [100, 150],
  [150, 220],
  [220, 320],
  [320, 480],
] as const;
const SLOPES_MS = [80, 160, 300];
const FRAME_MS = 10;
/** Farther from the usual pitch is as far as this, in semitones. */
const MOST_SEMITONES = 14;
/** This far below the loudest frame nobody speaks. */
const SPOKEN_DB = 25;
/** Fewer voiced frames than this have no tune. */
const LEAST_VOICED = 4;
const TAIL_FRAMES = 40;
/** Of longer audio the end counts. */
const MOST_SAMPLES = 8 * 16_000;

/** `pcm`: 16 kHz mono −1…1. [TUNE_SIZE]; zeros where there is no voice. */
export function tuneOf(pcm: Float32Array): Float32Array {
  const { octaves, strength, levelDb } = pitchContour(pcm.subarray(-MOST_SAMPLES));
  const top = levelDb.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const voiced: number[] = [];
  let speechEnd = 0;
  octaves.forEach((pitch, frame) => {
    if (levelDb[frame]! <= top - SPOKEN_DB) return;
    speechEnd = frame;
    if (!Number.isNaN(pitch)) voiced.push(frame);
  });
  if (voiced.length < LEAST_VOICED) return new Float32Array(TUNE_SIZE);
  const semitones = voiced.map((frame) => 12 * octaves[frame]!);
  const ordered = [...semitones].sort((a, b) => a - b);
  const usual = quantile(ordered, 0.5);
  const relative = semitones.map((pitch) => clipped(pitch - usual, MOST_SEMITONES));
  const loud = voiced.map((frame) => levelDb[frame]! - top);
  const sure = voiced.map((frame) => strength[frame]!);

  const tune: number[] = [];
  for (const [from, to] of BINS_MS) {
    const first = Math.max(0, voiced.length - to / FRAME_MS);
    const last = Math.max(0, voiced.length - from / FRAME_MS);
    // A short utterance is as its first part.
    if (last > first) tune.push(mean(relative.slice(first, last)), mean(loud.slice(first, last)) / 10);
    else tune.push(tune.at(-2)!, tune.at(-1)!);
  }
  for (const ms of SLOPES_MS) tune.push(clipped(slope(relative.slice(-Math.max(2, ms / FRAME_MS))) / 10, 6));
  const tail = relative.slice(-TAIL_FRAMES);
  const lowest = Math.min(...tail);
  const end = mean(relative.slice(-3));
  const last = voiced.at(-1)!;
  let run = 1;
  while (run < voiced.length && voiced[voiced.length - 1 - run] === last - run) run += 1;
  tune.push(
    end - lowest,
    end - Math.max(...tail),
    (tail.indexOf(lowest) - tail.length) / 10,
    quantile(ordered, 0.9) - usual,
    quantile(ordered, 0.1) - usual,
    mean(relative.slice(0, Math.max(1, Math.floor(relative.length / 3)))),
    end - relative.slice(-run).reduce((a, b) => Math.min(a, b)),
    Math.min(run, 60) / 10,
    Math.min(speechEnd - last, 40) / 10,
    mean(sure.slice(-6)),
    mean(sure),
    Math.log(voiced.length),
    usual / 12,
  );
  return Float32Array.from(tune);
}

/** Semitones a second, by least squares through values 10 ms apart. */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  let products = 0;
  let squares = 0;
  values.forEach((value, i) => {
    products += (i - middle) * value;
    squares += (i - middle) ** 2;
  });
  return (products / squares) * (1_000 / FRAME_MS);
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function clipped(value: number, most: number): number {
  return Math.max(-most, Math.min(most, value));
}
