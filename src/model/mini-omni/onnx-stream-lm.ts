/**
 * Mini-Omni's language model in ONNX: blocks and heads apart, so that a step reads only the head weights it needs, and a
 * cache of the real key and value heads that the graph extends in place.
 */
import { join } from 'node:path';
import { TrunklineError } from '../../core/errors';
import { type OnnxSession, openSession, type SessionOptions, type TensorShape } from '../../onnx/session';
import { float32Data, float32Tensor, int32Tensor, int64Tensor, type Tensor } from '../../onnx/tensors';
import { LAYERS } from '../codec/delay-pattern';
import type { ModelFolder } from '../manifest';
import type { MiniOmniParameters } from './parameters';
import type { Positions, StreamModel, StreamSequence } from './stream-lm';

const STREAMS = LAYERS + 1;
const MOST_ROWS = 2;

interface Graphs {
  readonly blocks: OnnxSession;
  readonly textHead: OnnxSession;
  readonly audioHead: OnnxSession;
}

export class OnnxStreamModel implements StreamModel {
  private constructor(
    private readonly graphs: Graphs,
    private readonly parameters: MiniOmniParameters,
  ) {}

  static async open(folder: ModelFolder, parameters: MiniOmniParameters, threads: number): Promise<OnnxStreamModel> {
    const opened: OnnxSession[] = [];
    const open = async (name: string, expect: SessionOptions['expect']) => {
      // By path: weights may lie beside the graph. Their sums are checked by whoever opens the folder.
      const label = `${folder.manifest.name}/${name}`;
      const session = await openSession(join(folder.path, name), { threads, expect, label });
      opened.push(session);
      return session;
    };
    const { width, textVocabulary, audioVocabulary } = parameters;
    const hidden: TensorShape = { type: 'float32', dims: [null, 1, width] };
    try {
      const blocks = await open('blocks.onnx', blocksSignature(parameters));
      const textHead = await open('text-head.onnx', {
        inputs: { hidden },
        outputs: { text: { type: 'float32', dims: [null, textVocabulary] } },
      });
      const audioHead = await open('audio-head.onnx', {
        inputs: { hidden },
        outputs: { audio: { type: 'float32', dims: [null, LAYERS, audioVocabulary] } },
      });
      return new OnnxStreamModel({ blocks, textHead, audioHead }, parameters);
    } catch (error) {
      for (const session of opened) await session.close();
      throw error;
    }
  }

  open(): StreamSequence {
    return new OnnxSequence(this.graphs, this.parameters);
  }

  async close(): Promise<void> {
    const { blocks, textHead, audioHead } = this.graphs;
    await Promise.all([blocks.close(), textHead.close(), audioHead.close()]);
  }
}

class OnnxSequence implements StreamSequence {
  /** Keys and values [rows, groups, positions, head size] of each layer; pages that no position used cost no memory. */
  private cache: { readonly name: string; readonly data: Float32Array }[] = [];
  private used = 0;
  private rows = 1;
  /** [rows, width] */
  private hidden = new Float32Array(0);

  constructor(
    private readonly graphs: Graphs,
    private readonly parameters: MiniOmniParameters,
  ) {
    const { layers, groups, headSize, positions } = parameters;
    for (let layer = 0; layer < layers; layer += 1) {
      for (const part of ['key', 'value']) {
        const data = new Float32Array(MOST_ROWS * groups * positions * headSize);
        this.cache.push({ name: `${layer}.${part}`, data });
      }
    }
  }

  get length(): number {
    return this.used;
  }

  get positions(): number {
    return this.parameters.positions;
  }

  async read(rows: readonly Positions[], vectors?: Float32Array): Promise<void> {
    const { width, positions } = this.parameters;
    const count = rows[0]?.length ?? 0;
    if (rows.length !== this.rows) throw new RangeError(`The sequence has ${this.rows} rows, not ${rows.length}.`);
    if (this.used + count > positions) {
      throw new TrunklineError('engine.context-full', `The model remembers ${positions} positions at most.`, {
        fix: 'The question is too long: turns are cut after some seconds of silence by themselves.',
      });
    }
    const ids = BigInt64Array.from(rows.flat(2), (id) => BigInt(id));
    const heard = new Float32Array(this.rows * count);
    const features = new Float32Array(this.rows * count * width);
    if (vectors !== undefined) {
      heard.fill(1);
      for (let row = 0; row < this.rows; row += 1) features.set(vectors, row * count * width);
    }
    const total = this.used + count;
    const feeds: Record<string, Tensor> = {
      ids: int64Tensor(ids, [this.rows, count, STREAMS]),
      features: float32Tensor(features, [this.rows, count, width]),
      heard: float32Tensor(heard, [this.rows, count, 1]),
      last_position: int32Tensor(new Int32Array(this.rows).fill(total - 1), [this.rows]),
      total_length: int32Tensor(Int32Array.of(total), [1]),
    };
    const fetches: Record<string, Tensor | null> = { hidden: null };
    for (const { name, tensor } of this.cacheTensors()) {
      feeds[`past.${name}`] = tensor;
      // The same memory on both sides: the new positions are written where the old ones stand.
      fetches[`present.${name}`] = tensor;
    }
    const out = await this.graphs.blocks.run(feeds, fetches);
    this.hidden = float32Data(out['hidden'], 'hidden').slice();
    this.used = total;
  }

  truncate(length: number): void {
    if (this.rows !== 1 || length > this.used) throw new RangeError(`Cannot cut ${this.used} positions to ${length}.`);
    this.used = length;
  }

  addRow(): void {
    for (const { data } of this.cache) data.copyWithin(data.length / MOST_ROWS, 0, data.length / MOST_ROWS);
    this.rows = 2;
  }

  dropRow(): void {
    this.rows = 1;
    this.hidden = this.hidden.slice(0, this.parameters.width);
  }

  async audioLogits(): Promise<Float32Array> {
    const { width } = this.parameters;
    const hidden = float32Tensor(this.hidden.slice(0, width), [1, 1, width]);
    return float32Data((await this.graphs.audioHead.run({ hidden }))['audio'], 'audio');
  }

  async textLogits(): Promise<Float32Array> {
    const { width } = this.parameters;
    const hidden = float32Tensor(this.hidden.slice(-width), [1, 1, width]);
    return float32Data((await this.graphs.textHead.run({ hidden }))['text'], 'text');
  }

  close(): void {
    this.cache = [];
  }

  private cacheTensors(): { name: string; tensor: Tensor }[] {
    const { groups, headSize, positions } = this.parameters;
    const size = groups * positions * headSize;
    return this.cache.map(({ name, data }) => ({
      name,
      tensor: float32Tensor(data.subarray(0, this.rows * size), [this.rows, groups, positions, headSize]),
    }));
  }
}

function blocksSignature({ layers, width, groups, headSize }: MiniOmniParameters): SessionOptions['expect'] {
  const cache: TensorShape = { type: 'float32', dims: [null, groups, null, headSize] };
  const inputs: Record<string, TensorShape> = {
    ids: { type: 'int64', dims: [null, null, STREAMS] },
    features: { type: 'float32', dims: [null, null, width] },
    heard: { type: 'float32', dims: [null, null, 1] },
    last_position: { type: 'int32', dims: [null] },
    total_length: { type: 'int32', dims: [1] },
  };
  const outputs: Record<string, TensorShape> = { hidden: { type: 'float32', dims: [null, 1, width] } };
  for (let layer = 0; layer < layers; layer += 1) {
    for (const part of ['key', 'value']) {
      inputs[`past.${layer}.${part}`] = cache;
      outputs[`present.${layer}.${part}`] = cache;
    }
  }
  return { inputs, outputs };
}
