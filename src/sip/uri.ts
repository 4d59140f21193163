/** SIP URIs taken apart by index scanning, so that no input costs more than its length (RFC 3261 §19.1). */

export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  /** As written, still escaped; '' if there is none. */
  readonly user: string;
  /** IPv6 addresses without their brackets. */
  readonly host: string;
  readonly port: number | undefined;
  /** Names in lower case; '' for a flag. */
  readonly params: ReadonlyMap<string, string>;
}

const maxUriChars = 2048;

/** The scheme in lower case, or undefined if the text does not begin with one. */
export function uriScheme(text: string): string | undefined {
  const colon = text.indexOf(':');
  if (colon <= 0) return undefined;
  const scheme = text.slice(0, colon).toLowerCase();
  return /^[a-z][a-z0-9+.-]{0,30}$/.test(scheme) ? scheme : undefined;
}

/** Undefined for anything that is not a well-formed sip: or sips: URI. */
export function parseSipUri(text: string): SipUri | undefined {
  if (text.length > maxUriChars || hasForbidden(text)) return undefined;
  const scheme = uriScheme(text);
  if (scheme !== 'sip' && scheme !== 'sips') return undefined;
  let rest = text.slice(scheme.length + 1);

  // '@' may not stand unescaped in the user part, but ';' '?' '/' may: the first '@' ends it.
  let user = '';
  const at = rest.indexOf('@');
  if (at >= 0) {
    const userInfo = rest.slice(0, at);
    const colon = userInfo.indexOf(':');
    user = colon < 0 ? userInfo : userInfo.slice(0, colon);
    if (user === '') return undefined;
    rest = rest.slice(at + 1);
  }
  const question = rest.indexOf('?');
  if (question >= 0) rest = rest.slice(0, question);
  const semicolon = rest.indexOf(';');
  const hostPort = parseHostPort(semicolon < 0 ? rest : rest.slice(0, semicolon));
  if (hostPort === undefined) return undefined;

  const params = new Map<string, string>();
  if (semicolon >= 0) {
    for (const piece of rest.slice(semicolon + 1).split(';')) {
      if (piece === '') continue;
      const equals = piece.indexOf('=');
      const name = (equals < 0 ? piece : piece.slice(0, equals)).toLowerCase();
      if (!params.has(name)) params.set(name, equals < 0 ? '' : piece.slice(equals + 1));
    }
  }
  return { scheme, user, host: hostPort.host, port: hostPort.port, params };
}

/** `host`, `host:port`, `[v6]`, `[v6]:port`; undefined if malformed. */
export function parseHostPort(text: string): { host: string; port: number | undefined } | undefined {
  if (text.startsWith('[')) {
    const end = text.indexOf(']');
    if (end < 0) return undefined;
    // RFC 5118 §4.10: the grammar of RFC 3261 allows a third colon before an IPv4 part, by mistake.
    const host = text.slice(1, end).replace(/:::(?=[0-9]{1,3}(?:\.[0-9]{1,3}){3}$)/, '::');
    if (!/^[0-9A-Fa-f:.]{2,45}$/.test(host) || !host.includes(':')) return undefined;
    const port = parsePortSuffix(text.slice(end + 1));
    return port === null ? undefined : { host, port };
  }
  const colon = text.indexOf(':');
  const host = colon < 0 ? text : text.slice(0, colon);
  if (host.length > 255 || !/^[0-9A-Za-z._-]+$/.test(host)) return undefined;
  const port = parsePortSuffix(colon < 0 ? '' : text.slice(colon));
  return port === null ? undefined : { host, port };
}

function parsePortSuffix(text: string): number | undefined | null {
  if (text === '') return undefined;
  if (!/^:[0-9]{1,5}$/.test(text)) return null;
  const port = Number(text.slice(1));
  return port >= 1 && port <= 65535 ? port : null;
}

/** Blanks, controls, quotes, angle brackets and anything beyond ASCII never stand in a URI (RFC 3986 §2). */
function hasForbidden(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code <= 0x20 || code >= 0x7f || code === 0x22 || code === 0x3c || code === 0x3e) return true;
  }
  return false;
}

/** Percent-escapes undone; broken escapes stay as they are. */
export function unescapeUser(text: string): string {
  if (!text.includes('%')) return text;
  const bytes: number[] = [];
  const source = Buffer.from(text, 'utf8');
  for (let index = 0; index < source.length; index++) {
    const pair = source.toString('latin1', index + 1, index + 3);
    if (source[index] === 0x25 && /^[0-9A-Fa-f]{2}$/.test(pair)) {
      bytes.push(Number.parseInt(pair, 16));
      index += 2;
    } else {
      bytes.push(source[index] ?? 0);
    }
  }
  return Buffer.from(bytes).toString('utf8');
}

/** Parameters in which two URIs must agree even when one of them has none (RFC 3261 §19.1.4). */
const decisiveParams = ['transport', 'user', 'ttl', 'method', 'maddr'] as const;

/** Equal for two URIs that name the same place (RFC 3261 §19.1.4), however each is written. */
export function uriIdentity(text: string): string {
  const uri = parseSipUri(text);
  if (uri === undefined) return text;
  const params = decisiveParams.map((name) => `${name}=${uri.params.get(name)?.toLowerCase() ?? ''}`);
  return [uri.scheme, unescapeUser(uri.user), uri.host.toLowerCase(), uri.port ?? '', ...params].join(' ');
}

/** A host as it stands in URIs, Via and Contact: IPv6 in brackets (RFC 3261 §25.1). */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
