/**
 * When each word is said, for a model that does not tell: its text runs about three times ahead of its sound, and nothing
 * ties the one to the other. Words are placed by the usual rate of speech, so that an interrupted answer is cut by the
 * share that was played; the words that are left go out with the last sound.
 */
import type { Word } from '../omni-model';

/** Fluent English, blanks and pauses included. */
const CHARACTERS_PER_SECOND = 14;

export class EstimatedWords {
  private text = '';
  /** Characters whose words were told. */
  private told = 0;
  private samples = 0;

  constructor(private readonly sampleRate: number) {}

  push(delta: string): void {
    this.text += delta;
  }

  /** The words that begin in the next `samples` samples; `last`: and all that are left. */
  take(samples: number, last: boolean): Word[] {
    const perCharacter = this.sampleRate / CHARACTERS_PER_SECOND;
    const words: Word[] = [];
    for (;;) {
      const found = /^\s*(\S+)(\s?)/.exec(this.text.slice(this.told));
      const text = found?.[1];
      if (found === null || text === undefined) break;
      // A word whose end is not written yet may still grow.
      if (found[2] === '' && !last) break;
      const from = Math.round((this.told + found[0].indexOf(text)) * perCharacter) - this.samples;
      if (from >= samples && !last) break;
      const startSample = Math.min(Math.max(0, from), samples);
      const endSample = Math.max(startSample, Math.min(samples, startSample + Math.round(text.length * perCharacter)));
      words.push({ text, startSample, endSample });
      this.told += found[0].length;
    }
    this.samples += samples;
    return words;
  }
}
