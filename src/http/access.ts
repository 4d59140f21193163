/** Who may do what: bearer tokens (RFC 6750) with scopes, compared in constant time. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import { TrunklineError } from '../core/errors';
import type { AccessToken, Scope } from './ports';

/** Each scope holds the ones before it. */
const order: readonly Scope[] = ['read', 'control', 'admin'];

interface KnownToken {
  readonly digest: Buffer;
  readonly name: string;
  readonly height: number;
}

export class Access {
  private of: readonly AccessToken[] | undefined;
  private digests: readonly KnownToken[] = [];

  /** `tokens`: asked for each request, because they may be rotated. `guessed`: a token came that nobody knows; may throw. */
  constructor(
    private readonly tokens: () => readonly AccessToken[],
    private readonly guessed: (request: Request) => void = () => undefined,
  ) {}

  /** The name of the token if it is known and wide enough; otherwise throws `http.unauthorised` or `http.wrong-scope`. */
  check(request: Request, scope: Scope): string {
    const token = bearerOf(request);
    const found = token === undefined ? undefined : this.find(token);
    if (found === undefined) {
      if (token !== undefined) this.guessed(request);
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

  /** Undefined: there is no token, or none that we know. */
  nameOf(request: Request): string | undefined {
    const token = bearerOf(request);
    return token === undefined ? undefined : this.find(token)?.name;
  }

  require(scope: Scope): RequestHandler {
    return (request, response, next) => {
      response.locals['tokenName'] = this.check(request, scope);
      next();
    };
  }

  /** Looks at every token whichever fits, so that the time tells nothing. */
  private find(token: string): KnownToken | undefined {
    const digest = digestOf(token);
    let found: KnownToken | undefined;
    for (const candidate of this.known()) {
      if (timingSafeEqual(candidate.digest, digest)) found = candidate;
    }
    return found;
  }

  private known(): readonly KnownToken[] {
    const tokens = this.tokens();
    if (tokens !== this.of) {
      this.of = tokens;
      this.digests = tokens.map(({ token, name, scopes }) => ({
        digest: digestOf(token),
        name,
        height: Math.max(...scopes.map((scope) => order.indexOf(scope))),
      }));
    }
    return this.digests;
  }
}

export function bearerOf(request: Request): string | undefined {
  return /^Bearer +([\x21-\x7e]{1,512})$/i.exec(request.get('Authorization') ?? '')?.[1];
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
