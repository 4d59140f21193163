/** Header rules both directions of the user agent share: what we allow, what we accept, what may leave (RFC 3261 §20). */
import { TrunklineError } from '../core/errors';
import { parseNameAddr, splitValues } from './header-values';
import type { SrfRequest } from './srf-types';
import { parseSipUri, unescapeUser } from './uri';
import type { SipParty } from './user-agent';

export const allowedMethods = 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY';
export const sdpType = 'application/sdp';

/**
 * Extensions that may stand in Require: reliable provisional responses (RFC 3262), session timers (RFC 4028), Replaces (RFC 3891),
 * REFER without subscription (RFC 4488).
 */
const supportedExtensions: ReadonlySet<string> = new Set(['100rel', 'timer', 'replaces', 'norefersub']);
export const supportedHeader = [...supportedExtensions].join(', ');

/**
 * A real drachtio-server stops answering for good after a control message of about 12 KB, so nothing longer than this
 * leaves, whichever endpoint is behind.
 */
const maxMessageBytes = 10_000;

export function unsupportedExtensions(require: string | undefined): string[] {
  const wanted = (require ?? '').split(',').map((one) => one.trim().toLowerCase());
  return wanted.filter((one) => one !== '' && !supportedExtensions.has(one));
}

/** False only if there is a body of another type. */
export function bodyIsSdp(request: SrfRequest): boolean {
  const type = (request.get('content-type') ?? sdpType).split(';')[0]?.trim().toLowerCase();
  const encoding = (request.get('content-encoding') ?? 'identity').trim().toLowerCase();
  return (type === sdpType || !hasBody(request)) && encoding === 'identity' && type !== 'multipart/mixed';
}

/** False if an Accept header leaves no room for SDP. */
export function acceptsSdp(request: SrfRequest): boolean {
  const accept = request.get('accept');
  if (accept === undefined) return true;
  const ranges = accept.split(',').map((one) => one.split(';')[0]?.trim().toLowerCase());
  return ranges.some((one) => one === sdpType || one === 'application/*' || one === '*/*');
}

export function hasBody(request: SrfRequest): boolean {
  return request.body !== undefined && request.body.trim() !== '';
}

export function party(header: string | undefined): SipParty {
  const parsed = parseNameAddr(header ?? '');
  const user = parseSipUri(parsed?.uri ?? '')?.user ?? '';
  return { user: unescapeUser(user), uri: parsed?.uri ?? '', displayName: parsed?.displayName };
}

/** User part of the Request-URI, without parameters some trunks put into it (`+1555;npdi`). */
export function calledNumber(uri: string): string {
  return unescapeUser(parseSipUri(uri)?.user.split(';')[0] ?? '');
}

export function firstValue(header: string | undefined): string | undefined {
  return header === undefined ? undefined : splitValues(header)?.[0];
}

/** Throws `sip.bad-header` for a value that would end its line, `sip.message-too-large` for what no server would take. */
export function checkOutgoing(headers: Readonly<Record<string, string>>, body: string): Record<string, string> {
  let bytes = Buffer.byteLength(body);
  const checked: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (/[\r\n\0]/.test(value) || !/^[A-Za-z0-9-]{1,64}$/.test(name)) {
      throw new TrunklineError('sip.bad-header', 'A SIP header has a name or value that cannot be sent.', {
        fix: 'Use letters, digits and dashes in the name, and no line breaks in the value.',
        details: { name: name.slice(0, 64) },
      });
    }
    bytes += name.length + Buffer.byteLength(value) + 4;
    checked[name] = value;
  }
  if (bytes > maxMessageBytes) {
    throw new TrunklineError('sip.message-too-large', 'The SIP message is too large to send.', {
      fix: 'Send fewer or shorter headers, or a shorter session description.',
      details: { bytes, maxMessageBytes },
    });
  }
  return checked;
}
