/** How much one source may ask of us by HTTP: requests, guesses at tokens, and calls, each refused with 429 (RFC 6585 §4). */
import type { Request, RequestHandler } from 'express';
import { TrunklineError } from '../core/errors';
import { SourceLimit } from '../core/source-limit';

export interface RequestLimitOptions {
  readonly httpRequestsPerSourcePerSecond: number;
  readonly callsPerSourcePerSecond: number;
}

/** Ten at once, and one more every six seconds. */
const guessesPerSecond = 1 / 6;
const guessesBurstSeconds = 60;

export class RequestLimits {
  private readonly requests: SourceLimit;
  private readonly calls: SourceLimit;
  private readonly guesses: SourceLimit;

  constructor(options: RequestLimitOptions, nowMs: () => number) {
    const clock = { nowMs };
    this.requests = new SourceLimit(options.httpRequestsPerSourcePerSecond, clock);
    this.calls = new SourceLimit(options.callsPerSourcePerSecond, clock);
    this.guesses = new SourceLimit(guessesPerSecond, clock, guessesBurstSeconds);
  }

  /** `nameOf`: of the known token that a request carries. Whoever has one is known by it, everybody else by the address. */
  forRequests(nameOf: (request: Request) => string | undefined): RequestHandler {
    return (request, _response, next) => {
      const name = nameOf(request);
      spend(this.requests, name === undefined ? sourceOf(request) : `token ${name}`);
      next();
    };
  }

  forCalls(): RequestHandler {
    return (request, _response, next) => {
      spend(this.calls, sourceOf(request));
      next();
    };
  }

  /** A token came that nobody knows. Throws when that has happened too often from there. */
  guessed(request: Request): void {
    spend(this.guesses, sourceOf(request));
  }

  get gauges(): Readonly<Record<string, number>> {
    return {
      trunkline_http_requests_limited: this.requests.dropped,
      trunkline_http_guesses_limited: this.guesses.dropped,
      trunkline_whip_calls_limited: this.calls.dropped,
    };
  }
}

function spend(limit: SourceLimit, source: string): void {
  if (limit.admit(source)) return;
  throw new TrunklineError('http.too-many-requests', 'That is too much at once from one source.', {
    fix: 'Wait as long as Retry-After says; limits in the configuration says how much is allowed.',
    details: { retryAfterSeconds: limit.waitSeconds(source) },
  });
}

/** The address; of IPv6 the network that one subscriber has. */
function sourceOf(request: Request): string {
  const address = request.socket.remoteAddress ?? '';
  const bare = address.replace(/^::ffff:(?=[0-9.]+$)/i, '');
  return bare.includes(':') ? bare.split(':').slice(0, 4).join(':') : bare;
}
