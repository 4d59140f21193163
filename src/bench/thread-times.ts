/**
 * Processor time by thread, from Linux' proc(5): Node 20 knows only the whole process's. Elsewhere nothing can be told
 * apart, and the sets are empty.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** proc(5): times are counted in these, whatever the kernel's own tick. */
const TICKS_PER_SECOND = 100;
/** Fields 14 and 15 of `stat`, counted behind the name, which may hold blanks. */
const USER_TIME = 11;
const SYSTEM_TIME = 12;

/** The threads that this process has now. */
export function threadIds(): ReadonlySet<string> {
  try {
    return new Set(readdirSync('/proc/self/task'));
  } catch {
    return new Set();
  }
}

/** User and system time of `threads` since each began; threads that have ended count nothing. */
export function threadTimeMs(threads: Iterable<string>): number {
  let ticks = 0;
  for (const thread of threads) {
    try {
      const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      ticks += Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME]);
    } catch {
      // Ended meanwhile.
    }
  }
  return (ticks * 1_000) / TICKS_PER_SECOND;
}
