/** Checks the Identity header of an incoming call (RFC 8224 §6.2, RFC 8588): who signed it, when, and for which numbers. */
import { splitValues } from '../header-values';
import type { StirCertificates } from './certificates';
import { type Attestation, canonicalNumber, isSignedBy, parseIdentity } from './passport';

/** What a call's event and record say. */
export interface CallIdentity {
  readonly status: 'valid' | 'invalid' | 'absent';
  readonly attestation?: Attestation;
  readonly originId?: string;
  readonly reason?: IdentityFault;
}

export type IdentityFault =
  | 'missing'
  | 'malformed'
  | 'stale'
  | 'wrong-caller'
  | 'wrong-callee'
  | 'certificate-unavailable'
  | 'certificate-untrusted'
  | 'signature'
  | 'replayed';

/** RFC 8224 §6.2.2. */
export const statusOfFault: Readonly<Record<IdentityFault, number>> = {
  missing: 428,
  malformed: 438,
  stale: 403,
  'wrong-caller': 438,
  'wrong-callee': 438,
  'certificate-unavailable': 436,
  'certificate-untrusted': 437,
  signature: 438,
  replayed: 438,
};

export interface IdentityClaim {
  readonly callId: string;
  /** Values of Identity, separated by commas. */
  readonly identity: string | undefined;
  /** User part of P-Asserted-Identity, or else of From. */
  readonly from: string;
  /** User part of To. */
  readonly to: string;
}

/** RFC 8224 §5.1 and §6.2: a minute either way. */
const freshForSeconds = 60;
const maxHeaders = 4;
const maxSeen = 8192;

export class IdentityVerifier {
  /** Signatures of the last minutes, with the call they came in. */
  private readonly seen = new Map<string, string>();
  readonly counters = { valid: 0, invalid: 0, absent: 0 };

  constructor(
    private readonly certificates: StirCertificates,
    /** Wall time in milliseconds. */
    private readonly nowMs: () => number,
  ) {}

  async verify(claim: IdentityClaim): Promise<CallIdentity> {
    const values = (splitValues(claim.identity ?? '') ?? []).filter((one) => one !== '').slice(0, maxHeaders);
    let result: CallIdentity =
      claim.identity === undefined ? { status: 'absent', reason: 'missing' } : bad('malformed');
    // Several may stand there, of other kinds too: one that holds is enough.
    for (const value of values) {
      result = await this.verifyOne(value, claim);
      if (result.status === 'valid') break;
    }
    this.counters[result.status]++;
    return result;
  }

  private async verifyOne(value: string, claim: IdentityClaim): Promise<CallIdentity> {
    const passport = parseIdentity(value);
    if (passport === undefined) return bad('malformed');
    if (Math.abs(this.nowMs() / 1000 - passport.issuedAtSeconds) > freshForSeconds) return bad('stale');
    if (canonicalNumber(claim.from) !== passport.from) return bad('wrong-caller');
    const to = canonicalNumber(claim.to);
    if (to === undefined || !passport.to.includes(to)) return bad('wrong-callee');
    const found = await this.certificates.find(passport.certificateUrl);
    if (found.kind === 'unavailable') return bad('certificate-unavailable');
    if (found.kind === 'untrusted') return bad('certificate-untrusted');
    if (!found.certificates.some(({ publicKey }) => isSignedBy(passport, publicKey))) return bad('signature');
    const key = passport.signature.toString('base64');
    const before = this.seen.get(key);
    if (before !== undefined && before !== claim.callId) return bad('replayed');
    this.seen.set(key, claim.callId);
    const oldest = this.seen.keys().next();
    if (this.seen.size > maxSeen && oldest.done !== true) this.seen.delete(oldest.value);
    return { status: 'valid', attestation: passport.attestation, originId: passport.originId };
  }
}

/** What an unproved statement claims is not repeated. */
function bad(reason: IdentityFault): CallIdentity {
  return { status: 'invalid', reason };
}
