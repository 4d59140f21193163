import { existsSync } from 'node:fs';
import { threadIds, threadTimeMs } from '../../src/bench/thread-times';

const onLinux = existsSync('/proc/self/task');

describe('processor time by thread', () => {
  (onLinux ? it : it.skip)('grows with the work of the thread and is the process’s in sum', () => {
    const own = String(process.pid);
    expect(threadIds().has(own)).toBe(true);
    const before = threadTimeMs([own]);
    // Until the kernel has counted some ticks: however slow the machine, work is counted at last.
    let sum = 0;
    while (threadTimeMs([own]) < before + 50) for (let i = 0; i < 1e6; i++) sum += Math.sqrt(i);
    expect(sum).toBeGreaterThan(0);
    const { user, system } = process.cpuUsage();
    // Threads that have ended are in the process's time only.
    expect(threadTimeMs(threadIds())).toBeLessThanOrEqual((user + system) / 1_000 + 20 * threadIds().size);
  });

  it('counts nothing for a thread that has ended', () => {
    expect(threadTimeMs(['999999999'])).toBe(0);
  });
});
