/** Speech over the agent's: what is known of it so far, and what it sounds like to all who listened. Pure. */
import type { SoundChances } from '../core/overlap-heard';

export interface Overlap {
  readonly onsetMs: number;
  readonly onsetSample: number;
  readonly headSample: number;
  readonly levelDb: number;
  /** What it sounds like to the listener; undefined while or where nobody says so. */
  readonly sound: SoundChances | undefined;
  /** … and to the recogniser, up to `listenedTo`; undefined until it was asked, and where it has no opinion. */
  readonly heard: SoundChances | undefined;
  /** How alike it is to what we sent, 0…1. */
  readonly echo: number | undefined;
  /** When the speech ended, and where. */
  readonly ended: { readonly atMs: number; readonly sample: number } | undefined;
  readonly words: string | undefined;
  /** Up to where those words were looked for. */
  readonly listenedTo: number;
  readonly cautious: boolean;
}

/** How much the recogniser's opinion counts beside the listener's. */
const HEARD_WEIGHT = 0.5;

/** One opinion of two: their weighted geometric mean, so that both must find something possible. */
export function together(sound: SoundChances | undefined, heard: SoundChances | undefined): SoundChances | undefined {
  if (sound === undefined || heard === undefined) return heard ?? sound;
  const both = (a: number, b: number) => Math.max(a, 1e-4) ** (1 - HEARD_WEIGHT) * Math.max(b, 1e-4) ** HEARD_WEIGHT;
  const talk = both(sound.talk, heard.talk);
  const backchannel = both(sound.backchannel, heard.backchannel);
  const noise = both(sound.noise, heard.noise);
  const all = talk + backchannel + noise;
  return { talk: talk / all, backchannel: backchannel / all, noise: noise / all };
}
