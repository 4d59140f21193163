/** Short constructors for the tensors that models are fed; each keeps the given buffer, nothing is copied. */
import { Tensor } from 'onnxruntime-node';

export { Tensor };

export function float32Tensor(data: Float32Array, dims: readonly number[]): Tensor {
  return new Tensor('float32', data, dims);
}

export function int64Tensor(values: BigInt64Array | readonly number[], dims: readonly number[]): Tensor {
  const data = values instanceof BigInt64Array ? values : BigInt64Array.from(values, (value) => BigInt(value));
  return new Tensor('int64', data, dims);
}

export function int32Tensor(data: Int32Array, dims: readonly number[]): Tensor {
  return new Tensor('int32', data, dims);
}

/** A tensor of zeros for a model to fill, with the buffer that it will fill. */
export function emptyFloat32(dims: readonly number[]): { tensor: Tensor; data: Float32Array } {
  const data = new Float32Array(dims.reduce((product, dim) => product * dim, 1));
  return { tensor: new Tensor('float32', data, dims), data };
}

/** The values of a float32 tensor, as they are in its buffer. */
export function float32Data(tensor: Tensor | undefined, name: string): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data;
  throw new TypeError(`Output "${name}" is ${tensor?.type ?? 'missing'}, not float32.`);
}

/** The values of an int64 tensor as numbers. */
export function int64Numbers(tensor: Tensor | undefined, name: string): number[] {
  if (tensor?.data instanceof BigInt64Array) return Array.from(tensor.data, Number);
  throw new TypeError(`Output "${name}" is ${tensor?.type ?? 'missing'}, not int64.`);
}
