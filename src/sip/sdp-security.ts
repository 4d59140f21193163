/**
 * How an audio stream is protected, as SDP says it: keys in the description (SDES, RFC 4568), keys by DTLS (RFC 5763,
 * RFC 8122), or either of them offered beside plain RTP (RFC 8643). Parsing, writing, and the one decision; pure.
 */
import type { DtlsRole, SrtpAgreement } from '../media/protocol';
import { masterBytes, type SrtpSuite, srtpSuites } from '../rtp/srtp-keys';
import { attributeOf, type SdpAttribute, type SdpMedia, type SessionDescription } from './sdp';

/** `require`: a call without SRTP is not taken; `prefer`: with it where the far end can; `off`: never. */
export type SrtpPolicy = 'require' | 'prefer' | 'off';

export interface CryptoOffer {
  readonly tag: number;
  readonly suite: SrtpSuite;
  /** Master key and salt in a row. */
  readonly master: Uint8Array;
}

/** Our end of the protection; the keys are the session's own and are made by its owner. */
export interface LocalSecurity {
  readonly policy: SrtpPolicy;
  /** What our own offers use; an answer takes what it was offered. */
  readonly keying: 'sdes' | 'dtls';
  /** One per suite that we speak, best first; the same ones serve offers and answers. */
  readonly cryptos: readonly CryptoOffer[];
  /** Undefined where DTLS cannot be had. `hash value`, as in `a=fingerprint`. */
  readonly fingerprint: string | undefined;
  /** The session runs protected already: it will not be talked out of it. */
  readonly secured: boolean;
  /** The part we play in a DTLS association that stands. */
  readonly dtlsRole: DtlsRole | undefined;
}

export interface SecurityAgreement {
  readonly srtp: SrtpAgreement;
  /** What an answer of ours has to say of it. */
  readonly attributes: readonly SdpAttribute[];
}

const plainProtocols = new Set(['RTP/AVP', 'RTP/AVPF']);
const sdesProtocols = new Set(['RTP/SAVP', 'RTP/SAVPF']);
const dtlsProtocols = new Set(['UDP/TLS/RTP/SAVP', 'UDP/TLS/RTP/SAVPF']);
/** The best that is common, and what everybody has; each line more brings an INVITE over UDP nearer to its limit. */
const offeredSuites: ReadonlySet<SrtpSuite> = new Set(['AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80']);
/** Of one offer; a description can hold hundreds. */
const maxCryptoLines = 16;
const fingerprintPattern = /^(sha-1|sha-224|sha-256|sha-384|sha-512) ((?:[0-9A-F]{2}:){19,63}[0-9A-F]{2})$/i;

export function isAudioProtocol(protocol: string): boolean {
  return plainProtocols.has(protocol) || sdesProtocols.has(protocol) || dtlsProtocols.has(protocol);
}

/**
 * `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:<key||salt, base64>|2^20|1:4 session-parameters` (RFC 4568 §9.1). Undefined for
 * what we cannot do: another suite, several keys (MKI), or a parameter that changes how packets look (§6.3).
 */
export function parseCrypto(value: string): CryptoOffer | undefined {
  const [tagText = '', suite = '', keys = '', ...parameters] = value.trim().split(/ +/, 16);
  if (!/^[0-9]{1,9}$/.test(tagText) || !isSuite(suite)) return undefined;
  // WSH only hints at the size of the replay window; a leading dash says that it may be ignored (§6.3.7).
  if (parameters.some((one) => !one.startsWith('WSH=') && !one.startsWith('-'))) return undefined;
  const match = /^inline:([A-Za-z0-9+/]{20,80}={0,2})(?:\|(?:2\^)?[0-9]{1,20})?$/.exec(keys);
  if (match === null) return undefined;
  const master = Uint8Array.from(Buffer.from(match[1]!, 'base64'));
  return master.length === masterBytes(suite) ? { tag: Number(tagText), suite, master } : undefined;
}

export function cryptoAttribute({ tag, suite, master }: CryptoOffer): SdpAttribute {
  return { name: 'crypto', value: `${tag} ${suite} inline:${Buffer.from(master).toString('base64')}` };
}

/** What an offer of ours says, and under which transport; RFC 8643 keeps `RTP/AVP` where plain RTP would do as well. */
export function offerSecurity(local: LocalSecurity | undefined): {
  readonly protocol: string;
  readonly attributes: readonly SdpAttribute[];
} {
  if (local === undefined || local.policy === 'off') return { protocol: 'RTP/AVP', attributes: [] };
  const must = local.policy === 'require' || local.secured;
  if (local.keying === 'dtls' && local.fingerprint !== undefined) {
    return {
      protocol: must ? 'UDP/TLS/RTP/SAVP' : 'RTP/AVP',
      attributes: dtlsAttributes(local.fingerprint, 'actpass'),
    };
  }
  const cryptos = local.cryptos.filter(({ suite }) => offeredSuites.has(suite));
  return { protocol: must ? 'RTP/SAVP' : 'RTP/AVP', attributes: cryptos.map(cryptoAttribute) };
}

/**
 * What their description and our policy come to: protection, none, or a reason why there can be no stream. `answering`:
 * it is an offer; else it is the answer to ours.
 */
export function agreeSecurity(
  session: SessionDescription,
  media: SdpMedia,
  local: LocalSecurity | undefined,
  answering: boolean,
): SecurityAgreement | 'plain' | { readonly refused: string } {
  const plainProtocol = plainProtocols.has(media.protocol);
  if (local === undefined || local.policy === 'off') {
    return plainProtocol ? 'plain' : { refused: 'SRTP is switched off here' };
  }
  const agreed =
    agreeDtls(session, media, local, answering) ??
    (dtlsProtocols.has(media.protocol) ? undefined : agreeSdes(media, local, answering));
  if (agreed !== undefined) return agreed;
  if (!plainProtocol) return { refused: 'no crypto suite or fingerprint in common' };
  if (local.policy === 'require') return { refused: 'SRTP is required here' };
  if (local.secured) return { refused: 'the stream is protected and must stay so' };
  return 'plain';
}

function agreeSdes(media: SdpMedia, local: LocalSecurity, answering: boolean): SecurityAgreement | undefined {
  const lines = media.attributes.filter(({ name }) => name === 'crypto').slice(0, maxCryptoLines);
  for (const { value } of lines) {
    const theirs = parseCrypto(value ?? '');
    if (theirs === undefined) continue;
    // RFC 4568 §5.1.2: an answer repeats the tag of the line that it takes.
    const ours = local.cryptos.find((one) => one.suite === theirs.suite && (answering || one.tag === theirs.tag));
    if (ours === undefined) continue;
    const srtp: SrtpAgreement = {
      kind: 'sdes',
      suite: ours.suite,
      localMaster: ours.master,
      remoteMaster: theirs.master,
    };
    return { srtp, attributes: [cryptoAttribute({ ...ours, tag: theirs.tag })] };
  }
  return undefined;
}

function agreeDtls(
  session: SessionDescription,
  media: SdpMedia,
  local: LocalSecurity,
  answering: boolean,
): SecurityAgreement | undefined {
  if (local.fingerprint === undefined) return undefined;
  const fingerprints = [...media.attributes, ...session.attributes]
    .filter(({ name }) => name === 'fingerprint')
    .slice(0, maxCryptoLines)
    .map(({ value }) => (value ?? '').trim())
    .filter((value) => fingerprintPattern.test(value))
    .map((value) => value.toLowerCase());
  if (fingerprints.length === 0) return undefined;
  const setup = (attributeOf(media.attributes, 'setup') ?? attributeOf(session.attributes, 'setup'))?.value?.trim();
  const role = roleFor(setup, local.dtlsRole, answering);
  if (role === undefined) return undefined;
  return {
    srtp: { kind: 'dtls', role, fingerprints },
    attributes: dtlsAttributes(local.fingerprint, role === 'client' ? 'active' : 'passive'),
  };
}

/** RFC 5763 §5: who is asked to choose acts, so that media flows soonest; an association that stands keeps its parts. */
function roleFor(setup: string | undefined, current: DtlsRole | undefined, answering: boolean): DtlsRole | undefined {
  switch (setup) {
    case 'actpass':
      return answering ? (current ?? 'client') : undefined;
    case 'active':
      return 'server';
    case 'passive':
      return 'client';
    case undefined:
      // RFC 4145 §4.1: an offer without it is active, an answer to actpass must name it; active is what is meant.
      return 'server';
    default:
      return undefined;
  }
}

function dtlsAttributes(fingerprint: string, setup: 'actpass' | 'active' | 'passive'): SdpAttribute[] {
  return [
    { name: 'fingerprint', value: fingerprint },
    { name: 'setup', value: setup },
  ];
}

function isSuite(name: string): name is SrtpSuite {
  return Object.hasOwn(srtpSuites, name);
}
