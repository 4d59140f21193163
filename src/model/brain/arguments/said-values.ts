/** What a caller's words may stand for as an argument: runs of words as they were said, digits read as one, numbers. */

/** A name, a street, a wish is no longer. */
const MOST_WORDS = 5;
const MOST_VALUES = 400;

export function saidValues(text: string): (string | number)[] {
  const words = text.split(/\s+/).flatMap((word) => {
    const bare = word.replace(/^[^\p{L}\p{N}+]+|[^\p{L}\p{N}]+$/gu, '');
    return bare === '' ? [] : [bare];
  });
  const values = new Set<string | number>();
  for (let from = 0; from < words.length && values.size < MOST_VALUES; from += 1) {
    for (let count = 1; count <= MOST_WORDS && from + count <= words.length; count += 1) {
      const run = words.slice(from, from + count);
      values.add(run.join(' '));
      const joined = run.join('').replace(/-/g, '');
      // "4 7 1 1", "4-7-1-1", "A 17".
      if (/\d/.test(joined)) values.add(joined);
    }
  }
  for (const [number] of text.matchAll(/\d+(?:\.\d+)?/g)) values.add(Number(number));
  return [...values];
}
