/**
 * Passages and their vectors in the database, by content, so that a start embeds only what has changed. With pgvector the database
 * finds neighbours itself (HNSW over a cast of the column); without it the vectors are kept all the same.
 */
import { TrunklineError } from '../core/errors';
import type { Logger } from '../core/log';
import type { KeptPassage, PassageStore } from '../knowledge/knowledge-base';
import type { Database, Statement } from './database';
import { migrate } from './migrations';

const ROWS_AT_ONCE = 200;

/** `width` of the vectors, for the index. Rejects with `database.…`; a missing pgvector is logged and no failure. */
export async function openPassageStore(database: Database, width: number, log: Logger): Promise<DatabasePassageStore> {
  await migrate(database);
  let findsNeighbours = true;
  try {
    await database.query({ sql: 'create extension if not exists vector' });
    await database.query({
      sql: `create index if not exists knowledge_passages_by_meaning_${width} on knowledge_passages
            using hnsw ((embedding::vector(${width})) vector_cosine_ops)`,
    });
  } catch (cause) {
    findsNeighbours = false;
    const { code, message, fix } = noPgvector(cause);
    log.warn(message, { code, fix });
  }
  return new DatabasePassageStore(database, width, findsNeighbours);
}

export class DatabasePassageStore implements PassageStore {
  constructor(
    private readonly database: Database,
    private readonly width: number,
    readonly findsNeighbours: boolean,
  ) {}

  async vectors(knowledge: string, model: string): Promise<ReadonlyMap<string, Float32Array>> {
    const rows = await this.database.query({
      sql: 'select hash, embedding from knowledge_passages where knowledge = $1 and model = $2',
      values: [knowledge, model],
    });
    return new Map(rows.map(({ hash, embedding }) => [String(hash), Float32Array.from(embedding as number[])]));
  }

  async keep(
    knowledge: string,
    model: string,
    hashes: readonly string[],
    added: readonly KeptPassage[],
  ): Promise<void> {
    await this.database.query({
      sql: 'delete from knowledge_passages where knowledge = $1 and (model <> $2 or not hash = any($3::text[]))',
      values: [knowledge, model, hashes],
    });
    for (let from = 0; from < added.length; from += ROWS_AT_ONCE) {
      const rows = added.slice(from, from + ROWS_AT_ONCE);
      await this.database.transaction(rows.map((row) => this.insert(knowledge, model, row)));
    }
  }

  async nearest(knowledge: string, model: string, vector: Float32Array, most: number) {
    const rows = await this.database.query({
      sql: `select hash, 1 - ((embedding::vector(${this.width})) <=> $3::vector(${this.width})) as cosine
            from knowledge_passages where knowledge = $1 and model = $2
            order by (embedding::vector(${this.width})) <=> $3::vector(${this.width}) limit $4`,
      values: [knowledge, model, `[${vector.join(',')}]`, most],
    });
    return rows.map(({ hash, cosine }) => ({ hash: String(hash), cosine: Number(cosine) }));
  }

  close(): Promise<void> {
    return this.database.close();
  }

  private insert(knowledge: string, model: string, { hash, passage, vector }: KeptPassage): Statement {
    const { file, heading, text } = passage;
    return {
      sql: `insert into knowledge_passages (knowledge, model, hash, file, heading, passage, embedding)
            values ($1, $2, $3, $4, $5, $6, $7::real[]) on conflict do nothing`,
      values: [knowledge, model, hash, file, heading, text, [...vector]],
    };
  }
}

function noPgvector(cause: unknown): TrunklineError {
  return new TrunklineError('knowledge.no-pgvector', 'The database has no pgvector: passages are compared in memory.', {
    fix: 'Install the extension `vector` on the server, or leave it: up to some two thousand passages memory is quicker.',
    cause,
  });
}
