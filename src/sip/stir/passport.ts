/**
 * The signed statement of who calls whom: the Identity header (RFC 8224 §4), the PASSporT inside it (RFC 8225) with the
 * claims of SHAKEN (RFC 8588), signed in ES256.
 */
import { createPrivateKey, type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { parseParams } from '../header-values';

export const attestations = ['A', 'B', 'C'] as const;
/** A: the carrier knows the caller and their right to the number; B: the caller alone; C: only where the call came in. */
export type Attestation = (typeof attestations)[number];

const headerSchema = z.object({
  alg: z.literal('ES256'),
  typ: z.literal('passport'),
  ppt: z.literal('shaken'),
  x5u: z.url({ protocol: /^https$/ }),
});

const claimsSchema = z.object({
  attest: z.enum(attestations),
  dest: z.object({ tn: z.array(z.string()).min(1).max(10) }),
  iat: z.int().min(0),
  orig: z.object({ tn: z.string() }),
  origid: z.string().max(64),
});

export interface Passport {
  readonly attestation: Attestation;
  /** Canonical numbers: digits alone. */
  readonly from: string;
  readonly to: readonly string[];
  readonly issuedAtSeconds: number;
  readonly originId: string;
  /** Where its certificate is. */
  readonly certificateUrl: string;
  /** What is signed, and the signature. */
  readonly signed: string;
  readonly signature: Buffer;
}

/** A header value is longer than this only by mistake. */
const maxChars = 8192;

/** Undefined for anything but a whole SHAKEN PASSporT whose header says the same outside and inside. */
export function parseIdentity(value: string): Passport | undefined {
  if (value.length > maxChars) return undefined;
  const semicolon = value.indexOf(';');
  const token = (semicolon < 0 ? value : value.slice(0, semicolon)).trim();
  const params = parseParams(semicolon < 0 ? '' : value.slice(semicolon));
  const [head, body, signature, ...more] = token.split('.');
  if (params === undefined || head === undefined || body === undefined || signature === undefined || more.length > 0) {
    return undefined;
  }
  const header = headerSchema.safeParse(decoded(head));
  const claims = claimsSchema.safeParse(decoded(body));
  if (!header.success || !claims.success) return undefined;
  const info = /^<(.*)>$/.exec(params.get('info') ?? '')?.[1];
  const same = info === header.data.x5u && (params.get('alg') ?? 'ES256') === 'ES256' && params.get('ppt') === 'shaken';
  const from = canonicalNumber(claims.data.orig.tn);
  const to = claims.data.dest.tn.map(canonicalNumber);
  if (!same || from === undefined || to.includes(undefined)) return undefined;
  return {
    attestation: claims.data.attest,
    from,
    to: to.filter((one) => one !== undefined),
    issuedAtSeconds: claims.data.iat,
    originId: claims.data.origid,
    certificateUrl: header.data.x5u,
    signed: `${head}.${body}`,
    signature: Buffer.from(signature, 'base64url'),
  };
}

export function isSignedBy(passport: Passport, key: KeyObject): boolean {
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return false;
  return verify('sha256', Buffer.from(passport.signed), { key, dsaEncoding: 'ieee-p1363' }, passport.signature);
}

export interface IdentityToSign {
  readonly from: string;
  readonly to: string;
  readonly attestation: Attestation;
  readonly originId: string;
  readonly at: Date;
  readonly certificateUrl: string;
}

/** The value of an Identity header; undefined when one of the two is no telephone number. */
export function signIdentity(identity: IdentityToSign, privateKeyPem: string): string | undefined {
  const from = canonicalNumber(identity.from);
  const to = canonicalNumber(identity.to);
  if (from === undefined || to === undefined) return undefined;
  const { attestation, originId, at, certificateUrl } = identity;
  // RFC 8225 §9: keys in the order of the alphabet, nothing between them.
  const head = encoded({ alg: 'ES256', ppt: 'shaken', typ: 'passport', x5u: certificateUrl });
  const body = encoded({
    attest: attestation,
    dest: { tn: [to] },
    iat: Math.floor(at.getTime() / 1000),
    orig: { tn: from },
    origid: originId,
  });
  const key = createPrivateKey(privateKeyPem);
  const signature = sign('sha256', Buffer.from(`${head}.${body}`), { key, dsaEncoding: 'ieee-p1363' });
  return `${head}.${body}.${signature.toString('base64url')};info=<${certificateUrl}>;alg=ES256;ppt=shaken`;
}

/** RFC 8224 §8.3: digits alone; undefined for what is no telephone number. */
export function canonicalNumber(text: string): string | undefined {
  const bare = text.replace(/^\+/, '').replace(/[-.() ]/g, '');
  return /^[0-9*#]{1,24}$/.test(bare) && /[0-9]/.test(bare) ? bare : undefined;
}

function decoded(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
