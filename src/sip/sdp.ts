/** Session descriptions: parsed into plain data within hard caps, and written back (RFC 8866). */
import { isIP, isIPv4 } from 'node:net';

export type SdpDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface SdpConnection {
  /** Without the TTL or count of multicast. May be a host name: RFC 8866 §5.7 allows it. */
  readonly address: string;
  readonly family: 'IP4' | 'IP6';
}

export interface SdpOrigin {
  readonly username: string;
  readonly sessionId: string;
  readonly sessionVersion: string;
  readonly address: SdpConnection;
}

export interface SdpAttribute {
  readonly name: string;
  /** Undefined for a flag (`a=sendrecv`). */
  readonly value: string | undefined;
}

export interface SdpMedia {
  readonly kind: string;
  /** 0: refused or switched off. */
  readonly port: number;
  readonly protocol: string;
  readonly formats: readonly string[];
  readonly connection: SdpConnection | undefined;
  readonly attributes: readonly SdpAttribute[];
}

export interface SessionDescription {
  readonly origin: SdpOrigin;
  readonly connection: SdpConnection | undefined;
  readonly attributes: readonly SdpAttribute[];
  readonly media: readonly SdpMedia[];
}

export type SdpParseResult =
  | { readonly kind: 'session'; readonly session: SessionDescription }
  | { readonly kind: 'malformed'; readonly reason: string; readonly line: number };

export const sdpCaps = {
  chars: 16 * 1024,
  lines: 1000,
  lineChars: 2048,
  media: 32,
  formats: 64,
  attributes: 256,
} as const;

interface MediaDraft {
  readonly kind: string;
  readonly port: number;
  readonly protocol: string;
  readonly formats: readonly string[];
  connection: SdpConnection | undefined;
  readonly attributes: SdpAttribute[];
}

/** Line ends may be CRLF or LF (RFC 8866 §5). Unknown line types are skipped (§5: "MUST ignore" for attributes, by custom for all). */
export function parseSdp(text: string): SdpParseResult {
  if (text.length > sdpCaps.chars) return { kind: 'malformed', reason: 'too long', line: 0 };
  const lines = text.split('\n', sdpCaps.lines + 1);
  if (lines.length > sdpCaps.lines) return { kind: 'malformed', reason: 'too many lines', line: sdpCaps.lines };
  let origin: SdpOrigin | undefined;
  let connection: SdpConnection | undefined;
  const attributes: SdpAttribute[] = [];
  const media: MediaDraft[] = [];
  for (const [index, raw] of lines.entries()) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    const bad = (reason: string): SdpParseResult => ({ kind: 'malformed', reason, line: index + 1 });
    if (line === '') continue;
    if (line.length > sdpCaps.lineChars) return bad('line too long');
    if (line[1] !== '=') return bad('not type=value');
    const value = line.slice(2);
    const current = media.at(-1);
    if (index === 0 && line !== 'v=0') return bad('not version 0');
    switch (line[0]) {
      case 'o':
        origin = parseOrigin(value);
        if (origin === undefined) return bad('bad o=');
        break;
      case 'c': {
        const parsed = parseConnection(value);
        if (parsed === undefined) return bad('bad c=');
        if (current === undefined) connection = parsed;
        else current.connection = parsed;
        break;
      }
      case 'm': {
        const parsed = parseMediaLine(value);
        if (parsed === undefined) return bad('bad m=');
        if (media.length >= sdpCaps.media) return bad('too many m=');
        media.push(parsed);
        break;
      }
      case 'a': {
        const list = current?.attributes ?? attributes;
        if (list.length >= sdpCaps.attributes) return bad('too many a=');
        const colon = value.indexOf(':');
        list.push(
          colon < 0
            ? { name: value, value: undefined }
            : { name: value.slice(0, colon), value: value.slice(colon + 1) },
        );
        break;
      }
    }
  }
  if (origin === undefined) return { kind: 'malformed', reason: 'no o=', line: lines.length };
  return { kind: 'session', session: { origin, connection, attributes, media } };
}

/** `o=<username> <session id> <version> IN IP4 <address>` */
function parseOrigin(value: string): SdpOrigin | undefined {
  const [username, sessionId, sessionVersion, ...rest] = value.split(' ', 8);
  const address = parseConnection(rest.join(' '));
  if (!username || !sessionId || sessionVersion === undefined || address === undefined) return undefined;
  if (!/^[0-9]{1,20}$/.test(sessionId) || !/^[0-9]{1,20}$/.test(sessionVersion)) return undefined;
  return { username, sessionId, sessionVersion, address };
}

/** `IN IP4 192.0.2.1`, `IN IP6 2001:db8::1`, with `/ttl/count` behind a multicast address. */
function parseConnection(value: string): SdpConnection | undefined {
  const [network, family, where] = value.trim().split(' ', 4);
  if (network !== 'IN' || (family !== 'IP4' && family !== 'IP6') || where === undefined) return undefined;
  const address = where.split('/', 1)[0] ?? '';
  if (!/^[0-9A-Za-z.:_-]{1,255}$/.test(address)) return undefined;
  return { address, family };
}

/** `audio 49170/2 RTP/AVP 0 8 101` */
function parseMediaLine(value: string): MediaDraft | undefined {
  const [kind, ports, protocol, ...formats] = value.trim().split(' ', 3 + sdpCaps.formats);
  if (!kind || !protocol || ports === undefined || formats.length === 0 || formats.includes('')) return undefined;
  const match = /^([0-9]{1,5})(?:\/[0-9]{1,5})?$/.exec(ports);
  const port = Number(match?.[1]);
  if (match === null || port > 65535 || !/^[A-Za-z0-9_-]{1,32}$/.test(kind)) return undefined;
  return { kind, port, protocol, formats, connection: undefined, attributes: [] };
}

export function attributeOf(attributes: readonly SdpAttribute[], name: string): SdpAttribute | undefined {
  return attributes.find((one) => one.name === name);
}

/** The m-line's own direction, else the session's, else sendrecv (RFC 8866 §6.7). */
export function directionOf(session: SessionDescription, media: SdpMedia): SdpDirection {
  for (const { name } of [...media.attributes, ...session.attributes]) {
    if (name === 'sendrecv' || name === 'sendonly' || name === 'recvonly' || name === 'inactive') return name;
  }
  return 'sendrecv';
}

export function connectionOf(session: SessionDescription, media: SdpMedia): SdpConnection | undefined {
  return media.connection ?? session.connection;
}

/** `c=IN IP4 0.0.0.0`: how RFC 2543 put a call on hold; RFC 3264 §8.4 still asks for it to be understood. */
export function isHoldAddress(connection: SdpConnection): boolean {
  return connection.address === '0.0.0.0' || connection.address === '::';
}

/** A literal address that one sender and one receiver can use. */
export function isUnicastLiteral(address: string): boolean {
  if (isIP(address) === 0) return false;
  return isIPv4(address) ? Number(address.split('.', 1)[0]) < 224 : !address.toLowerCase().startsWith('ff');
}

export function connectionFor(address: string): SdpConnection {
  return { address, family: address.includes(':') ? 'IP6' : 'IP4' };
}

export function formatSdp(session: SessionDescription): string {
  const { origin, connection } = session;
  const lines = ['v=0'];
  const at = `IN ${origin.address.family} ${origin.address.address}`;
  lines.push(`o=${origin.username} ${origin.sessionId} ${origin.sessionVersion} ${at}`, 's=-');
  if (connection !== undefined) lines.push(`c=IN ${connection.family} ${connection.address}`);
  lines.push('t=0 0', ...session.attributes.map(formatAttribute));
  for (const media of session.media) {
    lines.push(`m=${media.kind} ${media.port} ${media.protocol} ${media.formats.join(' ')}`);
    if (media.connection !== undefined) lines.push(`c=IN ${media.connection.family} ${media.connection.address}`);
    lines.push(...media.attributes.map(formatAttribute));
  }
  return `${lines.join('\r\n')}\r\n`;
}

function formatAttribute({ name, value }: SdpAttribute): string {
  return value === undefined ? `a=${name}` : `a=${name}:${value}`;
}
