/** The file that holds the operator's own token: made on first start, readable by its owner alone, never printed. */
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TrunklineError } from '../core/errors';
import { systemErrorCode } from '../core/system-error';
import { tokensIn } from './token-files';

export interface ApiTokenFile {
  readonly path: string;
  readonly token: string;
  readonly created: boolean;
}

export function apiTokenPath(dataFolder: string): string {
  return join(dataFolder, 'token');
}

export function ensureApiToken(dataFolder: string, random: (bytes: number) => Buffer): ApiTokenFile {
  const path = apiTokenPath(dataFolder);
  try {
    mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
    const fresh = `tl_${random(32).toString('base64url')}`;
    try {
      // `wx` fails when it is there: two agents that start at once do not overwrite each other's token.
      writeFileSync(path, `${fresh}\n`, { mode: 0o600, flag: 'wx' });
      return { path, token: fresh, created: true };
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
    }
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
    const [token] = tokensIn(readFileSync(path, 'utf8'));
    if (token !== undefined) return { path, token, created: false };
  } catch (cause) {
    throw new TrunklineError('http.token-file', `The API token ${path} cannot be made or read.`, {
      fix: 'Give the agent permission to write to its data folder, and make room there.',
      cause,
    });
  }
  throw new TrunklineError('http.token-file', `The file ${path} holds no API token of 16 characters or more.`, {
    fix: 'Delete the file: the next start makes a new one.',
  });
}
