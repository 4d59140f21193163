/**
 * Asking callers who they are: challenges in MD5 and SHA-256 with qop=auth, and the check of their answers (RFC 3261 §22,
 * RFC 7616, RFC 8760). A nonce carries its own time under our seal, so that nothing is kept for those who never answer.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../core/clock';
import { type Credentials, parseCredentials } from './digest';
import { quote } from './header-values';
import { parseSipUri } from './uri';

export interface DigestGuardOptions {
  readonly realm: string;
  /** By username; several may share one, a trunk and a softphone of the same name are told apart by the password. */
  readonly passwords: ReadonlyMap<string, readonly string[]>;
  readonly clock: Clock;
  /** Hexadecimal digits from a cryptographic source. */
  readonly random: (bytes: number) => string;
  /** Offered in that order; an answer in another one is wrong. */
  readonly algorithms: readonly DigestAlgorithm[];
  readonly nonceLifetimeMs?: number;
}

export type DigestVerdict =
  | { readonly kind: 'passed'; readonly username: string; readonly password: string }
  /** The answer was to a challenge that is too old, or was used before: RFC 7616 §3.3, stale=true. */
  | { readonly kind: 'stale' }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'absent' };

export type DigestAlgorithm = 'MD5' | 'SHA-256';

const nonceLifetimeMs = 5 * 60_000;
/** Counts of nonces in use; the oldest is forgotten, and its holder is asked again. */
const maxNonces = 4096;
/** From one address in a minute; then nothing is checked any more, and every answer looks wrong. */
const maxFailures = 10;
const failuresForgottenMs = 60_000;
const maxSources = 4096;

export class DigestGuard {
  private readonly seal: string;
  /** What unknown names are checked against, so that they cost as much as known ones. */
  private readonly nobody: string;
  /** As many checks for every name as the name with most passwords needs. */
  private readonly checks: number;
  private readonly counts = new Map<string, number>();
  private readonly failures = new Map<string, { count: number; untilMs: number }>();
  readonly counters = { passed: 0, wrong: 0, stale: 0, lockedOut: 0, foreign: 0 };

  constructor(private readonly options: DigestGuardOptions) {
    this.seal = options.random(32);
    this.nobody = options.random(32);
    this.checks = Math.max(1, ...[...options.passwords.values()].map(({ length }) => length));
  }

  /**
   * Values of WWW-Authenticate, the preferred one first (RFC 8760 §2.3), in one string; to be answered from the address
   * `source`, so that nobody can guess, or be locked out, in another's name.
   */
  challenge(source: string, stale = false): string {
    const nonce = this.freshNonce(source);
    return this.options.algorithms
      .map((algorithm) => {
        const flags = `qop="auth", algorithm=${algorithm}${stale ? ', stale=true' : ''}`;
        return `Digest realm=${quote(this.options.realm)}, nonce="${nonce}", ${flags}`;
      })
      .join(', ');
  }

  /** `authorization`: the value of Authorization, or of several. */
  check(
    authorization: string | undefined,
    request: { readonly method: string; readonly uri: string },
    source: string,
  ): DigestVerdict {
    const given = parseCredentials(authorization ?? '').find(({ realm }) => realm === this.options.realm);
    if (given === undefined) return { kind: 'absent' };
    if (this.isLockedOut(source)) {
      this.counters.lockedOut++;
      return { kind: 'wrong' };
    }
    const age = this.ageOf(given.nonce, source);
    if (age === undefined) {
      // Nothing was guessed: whoever answers for another's address never saw our question.
      this.counters.foreign++;
      return { kind: 'wrong' };
    }
    const password = this.passwordOf(given, request.method);
    if (password === undefined || !sameResource(given.uri, request.uri)) return this.failed(source);
    // A right answer to an old question is no guess.
    const count = given.qopAuth ? Number.parseInt(given.count, 16) : Number.NaN;
    if (age > (this.options.nonceLifetimeMs ?? nonceLifetimeMs) || !(count > (this.counts.get(given.nonce) ?? 0))) {
      this.counters.stale++;
      return { kind: 'stale' };
    }
    this.counts.delete(given.nonce);
    this.counts.set(given.nonce, count);
    const oldest = this.counts.keys().next();
    if (this.counts.size > maxNonces && oldest.done !== true) {
      this.counts.delete(oldest.value);
      // What is forgotten must not be used again.
      this.forgottenBeforeMs = Math.max(this.forgottenBeforeMs, timeOf(oldest.value));
    }
    this.counters.passed++;
    return { kind: 'passed', username: given.username, password };
  }

  private forgottenBeforeMs = Number.NEGATIVE_INFINITY;

  /** The same work for every name, known or not, and wherever among its passwords the right one stands. */
  private passwordOf(given: Credentials, method: string): string | undefined {
    const known = this.options.passwords.get(given.username) ?? [];
    let found: string | undefined;
    for (let index = 0; index < this.checks; index++) {
      const password = known[index];
      if (this.isRight(given, method, password ?? this.nobody) && password !== undefined) found ??= password;
    }
    return found;
  }

  private freshNonce(source: string): string {
    const time = Math.floor(this.options.clock.nowMs()).toString(36);
    const chance = this.options.random(8);
    return `${time}.${chance}.${this.sealOf(`${time}.${chance}`, source)}`;
  }

  private sealOf(text: string, source: string): string {
    return createHmac('sha256', this.seal).update(`${text} ${source}`).digest('hex').slice(0, 32);
  }

  /** Undefined if we never gave that nonce to that address; endless if its count was forgotten. */
  private ageOf(nonce: string, source: string): number | undefined {
    const end = nonce.lastIndexOf('.');
    const wanted = this.sealOf(nonce.slice(0, Math.max(end, 0)), source);
    if (end < 0 || !equal(nonce.slice(end + 1), wanted)) return undefined;
    const atMs = timeOf(nonce);
    if (!this.counts.has(nonce) && atMs <= this.forgottenBeforeMs) return Number.POSITIVE_INFINITY;
    return this.options.clock.nowMs() - atMs;
  }

  private isRight(given: Credentials, method: string, password: string): boolean {
    const algorithm = this.options.algorithms.find((one) => one === given.algorithm);
    return isRight(given, algorithm, method, password);
  }

  private failed(source: string): DigestVerdict {
    this.counters.wrong++;
    const nowMs = this.options.clock.nowMs();
    const known = this.failures.get(source);
    const count = known === undefined || known.untilMs < nowMs ? 1 : known.count + 1;
    this.failures.delete(source);
    this.failures.set(source, { count, untilMs: nowMs + failuresForgottenMs });
    const oldest = this.failures.keys().next();
    if (this.failures.size > maxSources && oldest.done !== true) this.failures.delete(oldest.value);
    return { kind: 'wrong' };
  }

  private isLockedOut(source: string): boolean {
    const known = this.failures.get(source);
    return known !== undefined && known.count >= maxFailures && known.untilMs >= this.options.clock.nowMs();
  }
}

function timeOf(nonce: string): number {
  return Number.parseInt(nonce.slice(0, nonce.indexOf('.')), 36);
}

/** RFC 7616 §3.4.1 and §3.4.2. */
function isRight(
  given: Credentials,
  algorithm: DigestAlgorithm | undefined,
  method: string,
  password: string,
): boolean {
  if (algorithm === undefined || !given.qopAuth) return false;
  const hash = (text: string): string =>
    createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text, 'utf8')
      .digest('hex');
  const a1 = hash(`${given.username}:${given.realm}:${password}`);
  const a2 = hash(`${method}:${given.uri}`);
  return equal(given.response, hash(`${a1}:${given.nonce}:${given.count}:${given.cnonce}:auth:${a2}`));
}

/** The answer must be to this request, or it could be carried over to another (RFC 7616 §3.4.6). */
function sameResource(stated: string, actual: string): boolean {
  if (stated === actual) return true;
  const one = parseSipUri(stated);
  const other = parseSipUri(actual);
  if (one === undefined || other === undefined) return false;
  // SIPp and others leave the user out.
  return (one.user === '' || one.user === other.user) && one.host.toLowerCase() === other.host.toLowerCase();
}

function equal(given: string, wanted: string): boolean {
  const one = Buffer.from(given.toLowerCase(), 'utf8');
  const other = Buffer.from(wanted, 'utf8');
  return one.length === other.length && timingSafeEqual(one, other);
}
