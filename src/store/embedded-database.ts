/**
 * PostgreSQL compiled to WebAssembly (PGlite) in the data folder, on a thread of its own: a statement of a millisecond would
 * hold up signalling otherwise. It never calls fsync: what it has is safe against the death of the process, not against
 * the loss of power. It knows no lock of its own either, so the folder is locked here.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Database, databaseFailed, databaseUnreachable, type Row, type Statement } from './database';
import { FolderLock } from './folder-lock';

/** To the thread. A transaction is a list of statements; a query is one. */
export interface DatabaseRequest {
  readonly id: number;
  readonly kind: 'query' | 'transaction';
  readonly statements: readonly Statement[];
}

export interface DatabaseReply {
  readonly id: number;
  readonly rows?: readonly Row[];
  readonly failed?: string;
}

interface Asked {
  resolve(rows: readonly Row[]): void;
  reject(error: Error): void;
}

/**
 * `entry`: compiled entry, `workerEntry('database')` of workers/locate. The first time it takes a dozen seconds, later one or two.
 * Rejects with `database.folder-in-use` when another process has it open.
 */
export async function openEmbeddedDatabase(folder: string, entry: string): Promise<Database> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lock = await FolderLock.take(folder);
  const database = new EmbeddedDatabase(new Worker(entry, { name: 'database', workerData: join(folder, 'pg') }), lock);
  try {
    await database.query({ sql: 'select 1' });
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

class EmbeddedDatabase implements Database {
  private readonly asked = new Map<number, Asked>();
  private lastId = 0;
  private ended: Error | undefined;
  private readonly gone: Promise<void>;

  constructor(
    private readonly worker: Worker,
    private readonly lock: FolderLock,
  ) {
    worker.on('message', ({ id, rows = [], failed }: DatabaseReply) => {
      const asked = this.asked.get(id);
      this.asked.delete(id);
      if (failed === undefined) asked?.resolve(rows);
      else asked?.reject(databaseFailed(failed));
    });
    let cause: unknown;
    worker.on('error', (error) => {
      cause = error;
    });
    this.gone = new Promise((resolve) => {
      worker.once('exit', () => {
        this.ended = databaseUnreachable(cause ?? 'its thread has ended');
        for (const asked of this.asked.values()) asked.reject(this.ended);
        this.asked.clear();
        resolve();
      });
    });
  }

  query(statement: Statement): Promise<readonly Row[]> {
    return this.ask('query', [statement]);
  }

  async transaction(statements: readonly Statement[]): Promise<void> {
    await this.ask('transaction', statements);
  }

  async close(): Promise<void> {
    // The thread closes the database and ends by itself; a thread that has ended already takes no message.
    this.worker.postMessage('close');
    await this.gone;
    await this.lock.release();
  }

  private ask(kind: DatabaseRequest['kind'], statements: readonly Statement[]): Promise<readonly Row[]> {
    if (this.ended !== undefined) return Promise.reject(this.ended);
    this.lastId += 1;
    const request: DatabaseRequest = { id: this.lastId, kind, statements };
    return new Promise((resolve, reject) => {
      this.asked.set(request.id, { resolve, reject });
      this.worker.postMessage(request);
    });
  }
}
