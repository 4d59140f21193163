/**
 * Frames of drachtio's control protocol: a decimal byte length, '#', that many bytes; nothing at the end. A frame's
 * payload is a head line with '|' separators and, behind CRLF, a raw SIP message where there is one.
 *
 *   57#3f0c…|sip||Call-1;from-tag=a7<CRLF>BYE sip:placeholder SIP/2.0<CRLF>…
 */
export interface ControlCommand {
  readonly messageId: string;
  readonly name: string;
  readonly args: readonly string[];
  /** Behind the head line; '' if there is nothing. */
  readonly message: string;
}

const maxLengthDigits = 7;

export function encodeFrame(payload: string): Buffer {
  const body = Buffer.from(payload, 'utf8');
  return Buffer.concat([Buffer.from(`${body.length}#`, 'latin1'), body]);
}

export function parseCommand(payload: string): ControlCommand | undefined {
  const end = payload.indexOf('\r\n');
  const [messageId, name, ...args] = (end < 0 ? payload : payload.slice(0, end)).split('|', 32);
  if (!messageId || !name || messageId.length > 64) return undefined;
  return { messageId, name, args, message: end < 0 ? '' : payload.slice(end + 2) };
}

/** Cuts a byte stream into payloads. After `broken` the connection must be closed: there is no way to find the next frame. */
export class FrameReader {
  private chunks: Buffer[] = [];
  private buffered = 0;

  constructor(private readonly maxPayloadBytes: number) {}

  push(chunk: Buffer): { readonly payloads: readonly string[]; readonly broken: boolean } {
    this.chunks.push(chunk);
    this.buffered += chunk.length;
    const payloads: string[] = [];
    let data = this.chunks.length === 1 ? chunk : Buffer.concat(this.chunks, this.buffered);
    let broken = false;
    for (;;) {
      const mark = data.subarray(0, maxLengthDigits + 1).indexOf(0x23);
      if (mark < 0) {
        broken = data.length > maxLengthDigits || !isDigits(data, data.length);
        break;
      }
      const length = Number(data.toString('latin1', 0, mark));
      if (mark === 0 || !isDigits(data, mark) || length > this.maxPayloadBytes) {
        broken = true;
        break;
      }
      if (data.length < mark + 1 + length) break;
      payloads.push(data.toString('utf8', mark + 1, mark + 1 + length));
      data = data.subarray(mark + 1 + length);
    }
    this.chunks = broken || data.length === 0 ? [] : [data];
    this.buffered = broken ? 0 : data.length;
    return { payloads, broken };
  }
}

function isDigits(data: Buffer, length: number): boolean {
  for (let index = 0; index < length; index++) {
    const byte = data[index] ?? 0;
    if (byte < 0x30 || byte > 0x39) return false;
  }
  return true;
}
