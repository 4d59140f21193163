/**
 * `fetch` for targets that others may have named: the host is resolved anew, refused when private unless allowed by name, and the
 * connection pinned to the address that was looked at. No redirect is followed, no connection kept.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { resolveTarget, type TargetPolicy } from './post-json';

/** Statuses that have no body (Fetch standard, "null body status"). */
const BODILESS = new Set([101, 103, 204, 205, 304]);

/**
 * Rejects with `webhook.private-target`, or what the system says. The body of a request is a string; that of an answer breaks
 * off beyond `mostBytes`.
 */
export async function fetchPinned(
  input: string | URL,
  init: RequestInit | undefined,
  policy: TargetPolicy,
  mostBytes = Number.POSITIVE_INFINITY,
): Promise<Response> {
  const url = new URL(input);
  const signal = init?.signal ?? new AbortController().signal;
  const target = await resolveTarget(url, policy, signal);
  const body = typeof init?.body === 'string' ? Buffer.from(init.body) : undefined;
  const headers = Object.fromEntries(new Headers(init?.headers));
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request(
      url,
      {
        method: init?.method ?? 'GET',
        signal,
        agent: false,
        lookup: (_host, options, found) => {
          if (options.all) found(null, [{ address: target.address, family: target.family }]);
          else found(null, target.address, target.family);
        },
        headers: {
          'user-agent': 'Trunkline',
          ...headers,
          ...(body === undefined ? {} : { 'content-length': body.length }),
        },
      },
      resolve,
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
  const status = answer.statusCode ?? 0;
  const known = new Headers();
  for (const [name, value] of Object.entries(answer.headers)) {
    for (const one of Array.isArray(value) ? value : [value ?? '']) known.append(name, one);
  }
  if (status < 200 || status > 599 || BODILESS.has(status)) {
    answer.resume();
    return new Response(null, { status: status < 200 || status > 599 ? 502 : status, headers: known });
  }
  let bytes = 0;
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > mostBytes) answer.destroy(new Error('The answer is too large.'));
  });
  answer.pause();
  return new Response(Readable.toWeb(answer) as ReadableStream<Uint8Array>, { status, headers: known });
}
