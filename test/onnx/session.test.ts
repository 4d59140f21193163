import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSession, type Signature } from '../../src/onnx/session';
import { emptyFloat32, float32Data, float32Tensor } from '../../src/onnx/tensors';

const scale = join(__dirname, '../fixtures/onnx/scale.onnx');
const expect2: Signature = {
  inputs: { x: { type: 'float32', dims: [null, 2] } },
  outputs: { y: { type: 'float32', dims: [null, 2] } },
};

async function codeOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code);
    throw error;
  }
  return 'no error';
}

describe('openSession', () => {
  it('runs a model from a path and from bytes alike', async () => {
    for (const source of [scale, readFileSync(scale)]) {
      const session = await openSession(source, { expect: expect2 });
      const { y } = await session.run({ x: float32Tensor(Float32Array.of(1, 2, 3, 4), [2, 2]) });
      expect([...float32Data(y, 'y')]).toEqual([2.5, 5, 7.5, 10]);
      await session.close();
    }
  });

  it('fills the buffer that the caller owns', async () => {
    const session = await openSession(scale, { expect: expect2 });
    const out = emptyFloat32([1, 2]);
    await session.run({ x: float32Tensor(Float32Array.of(-1, 4), [1, 2]) }, { y: out.tensor });
    expect([...out.data]).toEqual([-2.5, 10]);
    await session.close();
  });

  it('names every difference when the model is not the one expected', async () => {
    const wrong: Signature = {
      inputs: { x: { type: 'float32', dims: [null, 3] }, state: { type: 'float32', dims: [2] } },
      outputs: { y: { type: 'int64', dims: [null, 2] } },
    };
    await expect(openSession(scale, { expect: wrong, label: 'scale' })).rejects.toThrow(
      'input "x" is float32[n,2], expected float32[*,3]; input "state" is missing; ' +
        'output "y" is float32[n,2], expected int64[*,2].',
    );
    expect(await codeOf(openSession(scale, { expect: wrong }))).toBe('onnx.unexpected-signature');
  });

  it('refuses a model with an input that nobody will feed', async () => {
    expect(await codeOf(openSession(scale, { expect: { inputs: {}, outputs: {} } }))).toBe('onnx.unexpected-signature');
  });

  it('tells a damaged model by a code, without leaving the process', async () => {
    const bytes = readFileSync(scale);
    expect(await codeOf(openSession(bytes.subarray(0, 40), { expect: expect2 }))).toBe('onnx.load-failed');
    expect(await codeOf(openSession(join(__dirname, 'nowhere.onnx'), { expect: expect2 }))).toBe('onnx.load-failed');
  });

  it('reports wrong feeds as a failed run and stays usable', async () => {
    const session = await openSession(scale, { expect: expect2 });
    expect(await codeOf(session.run({ x: float32Tensor(new Float32Array(3), [3, 1]) }))).toBe('onnx.run-failed');
    const { y } = await session.run({ x: float32Tensor(Float32Array.of(2, 0), [1, 2]) });
    expect([...float32Data(y, 'y')]).toEqual([5, 0]);
    await session.close();
  });

  it('may be closed twice and refuses to run afterwards', async () => {
    const session = await openSession(scale, { expect: expect2 });
    await session.close();
    await session.close();
    const attempt = session.run({ x: float32Tensor(new Float32Array(2), [1, 2]) });
    expect(await codeOf(attempt)).toBe('onnx.closed');
  });
});
