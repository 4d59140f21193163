/** What checks the files of infra/ and the REST interface: Python packages that bring the real tools, exact versions, made where that can be done. */
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

/** The same for what tries the REST interface; REST_PYTHON names an interpreter that has it. */
export function ensureRestPython(say) {
  const lock = join(root, 'test', 'rest', 'requirements.lock');
  const what = 'what tries the REST interface (Schemathesis)';
  return ensurePython(
    { name: 'rest-python', lock, imports: 'import schemathesis', limitMs: 180_000, given: 'REST_PYTHON', what },
    say,
  );
}
