/**
 * Bytes of the Open Inference Protocol's binary tensor extension: a JSON header whose length stands in an HTTP header, then the
 * tensors' values one after the other, little-endian. An answer may come as JSON alone, from servers without the extension.
 */
import { endianness } from 'node:os';
import { z } from 'zod';
import type { TrunklineError } from '../core/errors';
import type { ElementType, Tensors } from './session';

export const HEADER_LENGTH = 'inference-header-content-length';

/** What travels is little-endian, and typed arrays are read in place. */
const littleEndian = endianness() === 'LE';

type Values = Float32Array | BigInt64Array | Int32Array | Uint8Array | Int8Array;

export interface NamedTensor {
  readonly name: string;
  readonly type: 'float32' | 'int64' | 'int32' | 'int8' | 'uint8' | 'bool';
  readonly dims: readonly number[];
  readonly data: Values;
}

interface Kind {
  readonly datatype: string;
  readonly bytes: number;
  readonly of: (buffer: ArrayBuffer) => Values;
  readonly from: (values: readonly (number | boolean)[]) => Values;
}

const numbers = (values: readonly (number | boolean)[]): number[] => values.map(Number);

const kinds: Readonly<Record<NamedTensor['type'], Kind>> = {
  float32: {
    datatype: 'FP32',
    bytes: 4,
    of: (buffer) => new Float32Array(buffer),
    from: (values) => Float32Array.from(numbers(values)),
  },
  int64: {
    datatype: 'INT64',
    bytes: 8,
    of: (buffer) => new BigInt64Array(buffer),
    from: (values) => BigInt64Array.from(numbers(values), (value) => BigInt(Math.trunc(value))),
  },
  int32: {
    datatype: 'INT32',
    bytes: 4,
    of: (buffer) => new Int32Array(buffer),
    from: (values) => Int32Array.from(numbers(values)),
  },
  int8: {
    datatype: 'INT8',
    bytes: 1,
    of: (buffer) => new Int8Array(buffer),
    from: (values) => Int8Array.from(numbers(values)),
  },
  uint8: {
    datatype: 'UINT8',
    bytes: 1,
    of: (buffer) => new Uint8Array(buffer),
    from: (values) => Uint8Array.from(numbers(values)),
  },
  bool: {
    datatype: 'BOOL',
    bytes: 1,
    of: (buffer) => new Uint8Array(buffer),
    from: (values) => Uint8Array.from(numbers(values)),
  },
};

/** The protocol's datatype in our words; undefined: none that we use. */
export function typeOf(datatype: string): ElementType | undefined {
  return carriedTypeOf(datatype);
}

function carriedTypeOf(datatype: string): NamedTensor['type'] | undefined {
  const found = Object.entries(kinds).find(([, kind]) => kind.datatype === datatype);
  return found?.[0] as NamedTensor['type'] | undefined;
}

export interface InferenceRequest {
  readonly body: Uint8Array<ArrayBuffer>;
  /** Undefined: it is JSON from end to end. */
  readonly headerBytes: number | undefined;
}

/** `binary`: whether the server knows the extension. */
export function encodeRequest(feeds: Tensors, outputs: readonly string[], binary: boolean): InferenceRequest {
  const inputs = Object.entries(feeds).map(([name, { type, dims, data }]) => {
    const kind = type in kinds ? kinds[type as NamedTensor['type']] : undefined;
    if (kind === undefined || !ArrayBuffer.isView(data))
      throw new TypeError(`Input "${name}" of type ${type} cannot be sent.`);
    return { name, kind, dims, data };
  });
  const asBytes = binary && littleEndian;
  const header = new TextEncoder().encode(
    JSON.stringify({
      inputs: inputs.map(({ name, kind, dims, data }) => ({
        name,
        shape: dims,
        datatype: kind.datatype,
        ...(asBytes
          ? { parameters: { binary_data_size: data.byteLength } }
          : { data: Array.from(data as Values, Number) }),
      })),
      outputs: outputs.map((name) => (asBytes ? { name, parameters: { binary_data: true } } : { name })),
    }),
  );
  if (!asBytes) return { body: header, headerBytes: undefined };
  const body = new Uint8Array(inputs.reduce((sum, { data }) => sum + data.byteLength, header.length));
  body.set(header);
  let at = header.length;
  for (const { data } of inputs) {
    body.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return { body, headerBytes: header.length };
}

const answerSchema = z.object({
  outputs: z.array(
    z.object({
      name: z.string(),
      datatype: z.string(),
      shape: z.array(z.int().min(0)).max(16),
      parameters: z.object({ binary_data_size: z.int().min(0).optional() }).nullish(),
      data: z.array(z.unknown()).optional(),
    }),
  ),
});

/** `headerBytes` undefined: all of it is JSON. Throws what `wrong` makes of a sentence. */
export function decodeAnswer(
  body: Uint8Array,
  headerBytes: number | undefined,
  wrong: (what: string) => TrunklineError,
): NamedTensor[] {
  const header = headerBytes ?? body.length;
  if (!Number.isInteger(header) || header < 0 || header > body.length) throw wrong('its header is longer than itself');
  const { outputs } = headerOf(body.subarray(0, header), wrong);
  let at = header;
  return outputs.map(({ name, datatype, shape, parameters, data }) => {
    const type = carriedTypeOf(datatype);
    if (type === undefined) throw wrong(`the output "${name}" has the type ${datatype}`);
    const kind = kinds[type];
    const count = shape.reduce((product, dim) => product * dim, 1);
    const size = parameters?.binary_data_size;
    if (size === undefined) {
      const values = (data ?? []).flat(16).filter(isValue);
      if (values.length !== count) throw wrong(`the output "${name}" has ${values.length} values, not ${count}`);
      return { name, type, dims: shape, data: kind.from(values) };
    }
    if (size !== count * kind.bytes || at + size > body.length) {
      throw wrong(`the output "${name}" has ${size} bytes, not ${count * kind.bytes}`);
    }
    // A copy of its own: the place in the body need not fit the type's alignment.
    const bytes = new Uint8Array(size);
    bytes.set(body.subarray(at, at + size));
    at += size;
    return { name, type, dims: shape, data: kind.of(bytes.buffer) };
  });
}

function isValue(value: unknown): value is number | boolean {
  return typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
}

function headerOf(bytes: Uint8Array, wrong: (what: string) => TrunklineError): z.output<typeof answerSchema> {
  let given: unknown;
  try {
    given = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw wrong('its header is no JSON');
  }
  const checked = answerSchema.safeParse(given);
  if (!checked.success) throw wrong('it tells of no outputs');
  return checked.data;
}
