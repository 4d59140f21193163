/** When we may call people: windows of the week in a time zone, and the next time that one opens. */
import { withinWindow } from './matcher';
import type { TimeWindow } from './schema';

const stepMs = 5 * 60_000;
/** A window that opens within no week never does. */
const horizonMs = 8 * 24 * 3_600_000;

/** No windows: always. */
export function isOpen(hours: readonly TimeWindow[], at: Date): boolean {
  return hours.length === 0 || hours.some((window) => withinWindow(window, at));
}

/** `from` itself if it is open, else the first five minutes of the clock that are; undefined: never within a week. */
export function nextOpening(hours: readonly TimeWindow[], from: Date): Date | undefined {
  if (isOpen(hours, from)) return from;
  const first = Math.ceil(from.getTime() / stepMs) * stepMs;
  for (let atMs = first; atMs <= from.getTime() + horizonMs; atMs += stepMs) {
    const at = new Date(atMs);
    if (isOpen(hours, at)) return at;
  }
  return undefined;
}
