/** Whoever takes calls in tests of signalling alone: real offers and answers, no media, and a note of what happened. */
import { answerOffer, applyAnswer, type LocalAudio, makeOffer, type SessionState } from '../../src/sip/offer-answer';
import type { IncomingInvite, SipDialog, SipEnd } from '../../src/sip/user-agent';

/** What the agent under test noted, in order. */
interface Notes {
  readonly events: string[];
  readonly ends: SipEnd[];
}

/** Answers like the real thing: offer and answer by offer-answer.ts, re-INVITEs included. */
export class Callee {
  readonly notes: Notes = { events: [], ends: [] };
  dialog: SipDialog | undefined;
  state: SessionState | undefined;
  constructor(
    readonly local: LocalAudio,
    private readonly ring: (invite: IncomingInvite, answer: () => string) => void = (invite) => invite.ring(),
  ) {}

  async take(invite: IncomingInvite): Promise<SipDialog> {
    this.notes.events.push(`invite ${invite.calledNumber}`);
    const answer = this.describe(invite.offerSdp) ?? '';
    this.ring(invite, () => answer);
    const dialog = await invite.accept(answer);
    this.dialog = dialog;
    this.wire(dialog);
    return dialog;
  }

  wire(dialog: SipDialog): void {
    dialog.onAck((sdp) => {
      const agreed = sdp !== undefined && this.state ? applyAnswer(this.state, sdp, this.local) : undefined;
      this.notes.events.push(agreed === undefined ? 'ack' : `ack ${agreed.kind}`);
    });
    dialog.onInfo((type, body) => this.notes.events.push(`info ${type} ${body.split(/\r?\n/)[0]}`));
    dialog.onReinvite(async (offer) => {
      const answer = this.describe(offer);
      this.notes.events.push(answer === undefined ? 'reinvite refused' : 'reinvite');
      return answer ?? { status: 488 };
    });
    dialog.onEnd((end) => this.notes.ends.push(end));
  }

  private describe(offer: string | undefined): string | undefined {
    const session = { sessionId: '77', previous: this.state };
    if (offer === undefined) {
      const offered = makeOffer(this.local, session);
      this.state = offered.state;
      return offered.sdp;
    }
    const result = answerOffer(offer, this.local, session);
    if (result.kind === 'refused') return undefined;
    this.state = result.state;
    return result.sdp;
  }
}
