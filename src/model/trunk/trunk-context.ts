/** One sequence of the trunk: what is cached, what comes next, and how it ends. */
import { TrunklineError } from '../../core/errors';
import type { Pace } from '../omni-model';
import type { ContextItem, LanguageContext } from '../parts';
import type { KvCache } from './kv-cache';
import type { StepBatcher } from './step-batcher';

/**
 * Tokens of one run: between two runs the caller may abort, or another call come first. Twice as many cost a tenth less
 * each (docs/figures.md) and keep everybody waiting for twice as long.
 */
export const CHUNK_TOKENS = 16;

export interface StepResult {
  readonly logits: Float32Array;
  /** [width] of the last item. */
  readonly hidden: Float32Array;
}

export interface ContextHome {
  readonly batcher: StepBatcher<TrunkContext, StepResult>;
  adopt(cache: KvCache, length: number): TrunkContext;
  released(): void;
}

export class TrunkContext implements LanguageContext {
  private running = false;
  private disposed = false;
  private lastHidden: Float32Array | undefined;

  constructor(
    readonly cache: KvCache,
    private tokens: number,
    private readonly home: ContextHome,
  ) {}

  get length(): number {
    return this.tokens;
  }

  get hidden(): Float32Array | undefined {
    return this.lastHidden;
  }

  async append(items: readonly ContextItem[], signal?: AbortSignal): Promise<Float32Array> {
    this.mustBeFree();
    if (items.length === 0) throw new RangeError('There is nothing to append.');
    if (this.tokens + items.length > this.cache.capacity) {
      throw new TrunklineError('trunk.context-full', `The model remembers ${this.cache.capacity} tokens at most.`, {
        fix: 'Drop the oldest turns of the conversation, or shorten the persona.',
        details: { length: this.tokens, appended: items.length },
      });
    }
    this.running = true;
    try {
      for (let from = 0; ; from += CHUNK_TOKENS) {
        signal?.throwIfAborted();
        const chunk = items.slice(from, from + CHUNK_TOKENS);
        const wanted = () => !this.disposed;
        const { logits, hidden } = await this.home.batcher.step(this, chunk, wanted, signal);
        this.lastHidden = hidden;
        this.tokens += chunk.length;
        if (from + CHUNK_TOKENS >= items.length) return logits;
      }
    } finally {
      this.running = false;
    }
  }

  foresee(next?: { readonly item: ContextItem; readonly pace: Pace }): void {
    if (next === undefined) this.home.batcher.forget(this);
    else if (!this.disposed && this.tokens < this.cache.capacity) {
      this.home.batcher.foresee(this, next.item, next.pace);
    }
  }

  truncate(length: number): void {
    this.mustBeFree();
    if (!Number.isInteger(length) || length < 0 || length > this.tokens) {
      throw new RangeError(`Cannot cut ${this.tokens} tokens back to ${length}.`);
    }
    if (length === this.tokens) return;
    this.home.batcher.forget(this);
    this.tokens = length;
  }

  fork(): LanguageContext {
    this.mustBeFree();
    return this.home.adopt(this.cache.copy(this.tokens), this.tokens);
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.home.batcher.forget(this);
    this.cache.release();
    this.home.released();
  }

  private mustBeFree(): void {
    if (this.disposed) throw closedError();
    if (this.running) throw new RangeError('This sequence is being extended: wait for it, or fork it before.');
  }
}

export function closedError(): TrunklineError {
  return new TrunklineError('trunk.closed', 'The language model or this sequence of it was used after it was closed.', {
    fix: 'This is a mistake in the program: finish or abort every answer before closing.',
  });
}
