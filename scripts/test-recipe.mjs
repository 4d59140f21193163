/** The recipe's own tests: its Python packages in a cached environment, exact versions, made where that can be done. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { root, runToEnd } from './prepare.mjs';

const recipe = join(root, 'models', 'recipe');
const lock = join(recipe, 'requirements.lock');
const folder = join(root, '.cache', 'recipe-python');
const stamp = join(folder, '.trunkline-stamp');
const python = join(folder, 'bin', 'python');
/** The lock's wheels are of this version. */
const wanted = '3.11';
const installLimitMs = 240_000;
const imports = 'import torch, onnx, onnxruntime, librosa, transformers, pytest';

/** An interpreter that can make environments, or undefined. */
async function findPython() {
  for (const name of [`python${wanted}`, 'python3']) {
    const asks = 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])';
    const found = await runToEnd(name, ['-c', asks], { quiet: true });
    if (found.status === 0 && found.output.trim() === wanted) return name;
  }
  return undefined;
}

async function runWithin(limitMs, command, commandArguments) {
  const result = await runToEnd(command, commandArguments, { quiet: true, timeout: limitMs, killSignal: 'SIGKILL' });
  return result.status === 0
    ? undefined
    : (result.output.trimEnd().split('\n').at(-1) ?? `ended with ${result.status}`);
}

/** -> { python }, or { reason }: why the recipe's tests are skipped. RECIPE_PYTHON names an interpreter that has it all. */
export async function ensureRecipePython(say = () => {}) {
  const given = process.env.RECIPE_PYTHON;
  if (given !== undefined) {
    const result = await runToEnd(given, ['-c', imports], { quiet: true });
    return result.status === 0 ? { python: given } : { reason: `RECIPE_PYTHON=${given} lacks the recipe's packages` };
  }
  const sum = createHash('sha256').update(readFileSync(lock)).update(wanted).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sum) return { python };
  const base = await findPython();
  if (base === undefined) return { reason: `no Python ${wanted} with venv and pip` };
  say(
    `Installing the recipe's Python packages into .cache. This takes some minutes, at most ${installLimitMs / 60_000}.`,
  );
  const deadline = Date.now() + installLimitMs;
  rmSync(stamp, { force: true });
  // Without dependencies: the lock is complete, and a build of torch for accelerators would bring gigabytes that no test uses.
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--no-input'];
  const steps = [
    [base, ['-m', 'venv', folder]],
    // In parts, so that what was installed when the time was up need not be again.
    ...lockedParts(readFileSync(lock, 'utf8')).map((part) => [python, [...pip, ...part]]),
    [python, ['-c', imports]],
  ];
  for (const [command, commandArguments] of steps) {
    const left = deadline - Date.now();
    const failure = left > 0 ? await runWithin(left, command, commandArguments) : 'out of time';
    if (failure === undefined) continue;
    const late = Date.now() >= deadline;
    return { reason: late ? `installing its packages took longer than ${installLimitMs / 1000} s` : failure };
  }
  writeFileSync(stamp, sum);
  return { python };
}

/** The lock's lines, the largest package by itself. */
export function lockedParts(text) {
  const names = text.split('\n').filter((line) => /^[A-Za-z0-9]/.test(line));
  const torch = names.filter((name) => name.startsWith('torch=='));
  const others = names.filter((name) => !name.startsWith('torch=='));
  const parts = [torch];
  for (let at = 0; at < others.length; at += 12) parts.push(others.slice(at, at + 12));
  return parts;
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
