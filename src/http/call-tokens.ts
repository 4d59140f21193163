/** Tokens of one minute that let a browser page place a call without ever seeing an API token. */
import { createHash } from 'node:crypto';
import type { Request } from 'express';
import { isLoopbackAddress, isLoopbackHost } from './loopback';

const lifeMs = 60_000;
/** The oldest gives way: a minute's worth for far more callers than one machine can take. */
const mostTokens = 4096;

export interface IssuedCallToken {
  readonly token: string;
  readonly expiresInSeconds: number;
}

export class CallTokens {
  /** Digest of the token -> when it ends. In order of issue, so also in order of end. */
  private readonly issued = new Map<string, number>();

  constructor(
    private readonly random: (bytes: number) => Buffer,
    private readonly nowMs: () => number,
  ) {}

  issue(): IssuedCallToken {
    this.forgetOld();
    const token = `ct_${this.random(24).toString('base64url')}`;
    this.issued.set(digestOf(token), this.nowMs() + lifeMs);
    return { token, expiresInSeconds: lifeMs / 1000 };
  }

  isValid(token: string): boolean {
    // The digest is the key: how long the look-up takes says nothing about the token.
    const untilMs = this.issued.get(digestOf(token));
    return untilMs !== undefined && untilMs > this.nowMs();
  }

  private forgetOld(): void {
    const now = this.nowMs();
    for (const [digest, untilMs] of this.issued) {
      if (untilMs > now && this.issued.size < mostTokens) break;
      this.issued.delete(digest);
    }
  }
}

/**
 * True for our own page on this very machine. Another site cannot forge Origin or Host from a browser, and a reverse
 * proxy, which makes everyone look local, gives itself away by the Host or by its Forwarded headers.
 */
export function isLocalPage(request: Request): boolean {
  const host = request.get('Host') ?? '';
  const origin = request.get('Origin');
  const site = request.get('Sec-Fetch-Site');
  const proxied = ['Forwarded', 'X-Forwarded-For', 'X-Real-IP', 'Via'].some((name) => request.get(name) !== undefined);
  if (proxied || !isLoopbackAddress(request.socket.remoteAddress) || !isLoopbackHost(host)) return false;
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  return origin === undefined || origin === `${request.protocol}://${host}`;
}

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
