/**
 * A SIP message as people may read it: digests, tokens, passwords, media keys and the keys that a caller pressed (INFO) are
 * masked, everything else stays as it was on the wire.
 */

const masked = '•••';
/** What of a digest an offline attack could work on (RFC 7616 §3.4, §3.5). */
const digestSecrets = /\b(response|cnonce|nonce|rspauth|nextnonce|opaque)(\s*=\s*)(?:"[^"]*"|[^\s,;]+)/gi;
const credentialHeaders = /^(authorization|proxy-authorization)\s*:\s*(\S*)\s*(.*)$/i;
const answeredHeaders = /^authentication-info\s*:/i;
/** RFC 3261 §19.1.1: `sip:user:password@host`. */
const uriPassword = /(sips?:[^\s:@;<>"]{1,256}):[^\s@<>"]{1,256}@/gi;
/** RFC 4568 and RFC 2327 keys, and what opens an ICE session. */
const sdpSecrets: readonly (readonly [RegExp, string])[] = [
  [/^(a=crypto:[^\r\n]*?inline:)[^\r\n]*/gim, `$1${masked}`],
  [/^(a=ice-pwd:)[^\r\n]*/gim, `$1${masked}`],
  [/^(a=key-mgmt:)[^\r\n]*/gim, `$1${masked}`],
  [/^(k=)[^\r\n]*/gim, `$1${masked}`],
];

export function maskedMessage(text: string): string {
  const gap = text.indexOf('\r\n\r\n');
  const head = gap < 0 ? text : text.slice(0, gap);
  const body = gap < 0 ? '' : text.slice(gap + 4);
  // A folded line belongs to the one before (RFC 3261 §7.3.1).
  const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  const shown = lines.map(maskedLine).join('\r\n');
  if (gap < 0) return shown;
  // What is pressed is a secret as soon as an order says so, and INFO comes before anybody knows.
  const keys = lines.some((line) => /^cseq\s*:\s*\d+\s+INFO\s*$/i.test(line)) && body !== '';
  return `${shown}\r\n\r\n${keys ? masked : maskedSdp(body)}`;
}

function maskedLine(line: string): string {
  const credentials = credentialHeaders.exec(line);
  if (credentials !== null) {
    const [, name, scheme = '', rest = ''] = credentials;
    const shown = scheme.toLowerCase() === 'digest' ? rest.replace(digestSecrets, `$1$2"${masked}"`) : masked;
    return `${name}: ${scheme} ${shown}`.replace(uriPassword, `$1:${masked}@`);
  }
  const plain = answeredHeaders.test(line) ? line.replace(digestSecrets, `$1$2"${masked}"`) : line;
  return plain.replace(uriPassword, `$1:${masked}@`);
}

function maskedSdp(body: string): string {
  return sdpSecrets.reduce((text, [pattern, shown]) => text.replace(pattern, shown), body);
}
