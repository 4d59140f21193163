/**
 * A capture file as Wireshark, tshark and tcpdump read it (draft-ietf-opsawg-pcap): a header, then a record per packet, each
 * an IP packet with UDP in it. What went by TCP, TLS or WebSocket is written as UDP too: the messages are what is of interest.
 *
 *   file:   magic 0xa1b2c3d4 | major 2, minor 4 (16 each) | 0 | 0 | most bytes of a packet | link type 101 (raw IP)
 *   record: seconds | microseconds | bytes kept | bytes on the wire | packet
 *
 *   IPv4 (RFC 791), 20 bytes                          IPv6 (RFC 8200), 40 bytes
 *   0x45 | 0 | total length (16)                      0x60 | 0 (24)
 *   id (16) | flags, fragment offset (16)             payload length (16) | next header 17 | hop limit 64
 *   TTL 64 | protocol 17 | header checksum (16)       source (128)
 *   source (32) | destination (32)                    destination (128)
 *
 *   UDP (RFC 768), 8 bytes: source port | destination port | length | checksum (16 each; 0 over IPv4: none)
 */
import { isIPv4, isIPv6 } from 'node:net';

export interface PcapPacket {
  readonly wallMs: number;
  readonly from: { readonly address: string; readonly port: number };
  readonly to: { readonly address: string; readonly port: number };
  /** What is kept of the datagram's payload. */
  readonly payload: Uint8Array;
  /** Of the payload, on the wire; the kept ones if left out. */
  readonly bytes?: number;
}

const fileHeaderBytes = 24;
const recordHeaderBytes = 16;
const udpHeaderBytes = 8;
const mostBytes = 65_535;
const linkTypeRaw = 101;
const protocolUdp = 17;

/** In the order given; readers want it by time. */
export function writePcap(packets: readonly PcapPacket[]): Uint8Array {
  const records = packets.map(recordOf);
  const out = new Uint8Array(records.reduce((sum, record) => sum + record.length, fileHeaderBytes));
  const view = new DataView(out.buffer);
  view.setUint32(0, 0xa1b2c3d4);
  view.setUint16(4, 2);
  view.setUint16(6, 4);
  view.setUint32(16, mostBytes);
  view.setUint32(20, linkTypeRaw);
  let at = fileHeaderBytes;
  for (const record of records) {
    out.set(record, at);
    at += record.length;
  }
  return out;
}

function recordOf({ wallMs, from, to, payload, bytes = payload.length }: PcapPacket): Uint8Array {
  const source = addressBytes(from.address);
  const destination = addressBytes(to.address);
  const wide = source.length === 16 || destination.length === 16;
  const ipBytes = wide ? 40 : 20;
  const most = mostBytes - ipBytes - udpHeaderBytes;
  const kept = payload.subarray(0, most);
  const udpBytes = udpHeaderBytes + Math.min(most, Math.max(bytes, kept.length));
  const record = new Uint8Array(recordHeaderBytes + ipBytes + udpHeaderBytes + kept.length);
  const view = new DataView(record.buffer);
  const micros = Math.max(0, Math.round(wallMs * 1000));
  view.setUint32(0, Math.floor(micros / 1_000_000));
  view.setUint32(4, micros % 1_000_000);
  view.setUint32(8, record.length - recordHeaderBytes);
  view.setUint32(12, ipBytes + udpBytes);
  const ip = recordHeaderBytes;
  if (wide) writeIpv6(record, view, ip, udpBytes, mapped(source), mapped(destination));
  else writeIpv4(record, view, ip, udpBytes, source, destination);
  const udp = ip + ipBytes;
  view.setUint16(udp, from.port);
  view.setUint16(udp + 2, to.port);
  view.setUint16(udp + 4, udpBytes);
  record.set(kept, udp + udpHeaderBytes);
  // Mandatory over IPv6 (RFC 8200 §8.1); of a packet that is not kept whole it cannot be known.
  if (wide && kept.length === bytes) view.setUint16(udp + 6, ipv6UdpChecksum(record.subarray(ip), udpBytes));
  return record;
}

function writeIpv4(
  record: Uint8Array,
  view: DataView,
  at: number,
  udpBytes: number,
  source: Uint8Array,
  destination: Uint8Array,
): void {
  record[at] = 0x45;
  view.setUint16(at + 2, 20 + udpBytes);
  // Don't fragment.
  view.setUint16(at + 6, 0x4000);
  record[at + 8] = 64;
  record[at + 9] = protocolUdp;
  record.set(source, at + 12);
  record.set(destination, at + 16);
  view.setUint16(at + 10, complement(sumOf(record.subarray(at, at + 20))));
}

function writeIpv6(
  record: Uint8Array,
  view: DataView,
  at: number,
  udpBytes: number,
  source: Uint8Array,
  destination: Uint8Array,
): void {
  record[at] = 0x60;
  view.setUint16(at + 4, udpBytes);
  record[at + 6] = protocolUdp;
  record[at + 7] = 64;
  record.set(source, at + 8);
  record.set(destination, at + 24);
}

/** RFC 8200 §8.1: addresses, length and protocol in front of the datagram. A result of 0 is written as its complement. */
function ipv6UdpChecksum(packet: Uint8Array, udpBytes: number): number {
  const checksum = complement(sumOf(packet.subarray(8)) + udpBytes + protocolUdp);
  return checksum === 0 ? 0xffff : checksum;
}

/** RFC 1071, before the folding. */
function sumOf(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += (bytes[at]! << 8) | (bytes[at + 1] ?? 0);
  return sum;
}

function complement(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x1_0000);
  return ~folded & 0xffff;
}

/** A name that is no address becomes 0.0.0.0: it was never looked up here. */
function addressBytes(address: string): Uint8Array {
  const bare = address.replace(/^\[|\]$|%.*$/g, '').replace(/^::ffff:(?=\d+\.)/i, '');
  if (isIPv4(bare)) return Uint8Array.from(bare.split('.').map(Number));
  return isIPv6(bare) ? ipv6Bytes(bare) : new Uint8Array(4);
}

function ipv6Bytes(address: string): Uint8Array {
  // The last 32 bits may be written like IPv4 (RFC 4291 §2.2).
  const words = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...octets: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = octets.slice(0, 4).map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = '', tail] = words.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const middle = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => '0');
  const out = new Uint8Array(16);
  for (const [index, word] of [...left, ...middle, ...right].entries()) {
    const value = Number.parseInt(word, 16);
    out[2 * index] = value >> 8;
    out[2 * index + 1] = value & 0xff;
  }
  return out;
}

/** RFC 4291 §2.5.5.2. */
function mapped(address: Uint8Array): Uint8Array {
  if (address.length === 16) return address;
  const out = new Uint8Array(16);
  out.set([0xff, 0xff], 10);
  out.set(address, 12);
  return out;
}
