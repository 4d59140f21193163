/** Digest challenges read and answered: MD5 and SHA-256, with and without qop=auth (RFC 2617, RFC 7616, RFC 8760). */
import { createHash } from 'node:crypto';
import { quote, splitValues } from './header-values';

export interface Account {
  readonly username: string;
  readonly password: string;
}

/** Somebody's answer to a challenge. */
export interface Credentials {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  /** In capitals. */
  readonly algorithm: string;
  readonly qopAuth: boolean;
  /** Eight hexadecimal digits. */
  readonly count: string;
  readonly cnonce: string;
}

/** `Digest realm=…`: a scheme and the first of its parameters. */
const schemePattern = /^([A-Za-z]{1,16})[ \t]{1,8}(?=[A-Za-z])/;

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
  const found = digestValues(header)
    .map(challengeOf)
    .filter((one) => one !== undefined);
  return found.find((one) => one.algorithm === 'SHA-256') ?? found[0];
}

/** Of all values of Authorization; those that lack what a check needs are left out. */
export function parseCredentials(header: string): Credentials[] {
  const found: Credentials[] = [];
  for (const params of digestValues(header)) {
    const [username, realm, nonce, uri, response] = ['username', 'realm', 'nonce', 'uri', 'response'].map((name) =>
      params.get(name),
    );
    const count = params.get('nc') ?? '';
    const qopAuth = params.get('qop')?.toLowerCase() === 'auth' && /^[0-9a-f]{8}$/i.test(count);
    if (!username || realm === undefined || !nonce || !uri || !response) continue;
    const algorithm = (params.get('algorithm') ?? 'MD5').toUpperCase();
    found.push({
      username,
      realm,
      nonce,
      uri,
      response,
      algorithm,
      qopAuth,
      count,
      cnonce: params.get('cnonce') ?? '',
    });
  }
  return found;
}

/** Parameters and challenges are both separated by commas: a piece that begins with a scheme opens the next value. */
function digestValues(header: string): ReadonlyMap<string, string>[] {
  const found: Map<string, string>[] = [];
  let current: Map<string, string> | undefined;
  for (const piece of (splitValues(header) ?? []).slice(0, 64)) {
    const scheme = schemePattern.exec(piece);
    const pair = scheme === null ? piece : piece.slice(scheme[0].length);
    if (scheme !== null) {
      current = scheme[1]?.toLowerCase() === 'digest' ? new Map() : undefined;
      if (current !== undefined) found.push(current);
    }
    const equals = pair.indexOf('=');
    if (equals > 0 && current !== undefined) {
      const value = pair.slice(equals + 1).trim();
      current.set(pair.slice(0, equals).trim().toLowerCase(), value.startsWith('"') ? unquoted(value) : value);
    }
  }
  return found;
}

/** RFC 3261 §7.3.1: challenges may not share a line. */
export function splitChallenges(header: string): string[] {
  const lines: string[] = [];
  for (const piece of splitValues(header) ?? [header]) {
    if (lines.length === 0 || schemePattern.test(piece)) lines.push(piece);
    else lines.push(`${lines.pop()}, ${piece}`);
  }
  return lines;
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
  credentials: Account,
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
