/**
 * SIP messages as they cross the control connection. What goes to the application is written anew from parsed values, so
 * that drachtio-srf's regular expressions only ever meet short, well-formed lines.
 */
import { splitChallenges } from '../digest';
import { formatNameAddr, isToken, parseNameAddr, splitValues } from '../header-values';
import { noBody, SipHeaders, type SipMessage, startLine } from './message';

/** Names that would collide with what every JavaScript object inherits. */
const inherited = new Set(Object.getOwnPropertyNames(Object.prototype).map((name) => name.toLowerCase()));
const nameAddrHeaders = new Set(['from', 'to', 'contact', 'refer-to', 'referred-by', 'p-asserted-identity']);

export function formatForApp(message: SipMessage): string {
  const { type, body } = bodyForApp(message);
  // The library reads the reason phrase with a pattern that some separators of Unicode end.
  let text = `${startLine(message).replace(/[\p{Cc}\p{Z}]+/gu, ' ')}\r\n`;
  for (const { key, name, value } of message.headers) {
    if (inherited.has(key) || key === 'content-length') continue;
    if (key === 'content-type') {
      if (type !== undefined) text += `${name}: ${type}\r\n`;
    } else {
      text += `${name}: ${tidyBlanks(nameAddrHeaders.has(key) ? tidyNameAddrs(value) : value)}\r\n`;
    }
  }
  return `${text}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** Of a multipart body only the SDP part is handed on (RFC 5621 §3.1). */
function bodyForApp(message: SipMessage): { readonly type: string | undefined; readonly body: string } {
  const type = message.headers.get('content-type');
  const body = message.body.toString('utf8');
  if (type === undefined || !type.toLowerCase().startsWith('multipart/')) return { type, body };
  const sdp = sdpPart(type, body);
  return sdp === undefined ? { type: 'multipart/mixed', body: '' } : { type: 'application/sdp', body: sdp };
}

function sdpPart(type: string, body: string): string | undefined {
  const boundaryAt = type.toLowerCase().indexOf('boundary=');
  if (boundaryAt < 0) return undefined;
  let boundary = type.slice(boundaryAt + 9);
  boundary = boundary.startsWith('"')
    ? boundary.slice(1, boundary.indexOf('"', 1))
    : (boundary.split(/[;\s]/)[0] ?? '');
  if (boundary === '' || boundary.length > 70) return undefined;
  for (const part of body.split(`--${boundary}`).slice(1, 17)) {
    const gap = part.indexOf('\r\n\r\n');
    if (gap < 0) continue;
    const isSdp = part
      .slice(0, gap)
      .split('\r\n')
      .some((line) => /^(content-type|c)[ \t]{0,8}:[ \t]{0,8}application\/sdp/i.test(line));
    if (isSdp) return part.slice(gap + 4).replace(/\r\n$/, '\r\n');
  }
  return undefined;
}

function tidyNameAddrs(value: string): string {
  if (value.trim() === '*') return '*';
  const tidy = (splitValues(value) ?? []).map((one) => {
    const parsed = parseNameAddr(one);
    return parsed === undefined ? undefined : formatNameAddr(parsed);
  });
  return tidy.filter((one) => one !== undefined).join(', ');
}

/** Runs of blanks and control characters become one blank. */
function tidyBlanks(value: string): string {
  return value.replace(/[\p{Cc} ]+/gu, ' ');
}

export interface AppMessage {
  readonly kind: 'request' | 'response';
  readonly method: string;
  readonly uri: string;
  readonly status: number;
  readonly reason: string;
  readonly headers: SipHeaders;
  readonly body: Buffer;
}

/** What drachtio-srf wrote. Its Content-Length counts characters and is ignored: the frame says where the body ends. */
export function parseAppMessage(text: string): AppMessage | undefined {
  const blank = text.indexOf('\r\n\r\n');
  const lines = (blank < 0 ? text : text.slice(0, blank)).split('\r\n');
  const body = blank < 0 ? noBody : Buffer.from(text.slice(blank + 4), 'utf8');
  const headers = new SipHeaders();
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trim();
    if (line === '') continue;
    if (!isToken(name)) return undefined;
    headers.add(name, line.slice(colon + 1).trim());
  }
  const first = (lines[0] ?? '').split(' ');
  if (first[0] === 'SIP/2.0') {
    const status = Number(first[1]);
    if (!Number.isInteger(status) || status < 100 || status > 699) return undefined;
    return { kind: 'response', method: '', uri: '', status, reason: first.slice(2).join(' '), headers, body };
  }
  const [method, uri] = first;
  if (method === undefined || uri === undefined || !isToken(method) || first[2] !== 'SIP/2.0') return undefined;
  return { kind: 'request', method, uri, status: 0, reason: '', headers, body };
}

/** Headers that belong to the transaction or the dialog: the application's versions are set aside. */
const ownedByStack = new Set([
  'via',
  'from',
  'to',
  'call-id',
  'cseq',
  'max-forwards',
  'content-length',
  'record-route',
  'contact',
  'content-type',
]);

/** Copies what the application may say for itself; Content-Type is guessed for SDP, as drachtio-server does. */
export function addAppHeaders(headers: SipHeaders, from: AppMessage): void {
  for (const { key, value } of from.headers) {
    if (ownedByStack.has(key)) continue;
    // drachtio-srf can hold one value of a name only.
    const challenges = key === 'www-authenticate' || key === 'proxy-authenticate';
    for (const line of challenges ? splitChallenges(value) : [value]) headers.add(key, line);
  }
  if (from.body.length === 0) return;
  const stated = from.headers.get('content-type');
  const type = stated ?? (from.body.toString('latin1', 0, 3) === 'v=0' ? 'application/sdp' : undefined);
  if (type !== undefined) headers.add('content-type', type);
}
