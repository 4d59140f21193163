/**
 * Connectionist temporal classification read as it comes (Graves et al., 2006): repeats are merged, blanks left out,
 * and since the last symbol is kept, any cut of the input gives the units that the whole would give.
 */
export class CtcCollapser {
  private last: number;

  constructor(private readonly blank: number) {
    this.last = blank;
  }

  /** `symbols`: the likeliest symbol of each step. The units that they add. */
  push(symbols: Iterable<number>): number[] {
    const units: number[] = [];
    for (const symbol of symbols) {
      if (symbol !== this.last && symbol !== this.blank) units.push(symbol);
      this.last = symbol;
    }
    return units;
  }

  reset(): void {
    this.last = this.blank;
  }
}
