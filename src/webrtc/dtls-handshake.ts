/**
 * One DTLS association that yields keys for SRTP (RFC 5763, RFC 5764) over datagrams that somebody else carries. The
 * handshake is werift's; whether the far end is who SDP says is proved by dtls-proof.ts.
 */
import { createHash } from 'node:crypto';
import { DtlsClient, DtlsServer, type DtlsSocket } from 'werift';
import type { Clock, Timer } from '../core/clock';
import type { TrunklineError } from '../core/errors';
import type { DtlsIdentity, DtlsRole } from '../media/protocol';
import { masterBytes, type SrtpSuite, srtpSuites } from '../rtp/srtp-keys';
import { DtlsProof, dtlsError } from './dtls-proof';

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
  private readonly proof: DtlsProof;
  private readonly timer: Timer;
  private state: 'shaking' | 'done' | 'closed' = 'shaking';
  private datagrams = 0;
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
    this.proof = new DtlsProof(this.socket, role);
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
    this.proof.close();
    // Past every flight that it waits for: the library's own repeats have no other end.
    this.socket.dtls.flight = Number.POSITIVE_INFINITY;
  }

  private settle(): void {
    if (this.state !== 'shaking') return;
    const certificate = this.socket.remoteCertificate;
    if (certificate === undefined || !this.fingerprintFits(certificate)) {
      this.fail('media.dtls-fingerprint', 'its certificate is not the one that SDP announced');
      return;
    }
    if (!this.proof.holds(certificate)) {
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

  private fail(code: 'media.dtls-failed' | 'media.dtls-fingerprint', why: string): void {
    if (this.state !== 'shaking') return;
    this.close();
    this.options.onFailed(dtlsError(code, why));
  }
}
