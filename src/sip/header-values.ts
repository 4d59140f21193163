/** The structured header values of SIP (Via, name-addr, CSeq, parameter lists) by index scanning (RFC 3261 §20, §25.1). */
import { parseHostPort } from './uri';

export interface NameAddr {
  /** Without quotes and escapes; undefined if there was none. */
  readonly displayName: string | undefined;
  readonly uri: string;
  /** Header parameters, names in lower case; '' for a flag. */
  readonly params: ReadonlyMap<string, string>;
}

export interface Via {
  /** In capitals: UDP, TCP, TLS, WS, WSS, or something unknown. */
  readonly transport: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly params: ReadonlyMap<string, string>;
}

export interface CSeq {
  readonly number: number;
  readonly method: string;
}

const maxParams = 64;
const tokenPattern = /^[A-Za-z0-9\-.!%*_+`'~]+$/;

export function isToken(text: string): boolean {
  return text.length > 0 && text.length <= 1024 && tokenPattern.test(text);
}

/** Whether a list of tokens (Supported, Require, Allow) has one; case does not count. */
export function listsToken(header: string | undefined, token: string): boolean {
  const wanted = token.toLowerCase();
  return (header ?? '').split(',').some((one) => one.trim().toLowerCase() === wanted);
}

/** Splits at commas outside quotes and angle brackets; undefined if a quote or bracket never closes. */
export function splitValues(text: string, separator = ','): string[] | undefined {
  const values: string[] = [];
  let start = 0;
  let inQuotes = false;
  let inAngle = false;
  for (let index = 0; index < text.length; index++) {
    const char = text[index];
    if (inQuotes) {
      if (char === '\\') index++;
      else if (char === '"') inQuotes = false;
    } else if (char === '"' && !inAngle) inQuotes = true;
    else if (char === '<') inAngle = true;
    else if (char === '>') inAngle = false;
    else if (char === separator && !inAngle) {
      values.push(text.slice(start, index).trim());
      start = index + 1;
    }
  }
  if (inQuotes || inAngle) return undefined;
  values.push(text.slice(start).trim());
  return values;
}

/** `;name=value;flag`, from just behind the value they belong to; undefined if malformed. */
export function parseParams(text: string): Map<string, string> | undefined {
  const params = new Map<string, string>();
  const pieces = splitValues(text, ';');
  if (pieces === undefined || pieces[0] !== '' || pieces.length > maxParams) return undefined;
  for (const piece of pieces.slice(1)) {
    if (piece === '') continue;
    const equals = piece.indexOf('=');
    const name = (equals < 0 ? piece : piece.slice(0, equals)).trim().toLowerCase();
    if (!isToken(name)) return undefined;
    const value = equals < 0 ? '' : piece.slice(equals + 1).trim();
    if (!params.has(name)) params.set(name, value.startsWith('"') ? unquote(value) : value);
  }
  return params;
}

/** `"Name" <uri>;params`, `Name <uri>`, `uri;params` (RFC 3261 §20.10: without brackets, parameters are the header's). */
export function parseNameAddr(text: string): NameAddr | undefined {
  const trimmed = text.trim();
  let open = -1;
  if (trimmed.startsWith('"')) {
    const close = closingQuote(trimmed);
    if (close < 0) return undefined;
    open = close + 1;
    while (open < trimmed.length && isBlank(trimmed.charCodeAt(open))) open++;
    if (trimmed[open] !== '<') return undefined;
  } else {
    open = trimmed.indexOf('<');
  }
  if (open < 0) {
    const semicolon = trimmed.indexOf(';');
    const uri = (semicolon < 0 ? trimmed : trimmed.slice(0, semicolon)).trim();
    const params = semicolon < 0 ? new Map<string, string>() : parseParams(trimmed.slice(semicolon));
    if (uri === '' || /[\s,?"]/.test(uri) || params === undefined) return undefined;
    return { displayName: undefined, uri, params };
  }
  const close = trimmed.indexOf('>', open);
  if (close < 0) return undefined;
  const uri = trimmed.slice(open + 1, close);
  if (uri === '' || /[\s<"]/.test(uri)) return undefined;
  const rest = trimmed.slice(close + 1).trim();
  const params = rest === '' ? new Map<string, string>() : parseParams(rest);
  if (params === undefined) return undefined;
  const name = trimmed.slice(0, open).trim();
  const displayName = name === '' ? undefined : name.startsWith('"') ? unquote(name) : name;
  if (displayName !== undefined && !name.startsWith('"') && /[",;:@[\]]/.test(name)) return undefined;
  return { displayName, uri, params };
}

export function formatNameAddr(value: NameAddr): string {
  const name = value.displayName === undefined ? '' : `${quote(value.displayName)} `;
  return `${name}<${value.uri}>${formatParams(value.params)}`;
}

export function formatParams(params: ReadonlyMap<string, string>): string {
  let text = '';
  for (const [name, value] of params) {
    if (value === '') text += `;${name}`;
    else text += `;${name}=${isToken(value) || isHost(value) ? value : quote(value)}`;
  }
  return text;
}

/**
 * `SIP / 2.0 / UDP host:port;branch=...` (RFC 3261 §20.42; blanks are allowed around the slashes). Other versions are
 * read too, so that they can be told that theirs is not spoken here.
 */
export function parseVia(text: string): Via | undefined {
  const semicolon = text.indexOf(';');
  const head = (semicolon < 0 ? text : text.slice(0, semicolon)).trim();
  const first = head.indexOf('/');
  const second = head.indexOf('/', first + 1);
  if (first < 0 || second < 0) return undefined;
  if (
    head.slice(0, first).trim().toUpperCase() !== 'SIP' ||
    !/^[0-9]\.[0-9]$/.test(head.slice(first + 1, second).trim())
  ) {
    return undefined;
  }
  const rest = head.slice(second + 1).trim();
  const gap = firstBlank(rest);
  if (gap < 0) return undefined;
  const transport = rest.slice(0, gap).toUpperCase();
  const hostPort = parseHostPort(withoutBlanks(rest.slice(gap)));
  const params = semicolon < 0 ? new Map<string, string>() : parseParams(text.slice(semicolon));
  if (!isToken(transport) || hostPort === undefined || params === undefined) return undefined;
  return { transport, host: hostPort.host, port: hostPort.port, params };
}

export function formatVia(via: Via): string {
  const host = via.host.includes(':') ? `[${via.host}]` : via.host;
  const port = via.port === undefined ? '' : `:${via.port}`;
  return `SIP/2.0/${via.transport} ${host}${port}${formatParams(via.params)}`;
}

/** The number is below 2**31 (RFC 3261 §8.1.1.5). */
export function parseCSeq(text: string): CSeq | undefined {
  const gap = firstBlank(text);
  if (gap <= 0) return undefined;
  const digits = text.slice(0, gap);
  const method = text.slice(gap).trim();
  if (!/^[0-9]{1,10}$/.test(digits) || !isToken(method)) return undefined;
  const number = Number(digits);
  return number < 2 ** 31 ? { number, method } : undefined;
}

export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, (char) => `\\${char}`)}"`;
}

function unquote(text: string): string {
  const close = closingQuote(text);
  return text.slice(1, close < 0 ? undefined : close).replace(/\\(.)/g, '$1');
}

/** Index of the quote that closes the one at index 0, or -1. */
function closingQuote(text: string): number {
  for (let index = 1; index < text.length; index++) {
    if (text[index] === '\\') index++;
    else if (text[index] === '"') return index;
  }
  return -1;
}

function isHost(text: string): boolean {
  return /^[A-Za-z0-9.:[\]-]{1,255}$/.test(text);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function firstBlank(text: string): number {
  for (let index = 0; index < text.length; index++) if (isBlank(text.charCodeAt(index))) return index;
  return -1;
}

function withoutBlanks(text: string): string {
  return text.replace(/[ \t]/g, '');
}
