/** A virtual environment of exact versions in .cache, made once where Python 3.11 is: for the recipe's tests, and for what checks infra/. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, runToEnd } from './prepare.mjs';

/** The locks' wheels are of this version. */
const wanted = '3.11';

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

/**
 * `name`: of the folder in .cache; `lock`: path of the file with exact versions; `imports`: a line of Python that fails
 * where something is missing; `given`: name of a variable with an interpreter that has it all.
 * -> { python }, or { reason }: why what needs it is skipped.
 */
export async function ensurePython({ name, lock, imports, limitMs, given, what }, say = () => {}) {
  const own = process.env[given];
  if (own !== undefined) {
    const result = await runToEnd(own, ['-c', imports], { quiet: true });
    return result.status === 0 ? { python: own } : { reason: `${given}=${own} lacks ${what}` };
  }
  const folder = join(root, '.cache', name);
  const stamp = join(folder, '.trunkline-stamp');
  const python = join(folder, 'bin', 'python');
  const sum = createHash('sha256').update(readFileSync(lock)).update(wanted).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sum) return { python };
  const base = await findPython();
  if (base === undefined) return { reason: `no Python ${wanted} with venv and pip` };
  say(`Installing ${what} into .cache. This takes some minutes, at most ${limitMs / 60_000}.`);
  const deadline = Date.now() + limitMs;
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
    return { reason: late ? `installing ${what} took longer than ${limitMs / 1000} s` : failure };
  }
  writeFileSync(stamp, sum);
  return { python };
}

/** The lock's lines, the largest package by itself. */
export function lockedParts(text) {
  const names = text.split('\n').filter((line) => /^[A-Za-z0-9]/.test(line));
  const torch = names.filter((name) => name.startsWith('torch=='));
  const others = names.filter((name) => !name.startsWith('torch=='));
  const parts = torch.length === 0 ? [] : [torch];
  for (let at = 0; at < others.length; at += 12) parts.push(others.slice(at, at + 12));
  return parts;
}
