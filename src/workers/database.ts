/** Entry point of the thread on which the embedded database runs: one request after the other, as they come. */
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import type { DatabaseReply, DatabaseRequest } from '../store/embedded-database';

const opening = PGlite.create(String(workerData), { extensions: { vector } });
let last: Promise<unknown> = opening.catch(() => undefined);

async function serve({ id, kind, statements }: DatabaseRequest): Promise<DatabaseReply> {
  try {
    const database = await opening;
    if (kind === 'query') {
      const [statement] = statements;
      const { rows } = await database.query(statement?.sql ?? '', [...(statement?.values ?? [])]);
      return { id, rows: rows as DatabaseReply['rows'] & object };
    }
    await database.transaction(async (transaction) => {
      for (const { sql, values = [] } of statements) await transaction.query(sql, [...values]);
    });
    return { id };
  } catch (error) {
    return { id, failed: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on('message', (message: DatabaseRequest | 'close') => {
  last = last.then(async () => {
    if (message !== 'close') {
      parentPort?.postMessage(await serve(message));
      return;
    }
    await opening.then((database) => database.close()).catch(() => undefined);
    parentPort?.close();
  });
});
