/** Addresses that an application on the public internet cannot have: targets there are refused unless allowed by name (SSRF). */
import { BlockList, isIP, isIPv6 } from 'node:net';

/** IANA special-purpose registries (RFC 6890 and its updates), those that are not globally reachable. */
const privateIpv4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

const privateIpv6: readonly (readonly [string, number])[] = [
  ['::', 128],
  ['::1', 128],
  // An IPv4 address in IPv6 clothes: mapped, compatible, NAT64, 6to4, Teredo.
  ['::ffff:0:0', 96],
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['100::', 64],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
];

/** Two lists: Node takes an IPv4 address for `::ffff:…` as well, so that one list would call every one of them mapped. */
const blockedIpv4 = new BlockList();
const blockedIpv6 = new BlockList();
for (const [network, bits] of privateIpv4) blockedIpv4.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of privateIpv6) blockedIpv6.addSubnet(network, bits, 'ipv6');

/** True too for what is no address at all. */
export function isPrivateAddress(address: string): boolean {
  const bare = address.replace(/%.*$/, '');
  if (isIP(bare) === 0) return true;
  return isIPv6(bare) ? blockedIpv6.check(bare, 'ipv6') : blockedIpv4.check(bare, 'ipv4');
}
