/**
 * The crypto suites of SRTP that we speak, and the session keys made from a master key (RFC 3711 §4.3; AES-256: RFC 6188 §3;
 * AEAD: RFC 7714 §11, §12). Names are those of SDES (RFC 4568 §6.2, RFC 7714 §14.2).
 */
import { createCipheriv } from 'node:crypto';

export type SrtpSuite = 'AEAD_AES_256_GCM' | 'AEAD_AES_128_GCM' | 'AES_CM_128_HMAC_SHA1_80' | 'AES_CM_128_HMAC_SHA1_32';

export interface SrtpSuiteSizes {
  readonly aead: boolean;
  readonly keyBytes: 16 | 32;
  readonly saltBytes: 14 | 12;
  readonly rtpTagBytes: number;
  /** SHA1_32 shortens the tag of RTP only (RFC 4568 §6.2.2). */
  readonly rtcpTagBytes: number;
}

/** In the order in which we like them. */
export const srtpSuites: Readonly<Record<SrtpSuite, SrtpSuiteSizes>> = {
  AEAD_AES_256_GCM: { aead: true, keyBytes: 32, saltBytes: 12, rtpTagBytes: 16, rtcpTagBytes: 16 },
  AEAD_AES_128_GCM: { aead: true, keyBytes: 16, saltBytes: 12, rtpTagBytes: 16, rtcpTagBytes: 16 },
  AES_CM_128_HMAC_SHA1_80: { aead: false, keyBytes: 16, saltBytes: 14, rtpTagBytes: 10, rtcpTagBytes: 10 },
  AES_CM_128_HMAC_SHA1_32: { aead: false, keyBytes: 16, saltBytes: 14, rtpTagBytes: 4, rtcpTagBytes: 10 },
};

/** Master key and master salt in a row, as an `inline:` parameter holds them. */
export function masterBytes(suite: SrtpSuite): number {
  return srtpSuites[suite].keyBytes + srtpSuites[suite].saltBytes;
}

export interface SessionKeys {
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
  /** Empty for AEAD. */
  readonly authenticationKey: Uint8Array;
}

/** §4.3.2, table of labels. */
const labels = { rtp: { key: 0, authentication: 1, salt: 2 }, rtcp: { key: 3, authentication: 4, salt: 5 } } as const;
const authenticationKeyBytes = 20;

/** `master` holds `masterBytes(suite)` bytes. The key derivation rate is 0: keys are made once. */
export function deriveSessionKeys(suite: SrtpSuite, master: Uint8Array, kind: 'rtp' | 'rtcp'): SessionKeys {
  const { aead, keyBytes, saltBytes } = srtpSuites[suite];
  const key = master.subarray(0, keyBytes);
  const salt = master.subarray(keyBytes, keyBytes + saltBytes);
  const label = labels[kind];
  return {
    key: derive(key, salt, label.key, keyBytes),
    salt: derive(key, salt, label.salt, saltBytes),
    authenticationKey: aead ? new Uint8Array() : derive(key, salt, label.authentication, authenticationKeyBytes),
  };
}

/**
 * The key stream of AES in counter mode from x * 2^16, where x is the master salt with the label xored into its seventh
 * byte from the right (of 14; a salt of 12 bytes is filled up with two zeros behind it).
 */
function derive(masterKey: Uint8Array, masterSalt: Uint8Array, label: number, bytes: number): Uint8Array {
  const start = Buffer.alloc(16);
  start.set(masterSalt);
  start[7]! ^= label;
  const cipher = createCipheriv(masterKey.length === 32 ? 'aes-256-ctr' : 'aes-128-ctr', masterKey, start);
  return cipher.update(Buffer.alloc(bytes));
}
