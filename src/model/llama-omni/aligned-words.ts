/**
 * When each word is said, from the alignment that the speech decoder has by construction: every text token owns its
 * positions, so the units said before them tell where the token's sound begins.
 */
import type { Word } from '../omni-model';

export class AlignedWords {
  private text = '';
  /** Where a piece of text begins: its first character, and the units that were said before it. */
  private readonly starts: { readonly at: number; readonly unit: number }[] = [];
  /** Characters whose words were told. */
  private told = 0;

  /** `delta` was written when `unit` units had been said. */
  push(delta: string, unit: number): void {
    this.starts.push({ at: this.text.length, unit });
    this.text += delta;
  }

  /**
   * The words that begin before frame `to`, from the first sample of frame `from`; `last`: and all that are left.
   * `startOf`: the frame at which a unit begins, undefined while it is not known.
   */
  take(
    span: { readonly from: number; readonly to: number; readonly last: boolean },
    samplesPerFrame: number,
    startOf: (unit: number) => number | undefined,
  ): Word[] {
    const { from, to, last } = span;
    const words: Word[] = [];
    for (;;) {
      const found = /^\s*(\S+)(\s?)/.exec(this.text.slice(this.told));
      const text = found?.[1];
      if (found === null || text === undefined) break;
      // A word whose end is not written yet may still grow.
      if (found[2] === '' && !last) break;
      const at = this.told + found[0].indexOf(text);
      const begin = startOf(this.unitAt(at)) ?? Number.POSITIVE_INFINITY;
      if (begin >= to && !last) break;
      const place = (frame: number) => Math.round(Math.min(Math.max(frame, from), to) - from) * samplesPerFrame;
      const startSample = place(begin);
      const after = startOf(this.unitAt(at + text.length)) ?? to;
      words.push({ text, startSample, endSample: Math.max(startSample, (after - from) * samplesPerFrame) });
      this.told += found[0].length;
    }
    return words;
  }

  /** Units said before the token that holds character `at`; behind the text: as many as there are. */
  private unitAt(at: number): number {
    if (at >= this.text.length) return Number.POSITIVE_INFINITY;
    let unit = 0;
    for (const start of this.starts) {
      if (start.at > at) break;
      unit = start.unit;
    }
    return unit;
  }
}
