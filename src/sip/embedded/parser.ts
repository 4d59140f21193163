/**
 * Bytes from the network to a SIP message, after the hostile-input rules of docs/sip.md (RFC 3261 §7, §18.3): linear
 * scanning, hard caps, and the one lenient reading only where RFC 4475 asks for it. Nothing here throws.
 */
import { isToken, parseCSeq, parseNameAddr, parseVia, splitValues } from '../header-values';
import { parseSipUri, uriScheme } from '../uri';
import { headerKey, SipHeaders, type SipMessage, type SipRequest } from './message';

export const parserCaps = { datagramBytes: 16 * 1024, lineBytes: 8 * 1024, headers: 100, vias: 70 } as const;

export type ParseResult =
  | { readonly kind: 'message'; readonly message: SipMessage }
  /** A keep-alive of line ends only (RFC 5626 §3.5.1, and what phones send without asking). */
  | { readonly kind: 'keep-alive' }
  /**
   * `request` is there when Via and CSeq could be read: then `status` can be answered. Otherwise it is dropped and
   * counted.
   */
  | {
      readonly kind: 'malformed';
      readonly reason: string;
      readonly status: number;
      readonly request: SipRequest | undefined;
    };

/** Headers that may stand once only (RFC 3261 §7.3.1); a second one makes the message ambiguous. */
const singletons = ['from', 'to', 'call-id', 'cseq', 'max-forwards', 'content-length', 'content-type'];

/** One datagram, or one message that the stream framing cut out. */
export function parseMessage(bytes: Buffer): ParseResult {
  if (bytes.length > parserCaps.datagramBytes) return dropped('too large');
  let start = 0;
  // RFC 3261 §7.5: line ends before the start line are ignored.
  while (bytes[start] === 0x0d || bytes[start] === 0x0a || bytes[start] === 0) start++;
  if (start === bytes.length) return { kind: 'keep-alive' };
  const blank = bytes.indexOf('\r\n\r\n', start);
  const headEnd = blank < 0 ? bytes.length : blank;
  const head = bytes.toString('utf8', start, headEnd);
  const rest = bytes.subarray(blank < 0 ? bytes.length : blank + 4);

  const firstEnd = head.indexOf('\r\n');
  const first = firstEnd < 0 ? head : head.slice(0, firstEnd);
  const headers = firstEnd < 0 ? new SipHeaders() : parseHeaders(head, firstEnd + 2);
  if (typeof headers === 'string') return dropped(headers);
  if (blank < 0) return dropped('no end of headers');
  return first.startsWith('SIP/') ? parseResponse(first, headers, rest) : parseRequest(first, headers, rest);
}

function parseHeaders(head: string, from: number): SipHeaders | string {
  const headers = new SipHeaders();
  let position = from;
  while (position < head.length) {
    let end = head.indexOf('\r\n', position);
    if (end < 0) end = head.length;
    let line = head.slice(position, end);
    // RFC 3261 §7.3.1: a line that begins with a blank continues the one before it.
    let pieces: string[] | undefined;
    while (end + 2 < head.length && (head[end + 2] === ' ' || head[end + 2] === '\t')) {
      let next = head.indexOf('\r\n', end + 2);
      if (next < 0) next = head.length;
      pieces ??= [line];
      pieces.push(head.slice(end + 2, next).trim());
      end = next;
    }
    if (pieces !== undefined) line = pieces.join(' ');
    if (end - position > parserCaps.lineBytes) return 'header line too long';
    position = end + 2;

    const colon = line.indexOf(':');
    if (colon < 0) return 'header without colon';
    const name = line.slice(0, colon).trimEnd();
    const value = line.slice(colon + 1).trim();
    if (!isToken(name) || hasControl(value)) return 'bad header line';
    if (headers.size >= parserCaps.headers) return 'too many headers';
    const key = headerKey(name);
    if (key === 'via' || key === 'route' || key === 'record-route') {
      const values = splitValues(value);
      if (values === undefined || headers.size + values.length > parserCaps.headers) return 'bad header list';
      for (const one of values) headers.add(key, one);
    } else {
      headers.add(key, value);
    }
  }
  return headers;
}

function parseRequest(first: string, headers: SipHeaders, rest: Buffer): ParseResult {
  const trimmed = first.trimEnd();
  const gap = trimmed.indexOf(' ');
  const lastGap = trimmed.lastIndexOf(' ');
  const method = trimmed.slice(0, Math.max(gap, 0));
  const version = trimmed.slice(lastGap + 1);
  const uri = trimmed.slice(gap + 1, Math.max(gap + 1, lastGap));
  if (!isToken(method) || !version.startsWith('SIP/')) return dropped('bad request line');
  const request: SipRequest = { kind: 'request', method, uri, headers, body: rest };

  const basics = checkBasics(headers, method);
  if (basics !== undefined) return basics === 'drop' ? dropped('no answerable headers') : refused(basics, 400, request);
  if (version !== 'SIP/2.0') return refused('unknown version', 505, request);
  if (trimmed !== first || uri === '' || /[\s<>"]/.test(uri)) return refused('bad request URI', 400, request);
  const scheme = uriScheme(uri);
  if (scheme === undefined) return refused('bad request URI', 400, request);
  if (scheme !== 'sip' && scheme !== 'sips') return refused('unknown URI scheme', 416, request);
  const parsedUri = parseSipUri(uri);
  // Headers have no place in a Request-URI (RFC 3261 §19.1.5, Table 1); in the user part '?' is a letter like others.
  if (parsedUri === undefined || uri.includes('?', uri.indexOf('@'))) return refused('bad request URI', 400, request);
  const maxForwards = headers.get('max-forwards');
  if (maxForwards !== undefined && !/^[0-9]{1,8}$/.test(maxForwards)) return refused('bad Max-Forwards', 400, request);
  if (Number(maxForwards ?? 70) > 255) return refused('bad Max-Forwards', 400, request);
  const legacy = isLegacy(headers);
  const contact = checkContact(headers, method, legacy);
  if (contact !== undefined) return refused(contact, 400, request);

  const body = cutBody(headers, rest);
  if (typeof body === 'string') return refused(body, 400, request);
  return { kind: 'message', message: { ...request, body } };
}

function parseResponse(first: string, headers: SipHeaders, rest: Buffer): ParseResult {
  const match = /^SIP\/2\.0 ([1-6][0-9]{2})(?: (.*))?$/.exec(first);
  if (match === null) return dropped('bad status line');
  const cseq = parseCSeq(headers.get('cseq') ?? '');
  if (checkBasics(headers, cseq?.method ?? '') !== undefined) return dropped('bad response headers');
  const body = cutBody(headers, rest);
  if (typeof body === 'string') return dropped(body);
  const reason = match[2] ?? '';
  return {
    kind: 'message',
    message: { kind: 'response', status: Number(match[1]), reason: hasControl(reason) ? '' : reason, headers, body },
  };
}

/** 'drop' when not even an answer could be built; a reason when one can (as 400); undefined when all is well. */
function checkBasics(headers: SipHeaders, method: string): string | undefined {
  const vias = headers.all('via');
  const from = headers.get('from');
  const to = headers.get('to');
  const callId = headers.get('call-id');
  const cseq = headers.get('cseq');
  if (vias[0] === undefined || cseq === undefined) return 'drop';
  const top = parseVia(vias[0]);
  if (top === undefined || vias.length > parserCaps.vias) return 'drop';
  // RFC 4475 §3.3.1: an answer that carries what there was.
  if (from === undefined || to === undefined || !callId) return 'From, To or Call-ID is missing';
  if (singletons.some((name) => headers.all(name).length > 1)) return 'repeated header';
  if (/\s/.test(callId)) return 'bad Call-ID';
  const parsedCSeq = parseCSeq(cseq);
  if (parsedCSeq === undefined) return 'bad CSeq';
  if (parsedCSeq.method !== method) return 'CSeq names another method';
  if (parseNameAddr(from) === undefined) return 'bad From';
  if (parseNameAddr(to) === undefined) return 'bad To';
  if (vias.some((via) => parseVia(via) === undefined)) return 'bad Via';
  return undefined;
}

/** RFC 3261 §8.1.1.7: a client of RFC 2543 does not begin its branches with the magic cookie, and need not give a Contact. */
function isLegacy(headers: SipHeaders): boolean {
  return (
    parseVia(headers.get('via') ?? '')
      ?.params.get('branch')
      ?.startsWith('z9hG4bK') !== true
  );
}

function checkContact(headers: SipHeaders, method: string, legacy: boolean): string | undefined {
  let contacts = 0;
  for (const line of headers.all('contact')) {
    if (line === '*' && method === 'REGISTER') continue;
    const values = splitValues(line);
    if (values === undefined) return 'bad Contact';
    for (const value of values) {
      contacts++;
      if (contacts > 20 || parseNameAddr(value) === undefined) return 'bad Contact';
    }
  }
  if (method === 'INVITE' && contacts !== 1 && !(legacy && contacts === 0)) return 'an INVITE carries one Contact';
  return undefined;
}

/** RFC 3261 §18.3: short is an error, surplus is cut, and without Content-Length the datagram ends the body. */
function cutBody(headers: SipHeaders, rest: Buffer): Buffer | string {
  const stated = headers.get('content-length');
  if (stated === undefined) return rest;
  if (!/^[0-9]{1,8}$/.test(stated)) return 'bad Content-Length';
  const length = Number(stated);
  if (length > rest.length) return 'body shorter than Content-Length';
  return rest.subarray(0, length);
}

/** Control characters may only stand escaped inside quotes (RFC 3261 §25.1, quoted-pair), line ends nowhere. */
function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code >= 0x20 && code !== 0x7f) continue;
    if (code === 0x0d || code === 0x0a || (code !== 0x09 && text[index - 1] !== '\\')) return true;
  }
  return false;
}

function dropped(reason: string): ParseResult {
  return { kind: 'malformed', reason, status: 400, request: undefined };
}

function refused(reason: string, status: number, request: SipRequest): ParseResult {
  return { kind: 'malformed', reason, status, request };
}
