/**
 * SRTP and SRTCP (RFC 3711, RFC 7714), one object per direction: packet indices with their roll-over, the replay window,
 * and the tags. Every length is checked, nothing throws on what a network may bring, and a packet that is not authentic
 * changes nothing.
 *
 *   | RTP header | payload, encrypted | tag |                       ROC counts the wraps of the sequence number
 *   | RTCP header, SSRC | rest, encrypted | E, index (31) | tag |   with AEAD the tag stands before the index
 */
import { readUint32, rtpHeaderLength, writeUint32 } from './packet';
import { CounterModeCipher, GcmCipher, type PacketIndex, type SrtpCipher } from './srtp-cipher';
import { deriveSessionKeys, type SrtpSuite, type SrtpSuiteSizes, srtpSuites } from './srtp-keys';

/** Packets behind the newest that may still come (§3.3.2 asks for at least 64): a burst of two seconds. */
const replayWindow = 128;
/** Streams of one far end: it may begin anew, not without end. The oldest is forgotten. */
const maxStreams = 8;
const rtcpHeaderBytes = 8;
const indexBytes = 4;
const NOTHING = new Uint8Array(0);

export type Unprotected =
  | { readonly kind: 'packet'; readonly bytes: Uint8Array }
  | { readonly kind: 'malformed' | 'unauthentic' | 'replayed' };

const malformed: Unprotected = { kind: 'malformed' };
const unauthentic: Unprotected = { kind: 'unauthentic' };
const replayed: Unprotected = { kind: 'replayed' };

/** What both directions share. `master` holds key and salt in a row. */
class SrtpDirection {
  protected readonly sizes: SrtpSuiteSizes;
  protected readonly rtp: SrtpCipher;
  protected readonly rtcp: SrtpCipher;
  /** ROC behind an RTP packet, E flag and index behind an RTCP packet. */
  protected readonly trailer = new Uint8Array(indexBytes);

  constructor(suite: SrtpSuite, master: Uint8Array) {
    const sizes = srtpSuites[suite];
    this.sizes = sizes;
    const rtpKeys = deriveSessionKeys(suite, master, 'rtp');
    const rtcpKeys = deriveSessionKeys(suite, master, 'rtcp');
    this.rtp = sizes.aead ? new GcmCipher(rtpKeys) : new CounterModeCipher(rtpKeys, sizes.rtpTagBytes);
    this.rtcp = sizes.aead ? new GcmCipher(rtcpKeys) : new CounterModeCipher(rtcpKeys, sizes.rtcpTagBytes);
  }

  /** §4.2: HMAC covers the ROC, which is not sent; AEAD has it in its nonce. */
  protected rtpTrailer(roc: number): Uint8Array {
    if (this.sizes.aead) return NOTHING;
    writeUint32(this.trailer, 0, roc);
    return this.trailer;
  }
}

export class SrtpSender extends SrtpDirection {
  private roc = 0;
  private lastSequence: number | undefined;
  private rtcpIndex = 0;

  /** Room that `protectRtp` needs behind a packet. */
  get rtpOverhead(): number {
    return this.sizes.rtpTagBytes;
  }

  /** Protects the packet of `length` bytes in `buffer`, whose numbers go up one by one; returns its new length. */
  protectRtp(buffer: Uint8Array, length: number): number {
    const sequence = (buffer[2]! << 8) | buffer[3]!;
    if (this.lastSequence !== undefined && sequence < this.lastSequence) this.roc = (this.roc + 1) >>> 0;
    this.lastSequence = sequence;
    const from = rtpHeaderLength(buffer, length);
    const index = { high: this.roc, low: sequence };
    const tag = this.rtp.seal(buffer, from, length, readUint32(buffer, 8), index, this.rtpTrailer(this.roc));
    buffer.set(tag, length);
    return length + tag.length;
  }

  /** A compound packet, unchanged, to its protected form (§3.4). */
  protectRtcp(compound: Uint8Array): Uint8Array {
    const { aead, rtcpTagBytes } = this.sizes;
    const length = compound.length;
    const out = new Uint8Array(length + indexBytes + rtcpTagBytes);
    out.set(compound);
    writeUint32(this.trailer, 0, (0x8000_0000 | this.rtcpIndex) >>> 0);
    const index = splitIndex(this.rtcpIndex);
    this.rtcpIndex = (this.rtcpIndex + 1) & 0x7fff_ffff;
    const tag = this.rtcp.seal(out, rtcpHeaderBytes, length, readUint32(out, 4), index, this.trailer);
    out.set(this.trailer, aead ? length + rtcpTagBytes : length);
    out.set(tag, aead ? length : length + indexBytes);
    return out;
  }
}

interface Stream {
  /** Highest index that was authentic: 2^16 * ROC + SEQ. */
  highest: number;
  readonly seen: ReplayWindow;
  readonly rtcpSeen: ReplayWindow;
}

export class SrtpReceiver extends SrtpDirection {
  private readonly streams = new Map<number, Stream>();

  /** Decrypts in place; the bytes returned are a view into the datagram. */
  unprotectRtp(datagram: Uint8Array): Unprotected {
    const end = datagram.length - this.sizes.rtpTagBytes;
    const from = rtpHeaderLength(datagram, end);
    if (from === 0) return malformed;
    const ssrc = readUint32(datagram, 8);
    const sequence = (datagram[2]! << 8) | datagram[3]!;
    const known = this.streams.get(ssrc);
    const index = known === undefined ? sequence : estimateIndex(known.highest, sequence);
    if (index < 0) return replayed;
    if (known !== undefined && !known.seen.isNew(index)) return replayed;
    const parts: PacketIndex = { high: Math.floor(index / 0x1_0000), low: sequence };
    const tag = datagram.subarray(end);
    if (!this.rtp.open(datagram, from, end, ssrc, parts, this.rtpTrailer(parts.high), tag)) return unauthentic;
    const stream = known ?? this.addStream(ssrc);
    stream.seen.add(index);
    if (index > stream.highest) stream.highest = index;
    return { kind: 'packet', bytes: datagram.subarray(0, end) };
  }

  unprotectRtcp(datagram: Uint8Array): Unprotected {
    const { aead, rtcpTagBytes } = this.sizes;
    const end = datagram.length - rtcpTagBytes - indexBytes;
    if (end < rtcpHeaderBytes) return malformed;
    const trailerAt = aead ? end + rtcpTagBytes : end;
    const trailer = datagram.slice(trailerAt, trailerAt + indexBytes);
    const tag = datagram.slice(aead ? end : end + indexBytes, (aead ? end : end + indexBytes) + rtcpTagBytes);
    const word = readUint32(trailer, 0);
    // Without the E flag the packet is only authenticated: nobody whom we agreed with sends that (RFC 4568 §6.3.2).
    if (word < 0x8000_0000) return malformed;
    const index = word & 0x7fff_ffff;
    const ssrc = readUint32(datagram, 4);
    const known = this.streams.get(ssrc);
    if (known !== undefined && !known.rtcpSeen.isNew(index)) return replayed;
    if (!this.rtcp.open(datagram, rtcpHeaderBytes, end, ssrc, splitIndex(index), trailer, tag)) return unauthentic;
    (known ?? this.addStream(ssrc)).rtcpSeen.add(index);
    return { kind: 'packet', bytes: datagram.subarray(0, end) };
  }

  private addStream(ssrc: number): Stream {
    if (this.streams.size >= maxStreams) {
      const oldest = this.streams.keys().next().value;
      if (oldest !== undefined) this.streams.delete(oldest);
    }
    const stream = { highest: -1, seen: new ReplayWindow(), rtcpSeen: new ReplayWindow() };
    this.streams.set(ssrc, stream);
    return stream;
  }
}

/** Which indices came already (§3.3.2); whatever is older than the window counts as seen. */
class ReplayWindow {
  private readonly seen = new Float64Array(replayWindow).fill(-1);
  private highest = -1;

  isNew(index: number): boolean {
    return index > this.highest - replayWindow && this.seen[index % replayWindow] !== index;
  }

  add(index: number): void {
    this.seen[index % replayWindow] = index;
    if (index > this.highest) this.highest = index;
  }
}

/** §3.3.1: the index next to the highest one whose lower 16 bits are the sequence number; negative before the first wrap. */
export function estimateIndex(highest: number, sequence: number): number {
  if (highest < 0) return sequence;
  const delta = ((sequence - (highest & 0xffff)) << 16) >> 16;
  return highest + delta;
}

function splitIndex(index: number): PacketIndex {
  return { high: index >>> 16, low: index & 0xffff };
}
