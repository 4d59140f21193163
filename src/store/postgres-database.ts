/** PostgreSQL by its own protocol (package pg): a pool of connections, one transaction on each. */
import { Pool, type PoolClient } from 'pg';
import { type Database, databaseFailed, databaseUnreachable, type Row, type Statement } from './database';

const connectWithinMs = 5_000;
const answerWithinMs = 30_000;

/** `url`: postgres://user:password@host:port/database. Nothing is connected yet. */
export function postgresDatabase(url: string): Database {
  const pool = new Pool({
    connectionString: url,
    max: 4,
    connectionTimeoutMillis: connectWithinMs,
    query_timeout: answerWithinMs,
    application_name: 'trunkline',
  });
  // A connection that dies is replaced by the next query; without a listener, idle or lent, it would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return new PostgresDatabase(pool);
}

class PostgresDatabase implements Database {
  constructor(private readonly pool: Pool) {}

  async query({ sql, values = [] }: Statement): Promise<readonly Row[]> {
    const client = await this.connect();
    return run(client, async () => (await client.query<Row>(sql, [...values])).rows);
  }

  async transaction(statements: readonly Statement[]): Promise<void> {
    const client = await this.connect();
    await run(client, async () => {
      await client.query('begin');
      try {
        for (const { sql, values = [] } of statements) await client.query(sql, [...values]);
        await client.query('commit');
      } catch (error) {
        await client.query('rollback').catch(() => undefined);
        throw error;
      }
    });
  }

  close(): Promise<void> {
    return this.pool.end();
  }

  private async connect(): Promise<PoolClient> {
    try {
      return await this.pool.connect();
    } catch (cause) {
      throw databaseUnreachable(cause);
    }
  }
}

async function run<T>(client: PoolClient, work: () => Promise<T>): Promise<T> {
  let broken: Error | undefined;
  try {
    return await work();
  } catch (cause) {
    // What the server says has a code of five characters (SQLSTATE); anything else came from the connection.
    const refused = cause instanceof Error && 'code' in cause && /^[0-9A-Z]{5}$/.test(String(cause.code));
    // Classes 57P and 08: the server is going down, or the connection is lost.
    if (refused && !/^(57P|08)/.test(String(cause.code))) throw databaseFailed(cause);
    broken = cause instanceof Error ? cause : new Error(String(cause));
    throw databaseUnreachable(cause);
  } finally {
    client.release(broken);
  }
}
