/**
 * SmolLM2-135M (a Llama: grouped-query attention, rotary positions) as a `LanguageModel`: 4-bit weights in ONNX, one
 * session for all calls, a KV cache per sequence that can be cut back and copied.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { TrunklineError } from '../../core/errors';
import { type OnnxSession, openSession, type SessionOptions } from '../../onnx/session';
import { float32Data, float32Tensor, int32Tensor } from '../../onnx/tensors';
import type { ModelFolder } from '../manifest';
import type { ContextItem, LanguageContext, LanguageModel } from '../parts';
import type { ControlTokens } from './chat-layout';
import { EmbeddingTable } from './embedding-table';
import { KvCache, type KvShape } from './kv-cache';
import { TextTokenizer } from './text-tokenizer';

/**
 * Tokens of one run: between two runs the caller may abort, or another call come first. Twice as many cost a tenth less
 * each (docs/figures.md) and keep everybody waiting for twice as long.
 */
export const CHUNK_TOKENS = 16;

const parametersSchema = z.object({
  layers: z.number().int().positive(),
  width: z.number().int().positive(),
  kvHeads: z.number().int().positive(),
  headWidth: z.number().int().positive(),
  vocabulary: z.number().int().positive(),
  contextLength: z.number().int().positive(),
  embeddingBlock: z.number().int().positive(),
  control: z.object({
    turnStart: z.number().int(),
    turnEnd: z.number().int(),
    handover: z.number().int(),
    hangup: z.number().int(),
  }),
});

export interface TrunkOptions {
  readonly threads?: number;
  /** Sequences that may live at a time, the shared persona prompts included. */
  readonly maxContexts?: number;
}

export class Trunk implements LanguageModel {
  private liveContexts = 0;
  private closed = false;

  private constructor(
    private readonly session: OnnxSession,
    private readonly tokenizer: TextTokenizer,
    private readonly embedding: EmbeddingTable,
    private readonly shape: KvShape,
    readonly control: ControlTokens,
    private readonly maxContexts: number,
  ) {}

  static async open(folder: ModelFolder, options: TrunkOptions = {}): Promise<Trunk> {
    const p = folder.parameters(parametersSchema);
    // The runtime reads the layers from their files by itself, so their sums are checked before.
    const [rows, tokenizerText] = await Promise.all([
      folder.read('embedding.bin'),
      folder.readText('tokenizer.json'),
      folder.verify(['embedding.bin', 'tokenizer.json']),
    ]);
    const embedding = new EmbeddingTable(rows, p.vocabulary, p.width, p.embeddingBlock);
    const tokenizer = new TextTokenizer(tokenizerText);
    const session = await openSession(join(folder.path, 'trunk.onnx'), {
      threads: options.threads,
      label: `${folder.manifest.name}/trunk.onnx`,
      expect: signature(p),
    });
    const shape = { layers: p.layers, kvHeads: p.kvHeads, headWidth: p.headWidth, capacity: p.contextLength };
    return new Trunk(session, tokenizer, embedding, shape, p.control, options.maxContexts ?? 128);
  }

  get contextLength(): number {
    return this.shape.capacity;
  }

  /** Token ids are 0 … vocabulary − 1. */
  get vocabulary(): number {
    return this.embedding.vocabulary;
  }

  /** Sequences that hold memory now: 46 kB for each position they have used. */
  get contexts(): number {
    return this.liveContexts;
  }

  encode(text: string): number[] {
    return this.tokenizer.encode(text);
  }

  decode(tokenIds: readonly number[]): string {
    return this.tokenizer.decode(tokenIds);
  }

  /** Embeddings of tokens, one row after the other. */
  embed(tokenIds: readonly number[]): Float32Array {
    return this.embedding.rows(tokenIds);
  }

  createContext(): LanguageContext {
    return this.adopt(new KvCache(this.shape), 0);
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.session.close();
  }

  private adopt(cache: KvCache, length: number): TrunkContext {
    if (this.closed) throw closedError();
    if (this.liveContexts >= this.maxContexts) {
      throw new TrunklineError(
        'trunk.too-many-contexts',
        `All ${this.maxContexts} sequences of the model are in use.`,
        {
          fix: 'Lower engine.maxCalls, or give the machine more memory and raise the model’s limit.',
        },
      );
    }
    this.liveContexts += 1;
    return new TrunkContext(
      cache,
      length,
      (items, position, cacheOfRun) => this.step(items, position, cacheOfRun),
      (copy, copyLength) => this.adopt(copy, copyLength),
      () => {
        this.liveContexts -= 1;
      },
    );
  }

  private async step(items: readonly ContextItem[], position: number, cache: KvCache): Promise<StepResult> {
    const count = items.length;
    const total = position + count;
    cache.reserve(total, position);
    const outputs = await this.session.run(
      {
        ...cache.feeds,
        inputs_embeds: float32Tensor(this.rows(items), [1, count, this.embedding.width]),
        last_position: int32Tensor(Int32Array.of(total - 1), [1]),
        total_length: int32Tensor(Int32Array.of(total), [1]),
      },
      ['logits', 'hidden', ...KvCache.outputNames(this.shape.layers)],
    );
    cache.write(outputs, position, count);
    return { logits: float32Data(outputs['logits'], 'logits'), hidden: float32Data(outputs['hidden'], 'hidden') };
  }

  private rows(items: readonly ContextItem[]): Float32Array {
    const { width } = this.embedding;
    const out = new Float32Array(items.length * width);
    items.forEach((item, at) => {
      if (typeof item !== 'number' && item.length !== width) {
        throw new RangeError(`A vector of ${item.length} does not fit an embedding of ${width}.`);
      }
      out.set(typeof item === 'number' ? this.embedding.rows([item]) : item, at * width);
    });
    return out;
  }
}

interface StepResult {
  readonly logits: Float32Array;
  /** [width] of the last item. */
  readonly hidden: Float32Array;
}

type Step = (items: readonly ContextItem[], position: number, cache: KvCache) => Promise<StepResult>;

class TrunkContext implements LanguageContext {
  private running = false;
  private disposed = false;
  private lastHidden: Float32Array | undefined;

  constructor(
    private readonly cache: KvCache,
    private tokens: number,
    private readonly step: Step,
    private readonly adopt: (cache: KvCache, length: number) => LanguageContext,
    private readonly released: () => void,
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
    if (this.tokens + items.length > this.cache.shape.capacity) {
      throw new TrunklineError(
        'trunk.context-full',
        `The model remembers ${this.cache.shape.capacity} tokens at most.`,
        {
          fix: 'Drop the oldest turns of the conversation, or shorten the persona.',
          details: { length: this.tokens, appended: items.length },
        },
      );
    }
    this.running = true;
    try {
      for (let from = 0; ; from += CHUNK_TOKENS) {
        signal?.throwIfAborted();
        const chunk = items.slice(from, from + CHUNK_TOKENS);
        const { logits, hidden } = await this.step(chunk, this.tokens, this.cache);
        this.lastHidden = hidden;
        this.tokens += chunk.length;
        if (from + CHUNK_TOKENS >= items.length) return logits;
      }
    } finally {
      this.running = false;
    }
  }

  truncate(length: number): void {
    this.mustBeFree();
    if (!Number.isInteger(length) || length < 0 || length > this.tokens) {
      throw new RangeError(`Cannot cut ${this.tokens} tokens back to ${length}.`);
    }
    this.tokens = length;
  }

  fork(): LanguageContext {
    this.mustBeFree();
    return this.adopt(this.cache.copy(this.tokens), this.tokens);
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.released();
  }

  private mustBeFree(): void {
    if (this.disposed) throw closedError();
    if (this.running) throw new RangeError('This sequence is being extended: wait for it, or fork it before.');
  }
}

function closedError(): TrunklineError {
  return new TrunklineError('trunk.closed', 'The language model or this sequence of it was used after it was closed.', {
    fix: 'This is a mistake in the program: finish or abort every answer before closing.',
  });
}

function signature(p: z.infer<typeof parametersSchema>): SessionOptions['expect'] {
  const cache = { type: 'float32', dims: [1, p.kvHeads, null, p.headWidth] } as const;
  const inputs: Record<string, { type: 'float32' | 'int32'; dims: (number | null)[] }> = {
    inputs_embeds: { type: 'float32', dims: [1, null, p.width] },
    last_position: { type: 'int32', dims: [1] },
    total_length: { type: 'int32', dims: [1] },
  };
  const outputs: Record<string, { type: 'float32'; dims: (number | null)[] }> = {
    logits: { type: 'float32', dims: [1, 1, p.vocabulary] },
    hidden: { type: 'float32', dims: [1, 1, p.width] },
  };
  for (let layer = 0; layer < p.layers; layer += 1) {
    for (const part of ['key', 'value']) {
      inputs[`past.${layer}.${part}`] = { type: cache.type, dims: [...cache.dims] };
      outputs[`new.${layer}.${part}`] = { type: cache.type, dims: [...cache.dims] };
    }
  }
  return { inputs, outputs };
}
