/**
 * One direction's transforms of SRTP: AES in counter mode with HMAC-SHA1 (RFC 3711 §4.1.1, §4.2) and AES-GCM (RFC 7714).
 * Works in place on the packet's bytes; which packet index belongs to a packet is decided by its caller (srtp.ts).
 */
import { type Cipher, createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { writeUint32 } from './packet';
import type { SessionKeys } from './srtp-keys';

export interface SrtpCipher {
  /**
   * Encrypts `bytes[from…to)` in place and returns the tag. `index`: 48 bits of RTP or 31 of RTCP, in two parts. What is
   * authenticated besides: the bytes before `from`, and `trailer` (ROC, or E flag and index).
   */
  seal(packet: Uint8Array, from: number, to: number, ssrc: number, index: PacketIndex, trailer: Uint8Array): Uint8Array;
  /** Decrypts in place; false, and the bytes are worth nothing, when the tag is wrong. */
  open(
    packet: Uint8Array,
    from: number,
    to: number,
    ssrc: number,
    index: PacketIndex,
    trailer: Uint8Array,
    tag: Uint8Array,
  ): boolean;
}

export interface PacketIndex {
  /** ROC, or the upper 15 bits of an SRTCP index. */
  readonly high: number;
  /** Sequence number, or the lower 16 bits. */
  readonly low: number;
}

const blockBytes = 16;
const longestPacketBytes = 2048;

/** Counter mode, encrypt and decrypt being the same, with the tag of HMAC-SHA1 cut to `tagBytes`. */
export class CounterModeCipher implements SrtpCipher {
  /**
   * One block cipher for life, fed with the counters of a packet at a time: the key stream comes out. A counter-mode
   * cipher of its own for each packet costs several times as much.
   */
  private readonly blocks: Cipher;
  private readonly counters = Buffer.alloc(longestPacketBytes);
  private readonly start = new Uint8Array(blockBytes);

  constructor(
    private readonly keys: SessionKeys,
    private readonly tagBytes: number,
  ) {
    this.blocks = createCipheriv('aes-128-ecb', keys.key, null).setAutoPadding(false);
  }

  seal(packet: Uint8Array, from: number, to: number, ssrc: number, index: PacketIndex, trailer: Uint8Array) {
    this.mask(packet, from, to, ssrc, index);
    return this.tag(packet.subarray(0, to), trailer);
  }

  open(
    packet: Uint8Array,
    from: number,
    to: number,
    ssrc: number,
    index: PacketIndex,
    trailer: Uint8Array,
    tag: Uint8Array,
  ): boolean {
    if (!timingSafeEqual(this.tag(packet.subarray(0, to), trailer), tag)) return false;
    this.mask(packet, from, to, ssrc, index);
    return true;
  }

  private tag(authenticated: Uint8Array, trailer: Uint8Array): Uint8Array {
    const hmac = createHmac('sha1', this.keys.authenticationKey);
    return hmac.update(authenticated).update(trailer).digest().subarray(0, this.tagBytes);
  }

  /** §4.1.1: IV = (salt * 2^16) xor (SSRC * 2^64) xor (index * 2^16); the last 16 bits count the blocks. */
  private mask(packet: Uint8Array, from: number, to: number, ssrc: number, index: PacketIndex): void {
    const { start, counters } = this;
    start.fill(0);
    writeUint32(start, 4, ssrc);
    writeUint32(start, 8, index.high);
    start[12] = index.low >> 8;
    start[13] = index.low;
    const { salt } = this.keys;
    for (let i = 0; i < salt.length; i++) start[i]! ^= salt[i]!;
    const blocks = Math.ceil((to - from) / blockBytes);
    for (let block = 0; block < blocks; block++) {
      const at = block * blockBytes;
      counters.set(start, at);
      counters[at + 14] = block >> 8;
      counters[at + 15] = block;
    }
    const stream = this.blocks.update(counters.subarray(0, blocks * blockBytes));
    for (let i = from; i < to; i++) packet[i]! ^= stream[i - from]!;
  }
}

/** §8.1, §9.1: a nonce of 12 bytes, two of them zero before the SSRC, xored with the salt; the tag has 16 bytes. */
export class GcmCipher implements SrtpCipher {
  private readonly name: 'aes-128-gcm' | 'aes-256-gcm';
  private readonly nonce = new Uint8Array(12);

  constructor(private readonly keys: SessionKeys) {
    this.name = keys.key.length === 32 ? 'aes-256-gcm' : 'aes-128-gcm';
  }

  seal(packet: Uint8Array, from: number, to: number, ssrc: number, index: PacketIndex, trailer: Uint8Array) {
    const cipher = createCipheriv(this.name, this.keys.key, this.nonceOf(ssrc, index));
    cipher.setAAD(associated(packet, from, trailer));
    packet.set(cipher.update(packet.subarray(from, to)), from);
    cipher.final();
    return cipher.getAuthTag();
  }

  open(
    packet: Uint8Array,
    from: number,
    to: number,
    ssrc: number,
    index: PacketIndex,
    trailer: Uint8Array,
    tag: Uint8Array,
  ): boolean {
    const decipher = createDecipheriv(this.name, this.keys.key, this.nonceOf(ssrc, index));
    decipher.setAAD(associated(packet, from, trailer)).setAuthTag(tag);
    const plain = decipher.update(packet.subarray(from, to));
    try {
      decipher.final();
    } catch {
      return false;
    }
    packet.set(plain, from);
    return true;
  }

  private nonceOf(ssrc: number, index: PacketIndex): Uint8Array {
    const { nonce } = this;
    nonce[0] = 0;
    nonce[1] = 0;
    writeUint32(nonce, 2, ssrc);
    writeUint32(nonce, 6, index.high);
    nonce[10] = index.low >> 8;
    nonce[11] = index.low;
    const { salt } = this.keys;
    for (let i = 0; i < nonce.length; i++) nonce[i]! ^= salt[i]!;
    return nonce;
  }
}

/** RTP authenticates its header and nothing else, RTCP its header with E flag and index (§8.2, §9.2). */
function associated(packet: Uint8Array, from: number, trailer: Uint8Array): Uint8Array {
  return trailer.length === 0 ? packet.subarray(0, from) : Buffer.concat([packet.subarray(0, from), trailer]);
}
