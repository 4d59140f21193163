/**
 * The summary of a call as a SIP header of the leg to a colleague, for what stands on their desk. What a caller says is nobody's
 * header: everything but printable ASCII is percent-encoded (RFC 3986 §2.1, UTF-8), and its length is bounded.
 */

export const SUMMARY_HEADER = 'X-Trunkline-Summary';
/** Of a message that must fit one UDP packet with its SDP (RFC 3261 §18.1.1). */
export const MAX_SUMMARY_BYTES = 400;

/** Never more than `MAX_SUMMARY_BYTES`, never a line break; `decodeURIComponent` reads it. */
export function summaryHeaderOf(summary: string): string {
  let header = '';
  for (const character of summary.replace(/\s+/gu, ' ').trim()) {
    const encoded = /^[\x20-\x7e]$/.test(character) && character !== '%' ? character : percentEncoded(character);
    if (header.length + encoded.length > MAX_SUMMARY_BYTES) break;
    header += encoded;
  }
  return header.trim();
}

function percentEncoded(character: string): string {
  return [...Buffer.from(character, 'utf8')]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');
}
