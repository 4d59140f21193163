/** The recipe's own tests: its Python packages in a cached environment, exact versions, made where that can be done. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { root, runToEnd } from './prepare.mjs';
import { ensurePython } from './python-environment.mjs';

const recipe = join(root, 'models', 'recipe');

/** -> { python }, or { reason }: why the recipe's tests are skipped. RECIPE_PYTHON names an interpreter that has it all. */
export function ensureRecipePython(say) {
  const imports = 'import torch, onnx, onnxruntime, librosa, transformers, pytest';
  const lock = join(recipe, 'requirements.lock');
  const what = "the recipe's Python packages";
  return ensurePython({ name: 'recipe-python', lock, imports, limitMs: 240_000, given: 'RECIPE_PYTHON', what }, say);
}

/** Runs pytest; -> { passed, failed, skipped, problems, output }. */
export async function runRecipeTests(interpreter) {
  const scratch = mkdtempSync(join(tmpdir(), 'trunkline-recipe-'));
  const report = join(scratch, 'report.xml');
  try {
    const env = {
      ...process.env,
      PYTHONDONTWRITEBYTECODE: '1',
      PYTHONPATH: [recipe, process.env.PYTHONPATH].filter(Boolean).join(delimiter),
    };
    const pytest = [
      '-m',
      'pytest',
      'tests',
      '--quiet',
      '--disable-warnings',
      '-p',
      'no:cacheprovider',
      '--basetemp',
      join(scratch, 'files'),
      `--junitxml=${report}`,
    ];
    const result = await runToEnd(interpreter, pytest, { cwd: recipe, env, quiet: true });
    if (!existsSync(report))
      return {
        passed: 0,
        failed: 1,
        skipped: 0,
        problems: ['the recipe: pytest left no result'],
        output: result.output,
      };
    return { ...readReport(readFileSync(report, 'utf8')), output: result.status === 0 ? '' : result.output };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Counts of a JUnit report; a module that could not be imported is an error there, and a failure here. */
export function readReport(xml) {
  const counts = { tests: 0, failures: 0, errors: 0, skipped: 0 };
  for (const [, attributes] of xml.matchAll(/<testsuite\s([^>]*)>/g)) {
    for (const name of Object.keys(counts))
      counts[name] += Number(attributes.match(new RegExp(`\\b${name}="(\\d+)"`))?.[1] ?? 0);
  }
  const problems = [];
  for (const [, attributes, body] of xml.matchAll(/<testcase\s([^>]*[^/>])>([\s\S]*?)<\/testcase>/g)) {
    if (/<(failure|error)\b/.test(body)) problems.push(`recipe: ${attributes.match(/\bname="([^"]*)"/)?.[1] ?? '?'}`);
  }
  const failed = counts.failures + counts.errors;
  // No test at all proves nothing.
  if (counts.tests === 0) return { passed: 0, failed: 1, skipped: 0, problems: ['the recipe: ran no test'] };
  return { passed: counts.tests - failed - counts.skipped, failed, skipped: counts.skipped, problems };
}
