/** Graphs on a server of the Open Inference Protocol: against MLServer, and against servers that do it wrong. */
import { spawnSync } from 'node:child_process';
import { createServer, type RequestListener, type Server } from 'node:http';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { TrunklineError } from '../../src/core/errors';
import { decodeAnswer, encodeRequest } from '../../src/onnx/inference-messages';
import { type InferenceServer, OpenInference } from '../../src/onnx/open-inference';
import { openGraphsAt, openSession, type SessionOptions } from '../../src/onnx/session';
import { float32Data, float32Tensor, int64Tensor } from '../../src/onnx/tensors';
import {
  inferencePython,
  inferenceServerInstalled,
  startInferenceServer,
  type TestInferenceServer,
} from '../support/inference-server';

const root = resolve(__dirname, '../..');
const label = 'omni-voice/codec-decoder.onnx';
const codes = { type: 'int64', dims: [1, null] } as const;
const options: SessionOptions = {
  label,
  expect: {
    inputs: { codes0: codes, codes1: codes, codes2: codes },
    outputs: { z: { type: 'float32', dims: [1, null, null] } },
  },
};
const feeds = {
  codes0: int64Tensor([1, 2, 3, 4], [1, 4]),
  codes1: int64Tensor(
    Array.from({ length: 8 }, (_, n) => n + 5),
    [1, 8],
  ),
  codes2: int64Tensor(
    Array.from({ length: 16 }, (_, n) => 3 * n),
    [1, 16],
  ),
};

const openAt = (server: Partial<InferenceServer> & { readonly url: string }) =>
  new OpenInference({ models: { [label]: 'codec-decoder' }, timeoutMs: 60_000, ...server }).open(
    label,
    options.expect,
  )!;

afterEach(() => openGraphsAt(undefined));

(inferenceServerInstalled() ? describe : describe.skip)('a graph on MLServer', () => {
  let server: TestInferenceServer;
  beforeAll(async () => {
    server = await startInferenceServer({ 'codec-decoder': label });
  }, 180_000);
  afterAll(() => server?.stop());

  it('answers as the same graph does that is loaded here', async () => {
    const here = await openSession(join(root, 'models', label), options);
    openGraphsAt(new OpenInference({ url: server.url, models: { [label]: 'codec-decoder/1' }, timeoutMs: 60_000 }));
    const there = await openSession(join(root, 'models', label), options);
    expect(there).not.toBeInstanceOf(here.constructor);
    expect([...there.inputNames].sort()).toEqual([...here.inputNames].sort());
    const [one, other] = [await here.run(feeds, ['z']), await there.run(feeds, ['z'])];
    expect(other['z']!.dims).toEqual(one['z']!.dims);
    const [mine, theirs] = [float32Data(one['z'], 'z'), float32Data(other['z'], 'z')];
    expect(mine.length).toBeGreaterThan(100);
    expect(Math.max(...mine.map((value, at) => Math.abs(value - theirs[at]!)))).toBeLessThan(1e-3);
    // Into a tensor of the caller's own.
    const own = float32Tensor(new Float32Array(mine.length), one['z']!.dims);
    await there.run(feeds, { z: own });
    expect(float32Data(own, 'z')).toEqual(theirs);
    await here.close();
    await there.close();
    await expect(there.run(feeds)).rejects.toMatchObject({ code: 'onnx.closed' });
  }, 120_000);

  it('is refused when it is another one, or another version, or not there', async () => {
    const wrong = { ...options.expect, outputs: { pcm: { type: 'float32', dims: [1, null] } } } as const;
    const at = (name: string) => new OpenInference({ url: server.url, models: { [label]: name }, timeoutMs: 60_000 });
    await expect(at('codec-decoder').open(label, wrong)).rejects.toMatchObject({
      code: 'remote.unexpected-model',
      message: expect.stringContaining('output "pcm" is missing'),
    });
    await expect(at('codec-decoder/9').open(label, options.expect)).rejects.toMatchObject({ code: 'remote.refused' });
    await expect(at('parrot').open(label, options.expect)).rejects.toMatchObject({
      code: 'remote.refused',
      details: { status: 404 },
    });
    expect(at('codec-decoder').open('omni-voice/codec-ear.onnx', options.expect)).toBeUndefined();
  }, 120_000);

  it('refuses what does not fit, and goes on', async () => {
    const session = await openAt({ url: server.url });
    const short = { ...feeds, codes1: int64Tensor([1], [1, 1]) };
    await expect(session.run(short)).rejects.toMatchObject({ code: 'remote.refused' });
    expect((await session.run(feeds))['z']!.dims[0]).toBe(1);
  }, 120_000);

  it('fails with a code while the server is gone, and works when it is back', async () => {
    const mortal = await startInferenceServer({ 'codec-decoder': label });
    const session = await openAt({ url: mortal.url });
    await session.run(feeds);
    await mortal.stop();
    await expect(session.run(feeds)).rejects.toMatchObject({ code: 'remote.unreachable' });
    const back = await startInferenceServer({ 'codec-decoder': label }, mortal.port);
    expect((await session.run(feeds))['z']!.dims[0]).toBe(1);
    await back.stop();
  }, 240_000);

  it('would be asked in bytes just as by the client of Triton', () => {
    const script = `
import json, sys, numpy as np, tritonclient.http as http
given = json.load(sys.stdin)
inputs = []
for name, shape, values in given:
    one = http.InferInput(name, shape, 'INT64')
    one.set_data_from_numpy(np.array(values, dtype=np.int64).reshape(shape), binary_data=True)
    inputs.append(one)
body, length = http.InferenceServerClient.generate_request_body(inputs, outputs=[http.InferRequestedOutput('z', binary_data=True)])
print(json.dumps({'header': json.loads(body[:length]), 'bytes': body[length:].hex()}))`;
    const given = Object.entries(feeds).map(([name, { dims, data }]) => [
      name,
      dims,
      Array.from(data as BigInt64Array, Number),
    ]);
    const { stdout, stderr } = spawnSync(inferencePython, ['-c', script], {
      input: JSON.stringify(given),
      encoding: 'utf8',
    });
    expect([stderr, stdout]).toEqual(['', expect.stringContaining('header')]);
    const theirs = JSON.parse(stdout);
    const { body, headerBytes } = encodeRequest(feeds, ['z'], true);
    expect(JSON.parse(Buffer.from(body.subarray(0, headerBytes)).toString())).toEqual(theirs.header);
    expect(Buffer.from(body.subarray(headerBytes)).toString('hex')).toBe(theirs.bytes);
  }, 60_000);
});

describe('a server that does it wrong', () => {
  let server: Server | undefined;
  afterEach(
    () =>
      new Promise<void>((closed) => {
        if (server === undefined) closed();
        else server.close(() => closed());
        server?.closeAllConnections();
        server = undefined;
      }),
  );

  async function serving(listener: RequestListener): Promise<string> {
    server = createServer(listener);
    await new Promise<void>((listening) => server?.listen(0, '127.0.0.1', listening));
    const address = server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  const tensor = (name: string) => ({ name, datatype: 'INT64', shape: [1, -1] });
  const metadata = {
    name: 'codec-decoder',
    versions: ['1', '2'],
    platform: 'onnxruntime_onnx',
    inputs: ['codes0', 'codes1', 'codes2'].map(tensor),
    outputs: [{ name: 'z', datatype: 'FP32', shape: [1, 192, -1] }],
  };

  /** Describes itself and the model as it should, and answers inference with that. */
  const inferring =
    (infer: RequestListener): RequestListener =>
    (request, response) => {
      if (request.method === 'POST') infer(request, response);
      else if (request.url === '/v2') response.end(JSON.stringify({ name: 'x', extensions: ['binary_tensor_data'] }));
      else response.end(JSON.stringify(metadata));
    };

  it.each([
    ['answers no JSON', 'not json', 'remote.bad-answer'],
    ['tells of no outputs', '{"model_name":"x"}', 'remote.bad-answer'],
    ['leaves out the output', '{"outputs":[]}', 'remote.bad-answer'],
    [
      'gives fewer values than its shape says',
      '{"outputs":[{"name":"z","datatype":"FP32","shape":[1,192,4],"data":[1,2]}]}',
      'remote.bad-answer',
    ],
    [
      'announces more bytes than it sends',
      '{"outputs":[{"name":"z","datatype":"FP32","shape":[1,1,4],"parameters":{"binary_data_size":16}}]}',
      'remote.bad-answer',
    ],
    [
      'gives a type that we do not use',
      '{"outputs":[{"name":"z","datatype":"BYTES","shape":[1],"data":["a"]}]}',
      'remote.bad-answer',
    ],
  ])('and %s', async (_, answer, code) => {
    const session = await openAt({ url: await serving(inferring((_request, response) => void response.end(answer))) });
    await expect(session.run(feeds)).rejects.toMatchObject({ code });
  });

  it('and fails, with its own words', async () => {
    const url = await serving(
      inferring((_request, response) => void response.writeHead(500).end('{"error":"out of memory"}')),
    );
    const session = await openAt({ url });
    await expect(session.run(feeds)).rejects.toMatchObject({
      code: 'remote.refused',
      message: expect.stringContaining('out of memory'),
    });
  });

  it('and is silent, or stops in the middle of an answer', async () => {
    let half = false;
    const url = await serving(
      inferring((_request, response) => {
        if (half) response.writeHead(200, { 'content-length': '1000' }).write('{"outputs":');
      }),
    );
    const session = await openAt({ url, timeoutMs: 200 });
    await expect(session.run(feeds)).rejects.toMatchObject({ code: 'remote.timeout' });
    half = true;
    await expect(session.run(feeds)).rejects.toMatchObject({ code: 'remote.timeout' });
  });

  it('and has no such version', async () => {
    const url = await serving(inferring((_request, response) => void response.end()));
    const models = { [label]: 'codec-decoder/7' };
    await expect(openAt({ url, models })).rejects.toMatchObject({
      code: 'remote.unexpected-model',
      message: expect.stringContaining('no version 7'),
    });
  });

  it('and is something else altogether', async () => {
    const url = await serving((_request, response) => void response.end('<html>'));
    await expect(openAt({ url })).rejects.toMatchObject({ code: 'remote.bad-answer' });
  });
});

describe('an answer', () => {
  const wrong = (what: string) => new TrunklineError('remote.bad-answer', what, { fix: '-' });

  it('is read back as it was sent, in bytes and as JSON', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 40 }),
        (values) => {
          const data = Float32Array.from(values);
          for (const binary of [true, false]) {
            const { body, headerBytes } = encodeRequest({ z: float32Tensor(data, [1, data.length]) }, ['z'], binary);
            const header = JSON.parse(Buffer.from(body.subarray(0, headerBytes)).toString());
            const answer = Buffer.from(JSON.stringify({ outputs: header.inputs }));
            const whole = Buffer.concat([answer, headerBytes === undefined ? Buffer.of() : body.subarray(headerBytes)]);
            const [read] = decodeAnswer(whole, headerBytes === undefined ? undefined : answer.length, wrong);
            expect(read).toMatchObject({ name: 'z', type: 'float32', dims: [1, data.length] });
            expect(Array.from(read!.data, Number)).toEqual(Array.from(data, (value) => (binary ? value : value + 0)));
          }
        },
      ),
    );
  });

  it('is a value or a coded error, whatever comes', () => {
    const outputs = fc.array(
      fc.record({
        name: fc.string(),
        datatype: fc.constantFrom('FP32', 'INT64', 'BOOL', 'BYTES', ''),
        shape: fc.array(fc.integer({ min: -2, max: 2 ** 31 }), { maxLength: 4 }),
        parameters: fc.option(fc.record({ binary_data_size: fc.integer({ min: -1, max: 64 }) })),
        data: fc.option(fc.array(fc.anything(), { maxLength: 6 }), { nil: undefined }),
      }),
      { maxLength: 3 },
    );
    const bodies = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      outputs.map((given) =>
        Buffer.from(JSON.stringify({ outputs: given }, (_, value) => (typeof value === 'bigint' ? 0 : value))),
      ),
    );
    fc.assert(
      fc.property(bodies, fc.option(fc.integer({ min: -5, max: 300 }), { nil: undefined }), (body, headerBytes) => {
        try {
          expect(Array.isArray(decodeAnswer(body, headerBytes, wrong))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(TrunklineError);
        }
      }),
    );
  });
});
