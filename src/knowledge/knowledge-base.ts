/**
 * What agents may look up: each folder read, cut and embedded once, its vectors kept by content, and searched at every turn.
 * A folder that is not ready yet is as good as empty; nobody waits for it.
 */
import type { Logger } from '../core/log';
import type { FoundPassage } from '../core/passage';
import type { Passage } from './chunker';
import type { KnowledgeThread } from './knowledge-thread';
import { type KnowledgeFault, passageHash } from './read-folder';

/** Passages between two looks at what callers ask meanwhile: some 100 ms. */
const BATCH = 8;
/** Given to the brain at most. */
const MOST = 3;
/** Neighbours that the database is asked for. */
const MOST_NEIGHBOURS = 20;
/** Up to here every vector is compared in memory, which takes less than asking a database (docs/knowledge.md). */
export const SCAN_UP_TO = 2_000;

/** Where vectors outlive the process. */
export interface PassageStore {
  /** The database itself finds neighbours. */
  readonly findsNeighbours: boolean;
  /** Hash → vector, of what is kept for `knowledge`. */
  vectors(knowledge: string, model: string): Promise<ReadonlyMap<string, Float32Array>>;
  /** Adds `added`, and drops everything of `knowledge` that is not in `hashes`. */
  keep(knowledge: string, model: string, hashes: readonly string[], added: readonly KeptPassage[]): Promise<void>;
  /** Nearest first. */
  nearest(
    knowledge: string,
    model: string,
    vector: Float32Array,
    most: number,
  ): Promise<{ hash: string; cosine: number }[]>;
}

export interface KeptPassage {
  readonly hash: string;
  readonly passage: Passage;
  readonly vector: Float32Array;
}

export interface KnowledgeState {
  readonly files: number;
  readonly passages: number;
  /** Computed now; the others were kept from an earlier start. */
  readonly embedded: number;
  readonly faults: readonly KnowledgeFault[];
  /** Where neighbours are looked for. */
  readonly search: 'memory' | 'database';
}

interface Loaded {
  readonly state: KnowledgeState;
  /** Only where the database finds neighbours. */
  readonly places: ReadonlyMap<string, number> | undefined;
}

export interface KnowledgeBaseOptions {
  readonly thread: Pick<KnowledgeThread, 'ask' | 'close'>;
  /** Undefined: there is none, or it cannot be opened; then everything is embedded anew. */
  readonly store: Promise<PassageStore | undefined>;
  readonly log: Logger;
  readonly scanUpTo?: number;
}

export class KnowledgeBase {
  private readonly loaded = new Map<string, Loaded>();
  private readonly loading = new Map<string, Promise<KnowledgeState | undefined>>();
  readonly counts = { searches: 0, found: 0, failed: 0 };

  constructor(private readonly options: KnowledgeBaseOptions) {}

  /** Reads the folder anew; what did not change is not embedded again. Resolves without a state when that failed, which is logged. */
  load(knowledge: string): Promise<KnowledgeState | undefined> {
    const running = this.loading.get(knowledge);
    if (running !== undefined) return running;
    const loading = this.read(knowledge)
      .catch((error: unknown) => {
        const { code, fix } = error as { code?: string; fix?: string };
        this.options.log.error('documents could not be made ready; the agent goes on without them', {
          knowledge,
          code,
          fix,
          error: String(error),
        });
        return undefined;
      })
      .finally(() => this.loading.delete(knowledge));
    this.loading.set(knowledge, loading);
    return loading;
  }

  state(knowledge: string): KnowledgeState | undefined {
    return this.loaded.get(knowledge)?.state;
  }

  /** Best first. Never rejects: what cannot be looked up is not known. */
  async search(knowledge: string, question: string): Promise<readonly FoundPassage[]> {
    this.counts.searches += 1;
    const loaded = this.loaded.get(knowledge);
    if (loaded === undefined) {
      // An application has named a folder that no route of the dialplan has.
      void this.load(knowledge);
      return [];
    }
    try {
      const near = loaded.places === undefined ? undefined : await this.neighbours(knowledge, question, loaded.places);
      const found = await this.options.thread.ask<'search'>({ type: 'search', knowledge, question, most: MOST, near });
      if (found.length > 0) this.counts.found += 1;
      return found;
    } catch (error) {
      this.counts.failed += 1;
      this.options.log.warn('documents could not be searched', { knowledge, error: String(error) });
      return [];
    }
  }

  close(): Promise<void> {
    return this.options.thread.close();
  }

  private async neighbours(knowledge: string, question: string, places: ReadonlyMap<string, number>) {
    const { thread } = this.options;
    const { model } = await thread.ask<'about'>({ type: 'about' });
    const vector = await thread.ask<'embed'>({ type: 'embed', texts: [question] });
    const store = await this.options.store;
    const found = (await store?.nearest(knowledge, model, vector, MOST_NEIGHBOURS)) ?? [];
    return found.flatMap(({ hash, cosine }) => {
      const index = places.get(hash);
      return index === undefined ? [] : [{ index, cosine }];
    });
  }

  private async read(knowledge: string): Promise<KnowledgeState> {
    const { thread, log, scanUpTo = SCAN_UP_TO } = this.options;
    const { model, width } = await thread.ask<'about'>({ type: 'about' });
    const { files, passages, faults } = await thread.ask<'read'>({ type: 'read', folder: knowledge });
    for (const { file, code, message, fix } of faults) log.warn(message, { code, fix, knowledge, file });
    const store = await this.options.store;
    const kept = await store?.vectors(knowledge, model).catch((error: unknown) => {
      log.warn('kept vectors cannot be read; all are computed', { knowledge, error: String(error) });
      return undefined;
    });
    const hashes = passages.map(passageHash);
    const vectors = new Float32Array(passages.length * width);
    const missing: number[] = [];
    hashes.forEach((hash, index) => {
      const vector = kept?.get(hash);
      if (vector?.length === width) vectors.set(vector, index * width);
      else missing.push(index);
    });
    for (let from = 0; from < missing.length; from += BATCH) {
      const batch = missing.slice(from, from + BATCH);
      const texts = batch.map((index) => embeddedText(passages[index]!));
      const made = await thread.ask<'embed'>({ type: 'embed', texts });
      for (const [at, index] of batch.entries()) {
        vectors.set(made.subarray(at * width, (at + 1) * width), index * width);
      }
    }
    const added = missing.map((index) => ({
      hash: hashes[index]!,
      passage: passages[index]!,
      vector: vectors.slice(index * width, (index + 1) * width),
    }));
    const stored = await store?.keep(knowledge, model, hashes, added).then(
      () => true,
      (error: unknown) => {
        log.warn('vectors cannot be kept; the next start computes them again', { knowledge, error: String(error) });
        return false;
      },
    );
    const inDatabase = stored === true && store?.findsNeighbours === true && passages.length > scanUpTo;
    await thread.ask<'index'>({
      type: 'index',
      knowledge,
      passages,
      vectors: inDatabase ? undefined : vectors,
    });
    const state: KnowledgeState = {
      files,
      passages: passages.length,
      embedded: missing.length,
      faults,
      search: inDatabase ? 'database' : 'memory',
    };
    const places = inDatabase ? new Map(hashes.map((hash, index) => [hash, index])) : undefined;
    this.loaded.set(knowledge, { state, places });
    log.info('documents are ready to be asked about', { knowledge, ...state, faults: faults.length });
    return state;
  }
}

/** "From 3 pm." says nothing without the heading above it. */
export function embeddedText({ heading, text }: Passage): string {
  return heading === '' ? text : `${heading}: ${text}`;
}
