/** The PostgreSQL that tests start, and why those that need it are skipped where there is none. */
import { postgresIsThere } from '../../src/bench/own-postgres';

export { type PostgresServer, startPostgres } from '../../src/bench/own-postgres';

/** Says once why the tests that need it are skipped. */
export function postgresInstalled(): boolean {
  const found = postgresIsThere();
  if (!found) process.stderr.write('skipped: the database on PostgreSQL, because postgresql-15 is not installed\n');
  return found;
}
