/** The valid word that a mistyped one most likely meant, by optimal string alignment distance (Damerau, 1964). */
export function nearestWord(typed: string, valid: Iterable<string>): string | undefined {
  let best: string | undefined;
  // A third of the letters may differ: farther than that, a suggestion misleads.
  let bestDistance = Math.max(2, Math.floor(typed.length / 3)) + 1;
  for (const word of valid) {
    const distance = editDistance(typed.toLowerCase(), word.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = word;
      bestDistance = distance;
    }
  }
  return best;
}

/** ` Did you mean "x"?`, or nothing when nothing is near. */
export function suggestion(typed: string, valid: Iterable<string>): string {
  const word = nearestWord(typed, valid);
  return word === undefined ? '' : ` Did you mean "${word}"?`;
}

function editDistance(left: string, right: string, limit: number): number {
  if (Math.abs(left.length - right.length) >= limit) return limit;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      let cost = Math.min(previous[column]! + 1, current[column - 1]! + 1, previous[column - 1]! + (same ? 0 : 1));
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (swapped) cost = Math.min(cost, beforePrevious[column - 2]! + 1);
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[right.length]!;
}
