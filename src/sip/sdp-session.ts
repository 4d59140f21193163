/** Our side of one call's offers and answers (RFC 3264): keeps identity and version, and says what media has to do. */
import { TrunklineError } from '../core/errors';
import type { DtlsRole, SocketAddress, SrtpAgreement, ToMedia } from '../media/protocol';
import { masterBytes, type SrtpSuite, srtpSuites } from '../rtp/srtp-keys';
import {
  type AudioAgreement,
  answerOffer,
  applyAnswer,
  type CodecName,
  type LocalAudio,
  makeOffer,
  type Refusal,
  type SessionState,
} from './offer-answer';
import type { CryptoOffer, LocalSecurity, SrtpPolicy } from './sdp-security';

export interface SdpSessionOptions {
  /** Digits, unique per session (RFC 8866 §5.2). */
  readonly sessionId: string;
  /** Goes into c=: where the far end reaches us. */
  readonly address: string;
  readonly codecs: readonly CodecName[];
  readonly preference?: 'theirs' | 'ours';
  /** Where the far end's signalling comes from. */
  readonly peer?: string;
  /** RFC 3389, both ways. */
  readonly comfortNoise?: boolean;
  /** Left out: plain RTP and nothing else. */
  readonly srtp?: SrtpOptions | undefined;
}

export interface SrtpOptions {
  readonly policy: SrtpPolicy;
  /** What our own offers use. */
  readonly keying: 'sdes' | 'dtls';
  /** Of the certificate that the media thread shows; undefined where DTLS cannot be had. */
  readonly fingerprint: string | undefined;
  /** Fresh key material: `crypto.randomBytes`. */
  readonly randomBytes: (bytes: number) => Uint8Array;
}

/** What the media thread needs; the caller adds the session and its time-out. */
export interface MediaAgreement {
  readonly connect: Omit<Extract<ToMedia, { type: 'connect-rtp' }>, 'type' | 'sessionId' | 'timeoutMs'>;
  /** They hold us. */
  readonly held: boolean;
}

export class SdpSession {
  private state: SessionState | undefined;
  private local: LocalAudio | undefined;
  /** Our keys, the same in every description until the far end changes its own. */
  private cryptos: readonly CryptoOffer[];
  private secured = false;
  private dtlsRole: DtlsRole | undefined;
  private remoteMaster = '';

  constructor(private readonly options: SdpSessionOptions) {
    this.cryptos = this.freshCryptos();
  }

  /** A first offer, or a new one within the session. */
  offer(local: SocketAddress, direction: 'sendrecv' | 'sendonly' | 'inactive' = 'sendrecv'): string {
    const audio = this.audio(local, direction);
    const offered = makeOffer(audio, { sessionId: this.options.sessionId, previous: this.state });
    this.state = offered.state;
    this.local = audio;
    return offered.sdp;
  }

  /** Throws `sdp.malformed` or `sdp.not-acceptable`; the session stays as it was. */
  answer(offerSdp: string, local: SocketAddress): MediaAgreement & { readonly sdp: string } {
    let audio = this.audio(local, 'sendrecv');
    const session = { sessionId: this.options.sessionId, previous: this.state };
    let answered = answerOffer(offerSdp, audio, session);
    if (answered.kind === 'refused') throw refusalError(answered);
    if (this.isRekeyed(answered.audio.srtp)) {
      // Another party took over: it counts our packets from the beginning, which only a new key allows (RFC 3711 §9.1).
      this.cryptos = this.freshCryptos();
      audio = this.audio(local, 'sendrecv');
      answered = answerOffer(offerSdp, audio, session);
      if (answered.kind === 'refused') throw refusalError(answered);
    }
    this.remember(answered.audio.srtp);
    this.state = answered.state;
    this.local = audio;
    return { sdp: answered.sdp, ...this.agreement(answered.audio) };
  }

  /** Their answer to our last offer. */
  accept(answerSdp: string): MediaAgreement {
    if (this.state === undefined || this.local === undefined) {
      throw new TrunklineError('sdp.unexpected-answer', 'An answer came before any offer of ours.', {
        fix: 'Make an offer first.',
      });
    }
    const agreed = applyAnswer(this.state, answerSdp, this.local);
    if (agreed.kind === 'refused') throw refusalError(agreed);
    this.remember(agreed.audio.srtp);
    return this.agreement(agreed.audio);
  }

  private audio(local: SocketAddress, direction: 'sendrecv' | 'sendonly' | 'inactive'): LocalAudio {
    const { address, codecs, preference, comfortNoise } = this.options;
    return { address, port: local.port, codecs, preference, direction, comfortNoise, security: this.security() };
  }

  private agreement(audio: AudioAgreement): MediaAgreement {
    const { held, ...connect } = audio;
    return { connect: { ...connect, signalledFrom: this.options.peer }, held };
  }

  private security(): LocalSecurity | undefined {
    const { srtp } = this.options;
    if (srtp === undefined) return undefined;
    const { policy, keying, fingerprint } = srtp;
    return {
      policy,
      keying: this.dtlsRole === undefined ? keying : 'dtls',
      cryptos: this.cryptos,
      fingerprint,
      secured: this.secured,
      dtlsRole: this.dtlsRole,
    };
  }

  private freshCryptos(): CryptoOffer[] {
    const { srtp } = this.options;
    if (srtp === undefined || srtp.policy === 'off') return [];
    const suites = Object.keys(srtpSuites) as SrtpSuite[];
    return suites.map((suite, at) => ({ tag: at + 1, suite, master: srtp.randomBytes(masterBytes(suite)) }));
  }

  private isRekeyed(srtp: SrtpAgreement | undefined): boolean {
    if (srtp?.kind !== 'sdes' || this.remoteMaster === '') return false;
    return Buffer.from(srtp.remoteMaster).toString('base64') !== this.remoteMaster;
  }

  private remember(srtp: SrtpAgreement | undefined): void {
    if (srtp === undefined) return;
    this.secured = true;
    this.dtlsRole = srtp.kind === 'dtls' ? srtp.role : undefined;
    this.remoteMaster = srtp.kind === 'sdes' ? Buffer.from(srtp.remoteMaster).toString('base64') : '';
  }
}

function refusalError(refusal: Refusal): TrunklineError {
  return refusal.status === 400
    ? new TrunklineError('sdp.malformed', `The session description cannot be read: ${refusal.reason}.`, {
        fix: 'The far end has to send valid SDP (RFC 8866).',
      })
    : new TrunklineError('sdp.not-acceptable', `The session cannot be used: ${refusal.reason}.`, {
        fix: 'Offer an audio stream with PCMU, PCMA, G.722 or Opus, protected as the trunk asks for.',
      });
}
