/** MLServer, a server of the Open Inference Protocol that the engine `remote` is tested against: Python packages of exact versions. */
import { join } from 'node:path';
import { root } from './prepare.mjs';
import { ensurePython } from './python-environment.mjs';

/** -> { python }, or { reason }: why models on a server are not tested. INFERENCE_PYTHON names an interpreter that has it all. */
export function ensureInferencePython(say) {
  const lock = join(root, 'test', 'onnx', 'inference-server', 'requirements.lock');
  const imports = 'import mlserver, onnxruntime, tritonclient.http';
  const what = 'a server for models (MLServer)';
  return ensurePython(
    { name: 'inference-python', lock, imports, limitMs: 240_000, given: 'INFERENCE_PYTHON', what },
    say,
  );
}
