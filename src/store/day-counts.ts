/**
 * Counts of one day by key, in a small file that is replaced at each change: what was counted survives the death of the
 * process. The day is that of UTC.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Logger } from '../core/log';
import { systemErrorCode } from '../core/system-error';

const fileSchema = z.object({ day: z.string(), counts: z.record(z.string(), z.int().min(0)) });

export class DayCounts {
  private day = '';
  private counts = new Map<string, number>();
  private failing = false;

  constructor(
    private readonly path: string,
    private readonly now: () => Date,
    private readonly log: Logger,
  ) {
    try {
      const { day, counts } = fileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
      this.day = day;
      this.counts = new Map(Object.entries(counts));
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') log.warn('the counts of today are lost and begin anew', { path });
    }
  }

  count(key: string): number {
    this.turnDay();
    return this.counts.get(key) ?? 0;
  }

  add(keys: readonly string[]): void {
    this.turnDay();
    for (const key of keys) this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    try {
      mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
      // A rename is whole or not at all.
      const text = JSON.stringify({ day: this.day, counts: Object.fromEntries(this.counts) });
      writeFileSync(`${this.path}.new`, text, { mode: 0o600 });
      renameSync(`${this.path}.new`, this.path);
      this.failing = false;
    } catch (error) {
      // Told once per outage; the counts in memory hold meanwhile.
      if (!this.failing) this.log.error('the counts of today cannot be kept', { error: String(error) });
      this.failing = true;
    }
  }

  private turnDay(): void {
    const today = this.now().toISOString().slice(0, 10);
    if (today === this.day) return;
    this.day = today;
    this.counts.clear();
  }
}
