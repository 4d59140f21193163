/**
 * Finishes the library's answer: only the addresses that are advertised, and a refusal, port 0, for every section of the
 * offer that is not used (RFC 3264 §6, RFC 9429 §5.3.1).
 */
import { readCandidate } from './ice-candidate';
import type { CheckedOffer } from './offer';

/** `advertised` empty: all addresses of the machine stay. */
export function writeAnswer(localSdp: string, offer: CheckedOffer, advertised: readonly string[]): string {
  const blocks = localSdp.split(/\r\n(?=m=)/).map((block) => block.split('\r\n').filter((line) => line !== ''));
  const [session = [], ...answered] = blocks;
  const lines = [...session];
  let usedIndex = 0;
  for (const section of offer.sections) {
    const block = section.used ? answered[usedIndex++] : undefined;
    if (block === undefined) lines.push(...refusal(section));
    else lines.push(...block.filter((line) => !line.startsWith('a=candidate:') || isAdvertised(line, advertised)));
  }
  return `${lines.join('\r\n')}\r\n`;
}

/** `line` begins at `a=candidate:`. */
export function isAdvertised(line: string, advertised: readonly string[]): boolean {
  const reading = readCandidate(line);
  if (reading.kind === 'refused') return false;
  // Relayed and reflexive candidates come from a server that was configured for this.
  if (reading.candidate.type !== 'host') return true;
  return advertised.length === 0 || advertised.includes(reading.candidate.address);
}

function refusal({ media, mid }: CheckedOffer['sections'][number]): string[] {
  const [kind, , ...rest] = media.split(' ');
  return [
    `m=${kind} 0 ${rest.join(' ')}`,
    'c=IN IP4 0.0.0.0',
    ...(mid === undefined ? [] : [`a=mid:${mid}`]),
    'a=inactive',
  ];
}
