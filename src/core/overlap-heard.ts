/** What the ears say about a sound over the agent's voice. */

/** What it sounds like: talk, a sign of listening ("mm-hmm", "okay") or a noise; 0…1, together 1. */
export interface SoundChances {
  readonly talk: number;
  readonly backchannel: number;
  readonly noise: number;
}

/** What the recogniser found in it. `speech` without text: somebody speaks, but no word was understood yet. */
export interface OverlapHeard {
  readonly text: string;
  readonly speech: boolean;
  /** What the sound is, whatever its words; undefined: the recogniser has no opinion. */
  readonly sound?: SoundChances | undefined;
}
