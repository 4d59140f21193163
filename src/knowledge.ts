/**
 * Opens what agents look things up in, behind the start: the thread with the embedding model, and the database for its vectors. Nothing
 * of it is opened before a persona with documents is known. Wiring and nothing else.
 */
import { resolve } from 'node:path';
import type { Config } from './config';
import type { Logger } from './core/log';
import type { FoundPassage } from './core/passage';
import { KnowledgeBase, type PassageStore } from './knowledge/knowledge-base';
import { KnowledgeThread } from './knowledge/knowledge-thread';
import { type DatabasePassageStore, openPassageStore } from './store/passage-store';
import type { SharedDatabase } from './store/shared-database';
import { workerEntry } from './workers/locate';

export interface KnowledgeOptions {
  readonly config: Pick<Config, 'engine'>;
  readonly database: SharedDatabase;
  readonly log: Logger;
}

export class Knowledge {
  private base: KnowledgeBase | undefined;
  private store: Promise<DatabasePassageStore | undefined> | undefined;

  constructor(private readonly options: KnowledgeOptions) {}

  /** Reads the folders of these personas, one after the other; at the first start, and again when something may have changed. */
  async load(folders: Iterable<string>): Promise<void> {
    for (const folder of new Set(folders)) await this.opened().load(folder);
  }

  search(folder: string, question: string): Promise<readonly FoundPassage[]> {
    return this.opened().search(folder, question);
  }

  gauges(): Readonly<Record<string, number>> {
    const { searches = 0, found = 0, failed = 0 } = this.base?.counts ?? {};
    return {
      trunkline_knowledge_searches: searches,
      trunkline_knowledge_found: found,
      trunkline_knowledge_failed: failed,
    };
  }

  async close(): Promise<void> {
    await this.base?.close();
    await (await this.store)?.close();
  }

  private opened(): KnowledgeBase {
    if (this.base !== undefined) return this.base;
    const { config, log } = this.options;
    const thread = new KnowledgeThread(workerEntry('knowledge'), {
      modelsDir: resolve(config.engine.models),
      threads: 1,
    });
    this.store = this.openStore(thread);
    this.base = new KnowledgeBase({ thread, store: this.store satisfies Promise<PassageStore | undefined>, log });
    return this.base;
  }

  private async openStore(thread: KnowledgeThread): Promise<DatabasePassageStore | undefined> {
    const { database, log } = this.options;
    try {
      const { width } = await thread.ask<'about'>({ type: 'about' });
      const opened = await database.open();
      return await openPassageStore(opened, width, log).catch(async (error: unknown) => {
        await opened.close();
        throw error;
      });
    } catch (error) {
      log.warn('The vectors of documents are not kept: the next start computes them again.', { error: String(error) });
      return undefined;
    }
  }
}
