/** The tools that check infra/, and a line on standard error for those that are not here. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

export const root = join(__dirname, '../..');
export const infra = join(root, 'infra');

/** Where scripts/test-peers.mjs and scripts/test-checkers.mjs put what they bring. */
const unpacked = join(root, '.cache', 'peers');
const python = process.env['INFRA_PYTHON'] ?? join(root, '.cache/infra-python/bin/python');

/** Path of a program, or undefined after a line that says what is skipped. */
export function tool(name: string, skips: string): string | undefined {
  const folders = [unpacked, dirname(python), ...(process.env['PATH'] ?? '').split(delimiter)];
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (found === undefined) process.stderr.write(`skipped: ${skips}, because ${name} is not installed\n`);
  return found;
}

export interface Said {
  readonly status: number | null;
  readonly output: string;
}

export function run(command: string, commandArguments: readonly string[], input = ''): Said {
  const { status, stdout, stderr } = spawnSync(command, commandArguments, { cwd: root, encoding: 'utf8', input });
  return { status, output: `${stdout}${stderr}` };
}

/** Is there a Python with the packages of requirements.lock? */
export function pythonChecks(skips: string): boolean {
  const found = existsSync(python);
  if (!found) process.stderr.write(`skipped: ${skips}, because there is no Python with its packages\n`);
  return found;
}

/** What check.py says; throws its error output. */
export function pythonCheck(what: 'chart' | 'compose' | 'dashboard', path: string, asked?: unknown): unknown {
  const script = join(__dirname, 'check.py');
  const { status, stdout, stderr } = spawnSync(python, [script, what, path], {
    encoding: 'utf8',
    input: asked === undefined ? '' : JSON.stringify(asked),
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}
