/**
 * Pitch and level of an utterance at the codec's own rate, in numbers that do not depend on who speaks or how loud. Its twin is
 * `tune_rows` in models/recipe/trunkline_recipe/omni/codec_ear.py.
 */
import { pitchContour, quantile } from '../../audio/pitch';
import { HEARING_RATE } from '../heard-audio';

/** Octaves from the speaker's usual pitch, voiced (1) or not, how surely, tens of dB below the loudest by half. */
export const TUNE_COLUMNS = 4;

const CONTOUR_RATE = 100;
/** Fainter than this below the loudest is as this. */
const LEAST_DB = -60;
const DB_SCALE = 20;

/** How many latents of `latentRate` a second there are in so much speech, made up to whole frames of `perFrame`. */
export function latentsOf(samples: number, latentRate: number, perFrame: number): number {
  return Math.ceil((samples * latentRate) / (HEARING_RATE * perFrame)) * perFrame;
}

/** `pcm`: 16 kHz mono −1…1. [count, TUNE_COLUMNS], where the latents stand; behind the end the last value goes on. */
export function utteranceTune(pcm: Float32Array, count: number, latentRate: number): Float32Array {
  const { octaves, strength, levelDb } = pitchContour(pcm);
  const rows = new Float32Array(count * TUNE_COLUMNS);
  if (octaves.length === 0) return rows;
  const voiced = octaves.filter((pitch) => !Number.isNaN(pitch)).sort();
  const usual = voiced.length === 0 ? 0 : quantile(voiced, 0.5);
  const top = levelDb.reduce((a, b) => Math.max(a, b));
  for (let latent = 0; latent < count; latent += 1) {
    const frame = Math.min(octaves.length - 1, Math.floor(((latent + 0.5) * CONTOUR_RATE) / latentRate));
    const pitch = octaves[frame]!;
    const level = Math.max(levelDb[frame]! - top, LEAST_DB) / DB_SCALE;
    rows.set(
      Number.isNaN(pitch) ? [0, 0, 0, level] : [pitch - usual, 1, strength[frame]!, level],
      latent * TUNE_COLUMNS,
    );
  }
  return rows;
}
