/** A dialog's state and the requests built from it: tags, CSeq, route set, remote target (RFC 3261 §12). */
import { formatNameAddr, type NameAddr, parseCSeq, parseNameAddr } from '../header-values';
import { parseSipUri } from '../uri';
import { SipHeaders, type SipRequest, type SipResponse } from './message';
import type { Hop } from './transport';

export interface Dialog {
  /** `<Call-ID>;from-tag=<From tag of the INVITE>`: the form that drachtio-srf relies on. */
  readonly id: string;
  readonly role: 'uas' | 'uac';
  /** The application connection that owns it. */
  readonly owner: number;
  readonly callId: string;
  readonly local: NameAddr;
  readonly remote: NameAddr;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly routeSet: readonly string[];
  readonly localContact: string;
  /** Where the first message came from: used while the far end's Contact cannot be reached (NAT). */
  readonly source: Hop;
  readonly behindNat: boolean;
  remoteTarget: string;
  localSeq: number;
  /** Highest CSeq number seen from the far end. */
  remoteSeq: number;
  /** ACKs we sent for 2xx, by CSeq number: sent again when the 2xx comes again. */
  readonly acks: Map<number, { readonly bytes: Buffer; readonly to: Hop }>;
  /** Client transactions in progress, by method. */
  readonly pending: Set<string>;
  confirmed: boolean;
  /** CSeq number of our INVITE whose 2xx the application has not acknowledged. */
  awaitingAck: number | undefined;
}

export function dialogId(callId: string, inviteFromTag: string): string {
  return `${callId};from-tag=${inviteFromTag}`;
}

/** UAS: from an INVITE and the To tag we gave it (§12.1.1). */
export function dialogFromRequest(
  request: SipRequest,
  localTag: string,
  localContact: string,
  source: Hop,
  owner: number,
): Dialog {
  const from = nameAddr(request.headers.get('from'));
  const to = nameAddr(request.headers.get('to'));
  const remoteTag = from.params.get('tag') ?? '';
  const callId = request.headers.get('call-id') ?? '';
  const remoteTarget = contactUri(request.headers) ?? from.uri;
  return {
    id: dialogId(callId, remoteTag),
    role: 'uas',
    owner,
    callId,
    local: { ...to, params: new Map([...to.params, ['tag', localTag]]) },
    remote: from,
    localTag,
    remoteTag,
    routeSet: request.headers.all('record-route'),
    localContact,
    source,
    behindNat: request.headers.all('via').length === 1 && contactElsewhere(remoteTarget, source),
    remoteTarget,
    localSeq: 0,
    remoteSeq: parseCSeq(request.headers.get('cseq') ?? '')?.number ?? 0,
    acks: new Map(),
    pending: new Set(),
    confirmed: false,
    awaitingAck: undefined,
  };
}

/** UAC: from our INVITE and a response with a To tag (§12.1.2). */
export function dialogFromResponse(request: SipRequest, response: SipResponse, source: Hop, owner: number): Dialog {
  const from = nameAddr(request.headers.get('from'));
  const to = nameAddr(response.headers.get('to'));
  const callId = request.headers.get('call-id') ?? '';
  const localTag = from.params.get('tag') ?? '';
  const routeSet = response.headers.all('record-route').reverse();
  const remoteTarget = contactUri(response.headers) ?? request.uri;
  return {
    id: dialogId(callId, localTag),
    role: 'uac',
    owner,
    callId,
    local: from,
    remote: to,
    localTag,
    remoteTag: to.params.get('tag') ?? '',
    routeSet,
    localContact: request.headers.get('contact') ?? '',
    source,
    behindNat:
      response.headers.all('via').length === 1 && routeSet.length === 0 && contactElsewhere(remoteTarget, source),
    remoteTarget,
    localSeq: parseCSeq(request.headers.get('cseq') ?? '')?.number ?? 1,
    remoteSeq: -1,
    acks: new Map(),
    pending: new Set(),
    confirmed: false,
    awaitingAck: undefined,
  };
}

/** Request-URI and Route of a request inside the dialog (§12.2.1.1), with strict routers of RFC 2543 allowed for. */
export function routeRequest(dialog: Dialog): { readonly uri: string; readonly routes: readonly string[] } {
  const first = dialog.routeSet[0];
  if (first === undefined) return { uri: dialog.remoteTarget, routes: [] };
  const firstUri = nameAddr(first).uri;
  if (parseSipUri(firstUri)?.params.has('lr')) return { uri: dialog.remoteTarget, routes: dialog.routeSet };
  return { uri: firstUri, routes: [...dialog.routeSet.slice(1), `<${dialog.remoteTarget}>`] };
}

/** URI that the next hop is found from: the first Route, else the Request-URI (§8.1.2). */
export function nextHopUri(uri: string, routes: readonly string[]): string {
  const first = routes[0];
  if (first === undefined) return uri;
  const firstUri = nameAddr(first).uri;
  return parseSipUri(firstUri)?.params.has('lr') ? firstUri : uri;
}

/** Headers every request inside the dialog has; the Via is added when the transport is known. */
export function dialogHeaders(dialog: Dialog, method: string, cseq: number): SipHeaders {
  const headers = new SipHeaders();
  for (const route of routeRequest(dialog).routes) headers.add('route', route);
  headers.add('max-forwards', '70');
  headers.add('from', formatNameAddr(dialog.local));
  headers.add('to', formatNameAddr(dialog.remote));
  headers.add('call-id', dialog.callId);
  headers.add('cseq', `${cseq} ${method}`);
  if (['INVITE', 'UPDATE', 'REFER', 'NOTIFY'].includes(method)) headers.add('contact', dialog.localContact);
  return headers;
}

export function contactUri(headers: SipHeaders): string | undefined {
  const contact = headers.get('contact');
  return contact === undefined ? undefined : parseNameAddr(contact)?.uri;
}

/** True when the Contact names another address than the one that speaks to us directly. */
function contactElsewhere(contact: string, source: Hop): boolean {
  const host = parseSipUri(contact)?.host;
  return host !== undefined && /^[0-9.]+$|:/.test(host) && host !== source.address;
}

function nameAddr(text: string | undefined): NameAddr {
  return (
    parseNameAddr(text ?? '') ?? { displayName: undefined, uri: 'sip:anonymous@anonymous.invalid', params: new Map() }
  );
}
