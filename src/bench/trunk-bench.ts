/**
 * What the language model writes in a second: the next token of one to four sequences in one run, and one
 * run after the other. Rounds of both alternate, so that whatever else the machine does meets both.
 */
import { join } from 'node:path';
import { openModelFolder } from '../model/manifest';
import type { LanguageContext } from '../model/parts';
import { SEATS_PER_BANK } from '../model/trunk/kv-cache';
import { Trunk } from '../model/trunk/trunk';
import { type Figure, single } from './report';

/** A persona with its facts, and some turns. */
const CACHED_TOKENS = 350;
const ROUNDS = 24;
const NOW = { dueInMs: () => 0, urgency: () => 0 };

export async function benchTrunk(modelsDir: string, threads: number): Promise<Figure[]> {
  const trunk = await Trunk.open(await openModelFolder(join(modelsDir, 'smollm2-135m')), { threads });
  try {
    const [token = 0] = trunk.encode(' word');
    const first = trunk.createContext();
    await first.append(new Array<number>(CACHED_TOKENS).fill(token));
    const rows = [first, ...Array.from({ length: SEATS_PER_BANK - 1 }, () => first.fork())];
    const figures: Figure[] = [];
    for (let count = 1; count <= rows.length; count += 1) {
      const chosen = rows.slice(0, count);
      const together: number[] = [];
      const alone: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        together.push(await processorMs(() => step(chosen, token, true)));
        alone.push(await processorMs(() => step(chosen, token, false)));
      }
      const sequences = `${count} sequence${count === 1 ? '' : 's'}`;
      const perSecond = (tookMs: number[]) => (1_000 * count) / median(tookMs);
      if (count > 1) figures.push(single(`${sequences}, one run each`, 'tokens/s of processor time', perSecond(alone)));
      figures.push(single(`${sequences}, one run`, 'tokens/s of processor time', perSecond(together)));
    }
    for (const row of rows) row.dispose();
    return figures;
  } finally {
    await trunk.close();
  }
}

async function step(rows: readonly LanguageContext[], token: number, together: boolean): Promise<void> {
  if (together) for (const row of rows) row.foresee?.({ item: token, pace: NOW });
  for (const row of rows) {
    await row.append([token]);
    row.truncate(CACHED_TOKENS);
  }
}

async function processorMs(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[Math.floor(values.length / 2)] ?? Number.NaN;
}
