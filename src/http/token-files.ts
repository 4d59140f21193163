/**
 * Tokens that lie in files, read anew when a file changes, so that they are rotated without a restart: a new one is written
 * beside the old one, clients change over, the old one is taken out.
 */
import { readFileSync, statSync } from 'node:fs';
import type { Logger } from '../core/log';
import { systemErrorCode } from '../core/system-error';
import type { AccessToken } from './ports';

export interface TokenFile extends Omit<AccessToken, 'token'> {
  /** One token a line; empty lines and those that begin with # are none. */
  readonly path: string;
}

/** Looked at no more often than this. */
const lookEveryMs = 1_000;
export const shortestToken = 16;

export function tokensIn(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line.length >= shortestToken && !line.startsWith('#'));
}

export class TokenFiles {
  private seen = '';
  private lookedAtMs = Number.NEGATIVE_INFINITY;
  private known: readonly AccessToken[] = [];

  constructor(
    private readonly fixed: readonly AccessToken[],
    private readonly files: readonly TokenFile[],
    private readonly nowMs: () => number,
    private readonly log: Logger,
  ) {}

  /** The same array as long as nothing has changed. A file that cannot be read holds no token. */
  readonly current = (): readonly AccessToken[] => {
    const nowMs = this.nowMs();
    if (Math.abs(nowMs - this.lookedAtMs) < lookEveryMs) return this.known;
    this.lookedAtMs = nowMs;
    const seen = this.files.map(({ path }) => markOf(path)).join('\n');
    if (seen !== this.seen || this.known.length === 0) {
      const again = this.seen !== '';
      this.seen = seen;
      this.known = [...this.fixed, ...this.files.flatMap((file) => this.read(file))];
      if (again) this.log.info('tokens were read anew', { tokens: this.known.length });
    }
    return this.known;
  };

  private read({ path, name, scopes }: TokenFile): AccessToken[] {
    try {
      const tokens = tokensIn(readFileSync(path, 'utf8'));
      if (tokens.length === 0) this.log.warn('a token file holds no token', { path });
      return tokens.map((token) => ({ token, name, scopes }));
    } catch (error) {
      this.log.warn('a token file cannot be read', { path, error: systemErrorCode(error) ?? String(error) });
      return [];
    }
  }
}

/** Changes whenever the file does, by being written or replaced. */
function markOf(path: string): string {
  try {
    const { ino, mtimeMs, ctimeMs, size } = statSync(path);
    return `${ino} ${mtimeMs} ${ctimeMs} ${size}`;
  } catch {
    return 'none';
  }
}
