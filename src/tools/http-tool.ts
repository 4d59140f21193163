/**
 * One tool call as an HTTP request: arguments in path, query or JSON body, `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header),
 * and the answer as text.
 */
import { TrunklineError } from '../core/errors';
import type { HttpTarget } from '../core/tool';
import { fetchPinned } from '../webhooks/pinned-fetch';
import type { TargetPolicy } from '../webhooks/post-json';
import { problemText, readBounded, resultText } from './result-text';
import { type Environment, secretHeaders } from './secret-headers';

type Arguments = Readonly<Record<string, unknown>>;

export interface HttpCall {
  readonly toolCallId: string;
  readonly arguments: Arguments;
  readonly signal: AbortSignal;
}

/** What a service refuses with a sentence (4xx) is told as well: `refused` says that it is one. */
export interface HttpTold {
  readonly text: string;
  readonly refused: boolean;
}

/** Rejects with `tool.…`, `webhook.private-target` or the system's error. */
export async function callHttpTool(
  target: HttpTarget,
  call: HttpCall,
  policy: TargetPolicy,
  environment: Environment,
): Promise<HttpTold> {
  const { url, rest } = addressOf(target.url, call.arguments);
  const inQuery = target.method === 'GET' || target.method === 'DELETE';
  if (inQuery) for (const [name, value] of Object.entries(rest)) url.searchParams.append(name, written(value));
  const response = await fetchPinned(
    url,
    {
      method: target.method,
      headers: {
        accept: 'application/json, text/plain',
        ...(inQuery ? {} : { 'content-type': 'application/json' }),
        ...target.headers,
        ...(await secretHeaders(target.secretHeaders, environment)),
        'idempotency-key': call.toolCallId,
      },
      signal: call.signal,
      ...(inQuery ? {} : { body: JSON.stringify(rest) }),
    },
    policy,
  );
  const body = await readBounded(response);
  if (response.ok) return { text: resultText(body), refused: false };
  const problem = response.status < 500 ? problemText(body) : undefined;
  if (response.status >= 400 && problem !== undefined) return { text: problem, refused: true };
  throw new TrunklineError('tool.refused', `The service answered with status ${response.status}.`, {
    fix: 'Look at the service; a 4xx with a problem document is told to the caller instead.',
    details: { status: response.status },
  });
}

/** `{name}` in the path is filled in (RFC 6570, level 1); what is used there goes nowhere else. */
export function addressOf(template: string, given: Arguments): { readonly url: URL; readonly rest: Arguments } {
  const rest = { ...given };
  const url = new URL(template);
  url.pathname = url.pathname.replace(/%7B([\w-]+)%7D/gi, (_, name: string) => {
    const value = written(given[name]);
    delete rest[name];
    // An empty or dotted segment would name another resource than the operator meant.
    if (value === '' || /^\.{1,2}$/.test(value)) {
      throw new TrunklineError('tool.bad-arguments', `The argument ${name} cannot stand in the path.`, {
        fix: 'Describe what it may be in parameters: minLength, pattern.',
      });
    }
    return encodeURIComponent(value);
  });
  return { url, rest };
}

function written(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
