/** Reads a capture file the way its readers do: magic, link type, IP, UDP, and whether the checksums hold. */
export interface ReadPacket {
  readonly wallMs: number;
  readonly from: { readonly address: string; readonly port: number };
  readonly to: { readonly address: string; readonly port: number };
  readonly payload: Uint8Array;
  /** Of the payload, on the wire. */
  readonly originalBytes: number;
  readonly checksumsHold: boolean;
}

export function readPcap(file: Uint8Array): ReadPacket[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (view.getUint32(0) !== 0xa1b2c3d4 || view.getUint32(20) !== 101) throw new Error('not a capture of raw IP');
  const packets: ReadPacket[] = [];
  let at = 24;
  while (at < file.length) {
    const kept = view.getUint32(at + 8);
    const packet = file.subarray(at + 16, at + 16 + kept);
    if (packet.length !== kept) throw new Error('a record is cut short');
    const wallMs = view.getUint32(at) * 1000 + view.getUint32(at + 4) / 1000;
    packets.push({ wallMs, ...readIp(packet, view.getUint32(at + 12)) });
    at += 16 + kept;
  }
  return packets;
}

function readIp(packet: Uint8Array, onWire: number): Omit<ReadPacket, 'wallMs'> {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const wide = packet[0]! >> 4 === 6;
  const udp = wide ? 40 : 20;
  if (packet[wide ? 6 : 9] !== 17) throw new Error('not UDP');
  if ((wide ? 40 + view.getUint16(4) : view.getUint16(2)) !== onWire) throw new Error('the IP length is wrong');
  const address = (from: number): string =>
    wide
      ? Array.from({ length: 8 }, (_, word) => view.getUint16(from + 2 * word).toString(16)).join(':')
      : [...packet.subarray(from, from + 4)].join('.');
  const whole = packet.length === onWire;
  const udpSum = wide
    ? ones([...packet.subarray(8), 0, view.getUint16(4) & 0xff, 0, 17], view.getUint16(4) & 0xff00)
    : 0;
  return {
    from: { address: address(wide ? 8 : 12), port: view.getUint16(udp) },
    to: { address: address(wide ? 24 : 16), port: view.getUint16(udp + 2) },
    payload: packet.subarray(udp + 8),
    originalBytes: view.getUint16(udp + 4) - 8,
    checksumsHold: wide ? !whole || udpSum === 0xffff : ones([...packet.subarray(0, 20)]) === 0xffff,
  };
}

/** The sum in one's complement (RFC 1071): all ones when the checksum is right. */
function ones(bytes: readonly number[], more = 0): number {
  // The pseudo header comes last here, on an even place.
  const even = bytes.length % 2 === 0 ? bytes : [...bytes.slice(0, -4), 0, ...bytes.slice(-4)];
  let sum = more;
  for (let at = 0; at < even.length; at += 2) sum += (even[at]! << 8) | (even[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return sum;
}
