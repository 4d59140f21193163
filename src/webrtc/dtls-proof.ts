/**
 * Proves that the far end of a DTLS handshake has the key of the certificate that it shows, and saw the messages that we
 * saw (RFC 5246 §7.4.3, §7.4.8, §7.4.9): werift (0.24.4) checks neither the signature of the key exchange nor
 * CertificateVerify nor Finished, so that whoever stands between could show a certificate that is not his.
 */
import { createVerify, timingSafeEqual, X509Certificate } from 'node:crypto';
import { CipherContext, DtlsClient, type DtlsSocket, type RTCDtlsTransport } from 'werift';
import { TrunklineError } from '../core/errors';
import type { DtlsRole } from '../media/protocol';

const certificateType = 11;
const serverKeyExchange = 12;
const certificateVerify = 15;
const clientKeyExchange = 16;
const finished = 20;
const clientHello = 1;
/** What may come once only: a second one would replace what the signature was for, or begin again what has begun. */
const once = new Set([2, 3, certificateType, serverKeyExchange, 13, 14, certificateVerify, clientKeyExchange]);

/** Watches one handshake from its first message on. */
export class DtlsProof {
  private readonly messages = new Map<number, Buffer>();
  private state: 'shaking' | 'done' | 'closed' = 'shaking';
  private cookieCame = false;

  constructor(
    private readonly socket: DtlsSocket,
    private readonly role: DtlsRole,
  ) {
    const handle = socket.onHandleHandshakes;
    socket.onHandleHandshakes = (assembled) => handle(assembled.filter((one) => this.admit(one)));
  }

  /** Once the handshake is through: whether all of it was the certificate's owner's. */
  holds(certificate: Buffer): boolean {
    this.state = 'done';
    try {
      return this.isSigned(new X509Certificate(certificate)) && this.isFinished();
    } catch {
      return false;
    }
  }

  /** Nothing of the handshake is let through any more. */
  close(): void {
    this.state = 'closed';
  }

  /** Keeps the first message of each kind, and lets only it through; Finished may be repeated, for ours may be lost. */
  private admit(message: { readonly msg_type: number; readonly fragment: Buffer }): boolean {
    const type = message.msg_type;
    if (this.state !== 'shaking') return this.state === 'done' && type === finished;
    if (once.has(type) && this.messages.has(type)) return false;
    if (type === clientHello) return this.admitHello(message.fragment);
    if (!this.messages.has(type)) this.messages.set(type, Buffer.from(message.fragment));
    return true;
  }

  /** A first hello that comes again after the second would have the library choose new keys in the middle of it all. */
  private admitHello(hello: Buffer): boolean {
    // Version (2), random (32), session id, cookie, each of the latter behind its length (RFC 6347 §4.2.1).
    const cookieAt = 35 + (hello[34] ?? 0);
    const hasCookie = (hello[cookieAt] ?? 0) > 0;
    if (hasCookie) this.cookieCame = true;
    return hasCookie || !this.cookieCame;
  }

  /** Of a server: the key exchange (RFC 8422 §5.4), as it was used; of a client: everything before (RFC 5246 §7.4.8). */
  private isSigned(certificate: X509Certificate): boolean {
    const { cipher } = this.socket;
    if (this.role === 'server') {
      const message = this.messages.get(certificateVerify);
      return message !== undefined && verified(message, this.transcriptBefore(certificateVerify), certificate);
    }
    const message = this.messages.get(serverKeyExchange);
    const pair = cipher.remoteKeyPair;
    if (message === undefined || pair?.publicKey === undefined || pair.curve === undefined) return false;
    const parameters = Buffer.from([3, pair.curve >> 8, pair.curve & 0xff, pair.publicKey.length, ...pair.publicKey]);
    const signed = Buffer.concat([cipher.localRandom.serialize(), cipher.remoteRandom.serialize(), parameters]);
    return verified(message.subarray(parameters.length), signed, certificate);
  }

  /** RFC 5246 §7.4.9: the far end saw the same messages that we did. */
  private isFinished(): boolean {
    const message = this.messages.get(finished);
    const isServer = this.role === 'server';
    // The library knows how to compute what a side sends; so the far end's is computed from its side.
    const side = new CipherContext((isServer ? 1 : 2) as never);
    side.masterSecret = this.socket.cipher.masterSecret;
    const seen = isServer ? this.transcriptBefore(finished) : this.transcriptBefore(undefined);
    const expected: Buffer = side.verifyData(seen);
    return message !== undefined && message.length === expected.length && timingSafeEqual(message, expected);
  }

  private transcriptBefore(type: number | undefined): Buffer {
    const messages = this.socket.dtls.sortedHandshakeCache;
    const at = messages.findIndex((one) => one.msg_type === type);
    return Buffer.concat((at < 0 ? messages : messages.slice(0, at)).map((one) => one.serialize()));
  }
}

/**
 * The same for a peer connection, whose handshake begins by itself once there is a path. `onRefused` is called with
 * `media.dtls-fingerprint` or `media.dtls-failed`, before any key is made of it; the library closes the connection.
 */
export function proveDtls(transport: RTCDtlsTransport, onRefused: (error: TrunklineError) => void): void {
  let socket: DtlsSocket | undefined;
  let proof: DtlsProof | undefined;
  // The library makes its socket when ICE has found a path and begins at once: there is no later moment than this one.
  Object.defineProperty(transport, 'dtls', {
    configurable: true,
    enumerable: true,
    get: () => socket,
    set(made: DtlsSocket) {
      socket = made;
      proof = new DtlsProof(made, made instanceof DtlsClient ? 'client' : 'server');
    },
  });
  // Not public, hence the reflection; peer-transport.test.ts attacks it and fails if this is not asked any more.
  const checkFingerprint: unknown = Reflect.get(transport, 'verifyRemoteCertificateFingerprint');
  Reflect.set(transport, 'verifyRemoteCertificateFingerprint', () => {
    const refuse = (code: 'media.dtls-failed' | 'media.dtls-fingerprint', why: string): never => {
      proof?.close();
      const error = dtlsError(code, why);
      onRefused(error);
      throw error;
    };
    try {
      if (typeof checkFingerprint === 'function') Reflect.apply(checkFingerprint, transport, []);
    } catch {
      refuse('media.dtls-fingerprint', 'its certificate is not the one that SDP announced');
    }
    const certificate = socket?.remoteCertificate;
    if (certificate === undefined || proof?.holds(certificate) !== true) {
      refuse('media.dtls-failed', 'its signatures are wrong');
    }
  });
}

export function dtlsError(code: 'media.dtls-failed' | 'media.dtls-fingerprint', why: string): TrunklineError {
  return new TrunklineError(code, `The DTLS handshake of the call failed: ${why}.`, {
    fix: 'The far end has to offer the certificate that it shows, and SRTP with AES-128 (RFC 5764).',
  });
}

/** `hash signature length bytes`: RSA and ECDSA with SHA-256, which is what the library asks for. */
function verified(message: Buffer, signed: Buffer, certificate: X509Certificate): boolean {
  const scheme = message.readUInt16BE(0);
  if (scheme !== 0x0401 && scheme !== 0x0403) return false;
  const signature = message.subarray(4, 4 + message.readUInt16BE(2));
  return createVerify('sha256').update(signed).verify(certificate.publicKey, signature);
}
