/** What is known of a turn's answer before it is over: the silence that the caller heard, the passages that it rests on. */
import type { Citation } from '../core/passage';

const MAX_GAPS = 1_000;
/** Answers that were overtaken never come to an end; the oldest notes go. */
const MAX_OPEN = 16;

interface Notes {
  readonly gapMs: number | undefined;
  readonly citations: readonly Citation[] | undefined;
}

const nothing: Notes = { gapMs: undefined, citations: undefined };

export class TurnNotes {
  private readonly open = new Map<number, Notes>();
  /** Of all turns, in order. */
  readonly gapsMs: number[] = [];

  gap(turnId: number, gapMs: number): void {
    this.note(turnId, { gapMs });
    if (this.gapsMs.length < MAX_GAPS) this.gapsMs.push(gapMs);
  }

  cite(turnId: number, citations: readonly Citation[]): void {
    this.note(turnId, { citations });
  }

  /** The turn is over. */
  take(turnId: number): Notes {
    const notes = this.open.get(turnId) ?? nothing;
    this.open.delete(turnId);
    return notes;
  }

  private note(turnId: number, more: Partial<Notes>): void {
    this.open.set(turnId, { ...nothing, ...this.open.get(turnId), ...more });
    const [oldest] = this.open.keys();
    if (this.open.size > MAX_OPEN && oldest !== undefined) this.open.delete(oldest);
  }
}
