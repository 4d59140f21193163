/** Published figures: each with machine, commit, sample count and percentiles, as a table to read and JSON to keep. */
import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { type Distribution, distribution } from '../core/percentiles';

export interface Figure {
  readonly name: string;
  readonly unit: string;
  /** A distribution, or one number. */
  readonly value: Distribution | number;
  /** What the project wants to reach, in words. */
  readonly reach?: string;
}

export interface BenchReport {
  readonly measurement: string;
  readonly machine: string;
  readonly commit: string;
  readonly at: string;
  readonly figures: readonly Figure[];
  /** What else a reader must know: conditions, discards. */
  readonly notes: readonly string[];
}

export function report(measurement: string, figures: readonly Figure[], notes: readonly string[] = []): BenchReport {
  return { measurement, machine: machine(), commit: commit(), at: new Date().toISOString(), figures, notes };
}

export function spread(name: string, unit: string, values: readonly number[], reach?: string): Figure {
  return { name, unit, value: distribution(values), reach };
}

export function single(name: string, unit: string, value: number, reach?: string): Figure {
  return { name, unit, value, reach };
}

/** Markdown, so that what is published is what was printed. */
export function toTable(
  { measurement, machine, commit, at, figures, notes }: BenchReport,
  before?: BenchReport,
): string {
  const rows = figures.map((figure) => {
    const old = before?.figures.find(({ name }) => name === figure.name);
    const cells = [figure.name, ...cellsOf(figure), figure.reach ?? ''];
    return before === undefined ? cells : [...cells, old === undefined ? '' : summary(old)];
  });
  const head = [
    'figure',
    'p50',
    'p95',
    'p99',
    'n',
    'reach',
    ...(before === undefined ? [] : [`before (${before.commit})`]),
  ];
  return [
    `**${measurement}** — ${machine}; commit ${commit}; ${at.slice(0, 10)}`,
    '',
    `| ${head.join(' | ')} |`,
    `|${head.map(() => '---').join('|')}|`,
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    ...notes.map((note) => `\n${note}`),
  ].join('\n');
}

function cellsOf({ value, unit }: Figure): string[] {
  if (typeof value === 'number') return [`${rounded(value)} ${unit}`, '', '', ''];
  return [`${rounded(value.p50)} ${unit}`, rounded(value.p95), rounded(value.p99), String(value.n)];
}

function summary({ value, unit }: Figure): string {
  return typeof value === 'number'
    ? `${rounded(value)} ${unit}`
    : `${rounded(value.p50)} / ${rounded(value.p95)} ${unit}`;
}

function rounded(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 2 : 1);
}

function machine(): string {
  const [first] = cpus();
  return `${cpus().length} × ${first?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;
}

function commit(): string {
  try {
    const id = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const changed = execFileSync('git', ['status', '--porcelain', '--untracked-files=no'], { encoding: 'utf8' });
    return changed.trim() === '' ? id.trim() : `${id.trim()} with changes`;
  } catch {
    return 'unknown';
  }
}
