/** Where a REFER points, with the Replaces that may be hidden in its URI (RFC 3515 §2.1, RFC 3891 §6.1), and what NOTIFY tells of it. */
import { parseNameAddr, splitValues } from './header-values';
import { parseSipUri } from './uri';

export interface ReferTarget {
  /** Without the headers part. */
  readonly uri: string;
  readonly replaces: string | undefined;
}

/** Undefined for none, for several, and for what is no SIP URI. */
export function parseReferTo(value: string | undefined): ReferTarget | undefined {
  const values = splitValues(value ?? '') ?? [];
  const parsed = values.length === 1 ? parseNameAddr(values[0] ?? '') : undefined;
  if (parsed === undefined || parsed.uri.length > 2048) return undefined;
  const question = parsed.uri.indexOf('?');
  const uri = question < 0 ? parsed.uri : parsed.uri.slice(0, question);
  if (parseSipUri(uri) === undefined) return undefined;
  const headers = question < 0 ? '' : parsed.uri.slice(question + 1);
  for (const pair of headers.split('&').slice(0, 16)) {
    const equals = pair.indexOf('=');
    if (equals < 0 || pair.slice(0, equals).toLowerCase() !== 'replaces') continue;
    const replaces = unescaped(pair.slice(equals + 1));
    return replaces === undefined ? undefined : { uri, replaces };
  }
  return { uri, replaces: undefined };
}

export function formatReferTo({ uri, replaces }: ReferTarget): string {
  return replaces === undefined ? `<${uri}>` : `<${uri}?Replaces=${encodeURIComponent(replaces)}>`;
}

/** The status in a body of message/sipfrag (RFC 3420); undefined if its first line is none. */
export function sipfragStatus(body: string | undefined): number | undefined {
  const status = /^SIP\/2\.0 ([1-6][0-9]{2})(?: |\r?\n|$)/.exec(body ?? '')?.[1];
  return status === undefined ? undefined : Number(status);
}

function unescaped(text: string): string | undefined {
  try {
    const plain = decodeURIComponent(text);
    return /[\r\n\0]/.test(plain) ? undefined : plain;
  } catch {
    return undefined;
  }
}
