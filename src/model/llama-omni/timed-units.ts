/**
 * CTC's units with their times, read as they come: a unit lasts as long as the positions that it was read from, those of
 * blanks behind it included. So the last unit is known only when the next one begins, or at the end.
 */
import { CtcCollapser } from './ctc';

export interface TimedUnit {
  readonly unit: number;
  /** What the text says of its time, in latents. */
  readonly time: number;
}

export class TimedUnits {
  /** Units that have begun. */
  begun = 0;
  private readonly collapser: CtcCollapser;
  private unit: number | undefined;
  /** Of the open unit; before the first, of the blanks that it takes over. */
  private time = 0;

  constructor(blank: number) {
    this.collapser = new CtcCollapser(blank);
  }

  /** `symbol` of a position that stands for `time` latents. The unit that ends where another begins. */
  push(symbol: number, time: number): TimedUnit | undefined {
    const [begins] = this.collapser.push([symbol]);
    if (begins === undefined) {
      this.time += time;
      return undefined;
    }
    const ended = this.end();
    this.unit = begins;
    this.time = ended === undefined ? this.time + time : time;
    this.begun += 1;
    return ended;
  }

  /** The last unit; undefined if there was none. */
  end(): TimedUnit | undefined {
    if (this.unit === undefined) return undefined;
    const ended = { unit: this.unit, time: this.time };
    this.unit = undefined;
    return ended;
  }
}
