/** Bodies and queries against their schemas: what does not fit is told path by path. */
import type { Request } from 'express';
import type { z } from 'zod';
import { describeIssues, pathText } from '../core/described-issues';
import { TrunklineError } from '../core/errors';

export function checkedBody<T>(request: Request, schema: z.ZodType<T>): T {
  const body: unknown = request.body;
  if (body === undefined) {
    if (request.get('Content-Type') !== undefined && request.is('application/json') === false) {
      throw new TrunklineError('http.wrong-content-type', 'The body has to be application/json.', {
        fix: 'Set Content-Type: application/json.',
      });
    }
    throw new TrunklineError('http.bad-body', 'The request needs a body.', { fix: 'Send one JSON object.' });
  }
  return checked(body, schema, 'http.bad-body', 'The body does not fit.');
}

export function checkedQuery<T>(request: Request, schema: z.ZodType<T>): T {
  return checked(request.query, schema, 'http.bad-query', 'The query does not fit.');
}

function checked<T>(input: unknown, schema: z.ZodType<T>, code: 'http.bad-body' | 'http.bad-query', title: string): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const errors = describeIssues(schema, parsed.error.issues, input).map(({ path, message }) => ({
    path: pathText(path),
    message,
  }));
  throw new TrunklineError(code, title, { fix: '/openapi.json says what is expected.', details: { errors } });
}
