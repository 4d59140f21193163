/** Our side of one call's offers and answers (RFC 3264): keeps identity and version, and says what media has to do. */
import { TrunklineError } from '../core/errors';
import type { SocketAddress, ToMedia } from '../media/protocol';
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

export interface SdpSessionOptions {
  /** Digits, unique per session (RFC 8866 §5.2). */
  readonly sessionId: string;
  /** Goes into c=: where the far end reaches us. */
  readonly address: string;
  readonly codecs: readonly CodecName[];
  readonly preference?: 'theirs' | 'ours';
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

  constructor(private readonly options: SdpSessionOptions) {}

  /** A first offer, or a new one within the session. */
  offer(local: SocketAddress, direction: 'sendrecv' | 'sendonly' = 'sendrecv'): string {
    const audio = this.audio(local, direction);
    const offered = makeOffer(audio, { sessionId: this.options.sessionId, previous: this.state });
    this.state = offered.state;
    this.local = audio;
    return offered.sdp;
  }

  /** Throws `sdp.malformed` or `sdp.not-acceptable`; the session stays as it was. */
  answer(offerSdp: string, local: SocketAddress): MediaAgreement & { readonly sdp: string } {
    const audio = this.audio(local, 'sendrecv');
    const answered = answerOffer(offerSdp, audio, { sessionId: this.options.sessionId, previous: this.state });
    if (answered.kind === 'refused') throw refusalError(answered);
    this.state = answered.state;
    this.local = audio;
    return { sdp: answered.sdp, ...agreement(answered.audio) };
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
    return agreement(agreed.audio);
  }

  private audio(local: SocketAddress, direction: 'sendrecv' | 'sendonly'): LocalAudio {
    const { address, codecs, preference } = this.options;
    return { address, port: local.port, codecs, preference, direction };
  }
}

function agreement(audio: AudioAgreement): MediaAgreement {
  const { remote, codec, telephoneEvent, send, receive, held } = audio;
  return { connect: { remote, codec, telephoneEvent, send, receive }, held };
}

function refusalError(refusal: Refusal): TrunklineError {
  return refusal.status === 400
    ? new TrunklineError('sdp.malformed', `The session description cannot be read: ${refusal.reason}.`, {
        fix: 'The far end has to send valid SDP (RFC 8866).',
      })
    : new TrunklineError('sdp.not-acceptable', `The session cannot be used: ${refusal.reason}.`, {
        fix: 'Offer an audio stream with PCMU, PCMA or Opus.',
      });
}
