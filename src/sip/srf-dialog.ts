/**
 * A call's dialog over drachtio-srf. The library's own handling of re-INVITE compares SDP texts, throws for late offers
 * and wedges after a 488; so every request inside the dialog except BYE is handled here (RFC 3261 §14, 3311).
 */
import type { Clock } from '../core/clock';
import type { Logger } from '../core/log';
import type { Account } from './digest';
import { listsToken } from './header-values';
import type { DialogName } from './replaces';
import { type RefreshOutcome, SessionRefresher } from './session-refresher';
import {
  answerSessionTimer,
  type SessionTimerAgreement,
  type SessionTimerSettings,
  settingsAfter422,
  timerOfAnswer,
  timerRequestHeaders,
} from './session-timer';
import { q850Cause } from './sip-reason';
import { DialogRequests, rejected } from './srf-dialog-requests';
import { allowedMethods, bodyIsSdp, checkOutgoing, hasBody, sdpType, supportedHeader } from './srf-headers';
import { SrfReferrals } from './srf-referrals';
import type { Srf, SrfDialog, SrfRequest, SrfResponse } from './srf-types';
import type { ReferOptions, ReferOutcome, Referral, SipDialog, SipEnd } from './user-agent';

export interface SrfSipDialogOptions {
  readonly srf: Srf;
  readonly dialog: SrfDialog;
  readonly role: 'uas' | 'uac';
  readonly clock: Clock;
  readonly log: Logger;
  /** 0 to 1, for the wait after 491. */
  readonly random: () => number;
  readonly cnonce: () => string;
  readonly credentials?: Account | undefined;
  readonly timer: SessionTimerSettings;
  /** What the first INVITE and its 2xx agreed on. */
  readonly timerAgreed: SessionTimerAgreement | undefined;
  readonly onClosed: (dialog: SrfSipDialog) => void;
}

type ReinviteHandler = (offerSdp: string | undefined) => Promise<string | { readonly status: number }>;

const infoTypes = new Set([
  'application/dtmf-relay',
  'application/dtmf',
  'application/media_control+xml',
  'text/plain',
]);
const maxGlareRetries = 3;

export class SrfSipDialog implements SipDialog {
  readonly sipCallId: string;
  private state: 'open' | 'ending' | 'ended' = 'open';
  private ackHandler: ((answerSdp: string | undefined) => void) | undefined;
  private endHandler: ((end: SipEnd) => void) | undefined;
  private infoHandler: ((contentType: string, body: string) => void) | undefined;
  private reinviteHandler: ReinviteHandler | undefined;
  /** An ACK or an end that came before anybody asked for it. */
  private earlyAck: { readonly sdp: string | undefined } | undefined;
  private end: SipEnd | undefined;
  private ending: Promise<void> | undefined;
  private queue: Promise<unknown> = Promise.resolve();
  private modifying = false;
  private answering = false;
  private readonly requests: DialogRequests;
  private readonly referrals: SrfReferrals;
  private readonly refresher: SessionRefresher;
  /** Our demands, raised where the far end wants longer intervals. */
  private timer: SessionTimerSettings;
  private updateAllowed: boolean;

  constructor(private readonly options: SrfSipDialogOptions) {
    const { dialog, clock, role } = options;
    this.sipCallId = dialog.sip.callId;
    this.requests = new DialogRequests(options);
    this.referrals = new SrfReferrals(this.requests, clock, options.log);
    this.timer = options.timer;
    this.updateAllowed = listsToken((role === 'uas' ? dialog.req : dialog.res).get('allow'), 'UPDATE');
    this.refresher = new SessionRefresher(
      clock,
      (agreed) => this.enqueue(() => this.refresh(agreed)).catch(() => 'failed' as const),
      () => this.giveUp('SIP;cause=408;text="Session timer expired"'),
    );
    const inherited = dialog.handle.bind(dialog);
    dialog.handle = (request, response) => {
      // Not by its 'ack' event: that comes a turn later, and a BYE right behind the ACK would remove the listener.
      if (request.method === 'ACK') this.onAckReceived(sdpOf(request));
      else if (request.method === 'BYE') inherited(request, response);
      else this.onRequest(request, response);
    };
    // ACK and BYE may have been read in one go with the echo of our 200, before anybody could listen.
    dialog.on('ack', (request) => this.onAckReceived(sdpOf(request)));
    dialog.on('destroy', (request) => this.onDestroyed(request));
    if (!dialog.connected) this.finish({ by: 'remote', status: undefined, reason: undefined });
    else this.refresher.restart(options.timerAgreed);
  }

  get over(): boolean {
    return this.end !== undefined;
  }

  onAck(run: (answerSdp: string | undefined) => void): void {
    this.ackHandler = run;
    const early = this.earlyAck;
    this.earlyAck = undefined;
    if (early !== undefined) run(early.sdp);
  }

  get name(): DialogName {
    const { callId, localTag, remoteTag } = this.options.dialog.sip;
    return { callId, localTag, remoteTag };
  }

  onReferral(run: (referral: Referral) => void): void {
    this.referrals.onReferral(run);
  }

  async refer(options: ReferOptions): Promise<ReferOutcome> {
    return this.state === 'open' ? this.referrals.refer(options) : { kind: 'unknown', because: 'ended' };
  }

  onReinvite(run: ReinviteHandler): void {
    this.reinviteHandler = run;
  }

  onInfo(run: (contentType: string, body: string) => void): void {
    this.infoHandler = run;
  }

  onEnd(run: (end: SipEnd) => void): void {
    this.endHandler = run;
    if (this.end !== undefined) run(this.end);
  }

  /** One at a time; a 491 is tried again after the wait of RFC 3261 §14.1. */
  modify(sdp: string): Promise<string> {
    return this.enqueue(() => this.reinvite(sdp, 0));
  }

  private enqueue<T>(work: () => Promise<T>): Promise<T> {
    const run = this.queue.then(work);
    this.queue = run.catch(() => undefined);
    return run;
  }

  bye(headers: Readonly<Record<string, string>> = {}): Promise<void> {
    if (this.ending !== undefined) return this.ending;
    if (this.state === 'ended') return Promise.resolve();
    const checked = checkOutgoing(headers, '');
    this.state = 'ending';
    this.ending = this.requests.send('BYE', checked).then(
      () => undefined,
      () => undefined,
    );
    const reason = headers['Reason'];
    this.finish({ by: 'local', status: undefined, reason, q850Cause: q850Cause(reason) });
    return this.ending;
  }

  /** The control connection is gone, and with it every dialog of the server behind it. */
  lost(reason: string): void {
    this.options.dialog.connected = false;
    this.finish({ by: 'timeout', status: undefined, reason });
  }

  private async reinvite(sdp: string, attempt: number): Promise<string> {
    if (this.state !== 'open') throw rejected(481);
    const { agreed } = this.refresher;
    const timer = agreed === undefined ? {} : timerRequestHeaders(this.timer, agreed);
    const response = await this.change('INVITE', { 'Content-Type': sdpType, ...timer }, sdp);
    if (response.status === 491 && attempt < maxGlareRetries) {
      await this.glareWait();
      return this.reinvite(sdp, attempt + 1);
    }
    if (response.status === 422 && attempt < maxGlareRetries && this.raise(response)) {
      return this.reinvite(sdp, attempt + 1);
    }
    if (response.status === 481 || response.status === 408) {
      // §12.2.1.2: the far end does not know the call any more.
      void this.bye();
    }
    if (response.status < 200 || response.status >= 300) throw rejected(response.status);
    if (agreed !== undefined) this.refresher.restart(timerOfAnswer(response));
    return response.body ?? '';
  }

  /** An INVITE or UPDATE of ours; the far end's get 491 meanwhile. */
  private async change(method: string, headers: Record<string, string>, body?: string): Promise<SrfResponse> {
    const checked = checkOutgoing({ Allow: allowedMethods, Supported: supportedHeader, ...headers }, body ?? '');
    this.modifying = true;
    try {
      return await this.requests.send(method, checked, body);
    } finally {
      this.modifying = false;
    }
  }

  /** RFC 3261 §14.1: the side that chose the Call-ID waits longer, so that one of the two gets through. */
  private glareWait(): Promise<void> {
    const { role, random, clock } = this.options;
    const slots = role === 'uac' ? 2100 + random() * 1900 : random() * 2000;
    return new Promise((resolve) => clock.after(Math.round(slots / 10) * 10, resolve));
  }

  /** RFC 4028 §7.4: a longer interval is wanted. False: no other try makes sense. */
  private raise(response: SrfResponse): boolean {
    const raised = settingsAfter422(this.timer, response);
    this.timer = raised ?? this.timer;
    return raised !== undefined;
  }

  /** RFC 4028 §10: by UPDATE where the far end takes it, because that needs no new agreement on media. */
  private async refresh(agreed: SessionTimerAgreement, attempt = 0): Promise<RefreshOutcome> {
    if (this.state !== 'open') return 'failed';
    const response = this.updateAllowed
      ? await this.change('UPDATE', timerRequestHeaders(this.timer, agreed))
      : await this.refreshByInvite(agreed);
    if (response === undefined) return 'failed';
    if (response.status >= 200 && response.status < 300) return { agreed: timerOfAnswer(response) };
    if (response.status === 481 || response.status === 408) {
      this.giveUp('SIP;cause=481;text="Session refresh was refused"');
      return 'failed';
    }
    if (attempt >= maxGlareRetries) return 'failed';
    if (response.status === 491) await this.glareWait();
    else if (response.status === 405 || response.status === 501) this.updateAllowed = false;
    else if (response.status !== 422 || !this.raise(response)) return 'failed';
    return this.refresh(agreed, attempt + 1);
  }

  /** The offer is what we last said, as for a re-INVITE of theirs that left the offer to us. */
  private async refreshByInvite(agreed: SessionTimerAgreement): Promise<SrfResponse | undefined> {
    const offer = await this.reinviteHandler?.(undefined);
    if (typeof offer !== 'string') return undefined;
    const headers = { 'Content-Type': sdpType, ...timerRequestHeaders(this.timer, agreed) };
    const response = await this.change('INVITE', headers, offer);
    if (response.status >= 200 && response.status < 300) this.onAckReceived(response.body);
    return response;
  }

  /** Nobody has shown a sign of life: the call ends here, and the far end is told. */
  private giveUp(reason: string): void {
    if (this.state !== 'open') return;
    this.ending = this.requests.send('BYE', { Reason: reason }).then(
      () => undefined,
      () => undefined,
    );
    this.finish({ by: 'timeout', status: 408, reason });
  }

  private onRequest(request: SrfRequest, response: SrfResponse): void {
    switch (request.method) {
      case 'INVITE':
      case 'UPDATE':
        void this.onOffer(request, response);
        return;
      case 'INFO':
        this.onInfoRequest(request, response);
        return;
      case 'REFER':
        this.referrals.onRefer(request, response);
        return;
      case 'NOTIFY':
        this.referrals.onNotify(request, response);
        return;
      case 'OPTIONS':
        response.send(200, { headers: { Allow: allowedMethods, Accept: sdpType, Supported: supportedHeader } });
        return;
      default:
        response.send(405, { headers: { Allow: allowedMethods } });
    }
  }

  private async onOffer(request: SrfRequest, response: SrfResponse): Promise<void> {
    if (this.state !== 'open') return response.send(481);
    if (!bodyIsSdp(request)) return response.send(415, { headers: { Accept: sdpType } });
    const timer = answerSessionTimer(this.timer, request, this.refresher.agreed);
    if (timer.kind === 'too-small') return response.send(422, { headers: timer.headers });
    const extra = { Allow: allowedMethods, Supported: supportedHeader, ...timer.headers };
    if (request.method === 'UPDATE' && !hasBody(request)) {
      response.send(200, { headers: extra });
      this.refresher.restart(timer.agreed);
      return;
    }
    if (this.modifying) return response.send(491);
    if (this.answering) return response.send(500, { headers: { 'Retry-After': '1' } });
    if (this.reinviteHandler === undefined) return response.send(488);
    this.answering = true;
    try {
      const answer = await this.reinviteHandler(hasBody(request) ? request.body : undefined);
      if (typeof answer === 'string') {
        const headers = checkOutgoing({ 'Content-Type': sdpType, ...extra }, answer);
        response.send(200, { headers, body: answer });
        this.refresher.restart(timer.agreed);
      } else {
        response.send(answer.status);
      }
    } catch (error) {
      this.options.log.warn('A re-INVITE could not be answered', { error, sipCallId: this.sipCallId });
      response.send(500);
    } finally {
      this.answering = false;
    }
  }

  private onInfoRequest(request: SrfRequest, response: SrfResponse): void {
    const type = (request.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
    if (hasBody(request) && !infoTypes.has(type)) {
      response.send(415, { headers: { Accept: [...infoTypes].join(', ') } });
      return;
    }
    response.send(200);
    if (hasBody(request)) this.infoHandler?.(type, request.body ?? '');
  }

  private onAckReceived(sdp: string | undefined): void {
    if (this.ackHandler === undefined) this.earlyAck = { sdp };
    else this.ackHandler(sdp);
  }

  private onDestroyed(request: SrfRequest | undefined): void {
    const reason = request?.get('reason');
    const byServer = request?.source === 'application';
    this.finish({
      by: byServer ? 'timeout' : 'remote',
      status: byServer ? 408 : undefined,
      reason,
      q850Cause: q850Cause(reason),
    });
  }

  private finish(end: SipEnd): void {
    if (this.end !== undefined) return;
    this.end = end;
    this.state = 'ended';
    this.refresher.close();
    this.referrals.ended();
    this.options.onClosed(this);
    this.endHandler?.(end);
  }
}

function sdpOf(request: SrfRequest): string | undefined {
  return hasBody(request) ? request.body : undefined;
}
