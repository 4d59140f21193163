/** STIR/SHAKEN as the agent uses it: incoming calls are checked, outgoing ones signed, as far as it is configured. */
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { TrunklineError } from '../../core/errors';
import { party } from '../srf-headers';
import { parseSipUri, unescapeUser } from '../uri';
import type { IncomingInvite } from '../user-agent';
import { StirCertificates } from './certificates';
import { type Attestation, signIdentity } from './passport';
import { type CallIdentity, IdentityVerifier, statusOfFault } from './verifier';

export interface StirOptions {
  /** Folder of certificates; without it nothing is checked. */
  readonly trust?: string | undefined;
  /** Left out: no certificate is ever fetched. */
  readonly fetch?: ((url: string) => Promise<string>) | undefined;
  /** What becomes of a call whose Identity does not hold. */
  readonly onInvalid: 'tell' | 'refuse';
  /** A call without Identity is refused with 428. */
  readonly required: boolean;
  /** Path of a P-256 key in PEM; without it nothing is signed. */
  readonly key?: string | undefined;
  /** Where others find the certificate of that key. */
  readonly certificateUrl?: string | undefined;
  readonly attestation: Attestation;
  readonly now: () => Date;
  /** A UUID. */
  readonly newId: () => string;
}

export class Stir {
  private readonly verifier: IdentityVerifier | undefined;
  private readonly key: string | undefined;

  /** Throws `sip.bad-stir-files`. */
  constructor(private readonly options: StirOptions) {
    const { trust, fetch, now, key } = options;
    const nowMs = (): number => now().getTime();
    this.verifier =
      trust === undefined
        ? undefined
        : new IdentityVerifier(new StirCertificates({ folder: trust, fetch, nowMs }), nowMs);
    this.key = key === undefined ? undefined : readKey(key);
  }

  get counters(): Readonly<Record<'valid' | 'invalid' | 'absent', number>> | undefined {
    return this.verifier?.counters;
  }

  /** Undefined when nothing is checked; `refuse` is the status that the call should get. */
  async check(
    invite: IncomingInvite,
  ): Promise<{ readonly identity: CallIdentity; readonly refuse: number | undefined } | undefined> {
    if (this.verifier === undefined) return undefined;
    const asserted = invite.header('p-asserted-identity');
    const identity = await this.verifier.verify({
      callId: invite.sipCallId,
      identity: invite.header('identity'),
      from: asserted === undefined ? invite.from.user : party(asserted).user,
      to: invite.to.user,
    });
    const { onInvalid, required } = this.options;
    const unwanted = identity.status === 'absent' ? required : identity.status === 'invalid' && onInvalid === 'refuse';
    return { identity, refuse: unwanted ? statusOfFault[identity.reason ?? 'malformed'] : undefined };
  }

  /** The headers of a call that we sign: none without a key, or between others than telephone numbers. */
  headersFor(call: { readonly from?: string | undefined; readonly to: string }): Readonly<Record<string, string>> {
    const { attestation, certificateUrl, now, newId } = this.options;
    if (this.key === undefined || certificateUrl === undefined) return {};
    const at = now();
    const from = call.from === undefined ? '' : numberIn(call.from);
    const identity = signIdentity(
      { from, to: numberIn(call.to), attestation, originId: newId(), at, certificateUrl },
      this.key,
    );
    return identity === undefined ? {} : { Date: at.toUTCString(), Identity: identity };
  }
}

/** A bare number, a SIP URI, or a whole From value. */
function numberIn(text: string): string {
  if (text.includes('<')) return party(text).user;
  const uri = parseSipUri(text);
  return uri === undefined ? text : (unescapeUser(uri.user).split(';')[0] ?? '');
}

function readKey(path: string): string {
  try {
    const text = readFileSync(path, 'utf8');
    const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(text);
    if (asymmetricKeyType !== 'ec' || asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('not P-256');
    return text;
  } catch (cause) {
    throw new TrunklineError('sip.bad-stir-files', 'The key of sip.stir cannot be used.', {
      fix: 'Name a PEM file with a P-256 key: openssl ecparam -name prime256v1 -genkey -noout.',
      cause,
    });
  }
}
