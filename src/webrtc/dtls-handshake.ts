/**
 * One DTLS association that yields keys for SRTP (RFC 5763, RFC 5764) over datagrams that somebody else carries. The
 * handshake is werift's; whether the far end is who SDP says is proved here, because werift (0.24.4) proves it of nobody:
 * it checks neither the signature of the key exchange nor CertificateVerify nor Finished, so that whoever stands between
 * could show a certificate that is not his.
 */
import { createHash, createVerify, timingSafeEqual, X509Certificate } from 'node:crypto';
import { CipherContext, DtlsClient, DtlsServer, type DtlsSocket } from 'werift';
import type { Clock, Timer } from '../core/clock';
import { TrunklineError } from '../core/errors';
import type { DtlsIdentity, DtlsRole } from '../media/protocol';
import { masterBytes, type SrtpSuite, srtpSuites } from '../rtp/srtp-keys';

/** RFC 5764 §4.1.2, RFC 7714 §14.2; best first. */
const profiles: readonly { readonly id: number; readonly suite: SrtpSuite }[] = [
  { id: 0x0007, suite: 'AEAD_AES_128_GCM' },
  { id: 0x0001, suite: 'AES_CM_128_HMAC_SHA1_80' },
];
/** The library's own signature-and-hash pair for ECDSA on P-256 with SHA-256 (RFC 5246 §7.4.1.4.1). */
const signatureHash = { hash: 4, signature: 3 } as const;
const handshakeTimeoutMs = 15_000;
/** A handshake has a dozen datagrams, repeats included some more; a flood is cut off here. */
const maxDatagrams = 256;
const certificateType = 11;
const serverKeyExchange = 12;
const certificateVerify = 15;
const clientKeyExchange = 16;
const finished = 20;
const clientHello = 1;
/** What may come once only: a second one would replace what the signature was for, or begin again what has begun. */
const once = new Set([2, 3, certificateType, serverKeyExchange, 13, 14, certificateVerify, clientKeyExchange]);

export interface DtlsHandshakeOptions {
  readonly role: DtlsRole;
  /** Of SDP: `sha-256 ab:cd:…` in lower case; one of them has to fit. */
  readonly fingerprints: readonly string[];
  readonly identity: DtlsIdentity;
  readonly clock: Clock;
  readonly send: (datagram: Uint8Array) => void;
  readonly onKeys: (keys: {
    readonly suite: SrtpSuite;
    readonly localMaster: Uint8Array;
    readonly remoteMaster: Uint8Array;
  }) => void;
  /** Called once at most; `media.dtls-failed` or `media.dtls-fingerprint`. */
  readonly onFailed: (error: TrunklineError) => void;
}

export class DtlsHandshake {
  private readonly socket: DtlsSocket;
  private readonly messages = new Map<number, Buffer>();
  private readonly timer: Timer;
  private state: 'shaking' | 'done' | 'closed' = 'shaking';
  private datagrams = 0;
  private cookieCame = false;
  private deliver: (datagram: Buffer) => void = () => {};

  constructor(private readonly options: DtlsHandshakeOptions) {
    const { role, identity, clock } = options;
    // The library takes its datagrams by the `onData` that it sets itself.
    const transport = {
      type: 'udp',
      address: { address: '127.0.0.1', family: 'IPv4', port: 0 },
      closed: false,
      onData: (_datagram: Buffer) => {},
      send: async (datagram: Buffer) => {
        if (this.state !== 'closed') options.send(datagram);
      },
      close: async () => {},
    };
    const settings = {
      transport,
      cert: identity.certificatePem,
      key: identity.keyPem,
      signatureHash,
      srtpProfiles: profiles.map(({ id }) => id as 1 | 7),
      extendedMasterSecret: true,
    };
    this.socket =
      role === 'client' ? new DtlsClient(settings) : new DtlsServer({ ...settings, certificateRequest: true });
    this.deliver = (datagram) => transport.onData(datagram);
    const handle = this.socket.onHandleHandshakes;
    this.socket.onHandleHandshakes = (assembled) => handle(assembled.filter((one) => this.admit(one)));
    this.socket.onConnect.once(() => this.settle());
    this.socket.onError.subscribe((error) => this.fail('media.dtls-failed', `${error.message}`));
    this.timer = clock.after(handshakeTimeoutMs, () => this.fail('media.dtls-failed', 'it took too long'));
    if (this.socket instanceof DtlsClient) {
      this.socket.connect().catch((error: unknown) => this.fail('media.dtls-failed', String(error)));
    }
  }

  receive(datagram: Uint8Array): void {
    if (this.state === 'closed' || ++this.datagrams > maxDatagrams) return;
    try {
      this.deliver(Buffer.from(datagram));
    } catch {
      // Junk that the library chokes on; the handshake goes on, or runs into its time limit.
    }
  }

  close(): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.timer.cancel();
    // Past every flight that it waits for: the library's own repeats have no other end.
    this.socket.dtls.flight = Number.POSITIVE_INFINITY;
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

  private settle(): void {
    if (this.state !== 'shaking') return;
    const certificate = this.socket.remoteCertificate;
    if (certificate === undefined || !this.fingerprintFits(certificate)) {
      this.fail('media.dtls-fingerprint', 'its certificate is not the one that SDP announced');
      return;
    }
    if (!this.isProven(new X509Certificate(certificate))) {
      this.fail('media.dtls-failed', 'its signatures are wrong');
      return;
    }
    const profile = profiles.find(({ id }) => id === this.socket.srtp.srtpProfile);
    if (profile === undefined) {
      this.fail('media.dtls-failed', 'there is no SRTP profile in common');
      return;
    }
    this.state = 'done';
    this.timer.cancel();
    this.options.onKeys({ suite: profile.suite, ...this.keys(profile.suite) });
  }

  /** RFC 5764 §4.2: client key, server key, client salt, server salt. */
  private keys(suite: SrtpSuite): { readonly localMaster: Uint8Array; readonly remoteMaster: Uint8Array } {
    const { keyBytes, saltBytes } = srtpSuites[suite];
    const material = this.socket.exportKeyingMaterial('EXTRACTOR-dtls_srtp', 2 * masterBytes(suite));
    const of = (at: number): Uint8Array => {
      const salt = 2 * keyBytes + at * saltBytes;
      return Uint8Array.from([
        ...material.subarray(at * keyBytes, (at + 1) * keyBytes),
        ...material.subarray(salt, salt + saltBytes),
      ]);
    };
    const isClient = this.options.role === 'client';
    return { localMaster: of(isClient ? 0 : 1), remoteMaster: of(isClient ? 1 : 0) };
  }

  private fingerprintFits(certificate: Buffer): boolean {
    return this.options.fingerprints.some((expected) => {
      const [hash = '', value = ''] = expected.split(' ');
      const digest = createHash(hash.replace('-', '')).update(certificate).digest('hex');
      return digest === value.replaceAll(':', '');
    });
  }

  private isProven(certificate: X509Certificate): boolean {
    try {
      return this.isSigned(certificate) && this.isFinished();
    } catch {
      return false;
    }
  }

  /** Of a server: the key exchange (RFC 8422 §5.4), as it was used; of a client: everything before (RFC 5246 §7.4.8). */
  private isSigned(certificate: X509Certificate): boolean {
    const { cipher } = this.socket;
    if (this.options.role === 'server') {
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
    const isServer = this.options.role === 'server';
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

  private fail(code: 'media.dtls-failed' | 'media.dtls-fingerprint', why: string): void {
    if (this.state !== 'shaking') return;
    this.close();
    this.options.onFailed(
      new TrunklineError(code, `The DTLS handshake of the call failed: ${why}.`, {
        fix: 'The far end has to offer the certificate that it shows, and SRTP with AES-128 (RFC 5764).',
      }),
    );
  }
}

/** `hash signature length bytes`: RSA and ECDSA with SHA-256, which is what the library asks for. */
function verified(message: Buffer, signed: Buffer, certificate: X509Certificate): boolean {
  const scheme = message.readUInt16BE(0);
  if (scheme !== 0x0401 && scheme !== 0x0403) return false;
  const signature = message.subarray(4, 4 + message.readUInt16BE(2));
  return createVerify('sha256').update(signed).verify(certificate.publicKey, signature);
}
