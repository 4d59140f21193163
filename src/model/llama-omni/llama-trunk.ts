/**
 * The language model of an imported LLaMA-Omni: tokens and heard vectors in one sequence, after each run the state that
 * predicts the next token and what it predicts.
 */
import { TrunklineError } from '../../core/errors';
import { type OnnxSession, openSession } from '../../onnx/session';
import { float32Data, float32Tensor, int64Tensor } from '../../onnx/tensors';
import { cacheSignature, LayerCache } from './layer-cache';
import type { LlamaOmniParameters } from './parameters';

export interface Prediction {
  /** Normed state of the last position [width]. */
  readonly hidden: Float32Array;
  /** [vocabulary] */
  readonly logits: Float32Array;
}

/** One sequence. Whoever opens it closes it. */
export interface LlamaSequence {
  /** Positions that can still be read. */
  readonly room: number;
  readTokens(tokens: readonly number[]): Promise<Prediction>;
  /** `vectors` [n, width] in place of tokens. */
  readVectors(vectors: Float32Array): Promise<Prediction>;
  close(): void;
}

export class LlamaTrunk {
  private constructor(
    private readonly session: OnnxSession,
    private readonly parameters: LlamaOmniParameters['trunk'],
  ) {}

  /** `path`: by path, because weights may lie beside the graph. */
  static async open(
    path: string,
    parameters: LlamaOmniParameters['trunk'],
    { threads, label }: { readonly threads: number; readonly label: string },
  ): Promise<LlamaTrunk> {
    const { width, vocabulary } = parameters;
    const cache = cacheSignature(parameters);
    const session = await openSession(path, {
      threads,
      label,
      expect: {
        inputs: {
          ids: { type: 'int64', dims: [1, null] },
          vectors: { type: 'float32', dims: [1, null, width] },
          spoken: { type: 'float32', dims: [1, null, 1] },
          ...cache.inputs,
        },
        outputs: {
          hidden: { type: 'float32', dims: [1, width] },
          logits: { type: 'float32', dims: [1, vocabulary] },
          ...cache.outputs,
        },
      },
    });
    return new LlamaTrunk(session, parameters);
  }

  begin(): LlamaSequence {
    return new Sequence(this.session, this.parameters);
  }

  close(): Promise<void> {
    return this.session.close();
  }
}

class Sequence implements LlamaSequence {
  private readonly cache: LayerCache;

  constructor(
    private readonly session: OnnxSession,
    private readonly parameters: LlamaOmniParameters['trunk'],
  ) {
    this.cache = new LayerCache(parameters);
  }

  get room(): number {
    return this.cache.positions - this.cache.length;
  }

  readTokens(tokens: readonly number[]): Promise<Prediction> {
    return this.read(tokens, new Float32Array(tokens.length * this.parameters.width), 0);
  }

  readVectors(vectors: Float32Array): Promise<Prediction> {
    return this.read(new Array<number>(vectors.length / this.parameters.width).fill(0), vectors, 1);
  }

  close(): void {
    this.cache.close();
  }

  private async read(tokens: readonly number[], vectors: Float32Array, spoken: 0 | 1): Promise<Prediction> {
    const count = tokens.length;
    if (count > this.room) {
      throw new TrunklineError(
        'engine.context-full',
        `The model remembers ${this.cache.positions} positions at most.`,
        {
          fix: 'The question is too long: turns are cut after some seconds of silence by themselves.',
        },
      );
    }
    const { feeds, fetches, done } = this.cache.extend(count);
    const out = await this.session.run(
      {
        ...feeds,
        ids: int64Tensor(tokens, [1, count]),
        vectors: float32Tensor(vectors, [1, count, this.parameters.width]),
        spoken: float32Tensor(new Float32Array(count).fill(spoken), [1, count, 1]),
      },
      { ...fetches, hidden: null, logits: null },
    );
    done();
    return { hidden: float32Data(out['hidden'], 'hidden').slice(), logits: float32Data(out['logits'], 'logits') };
  }
}
