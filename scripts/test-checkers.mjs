/** What checks the files of infra/: Python packages that bring the real tools, exact versions, made where that can be done. */
import { join } from 'node:path';
import { root } from './prepare.mjs';
import { ensurePython } from './python-environment.mjs';

/** -> { python }, or { reason }: which checks of infra/ are skipped. INFRA_PYTHON names an interpreter that has it all. */
export function ensureInfraPython(say) {
  const imports = 'import helm_python, kubernetes_validate, compose_spec, compose_lint, grafana_foundation_sdk';
  const lock = join(root, 'test', 'infra', 'requirements.lock');
  const what = 'what checks infra/ (hadolint, Helm, Kubernetes schemas, Compose, Grafana)';
  return ensurePython({ name: 'infra-python', lock, imports, limitMs: 180_000, given: 'INFRA_PYTHON', what }, say);
}
