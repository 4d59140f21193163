/** The signalling half of a call that came or went over SIP: answering, re-INVITE, hold, late offers, hanging up. */
import type { CallEndCause } from '../core/call-record';
import { hasCode } from '../core/errors';
import type { Logger } from '../core/log';
import type { MediaLink } from '../media/media-router';
import type { SocketAddress } from '../media/protocol';
import { type InfoKey, keyOfInfo } from '../sip/info-key';
import type { DialogName } from '../sip/replaces';
import type { MediaAgreement, SdpSession } from '../sip/sdp-session';
import type {
  IncomingInvite,
  OutgoingInvite,
  ReferOptions,
  ReferOutcome,
  Referral,
  SipDialog,
  SipEnd,
  SipUserAgent,
} from '../sip/user-agent';
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
  /** The far end asks us to call somebody else in its place. */
  readonly onReferral: (referral: Referral) => void;
  /** A session of offers and answers with somebody who knows nothing of the old one. */
  readonly renegotiate: () => SdpSession;
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
  private parts: SipLegParts | undefined;
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
    const { dialog, answerSdp } = await userAgent.invite({
      ...call,
      offerSdp: negotiation.offer(local),
      onProvisional: (status, sdp) => {
        call.onProvisional?.(status, sdp);
        if (sdp !== undefined) this.connectEarly(parts, sdp);
      },
    });
    this.adopt(dialog, parts);
    this.connect(parts, negotiation.accept(answerSdp));
  }

  get name(): DialogName | undefined {
    return this.over ? undefined : this.dialog?.name;
  }

  refer(options: ReferOptions): Promise<ReferOutcome> {
    return this.dialog?.refer(options) ?? Promise.resolve({ kind: 'unknown', because: 'ended' });
  }

  /** Puts the far end on hold or takes it back; rejects with `sip.rejected`. */
  async turn(direction: 'sendrecv' | 'sendonly' | 'inactive'): Promise<void> {
    const { dialog, parts } = this;
    if (dialog === undefined || parts === undefined) return;
    const answer = await dialog.modify(parts.negotiation.offer(parts.local, direction));
    const { connect, held } = parts.negotiation.accept(answer);
    // Who is on hold by us is not expected to send, and what follows from that is not their doing.
    const timeoutMs = direction === 'sendrecv' && !held ? parts.mediaTimeoutMs : 0;
    parts.link.post({ type: 'connect-rtp', ...connect, timeoutMs });
  }

  /** Somebody takes the far end's place (RFC 3891 §3): they get the media, the old far end a BYE. */
  async takeOver(invite: IncomingInvite): Promise<void> {
    const { parts, dialog: before } = this;
    if (parts === undefined || before === undefined) return;
    await this.answer(invite, { ...parts, negotiation: parts.renegotiate() });
    await before.bye();
  }

  /** We call somebody who takes the far end's place; resolves when they have, rejects like `place`. */
  async moveTo(userAgent: SipUserAgent, call: Omit<OutgoingInvite, 'offerSdp'>): Promise<() => Promise<void>> {
    const { parts, dialog: before } = this;
    if (parts === undefined || before === undefined) return async () => undefined;
    await this.place(userAgent, call, { ...parts, negotiation: parts.renegotiate() });
    return () => before.bye();
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
    this.parts = parts;
    dialog.onReferral(parts.onReferral);
    dialog.onEnd((end) => {
      // One that was replaced ends for itself.
      if (this.dialog !== dialog) return;
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

  /** Early media (RFC 3960): their ringing or announcement is received before they answer; the answer may say otherwise. */
  private connectEarly(parts: SipLegParts, sdp: string): void {
    try {
      parts.link.post({ type: 'connect-rtp', ...parts.negotiation.accept(sdp).connect, timeoutMs: 0 });
    } catch (error) {
      parts.log.debug('early media cannot be used', { error: String(error) });
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
