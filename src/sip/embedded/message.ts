/** SIP messages in memory: ordered headers under canonical names, bodies as bytes, and their wire form (RFC 3261 §7). */
export interface SipHeader {
  /** As it goes on the wire. */
  readonly name: string;
  readonly value: string;
}

export interface SipRequest {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
  readonly headers: SipHeaders;
  readonly body: Buffer;
}

export interface SipResponse {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
  readonly headers: SipHeaders;
  readonly body: Buffer;
}

export type SipMessage = SipRequest | SipResponse;

/** RFC 3261 §7.3.3 and the compact forms that later RFCs registered. */
const compactForms: ReadonlyMap<string, string> = new Map([
  ['a', 'accept-contact'],
  ['b', 'referred-by'],
  ['c', 'content-type'],
  ['d', 'request-disposition'],
  ['e', 'content-encoding'],
  ['f', 'from'],
  ['i', 'call-id'],
  ['j', 'reject-contact'],
  ['k', 'supported'],
  ['l', 'content-length'],
  ['m', 'contact'],
  ['o', 'event'],
  ['r', 'refer-to'],
  ['s', 'subject'],
  ['t', 'to'],
  ['u', 'allow-events'],
  ['v', 'via'],
  ['x', 'session-expires'],
]);

const irregularNames: ReadonlyMap<string, string> = new Map([
  ['call-id', 'Call-ID'],
  ['cseq', 'CSeq'],
  ['mime-version', 'MIME-Version'],
  ['min-se', 'Min-SE'],
  ['rseq', 'RSeq'],
  ['rack', 'RAck'],
  ['www-authenticate', 'WWW-Authenticate'],
]);

/** The long name in lower case: what headers are compared by. */
export function headerKey(name: string): string {
  const lower = name.toLowerCase();
  return compactForms.get(lower) ?? lower;
}

/** `call-id` -> `Call-ID`, `max-forwards` -> `Max-Forwards`. */
export function headerName(key: string): string {
  return (
    irregularNames.get(key) ??
    key.replace(/(^|-)([a-z])/g, (_all, dash: string, letter: string) => dash + letter.toUpperCase())
  );
}

/** An ordered list; several lines of one name stay several (RFC 3261 §7.3.1). */
export class SipHeaders {
  private readonly lines: { readonly key: string; readonly value: string }[] = [];

  static of(entries: Readonly<Record<string, string | readonly string[]>>): SipHeaders {
    const headers = new SipHeaders();
    for (const [name, value] of Object.entries(entries)) {
      for (const one of typeof value === 'string' ? [value] : value) headers.add(name, one);
    }
    return headers;
  }

  get size(): number {
    return this.lines.length;
  }

  get(name: string): string | undefined {
    const key = headerKey(name);
    return this.lines.find((line) => line.key === key)?.value;
  }

  all(name: string): string[] {
    const key = headerKey(name);
    return this.lines.filter((line) => line.key === key).map((line) => line.value);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  add(name: string, value: string): this {
    this.lines.push({ key: headerKey(name), value });
    return this;
  }

  prepend(name: string, value: string): this {
    this.lines.unshift({ key: headerKey(name), value });
    return this;
  }

  /** Replaces the first line of that name where it stands and drops the others. */
  set(name: string, value: string): this {
    const key = headerKey(name);
    const index = this.lines.findIndex((line) => line.key === key);
    this.remove(name);
    this.lines.splice(index < 0 ? this.lines.length : index, 0, { key, value });
    return this;
  }

  remove(name: string): this {
    const key = headerKey(name);
    for (let index = this.lines.length - 1; index >= 0; index--) {
      if (this.lines[index]?.key === key) this.lines.splice(index, 1);
    }
    return this;
  }

  clone(): SipHeaders {
    const copy = new SipHeaders();
    copy.lines.push(...this.lines);
    return copy;
  }

  *[Symbol.iterator](): Generator<SipHeader & { readonly key: string }> {
    for (const { key, value } of this.lines) yield { key, name: headerName(key), value };
  }
}

export const noBody: Buffer = Buffer.alloc(0);

export function startLine(message: SipMessage): string {
  return message.kind === 'request'
    ? `${message.method} ${message.uri} SIP/2.0`
    : `SIP/2.0 ${message.status} ${message.reason}`;
}

/** Content-Length is always written, in bytes (RFC 3261 §20.14). */
export function serializeMessage(message: SipMessage): Buffer {
  let head = `${startLine(message)}\r\n`;
  for (const { key, name, value } of message.headers) {
    if (key !== 'content-length') head += `${name}: ${value}\r\n`;
  }
  head += `Content-Length: ${message.body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'utf8'), message.body]);
}

const reasons: ReadonlyMap<number, string> = new Map([
  [100, 'Trying'],
  [180, 'Ringing'],
  [183, 'Session Progress'],
  [200, 'OK'],
  [202, 'Accepted'],
  [400, 'Bad Request'],
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'Not Found'],
  [405, 'Method Not Allowed'],
  [406, 'Not Acceptable'],
  [407, 'Proxy Authentication Required'],
  [408, 'Request Timeout'],
  [413, 'Request Entity Too Large'],
  [415, 'Unsupported Media Type'],
  [416, 'Unsupported URI Scheme'],
  [420, 'Bad Extension'],
  [480, 'Temporarily Unavailable'],
  [481, 'Call/Transaction Does Not Exist'],
  [482, 'Loop Detected'],
  [483, 'Too Many Hops'],
  [484, 'Address Incomplete'],
  [486, 'Busy Here'],
  [487, 'Request Terminated'],
  [488, 'Not Acceptable Here'],
  [491, 'Request Pending'],
  [500, 'Server Internal Error'],
  [501, 'Not Implemented'],
  [503, 'Service Unavailable'],
  [504, 'Server Time-out'],
  [505, 'Version Not Supported'],
  [513, 'Message Too Large'],
  [600, 'Busy Everywhere'],
  [603, 'Decline'],
]);

export function reasonPhrase(status: number): string {
  return reasons.get(status) ?? 'Unknown';
}
