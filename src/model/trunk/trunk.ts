/**
 * SmolLM2-135M (a Llama: grouped-query attention, rotary positions) as a `LanguageModel`: 4-bit weights in ONNX, one
 * session for all calls, a KV cache per sequence that can be cut back and copied. One run reads many items of one sequence,
 * or one item each of several.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { TrunklineError } from '../../core/errors';
import { type OnnxSession, openSession, type SessionOptions, type TensorShape } from '../../onnx/session';
import { float32Data, float32Tensor, int64Tensor } from '../../onnx/tensors';
import type { ModelFolder } from '../manifest';
import type { ContextItem, LanguageContext, LanguageModel } from '../parts';
import type { ControlTokens } from './chat-layout';
import { EmbeddingTable } from './embedding-table';
import { KvCache, KvPool, type KvShape, newRowNames, SEATS_PER_BANK } from './kv-cache';
import { type Row, StepBatcher } from './step-batcher';
import { TextTokenizer } from './text-tokenizer';
import { closedError, type StepResult, TrunkContext } from './trunk-context';

/** Added to the score of what may not be looked at. */
const UNSEEN = -1e9;

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
    tool: z.number().int().optional(),
  }),
});

export interface TrunkOptions {
  readonly threads?: number;
  /** Sequences that may live at a time, the shared persona prompts included. */
  readonly maxContexts?: number;
}

export class Trunk implements LanguageModel {
  private readonly pool: KvPool;
  private readonly outputs: readonly string[];
  private readonly batcher: StepBatcher<TrunkContext, StepResult>;
  private liveContexts = 0;
  private runs = 0;
  private rowsRead = 0;
  private closed = false;

  private constructor(
    private readonly session: OnnxSession,
    private readonly tokenizer: TextTokenizer,
    private readonly embedding: EmbeddingTable,
    shape: KvShape,
    readonly control: ControlTokens,
    private readonly maxContexts: number,
  ) {
    this.pool = new KvPool(shape);
    this.outputs = ['logits', 'hidden', ...newRowNames(shape.layers)];
    this.batcher = new StepBatcher({
      run: (rows) => this.run(rows),
      together: (one, other) => this.together(one, other),
      mostRows: SEATS_PER_BANK,
    });
  }

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
    return this.pool.shape.capacity;
  }

  /** Token ids are 0 … vocabulary − 1. */
  get vocabulary(): number {
    return this.embedding.vocabulary;
  }

  /** Sequences that hold memory now: 46 kB for each position they have used. */
  get contexts(): number {
    return this.liveContexts;
  }

  /** Runs of the graph so far, and rows in them. */
  get work(): { readonly runs: number; readonly rows: number } {
    return { runs: this.runs, rows: this.rowsRead };
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
    return this.adopt(new KvCache(this.pool), 0);
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
    return new TrunkContext(cache, length, {
      batcher: this.batcher,
      adopt: (copy, copyLength) => this.adopt(copy, copyLength),
      released: () => {
        this.liveContexts -= 1;
      },
    });
  }

  /** The same bank, and no need to move. */
  private together(one: TrunkContext, other: TrunkContext): boolean {
    const bank = other.cache.seat?.bank;
    if (bank === undefined || other.length >= bank.room) return false;
    return one.cache.seat?.bank === bank && one.length < bank.room;
  }

  /** Rows of one bank, each with as many items as the others: one row of many, or many of one. */
  private async run(rows: readonly Row<TrunkContext>[]): Promise<StepResult[]> {
    const [first] = rows;
    if (first?.wanted() !== true) throw closedError();
    const tokens = first.items.length;
    const { width, vocabulary } = this.embedding;
    const places = rows.map(({ sequence }) => ({
      ...sequence.cache.reserve(sequence.length + tokens, sequence.length),
      position: sequence.length,
    }));
    const { bank } = places[0]!;
    const lowest = Math.min(...places.map(({ seat }) => seat));
    const seats = Math.max(...places.map(({ seat }) => seat)) - lowest + 1;
    const seatOf = places.map(({ seat }) => seat - lowest);
    // A seat between two that are read computes another's row once more, which is cheaper than to run twice.
    const rowOf = Array.from({ length: seats }, (_, seat) => Math.max(0, seatOf.indexOf(seat)));
    const positions = rowOf.flatMap((row) => Array.from({ length: tokens }, (_, i) => places[row]!.position + i));
    const keys = bank.room + tokens;
    const mask = new Float32Array(seats * tokens * keys);
    for (const [seat, row] of rowOf.entries()) {
      for (let token = 0; token < tokens; token += 1) {
        const own = mask.subarray((seat * tokens + token) * keys, (seat * tokens + token + 1) * keys);
        own.fill(UNSEEN, places[row]!.position, bank.room);
        own.fill(UNSEEN, bank.room + token + 1);
      }
    }
    this.runs += 1;
    this.rowsRead += rows.length;
    const embeds = this.rows(rows.flatMap(({ items }) => items));
    const outputs = await this.session.run(
      {
        ...bank.feeds(lowest, seats),
        inputs_embeds: float32Tensor(embeds, [rows.length, tokens, width]),
        seat_rows: int64Tensor(rowOf, [seats]),
        row_seats: int64Tensor(seatOf, [rows.length]),
        positions: int64Tensor(positions, [seats, tokens]),
        mask: float32Tensor(mask, [seats, 1, 1, tokens, keys]),
      },
      this.outputs,
    );
    const logits = float32Data(outputs['logits'], 'logits');
    const hidden = float32Data(outputs['hidden'], 'hidden');
    return rows.map(({ wanted }, row) => {
      const { seat, position } = places[row]!;
      if (wanted()) bank.write(seat, position, tokens, outputs, seatOf[row]!);
      return {
        logits: logits.subarray(row * vocabulary, (row + 1) * vocabulary),
        hidden: hidden.subarray(row * width, (row + 1) * width),
      };
    });
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

function signature(p: z.infer<typeof parametersSchema>): SessionOptions['expect'] {
  const inputs: Record<string, TensorShape> = {
    inputs_embeds: { type: 'float32', dims: [null, null, p.width] },
    seat_rows: { type: 'int64', dims: [null] },
    row_seats: { type: 'int64', dims: [null] },
    positions: { type: 'int64', dims: [null, null] },
    mask: { type: 'float32', dims: [null, 1, 1, null, null] },
  };
  const outputs: Record<string, TensorShape> = {
    logits: { type: 'float32', dims: [null, 1, p.vocabulary] },
    hidden: { type: 'float32', dims: [null, 1, p.width] },
  };
  const cache: TensorShape = { type: 'float32', dims: [null, p.kvHeads, 1, null, p.headWidth] };
  for (let layer = 0; layer < p.layers; layer += 1) {
    for (const part of ['key', 'value']) {
      inputs[`past.${layer}.${part}`] = cache;
      outputs[`new.${layer}.${part}`] = cache;
    }
  }
  return { inputs, outputs };
}
