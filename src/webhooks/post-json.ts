/**
 * One signed POST to an application (Standard Webhooks): the host is resolved anew, refused when private, and the
 * connection is pinned to the address that was looked at, so that a second answer of the name server changes nothing.
 */
import { lookup as systemLookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { TrunklineError } from '../core/errors';
import { isPrivateAddress } from './private-address';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

export interface TargetPolicy {
  /** Host names that may be private, as the operator wrote them. */
  readonly allowPrivate: readonly string[];
  readonly resolve?: (host: string) => Promise<readonly ResolvedAddress[]>;
}

export interface Post {
  readonly url: string;
  /** Stays the same over every attempt: a receiver tells repetitions by it. */
  readonly messageId: string;
  readonly body: string;
  /** Each signs; receivers accept any of them while secrets are rotated. */
  readonly secrets: readonly string[];
  readonly timeoutMs: number;
  readonly now: Date;
  readonly signal?: AbortSignal;
}

export interface PostResult {
  readonly status: number;
  /** Undefined when there was none, or none that is JSON. */
  readonly json: unknown;
  readonly retryAfterMs: number | undefined;
}

const largestAnswerBytes = 65_536;

/** Resolves with whatever status came; rejects with `webhook.*` when none did. Redirects are not followed. */
export async function postJson(post: Post, policy: TargetPolicy): Promise<PostResult> {
  const url = parseTarget(post.url);
  const timeout = AbortSignal.timeout(post.timeoutMs);
  const signal = post.signal === undefined ? timeout : AbortSignal.any([timeout, post.signal]);
  try {
    const target = await resolveTarget(url, policy, signal);
    const response = await send(url, target, post, signal);
    const body = await readBody(response);
    return { status: response.statusCode ?? 0, json: parseJson(body), retryAfterMs: retryAfter(response, post.now) };
  } catch (cause) {
    if (cause instanceof TrunklineError) throw cause;
    if (timeout.aborted) {
      throw new TrunklineError('webhook.timeout', `The application did not answer within ${post.timeoutMs} ms.`, {
        fix: 'Answer first and work afterwards, or raise timeoutMs.',
        details: { host: url.host },
      });
    }
    throw new TrunklineError('webhook.unreachable', 'The application could not be reached.', {
      fix: 'Look whether it runs and whether its name resolves from here.',
      cause,
      details: { host: url.host },
    });
  }
}

/** `whsec_` and base64 as the standard has it; any other text is taken as it is. */
export function signatures(secrets: readonly string[], messageId: string, at: Date, body: string): string {
  return secrets.map((secret) => signer(secret).sign(messageId, at, body)).join(' ');
}

function signer(secret: string): Webhook {
  return secret.startsWith('whsec_') ? new Webhook(secret) : new Webhook(secret, { format: 'raw' });
}

function parseTarget(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new TrunklineError('webhook.bad-url', 'The target of a webhook is no http or https URL.', {
      fix: 'Write it as https://host/path.',
    });
  }
  return url;
}

export async function resolveTarget(url: URL, policy: TargetPolicy, signal: AbortSignal): Promise<ResolvedAddress> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const resolve = policy.resolve ?? ((name: string) => systemLookup(name, { all: true }));
  const family = isIP(host);
  const addresses = family === 0 ? await raceAbort(resolve(host), signal) : [{ address: host, family }];
  const allowed = policy.allowPrivate.some((name) => name.toLowerCase() === host.toLowerCase());
  const usable = allowed ? addresses : addresses.filter(({ address }) => !isPrivateAddress(address));
  const first = usable[0];
  if (first !== undefined) return first;
  throw new TrunklineError('webhook.private-target', `The webhook host ${host} has no public address.`, {
    fix: `If it is meant to be private, add "${host}" to webhooks.allowPrivate.`,
    details: { host },
  });
}

function send(url: URL, target: ResolvedAddress, post: Post, signal: AbortSignal): Promise<IncomingMessage> {
  const body = Buffer.from(post.body);
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        method: 'POST',
        signal,
        // No reuse: a kept connection would outlive the check of its address.
        agent: false,
        lookup: (_host, options, found) => {
          if (options.all) found(null, [{ address: target.address, family: target.family }]);
          else found(null, target.address, target.family);
        },
        headers: {
          'content-type': 'application/json',
          'content-length': body.length,
          'user-agent': 'Trunkline',
          ...(post.secrets.length === 0 ? {} : signatureHeaders(post)),
        },
      },
      resolve,
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function signatureHeaders(post: Post): Record<string, string> {
  return {
    'webhook-id': post.messageId,
    'webhook-timestamp': String(Math.floor(post.now.getTime() / 1000)),
    'webhook-signature': signatures(post.secrets, post.messageId, post.now, post.body),
  };
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > largestAnswerBytes) {
      response.destroy();
      throw new TrunklineError('webhook.answer-too-large', 'The application answered with more than 64 KiB.', {
        fix: 'Answer with the actions alone.',
      });
    }
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return text.trim() === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Seconds or a date (RFC 9110 §10.2.3). */
function retryAfter(response: IncomingMessage, now: Date): number | undefined {
  const text = response.headers['retry-after'];
  if (text === undefined) return undefined;
  const seconds = Number(text);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(text) - now.getTime();
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}

function raceAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
