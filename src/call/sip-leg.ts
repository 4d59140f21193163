/** The signalling half of a call that came or went over SIP: answering, re-INVITE, hold, late offers, hanging up. */
import type { CallEndCause } from '../core/call-record';
import { hasCode } from '../core/errors';
import type { Logger } from '../core/log';
import type { MediaLink } from '../media/media-router';
import type { SocketAddress } from '../media/protocol';
import { type InfoKey, keyOfInfo } from '../sip/info-key';
import type { MediaAgreement, SdpSession } from '../sip/sdp-session';
import type { IncomingInvite, OutgoingInvite, SipDialog, SipEnd, SipUserAgent } from '../sip/user-agent';
import type { Leg } from './call';
import { reasonOf } from './end-cause';

export interface SipLegParts {
  readonly link: MediaLink;
  readonly negotiation: SdpSession;
  readonly local: SocketAddress;
  readonly mediaTimeoutMs: number;
  readonly log: Logger;
  readonly onHold: (held: boolean) => void;
  /** A key that the far end sent by signalling instead of RFC 4733. */
  readonly onKey: (key: InfoKey) => void;
  readonly onEnd: (end: SipEnd) => void;
}

/** SIP statuses for a call that ends before it was answered. */
const REFUSAL: Readonly<Partial<Record<CallEndCause, number>>> = {
  rejected: 403,
  busy: 486,
  'media-failed': 503,
  'engine-failed': 503,
  shutdown: 503,
  internal: 500,
};

export class SipLeg implements Leg {
  private dialog: SipDialog | undefined;
  private over = false;

  /** `invite` undefined: we are calling. */
  constructor(private readonly invite: IncomingInvite | undefined) {}

  /**
   * Sends 200; resolves when media is connected: at once, or with the ACK when the far end made no offer. Rejects with
   * `sdp.malformed` or `sdp.not-acceptable`; after a 200 the call then has to be hung up (RFC 3261 §13.2.2.4).
   */
  async answer(invite: IncomingInvite, parts: SipLegParts): Promise<void> {
    const { negotiation, local } = parts;
    if (invite.offerSdp !== undefined) {
      const answer = this.answerOrRefuse(invite, invite.offerSdp, parts);
      this.adopt(await invite.accept(answer.sdp), parts);
      this.connect(parts, answer);
      return;
    }
    const dialog = await invite.accept(negotiation.offer(local));
    this.adopt(dialog, parts);
    await new Promise<void>((resolve, reject) => {
      dialog.onAck((sdp) => {
        // Whoever calls us by the library must not be thrown at: an ACK has no answer that could carry it.
        try {
          this.connect(parts, negotiation.accept(sdp ?? ''));
          resolve();
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** Places the call; rejects with `sip.rejected` or `sip.unreachable`. */
  async place(userAgent: SipUserAgent, call: Omit<OutgoingInvite, 'offerSdp'>, parts: SipLegParts): Promise<void> {
    const { negotiation, local } = parts;
    const { dialog, answerSdp } = await userAgent.invite({ ...call, offerSdp: negotiation.offer(local) });
    this.adopt(dialog, parts);
    this.connect(parts, negotiation.accept(answerSdp));
  }

  async hangUp(cause: CallEndCause): Promise<void> {
    if (this.over) return;
    this.over = true;
    if (this.dialog !== undefined) await this.dialog.bye({ Reason: reasonOf(cause) });
    else if (this.invite !== undefined && cause !== 'cancelled') this.invite.reject(REFUSAL[cause] ?? 480);
  }

  /** The far end has ended it: nothing is left to be said. */
  private adopt(dialog: SipDialog, parts: SipLegParts): void {
    this.dialog = dialog;
    dialog.onEnd((end) => {
      this.over = true;
      parts.onEnd(end);
    });
    dialog.onInfo((contentType, body) => {
      const key = keyOfInfo(contentType, body);
      if (key !== undefined) parts.onKey(key);
    });
    dialog.onReinvite(async (offerSdp) => {
      if (offerSdp === undefined) {
        dialog.onAck((sdp) => {
          try {
            if (sdp !== undefined) this.connect(parts, parts.negotiation.accept(sdp));
          } catch (error) {
            parts.log.warn('the answer to our offer cannot be used: media stays as it was', { error: String(error) });
          }
        });
        return parts.negotiation.offer(parts.local);
      }
      try {
        const answer = parts.negotiation.answer(offerSdp, parts.local);
        this.connect(parts, answer);
        return answer.sdp;
      } catch (error) {
        // RFC 3261 §14.2: an offer that cannot be served leaves the session as it was.
        return { status: statusOf(error) };
      }
    });
  }

  private answerOrRefuse(
    invite: IncomingInvite,
    offerSdp: string,
    parts: SipLegParts,
  ): ReturnType<SdpSession['answer']> {
    try {
      return parts.negotiation.answer(offerSdp, parts.local);
    } catch (error) {
      this.over = true;
      invite.reject(statusOf(error));
      throw error;
    }
  }

  private connect(parts: SipLegParts, agreed: MediaAgreement): void {
    parts.link.post({ type: 'connect-rtp', ...agreed.connect, timeoutMs: agreed.held ? 0 : parts.mediaTimeoutMs });
    parts.onHold(agreed.held);
  }
}

function statusOf(error: unknown): number {
  return hasCode(error, 'sdp.malformed') ? 400 : 488;
}
