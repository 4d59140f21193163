/** MLServer (Python package mlserver) on 127.0.0.1, which serves ONNX files by the Open Inference Protocol. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from './sipp';

const root = resolve(__dirname, '../..');
const runtime = join(root, 'test/onnx/inference-server');

/** Where scripts/test-inference.mjs puts what it brings. */
export const inferencePython = process.env['INFERENCE_PYTHON'] ?? join(root, '.cache/inference-python/bin/python');

/** Says once why the tests that need it are skipped. */
export function inferenceServerInstalled(): boolean {
  const found = existsSync(inferencePython);
  if (!found) process.stderr.write('skipped: models on a server, because there is no Python with mlserver\n');
  return found;
}

export interface TestInferenceServer {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** `models`: the name there, and the graph as `folder/file.onnx` below models/. Resolves when all are loaded. */
export async function startInferenceServer(
  models: Readonly<Record<string, string>>,
  port?: number,
): Promise<TestInferenceServer> {
  const folder = mkdtempSync(join(tmpdir(), 'inference-'));
  const http = port ?? (await freePort());
  const settings = {
    host: '127.0.0.1',
    http_port: http,
    grpc_port: await freePort(),
    metrics_port: await freePort(),
    parallel_workers: 0,
    cache_enabled: false,
  };
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
  for (const [name, graph] of Object.entries(models)) {
    mkdirSync(join(folder, name));
    const parameters = { uri: join(root, 'models', graph), version: '1' };
    writeFileSync(
      join(folder, name, 'model-settings.json'),
      JSON.stringify({ name, implementation: 'onnx_graph.OnnxGraph', parameters }),
    );
  }
  const program = join(inferencePython, '..', 'mlserver');
  const child = spawn(inferencePython, [program, 'start', folder], {
    env: { ...process.env, PYTHONPATH: runtime },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-8_000);
    });
  }
  const url = `http://127.0.0.1:${http}`;
  const isReady = async (name: string): Promise<boolean> =>
    (await fetch(`${url}/v2/models/${name}/ready`).catch(() => undefined))?.ok === true;
  for (let attempt = 0; !(await Promise.all(Object.keys(models).map(isReady))).every(Boolean); attempt += 1) {
    if (attempt > 1_200 || child.exitCode !== null) throw new Error(`the inference server did not come up:\n${said}`);
    await new Promise((done) => setTimeout(done, 100));
  }
  return {
    url,
    port: http,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        await gone;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
