/**
 * The protection of one call's packets (SRTP and SRTCP): nothing leaves and nothing is heard in the clear once it is
 * agreed on. Keys come with the agreement (SDES) or from a DTLS handshake that runs beside it; until they are there,
 * packets of both directions are dropped and counted.
 */
import type { TrunklineError } from '../core/errors';
import { SrtpReceiver, SrtpSender, type Unprotected } from '../rtp/srtp';
import type { SrtpSuite } from '../rtp/srtp-keys';
import type { DtlsRole, SrtpAgreement } from './protocol';

/** What a finished handshake yields (RFC 5764 §4.2), key and salt in a row. */
export interface DtlsKeys {
  readonly suite: SrtpSuite;
  readonly localMaster: Uint8Array;
  readonly remoteMaster: Uint8Array;
}

/** One DTLS association, run elsewhere: a handshake takes milliseconds that a media thread has not. */
export interface DtlsAssociation {
  receive(datagram: Uint8Array): void;
  /** Idempotent; nothing is called back afterwards. */
  close(): void;
}

export interface DtlsCallbacks {
  readonly send: (datagram: Uint8Array) => void;
  readonly onKeys: (keys: DtlsKeys) => void;
  readonly onFailed: (error: TrunklineError) => void;
}

export type OpenDtls = (
  agreement: { readonly role: DtlsRole; readonly fingerprints: readonly string[] },
  callbacks: DtlsCallbacks,
) => DtlsAssociation;

export class LineProtection {
  readonly counts = { unauthentic: 0, replayed: 0, malformed: 0, unready: 0 };
  private agreement: SrtpAgreement | undefined;
  private sender: SrtpSender | undefined;
  private receiver: SrtpReceiver | undefined;
  private association: DtlsAssociation | undefined;

  constructor(
    private readonly openDtls: OpenDtls | undefined,
    private readonly callbacks: Omit<DtlsCallbacks, 'onKeys'> & { readonly onReady: () => void },
  ) {}

  /** Which kind of keys protects the line. */
  get keying(): SrtpAgreement['kind'] | undefined {
    return this.agreement?.kind;
  }

  /** The same agreement again changes nothing: counters of packets go on. */
  agree(agreement: SrtpAgreement): void {
    if (this.agreement !== undefined && isSame(this.agreement, agreement)) return;
    const before = this.agreement;
    this.agreement = agreement;
    this.association?.close();
    this.association = undefined;
    if (agreement.kind === 'sdes') {
      const sameLocal = before?.kind === 'sdes' && isEqual(before.localMaster, agreement.localMaster);
      if (!sameLocal) this.sender = new SrtpSender(agreement.suite, agreement.localMaster);
      const sameRemote = before?.kind === 'sdes' && isEqual(before.remoteMaster, agreement.remoteMaster);
      if (!sameRemote) this.receiver = new SrtpReceiver(agreement.suite, agreement.remoteMaster);
      this.callbacks.onReady();
      return;
    }
    this.sender = undefined;
    this.receiver = undefined;
    this.association = this.openDtls?.(agreement, {
      send: this.callbacks.send,
      onFailed: this.callbacks.onFailed,
      onKeys: ({ suite, localMaster, remoteMaster }) => {
        this.sender = new SrtpSender(suite, localMaster);
        this.receiver = new SrtpReceiver(suite, remoteMaster);
        this.callbacks.onReady();
      },
    });
  }

  /** Protects in place; the new length, 0 when it cannot leave. `buffer` has room for a tag. */
  protectRtp(buffer: Uint8Array, length: number): number {
    if (this.sender === undefined) {
      this.counts.unready++;
      return 0;
    }
    return this.sender.protectRtp(buffer, length);
  }

  protectRtcp(compound: Uint8Array): Uint8Array | undefined {
    if (this.sender === undefined) this.counts.unready++;
    return this.sender?.protectRtcp(compound);
  }

  /** The packet in the clear, undefined (and counted) when it is not what the far end sent just now. */
  unprotectRtp(datagram: Uint8Array): Uint8Array | undefined {
    return this.judged(this.receiver?.unprotectRtp(datagram));
  }

  unprotectRtcp(datagram: Uint8Array): Uint8Array | undefined {
    return this.judged(this.receiver?.unprotectRtcp(datagram));
  }

  /** A datagram that is DTLS by its first byte (RFC 7983). */
  receiveDtls(datagram: Uint8Array): void {
    this.association?.receive(datagram);
  }

  close(): void {
    this.association?.close();
    this.association = undefined;
  }

  private judged(result: Unprotected | undefined): Uint8Array | undefined {
    if (result === undefined) this.counts.unready++;
    else if (result.kind === 'packet') return result.bytes;
    else this.counts[result.kind]++;
    return undefined;
  }
}

function isSame(a: SrtpAgreement, b: SrtpAgreement): boolean {
  if (a.kind === 'dtls') {
    return b.kind === 'dtls' && a.role === b.role && a.fingerprints.join() === b.fingerprints.join();
  }
  return (
    b.kind === 'sdes' &&
    a.suite === b.suite &&
    isEqual(a.localMaster, b.localMaster) &&
    isEqual(a.remoteMaster, b.remoteMaster)
  );
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
