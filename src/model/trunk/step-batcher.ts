/**
 * Batches the steps of several sequences into one run of the language model. Nobody waits to be batched: whoever has just
 * chosen a token says that it will be read next (`foresee`), and when any sequence reads one token, those of the others that
 * are due, or will be, are read in the same run. Whoever then asks for a step that was read already has it at once.
 *
 * A run of two rows costs a quarter more than a run of one (docs/figures.md), because weights are read and unpacked once.
 */
import type { Pace } from '../omni-model';
import type { ContextItem } from '../parts';

/** Whoever is less urgent by more than this does not ride along: guesses with answers, above all. */
export const RIDER_SLACK = 10_000;

export interface Row<S> {
  readonly sequence: S;
  readonly items: readonly ContextItem[];
  /** False: nobody wants it any more, so nothing of it may be kept. */
  readonly wanted: () => boolean;
}

export interface StepRunner<S, R> {
  /** Reads all rows in one run; each has as many items as the others. Runs one at a time. */
  run(rows: readonly Row<S>[]): Promise<R[]>;
  /** Whether `rider` can be read in a run of `sequence`. */
  together(sequence: S, rider: S): boolean;
  /** Rows of a run. */
  readonly mostRows: number;
}

interface Foreseen<R> {
  readonly item: ContextItem;
  readonly pace: Pace;
  result?: R;
}

export class StepBatcher<S, R> {
  private readonly foreseen = new Map<S, Foreseen<R>>();
  private pending: Promise<unknown> = Promise.resolve();

  constructor(private readonly runner: StepRunner<S, R>) {}

  /** `sequence` will read `item` next, unless something else happens to it: then call `forget`. */
  foresee(sequence: S, item: ContextItem, pace: Pace): void {
    const known = this.foreseen.get(sequence);
    if (known?.item !== item) this.foreseen.set(sequence, { item, pace });
  }

  forget(sequence: S): void {
    this.foreseen.delete(sequence);
  }

  /** Reads `items`, after the run in progress. One step of a sequence at a time. Rejects before the run when aborted. */
  step(
    sequence: S,
    items: readonly ContextItem[],
    wanted: () => boolean = () => true,
    signal?: AbortSignal,
  ): Promise<R> {
    const turn = this.pending.then(() => {
      signal?.throwIfAborted();
      return this.read(sequence, items, wanted);
    });
    this.pending = turn.catch(() => undefined);
    return turn;
  }

  private async read(sequence: S, items: readonly ContextItem[], wanted: () => boolean): Promise<R> {
    const own = this.foreseen.get(sequence);
    this.foreseen.delete(sequence);
    const [item] = items;
    const single = items.length === 1;
    if (single && own?.result !== undefined && own.item === item) return own.result;
    const riders = single ? this.ridersOf(sequence, own?.pace) : [];
    const rows = riders.map(([rider, entry]) => ({
      sequence: rider,
      items: [entry.item],
      wanted: () => this.foreseen.get(rider) === entry,
    }));
    const results = await this.runner.run([{ sequence, items, wanted }, ...rows]);
    for (const [nth, [, entry]] of riders.entries()) entry.result = results[nth + 1]!;
    return results[0]!;
  }

  private ridersOf(sequence: S, pace: Pace | undefined): [S, Foreseen<R>][] {
    const open = [...this.foreseen].filter(
      ([rider, { result }]) => result === undefined && this.runner.together(sequence, rider),
    );
    const paces = new Map(open.map(([rider, entry]) => [rider, entry.pace]));
    const chosen = ridersAmong(paces, pace?.urgency() ?? Number.NEGATIVE_INFINITY, this.runner.mostRows - 1);
    return open.filter(([rider]) => chosen.has(rider));
  }
}

/**
 * Who rides along with a step of `urgency`: those who are due and not much less urgent, `most` of them, the most urgent. With
 * a step that nobody waits for also those who will be due: their step costs less now than alone later.
 */
export function ridersAmong<S>(paces: ReadonlyMap<S, Pace>, urgency: number, most: number): ReadonlySet<S> {
  const due = [...paces]
    .filter(([, pace]) => (urgency < 0 ? Number.isFinite(pace.dueInMs()) : pace.dueInMs() <= 0))
    .map(([rider, pace]) => ({ rider, urgency: pace.urgency() }))
    .filter((other) => other.urgency >= urgency - RIDER_SLACK);
  due.sort((a, b) => b.urgency - a.urgency);
  return new Set(due.slice(0, most).map(({ rider }) => rider));
}
