/**
 * A key of the telephone in an INFO (RFC 6086): the bodies `application/dtmf-relay` and `application/dtmf`, which no RFC
 * describes but many phones and trunks send.
 */
export interface InfoKey {
  /** One of 0-9 * # A-D. */
  readonly digit: string;
  /** 0 when it was not told. */
  readonly durationMs: number;
}

const MAX_BODY_CHARS = 256;
const MAX_DURATION_MS = 10_000;

/** Undefined for any other body: a hook flash, a media control, a line that cannot be read. */
export function keyOfInfo(contentType: string, body: string): InfoKey | undefined {
  if (body.length > MAX_BODY_CHARS) return undefined;
  if (contentType === 'application/dtmf') return keyOf(body, '');
  if (contentType !== 'application/dtmf-relay') return undefined;
  const fields = new Map<string, string>();
  for (const line of body.split(/\r?\n/)) {
    const equals = line.indexOf('=');
    if (equals > 0) fields.set(line.slice(0, equals).trim().toLowerCase(), line.slice(equals + 1));
  }
  return keyOf(fields.get('signal') ?? '', fields.get('duration') ?? '');
}

/** Star and hash also by their numbers of RFC 4733 §3.2, as some gateways write them. */
function keyOf(signal: string, duration: string): InfoKey | undefined {
  const text = signal.trim().toUpperCase();
  const digit = text === '10' ? '*' : text === '11' ? '#' : text;
  if (!/^[0-9*#A-D]$/.test(digit)) return undefined;
  const told = /^\s*[0-9]{1,6}\s*$/.test(duration) ? Number(duration) : 0;
  return { digit, durationMs: Math.min(told, MAX_DURATION_MS) };
}
