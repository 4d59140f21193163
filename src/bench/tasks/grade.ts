/** What the tables must hold after a task, and whether they do. Pure: a task is judged by nothing else. */
import { type TableName, type Task, tableNames, type WrittenRows } from './script';

export type Row = Readonly<Record<string, string>>;
export type Rows = Readonly<Record<TableName, readonly Row[]>>;

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const DAY_MS = 86_400_000;

/** `+1 14:30`, `friday 14:30` or `03-23 14:30` as `2027-03-23 14:30`; `today`: `2027-03-01`. */
export function resolveMoment(moment: string, today: string): string {
  const [day = '', time = ''] = moment.split(' ');
  const after = (days: number) => new Date(Date.parse(`${today}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
  if (day.startsWith('+')) return `${after(Number(day))} ${time}`;
  const weekday = WEEKDAYS.indexOf(day);
  if (weekday < 0) {
    const year = Number(today.slice(0, 4));
    return `${`${year}-${day}` >= today ? year : year + 1}-${day} ${time}`;
  }
  const ahead = (weekday - new Date(`${today}T00:00:00Z`).getUTCDay() + 7) % 7;
  return `${after(ahead === 0 ? 7 : ahead)} ${time}`;
}

export function resolveRows(rows: WrittenRows, today: string): Rows {
  const { appointments = [], orders = [], enquiries = [], callbacks = [] } = rows;
  const dated = appointments.map(({ name, at }) => ({ name, at: resolveMoment(at, today) }));
  return { appointments: dated, orders, enquiries, callbacks };
}

/** A table of which `expect` says nothing is as it was. */
export function expectedRows({ given, expect }: Task, today: string): Rows {
  return resolveRows({ ...given, ...expect }, today);
}

export interface Difference {
  readonly table: TableName;
  readonly expected: readonly Row[];
  readonly found: readonly Row[];
}

/** The tables that differ, whatever the order of their rows; none: the task is done. */
export function differences(expected: Rows, found: Rows): readonly Difference[] {
  return tableNames
    .filter((table) => inOrder(expected[table]).join() !== inOrder(found[table]).join())
    .map((table) => ({ table, expected: expected[table], found: found[table] }));
}

/** appointments: expected Brown 2027-03-23 14:30, found none */
export function told({ table, expected, found }: Difference): string {
  const rows = (list: readonly Row[]) => list.map((row) => Object.values(row).join(' ')).join(', ') || 'none';
  return `${table}: expected ${rows(expected)}; found ${rows(found)}`;
}

function inOrder(rows: readonly Row[]): string[] {
  return rows
    .map((row) => JSON.stringify(Object.entries(row).sort(([left], [right]) => (left < right ? -1 : 1))))
    .sort();
}
