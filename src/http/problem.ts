/** Errors as problem documents (RFC 9457) with our stable code; the status follows from the code. */
import type { NextFunction, Request, Response } from 'express';
import { TrunklineError } from '../core/errors';
import type { Logger } from '../core/log';

const statusByCode: Readonly<Record<string, number>> = {
  'http.bad-json': 400,
  'http.bad-request': 400,
  'http.bad-body': 422,
  'http.bad-query': 422,
  'http.unauthorised': 401,
  'http.wrong-scope': 403,
  'http.not-found': 404,
  'http.no-recording': 404,
  'http.no-capture': 404,
  'http.method-not-allowed': 405,
  'http.wrong-content-type': 415,
  'http.body-too-large': 413,
  'http.idempotency-mismatch': 422,
  'http.too-many-listeners': 503,
  'http.too-many-requests': 429,
  'whip.bad-number': 404,
  'whip.no-such-session': 404,
  'whip.precondition-required': 428,
  'whip.other-ice-session': 412,
  'whip.ice-restart-declined': 422,
  'webrtc.bad-offer': 400,
  'webrtc.bad-candidates': 400,
  'webrtc.no-common-codec': 422,
  'webrtc.offer-too-large': 413,
  'webrtc.too-many-peers': 503,
  'webrtc.no-port': 503,
  'store.bad-cursor': 404,
  'webhook.no-receivers': 409,
  'call.not-found': 404,
  'call.wrong-state': 409,
  'call.elsewhere': 409,
  'call.draining': 503,
  'call.destination-closed': 403,
  'call.outbound-limit': 429,
  'call.not-waiting': 404,
  'call.outside-hours': 409,
  'call.too-many-waiting': 503,
  'call.refused': 503,
  'call.unknown-agent': 422,
  'call.unknown-trunk': 422,
  'tool.unknown-call': 409,
  'tool.already-answered': 409,
  'tool.too-late': 409,
  'tool.overtaken': 409,
  'tool.cancelled': 409,
  'engine.full': 503,
  'media.no-port': 503,
  'sip.bad-uri': 422,
  'sip.unreachable': 502,
  'sip.rejected': 502,
};

/** `details.httpStatus` has the last word: whoever throws may know better. */
export function statusOf(error: TrunklineError): number {
  const told = error.details['httpStatus'];
  if (typeof told === 'number' && told >= 400 && told <= 599) return told;
  return statusByCode[error.code] ?? 500;
}

export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

export function problemOf(error: TrunklineError): ProblemDocument {
  const errors = error.details['errors'];
  return {
    type: `urn:trunkline:error:${error.code}`,
    title: error.message,
    status: statusOf(error),
    code: error.code,
    ...(error.fix === undefined ? {} : { detail: error.fix }),
    ...(Array.isArray(errors) ? { errors } : {}),
  };
}

/** The last middleware. What is not ours is our defect: the caller learns no more than that, the log everything. */
export function answerWithProblem(logger: Logger) {
  return (error: unknown, request: Request, response: Response, next: NextFunction): void => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const known = error instanceof TrunklineError ? error : asTrunklineError(error);
    const status = statusOf(known);
    if (status >= 500 && known.code === 'http.failed') {
      logger.error('A request failed.', { method: request.method, route: request.path, error: stackOf(error) });
    }
    if (status === 401) response.set('WWW-Authenticate', 'Bearer realm="trunkline"');
    if (status === 503 || status === 429) {
      const seconds = known.details['retryAfterSeconds'];
      response.set('Retry-After', String(typeof seconds === 'number' ? seconds : 5));
    }
    const allow = known.details['allow'];
    if (typeof allow === 'string') response.set('Allow', allow);
    response.status(status).set('Cache-Control', 'no-store').type('application/problem+json');
    response.send(JSON.stringify(problemOf(known)));
  };
}

/** body-parser and the router reject with a status and a type of their own. */
function asTrunklineError(error: unknown): TrunklineError {
  const type: unknown = error instanceof Error ? Reflect.get(error, 'type') : undefined;
  const status: unknown = error instanceof Error ? Reflect.get(error, 'status') : undefined;
  if (type === 'entity.parse.failed') {
    return new TrunklineError('http.bad-json', 'The body is no valid JSON.', { fix: 'Send one JSON object.' });
  }
  if (type === 'entity.too.large') {
    return new TrunklineError('http.body-too-large', 'The body is too large.', {
      fix: 'Send less, or raise limits.httpBodyBytes.',
    });
  }
  if (status === 415) {
    return new TrunklineError('http.wrong-content-type', 'The body has an encoding that is not understood.', {
      fix: 'Send application/json in UTF-8.',
    });
  }
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new TrunklineError('http.bad-request', 'The request cannot be read.', {
      fix: 'Check the path and the body.',
      details: { httpStatus: status },
    });
  }
  return new TrunklineError('http.failed', 'Something went wrong on our side.', {
    fix: 'Look for the same time in the log.',
    cause: error,
  });
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
