/** Headers whose values stand in the environment or in files: read at each use, so that a renewed secret counts at once. */
import { readFile } from 'node:fs/promises';
import { TrunklineError } from '../core/errors';
import type { SecretSource } from '../core/tool';

/** `environment`: the value of a variable, or undefined. */
export type Environment = (name: string) => string | undefined;

/** Throws `tool.no-secret`. */
export async function secretHeaders(
  sources: Readonly<Record<string, SecretSource>>,
  environment: Environment,
): Promise<Record<string, string>> {
  const entries = Object.entries(sources).map(async ([header, source]) => {
    const value =
      'env' in source ? environment(source.env) : await readFile(source.file, 'utf8').catch(() => undefined);
    if (value === undefined || value.trim() === '') {
      const place = 'env' in source ? `the environment variable ${source.env}` : `the file ${source.file}`;
      throw new TrunklineError('tool.no-secret', `The header ${header} has no value: ${place} is missing or empty.`, {
        fix: 'Set it, or correct secretHeaders in the dialplan.',
      });
    }
    return [header, `${source.prefix ?? ''}${value.trim()}`] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}
