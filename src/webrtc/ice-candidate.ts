/**
 * Reads one ICE candidate line (RFC 8839 §5.1) and keeps only what this side will send checks to: UDP, component 1, a
 * plain unicast address. The rest is refused by name, so that a peer cannot make us resolve names or open connections.
 */
import { isIPv4, isIPv6 } from 'node:net';

/**
 * ```
 * candidate:<foundation> <component> <transport> <priority> <address> <port> typ <type> [raddr … rport …] [name value]*
 * ```
 */
export interface IceCandidateLine {
  readonly foundation: string;
  readonly priority: number;
  readonly address: string;
  readonly port: number;
  readonly type: 'host' | 'srflx' | 'prflx' | 'relay';
  /** The part from `candidate:` on, rebuilt from the checked fields. */
  readonly text: string;
}

export type CandidateRefusal = 'malformed' | 'not-udp' | 'not-component-1' | 'host-name' | 'address' | 'port';

export type CandidateReading =
  | { readonly kind: 'usable'; readonly candidate: IceCandidateLine }
  | { readonly kind: 'refused'; readonly reason: CandidateRefusal };

const MAX_LINE_CHARS = 512;
const FOUNDATION = /^[A-Za-z0-9+/]{1,32}$/;
const UNSIGNED = /^\d{1,10}$/;
const MAX_PRIORITY = 2 ** 32 - 1;

/** `line` begins at `candidate:`; an `a=` before it is taken off. */
export function readCandidate(line: string): CandidateReading {
  if (line.length > MAX_LINE_CHARS) return refused('malformed');
  const body = line.startsWith('a=') ? line.slice(2) : line;
  if (!body.startsWith('candidate:')) return refused('malformed');
  const [foundation, component, transport, priorityText, address, portText, typ, type] = body.slice(10).split(' ');
  if (foundation === undefined || !FOUNDATION.test(foundation)) return refused('malformed');
  if (component === undefined || !UNSIGNED.test(component)) return refused('malformed');
  if (priorityText === undefined || !UNSIGNED.test(priorityText)) return refused('malformed');
  if (portText === undefined || !UNSIGNED.test(portText)) return refused('malformed');
  const priority = Number(priorityText);
  const port = Number(portText);
  if (priority > MAX_PRIORITY || typ !== 'typ' || !isCandidateType(type)) return refused('malformed');
  if (transport?.toLowerCase() !== 'udp') return refused('not-udp');
  if (component !== '1') return refused('not-component-1');
  if (address === undefined || (!isIPv4(address) && !isIPv6(address))) return refused('host-name');
  if (!isUnicast(address)) return refused('address');
  if (port < 1 || port > 65535) return refused('port');
  // Related addresses and extensions (generation, ufrag, network-cost) steer nothing here, so they are left out.
  const text = `candidate:${foundation} 1 udp ${priority} ${address} ${port} typ ${type}`;
  return { kind: 'usable', candidate: { foundation, priority, address, port, type, text } };
}

function refused(reason: CandidateRefusal): CandidateReading {
  return { kind: 'refused', reason };
}

function isCandidateType(type: string | undefined): type is IceCandidateLine['type'] {
  return type === 'host' || type === 'srflx' || type === 'prflx' || type === 'relay';
}

/** No unspecified, multicast or broadcast address, and no scoped one. */
function isUnicast(address: string): boolean {
  if (isIPv4(address)) {
    const first = Number(address.slice(0, address.indexOf('.')));
    return first > 0 && first < 224;
  }
  const lower = address.toLowerCase();
  return !lower.includes('%') && !lower.startsWith('ff') && /[1-9a-f]/.test(lower);
}
