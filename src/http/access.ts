/** Who may do what: bearer tokens (RFC 6750) with scopes, compared in constant time. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import { TrunklineError } from '../core/errors';
import type { AccessToken, Scope } from './ports';

/** Each scope holds the ones before it. */
const order: readonly Scope[] = ['read', 'control', 'admin'];

export class Access {
  /** Digests only: no token stays in memory longer than it takes to hash it. */
  private readonly known: readonly { readonly digest: Buffer; readonly name: string; readonly height: number }[];

  constructor(tokens: readonly AccessToken[]) {
    this.known = tokens.map(({ token, name, scopes }) => ({
      digest: digestOf(token),
      name,
      height: Math.max(...scopes.map((scope) => order.indexOf(scope))),
    }));
  }

  /** The name of the token if it is known and wide enough; otherwise throws `http.unauthorised` or `http.wrong-scope`. */
  check(request: Request, scope: Scope): string {
    const token = bearerOf(request);
    const found = token === undefined ? undefined : this.find(token);
    if (found === undefined) {
      throw new TrunklineError('http.unauthorised', 'This needs a token.', {
        fix: 'Send Authorization: Bearer with an API token; the agent prints at start in which file it lies.',
      });
    }
    if (found.height < order.indexOf(scope)) {
      throw new TrunklineError('http.wrong-scope', `This needs a token with the scope ${scope}.`, {
        fix: 'Use another token, or widen this one in http.tokens.',
      });
    }
    return found.name;
  }

  allows(request: Request, scope: Scope): boolean {
    const token = bearerOf(request);
    const found = token === undefined ? undefined : this.find(token);
    return found !== undefined && found.height >= order.indexOf(scope);
  }

  require(scope: Scope): RequestHandler {
    return (request, response, next) => {
      response.locals['tokenName'] = this.check(request, scope);
      next();
    };
  }

  /** Looks at every token whichever fits, so that the time tells nothing. */
  private find(token: string): { name: string; height: number } | undefined {
    const digest = digestOf(token);
    let found: { name: string; height: number } | undefined;
    for (const candidate of this.known) {
      if (timingSafeEqual(candidate.digest, digest)) found = candidate;
    }
    return found;
  }
}

export function bearerOf(request: Request): string | undefined {
  return /^Bearer +([\x21-\x7e]{1,512})$/i.exec(request.get('Authorization') ?? '')?.[1];
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
