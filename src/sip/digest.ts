/** Answers to digest challenges: MD5 and SHA-256, with and without qop=auth (RFC 2617, RFC 7616, RFC 8760). */
import { createHash } from 'node:crypto';
import { quote, splitValues } from './header-values';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly algorithm: 'MD5' | 'SHA-256';
  readonly qopAuth: boolean;
  readonly stale: boolean;
}

/** The strongest challenge we can answer, out of all values of WWW-Authenticate or Proxy-Authenticate. */
export function parseChallenge(header: string): Challenge | undefined {
  const found: Challenge[] = [];
  let current: Map<string, string> | undefined;
  const finish = (): void => {
    const challenge = current === undefined ? undefined : challengeOf(current);
    if (challenge !== undefined) found.push(challenge);
    current = undefined;
  };
  // Parameters and challenges are both separated by commas: a piece that begins with a scheme opens the next challenge.
  for (const piece of (splitValues(header) ?? []).slice(0, 64)) {
    let pair = piece;
    const scheme = /^([A-Za-z]{1,16})[ \t]{1,8}(?=[A-Za-z])/.exec(piece);
    if (scheme !== null) {
      finish();
      if (scheme[1]?.toLowerCase() === 'digest') current = new Map();
      pair = piece.slice(scheme[0].length);
    }
    const equals = pair.indexOf('=');
    if (equals > 0 && current !== undefined) {
      const value = pair.slice(equals + 1).trim();
      current.set(pair.slice(0, equals).trim().toLowerCase(), value.startsWith('"') ? unquoted(value) : value);
    }
  }
  finish();
  return found.find((one) => one.algorithm === 'SHA-256') ?? found[0];
}

function challengeOf(params: ReadonlyMap<string, string>): Challenge | undefined {
  const realm = params.get('realm');
  const nonce = params.get('nonce');
  const algorithm = (params.get('algorithm') ?? 'MD5').toUpperCase();
  if (realm === undefined || nonce === undefined || (algorithm !== 'MD5' && algorithm !== 'SHA-256')) return undefined;
  const qop = params.get('qop');
  const offered = (qop ?? '').split(',').map((one) => one.trim().toLowerCase());
  // auth-int alone cannot be answered here.
  if (qop !== undefined && !offered.includes('auth')) return undefined;
  const stale = params.get('stale')?.toLowerCase() === 'true';
  return { realm, nonce, opaque: params.get('opaque'), algorithm, qopAuth: qop !== undefined, stale };
}

/** The value of Authorization or Proxy-Authorization (RFC 7616 §3.4). `cnonce` comes from a cryptographic source. */
export function authorization(
  challenge: Challenge,
  credentials: Credentials,
  request: { readonly method: string; readonly uri: string },
  cnonce: string,
  count = 1,
): string {
  const hash = (text: string): string =>
    createHash(challenge.algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text, 'utf8')
      .digest('hex');
  const nc = count.toString(16).padStart(8, '0');
  const a1 = hash(`${credentials.username}:${challenge.realm}:${credentials.password}`);
  const a2 = hash(`${request.method}:${request.uri}`);
  const response = challenge.qopAuth
    ? hash(`${a1}:${challenge.nonce}:${nc}:${cnonce}:auth:${a2}`)
    : hash(`${a1}:${challenge.nonce}:${a2}`);
  const parts = [
    `username=${quote(credentials.username)}`,
    `realm=${quote(challenge.realm)}`,
    `nonce=${quote(challenge.nonce)}`,
    `uri=${quote(request.uri)}`,
    `response="${response}"`,
    `algorithm=${challenge.algorithm}`,
  ];
  if (challenge.opaque !== undefined) parts.push(`opaque=${quote(challenge.opaque)}`);
  if (challenge.qopAuth) parts.push('qop=auth', `nc=${nc}`, `cnonce="${cnonce}"`);
  return `Digest ${parts.join(', ')}`;
}

function unquoted(value: string): string {
  const end = value.length > 1 && value.endsWith('"') ? -1 : undefined;
  return value.slice(1, end).replace(/\\(.)/g, '$1');
}
