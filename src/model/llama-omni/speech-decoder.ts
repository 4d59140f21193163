/**
 * The speech decoder of LLaMA-Omni (Fang et al., 2024, §2.3): causal Llama layers over upsampled states, at each position
 * the likeliest of the units and CTC's blank. The published loop runs it from the start for every text token; here keys
 * and values are kept, so a token costs its own positions alone and the units are the same.
 */
import { z } from 'zod';
import { type OnnxSession, openSession, type SessionOptions } from '../../onnx/session';
import { float32Tensor } from '../../onnx/tensors';
import { cacheSignature, LayerCache } from './layer-cache';

const count = z.number().int().positive();

export const speechDecoderSchema = z.object({
  layers: count,
  heads: count,
  headSize: count,
  /** Numbers of an upsampled row. */
  inputs: count,
  /** Positions that are remembered. */
  positions: count,
  /** Units; the blank has this number. */
  units: count,
});

export type SpeechDecoderParameters = z.infer<typeof speechDecoderSchema>;

/** One answer's units, read as its states come. */
export interface UnitStream {
  /** `rows` [n, inputs] of the next n positions. The likeliest symbol of each: a unit, or the blank. */
  read(rows: Float32Array): Promise<number[]>;
}

export class SpeechDecoder {
  private constructor(
    private readonly session: OnnxSession,
    readonly parameters: SpeechDecoderParameters,
  ) {}

  /** `source`: path or bytes of the graph; `label` names it in errors. */
  static async open(
    source: string | Uint8Array,
    parameters: SpeechDecoderParameters,
    { threads, label }: { readonly threads: number; readonly label: string },
  ): Promise<SpeechDecoder> {
    return new SpeechDecoder(await openSession(source, { threads, label, expect: signature(parameters) }), parameters);
  }

  begin(): UnitStream {
    return new CachedStream(this.session, this.parameters);
  }

  close(): Promise<void> {
    return this.session.close();
  }
}

class CachedStream implements UnitStream {
  private readonly cache: LayerCache;

  constructor(
    private readonly session: OnnxSession,
    private readonly parameters: SpeechDecoderParameters,
  ) {
    this.cache = new LayerCache({ ...parameters, groups: parameters.heads });
  }

  async read(rows: Float32Array): Promise<number[]> {
    const { inputs, positions } = this.parameters;
    const most = Math.max(1, Math.floor(positions / 2)) * inputs;
    const symbols: number[] = [];
    for (let from = 0; from < rows.length; from += most) {
      symbols.push(...(await this.step(rows.subarray(from, from + most))));
    }
    return symbols;
  }

  private async step(rows: Float32Array): Promise<number[]> {
    const { inputs, positions } = this.parameters;
    const count = rows.length / inputs;
    // Speech that goes on beyond what is remembered begins anew: units depend on what is near.
    if (this.cache.length + count > positions) this.cache.forget();
    const { feeds, fetches, done } = this.cache.extend(count);
    const out = await this.session.run(
      { ...feeds, rows: float32Tensor(rows, [1, count, inputs]) },
      { ...fetches, symbols: null },
    );
    done();
    const found = out['symbols']?.data;
    if (!(found instanceof BigInt64Array)) throw new TypeError('Output "symbols" is missing or not int64.');
    return Array.from(found, Number);
  }
}

function signature({ layers, heads, headSize, inputs }: SpeechDecoderParameters): SessionOptions['expect'] {
  const cache = cacheSignature({ layers, groups: heads, headSize });
  return {
    inputs: { rows: { type: 'float32', dims: [1, null, inputs] }, ...cache.inputs },
    outputs: { symbols: { type: 'int64', dims: [1, null] }, ...cache.outputs },
  };
}
