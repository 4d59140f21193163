/**
 * A relational database, as far as the store needs one: PostgreSQL, or the same in this process's data folder. Both speak
 * one SQL; parameters are $1, $2 …; arrays are JavaScript arrays of strings or numbers.
 */
import { types } from 'node:util';
import { TrunklineError } from '../core/errors';

export type Row = Readonly<Record<string, unknown>>;

export interface Statement {
  readonly sql: string;
  readonly values?: readonly unknown[];
}

export interface Database {
  /** Rejects with `database.failed` when the statement is refused, `database.unreachable` when nobody answers. */
  query(statement: Statement): Promise<readonly Row[]>;
  /** All or none of them. */
  transaction(statements: readonly Statement[]): Promise<void>;
  close(): Promise<void>;
}

/** A timestamptz column's value; `instanceof` would not know one that came from another thread's world. */
export function dateIn(row: Row, column: string): Date | undefined {
  const value = row[column];
  return types.isDate(value) ? new Date(value.getTime()) : undefined;
}

export function databaseFailed(cause: unknown): TrunklineError {
  const what = cause instanceof Error ? cause.message : String(cause);
  return new TrunklineError('database.failed', `The database refused a statement: ${what}`, {
    fix: 'Look at its log. If the schema was changed by hand, restore it from a backup.',
    cause,
  });
}

export function databaseUnreachable(cause: unknown): TrunklineError {
  const what = cause instanceof Error ? cause.message : String(cause);
  return new TrunklineError('database.unreachable', `The database does not answer: ${what}`, {
    fix: 'Check database.url and that PostgreSQL runs; what has to be kept waits in memory meanwhile.',
    cause,
  });
}
