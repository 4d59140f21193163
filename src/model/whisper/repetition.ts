/**
 * Finds a decoder that goes round in circles. People do repeat themselves ("no no no", "five five five"), so a short
 * phrase may come back more often than a long one before it counts as a loop.
 */

/** How often a phrase of 1, 2, 3 … tokens may follow itself. The last figure holds for all longer ones. */
const ALLOWED = [6, 5, 3, 3, 2];
const LONGEST_PHRASE = 16;

/** If `tokens` ends in a loop: the length up to and including the phrase's first time, else undefined. */
export function loopStart(tokens: readonly number[]): number | undefined {
  for (let phrase = 1; phrase <= Math.min(LONGEST_PHRASE, tokens.length >> 1); phrase++) {
    const allowed = ALLOWED[Math.min(phrase, ALLOWED.length) - 1]!;
    let same = 0;
    for (let i = tokens.length - 1; i >= phrase && tokens[i] === tokens[i - phrase]; i--) same++;
    const times = 1 + Math.floor(same / phrase);
    if (times > allowed) return tokens.length - (times - 1) * phrase;
  }
  return undefined;
}
