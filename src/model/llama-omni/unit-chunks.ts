/**
 * Ω of LLaMA-Omni (Fang et al., 2024, §2.4): as soon as that many units wait they go to the vocoder, together with some
 * of their neighbours so that the joint is not heard; the rest goes when the text has ended.
 */
export interface UnitWindow {
  /** Units to say: [from, to) of the answer. */
  readonly from: number;
  readonly to: number;
  /** The units shown to the vocoder, and the place of the first of them. */
  readonly units: readonly number[];
  readonly start: number;
}

export interface UnitChunkRules {
  /** Units of a chunk. */
  readonly omega: number;
  /** The same for the first chunk, for sound to begin sooner; `omega` if not given. */
  readonly first?: number;
  /** Units either side that the vocoder is shown beside them. */
  readonly context: number;
}

export class UnitChunks {
  private readonly units: number[] = [];
  /** The place of `units[0]` in the answer. */
  private forgotten = 0;
  private said = 0;
  private ended = false;

  constructor(private readonly rules: UnitChunkRules) {
    if (Math.min(rules.omega, rules.first ?? rules.omega) < 1) throw new RangeError('A chunk has at least one unit.');
  }

  push(units: readonly number[]): void {
    this.units.push(...units);
  }

  end(): void {
    this.ended = true;
  }

  /** A chunk can be taken. */
  get ready(): boolean {
    const { omega, context, first = omega } = this.rules;
    const waiting = this.forgotten + this.units.length - this.said;
    return waiting > 0 && (this.ended || waiting >= (this.said === 0 ? first : omega) + context);
  }

  /** Every unit was taken and none will come. */
  get done(): boolean {
    return this.ended && this.forgotten + this.units.length === this.said;
  }

  /** The next chunk; undefined when more units are needed or all were said. */
  next(): UnitWindow | undefined {
    if (!this.ready) return undefined;
    const { omega, context, first = omega } = this.rules;
    const available = this.forgotten + this.units.length;
    const from = this.said;
    const to = Math.min(available, from + (from === 0 ? first : omega));
    const start = Math.max(0, from - context);
    const end = Math.min(available, to + context);
    const units = this.units.slice(start - this.forgotten, end - this.forgotten);
    this.said = to;
    const keep = Math.max(0, to - context);
    this.units.splice(0, keep - this.forgotten);
    this.forgotten = keep;
    return { from, to, units, start };
  }
}
