/** Cuts a byte stream into SIP messages by Content-Length, within a total cap (RFC 3261 §18.3, RFC 5626 §3.5.1). */
import { headerKey } from './message';
import { parserCaps } from './parser';

export interface Framed {
  readonly messages: readonly Buffer[];
  /** Keep-alives that want an answer: two line ends between messages. */
  readonly pings: number;
  /** There is no way to find the next message: the connection has to be closed. */
  readonly broken: string | undefined;
}

const cr = 0x0d;
const lf = 0x0a;

export class StreamFraming {
  private held: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): Framed {
    let data = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]);
    const messages: Buffer[] = [];
    let pings = 0;
    for (;;) {
      let blank = 0;
      while (data[blank] === cr || data[blank] === lf) blank++;
      // A single CRLF may be the first half of a ping: it waits for its other half.
      if (blank === data.length && blank < 4) break;
      pings += Math.floor(blank / 4);
      data = data.subarray(blank);
      const end = data.indexOf('\r\n\r\n');
      if (end < 0) {
        if (data.length > parserCaps.datagramBytes) return this.give(messages, pings, 'headers too large');
        break;
      }
      const bodyBytes = contentLength(data.toString('latin1', 0, end));
      if (typeof bodyBytes === 'string') return this.give(messages, pings, bodyBytes);
      const total = end + 4 + bodyBytes;
      if (total > parserCaps.datagramBytes) return this.give(messages, pings, 'message too large');
      if (data.length < total) break;
      messages.push(data.subarray(0, total));
      data = data.subarray(total);
    }
    this.held = data;
    return { messages, pings, broken: undefined };
  }

  private give(messages: readonly Buffer[], pings: number, broken: string): Framed {
    this.held = Buffer.alloc(0);
    return { messages, pings, broken };
  }
}

/** Strict digits, one value; a stream without it cannot be framed (RFC 3261 §20.14). */
function contentLength(head: string): number | string {
  let found: string | undefined;
  for (const line of head.split('\r\n', parserCaps.headers + 2).slice(1)) {
    const colon = line.indexOf(':');
    if (colon <= 0 || colon > 32 || headerKey(line.slice(0, colon).trim()) !== 'content-length') continue;
    if (found !== undefined) return 'repeated Content-Length';
    found = line.slice(colon + 1).trim();
  }
  if (found === undefined) return 'no Content-Length';
  return /^[0-9]{1,8}$/.test(found) ? Number(found) : 'bad Content-Length';
}
