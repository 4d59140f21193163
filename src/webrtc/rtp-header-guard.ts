/**
 * Keeps werift's RTP header parser from being stalled by one forged datagram: a header whose extension is longer than
 * its packet, or than any real one, is refused before it is walked (RFC 3550 §5.3.1, RFC 8285).
 */
import { RtpHeader } from 'werift';

import { TrunklineError } from '../core/errors';

const FIXED_HEADER_BYTES = 12;
const EXTENSION_HEADER_BYTES = 4;

/**
 * Sixteen elements of 16 bytes. werift rebuilds its list for every element, so the time to walk an extension grows with
 * the square of its length: a genuine 32 KB extension is as harmful as a claimed one. Browsers send less than 40 bytes.
 */
export const MAX_EXTENSION_BYTES = 256;

export interface RtpHeaderGuard {
  /** Packets refused since the guard was installed. */
  readonly refused: number;
}

/**
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 * |                           timestamp                           |
 * |                             SSRC                              |
 * |                    CSRC, CC words of 4 bytes                  |
 * |      defined by profile       |   extension length, words     |  only when X is set
 * |                        extension elements                     |
 * ```
 */
export function fitsItsPacket(packet: Buffer): boolean {
  if (packet.length < FIXED_HEADER_BYTES) return false;
  const flags = packet[0]!;
  let headerBytes = FIXED_HEADER_BYTES + 4 * (flags & 0x0f);
  if (packet.length < headerBytes) return false;
  if ((flags & 0x10) === 0) return true;
  if (packet.length < headerBytes + EXTENSION_HEADER_BYTES) return false;
  const extensionBytes = 4 * packet.readUInt16BE(headerBytes + 2);
  headerBytes += EXTENSION_HEADER_BYTES + extensionBytes;
  return extensionBytes <= MAX_EXTENSION_BYTES && headerBytes <= packet.length;
}

let installed: { refused: number } | undefined;

/** Wraps the parser for the whole thread; a second call returns the first guard. */
export function installRtpHeaderGuard(): RtpHeaderGuard {
  if (installed !== undefined) return installed;
  const guard = { refused: 0 };
  const parse = RtpHeader.deSerialize.bind(RtpHeader);
  RtpHeader.deSerialize = (rawPacket: Buffer): RtpHeader => {
    if (!fitsItsPacket(rawPacket)) {
      guard.refused += 1;
      // werift drops a packet whose parser throws; the code is for whoever calls the parser directly.
      throw new TrunklineError('webrtc.rtp-header-overrun', 'The RTP header is longer than its packet allows.');
    }
    return parse(rawPacket);
  };
  installed = guard;
  return guard;
}
