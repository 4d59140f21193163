/** Which of our addresses a given peer can reach: what goes into Via, Contact and the c= line of SDP. */
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';

export type Interfaces = Readonly<Partial<Record<string, readonly NetworkInterfaceInfo[]>>>;

export interface LocalAddressOptions {
  /** The address the socket is bound to; '0.0.0.0' and '::' mean every one. */
  readonly bound: string;
  /** What the operator says others reach us by (NAT, containers). Peers on this machine get the real address. */
  readonly advertised?: string;
  readonly interfaces: Interfaces;
}

export function localAddressFor(peer: string, options: LocalAddressOptions): string {
  const loopback = isLoopback(peer);
  if (options.advertised !== undefined && !loopback) return options.advertised;
  if (!isWildcard(options.bound)) return options.bound;
  const family = isIPv6(peer) ? 'IPv6' : 'IPv4';
  if (loopback) return family === 'IPv6' ? '::1' : '127.0.0.1';
  const ours = Object.values(options.interfaces)
    .flatMap((list) => list ?? [])
    .filter((one) => one.family === family && !one.internal);
  const near = ours.find((one) => one.cidr !== null && sameSubnet(one.cidr, peer));
  const routable = ours.find((one) => family === 'IPv4' || one.scopeid === 0);
  return (near ?? routable ?? ours[0])?.address ?? (family === 'IPv6' ? '::1' : '127.0.0.1');
}

export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

export function isLoopback(address: string): boolean {
  return address === '::1' || address === 'localhost' || /^127\.[0-9.]+$/.test(address);
}

function sameSubnet(cidr: string, peer: string): boolean {
  const slash = cidr.indexOf('/');
  const base = cidr.slice(0, slash);
  if (isIP(base) === 0 || isIP(base) !== isIP(peer)) return false;
  const block = new BlockList();
  block.addSubnet(base, Number(cidr.slice(slash + 1)), isIPv6(base) ? 'ipv6' : 'ipv4');
  return block.check(peer, isIPv6(peer) ? 'ipv6' : 'ipv4');
}
