/**
 * The system's clock with timers that are punctual to a tenth of a millisecond. Node's are not: they count whole
 * milliseconds and come up to one late, which is most of what a media thread may be late at all.
 *
 * The last stretch before the deadline is slept in slices on a futex (`Atomics.wait`), which wakes on time and burns
 * nothing, unlike a loop; sockets and messages are looked after between two slices.
 */
import { SystemClock, type Timer } from './clock';

/** Node's timers are asked for what ends this long before the deadline: they may be late by a millisecond. */
const approachMs = 1.25;
/** Longest time in which nothing else is looked after. */
const sliceMs = 0.5;

export class PunctualClock extends SystemClock {
  private readonly never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

  /** Runs at once when the deadline has passed, but never before what is waiting at the sockets. */
  override after(delayMs: number, run: () => void): Timer {
    const deadlineMs = this.nowMs() + delayMs;
    let timeout: NodeJS.Timeout | undefined;
    let immediate: NodeJS.Immediate | undefined;
    const approach = () => {
      const leftMs = deadlineMs - this.nowMs();
      if (leftMs > 0) Atomics.wait(this.never, 0, 0, Math.min(leftMs, sliceMs));
      if (leftMs > sliceMs) immediate = setImmediate(approach);
      else run();
    };
    if (delayMs > approachMs + 1) timeout = setTimeout(approach, delayMs - approachMs);
    else immediate = setImmediate(approach);
    return {
      cancel: () => {
        clearTimeout(timeout);
        clearImmediate(immediate);
      },
    };
  }
}
