/**
 * A call's dialog over drachtio-srf. The library's own handling of re-INVITE compares SDP texts, throws for late offers
 * and wedges after a 488; so every request inside the dialog except BYE is handled here (RFC 3261 §14, 3311).
 */
import type { Clock } from '../core/clock';
import { TrunklineError } from '../core/errors';
import type { Logger } from '../core/log';
import { authorization, type Credentials, parseChallenge } from './digest';
import { q850Cause } from './sip-reason';
import { allowedMethods, bodyIsSdp, checkOutgoing, hasBody, sdpType } from './srf-headers';
import type { Srf, SrfDialog, SrfRequest, SrfResponse } from './srf-types';
import type { SipDialog, SipEnd } from './user-agent';

export interface SrfSipDialogOptions {
  readonly srf: Srf;
  readonly dialog: SrfDialog;
  readonly role: 'uas' | 'uac';
  readonly clock: Clock;
  readonly log: Logger;
  /** 0 to 1, for the wait after 491. */
  readonly random: () => number;
  readonly cnonce: () => string;
  readonly credentials?: Credentials;
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

  constructor(private readonly options: SrfSipDialogOptions) {
    const { dialog } = options;
    this.sipCallId = dialog.sip.callId;
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
    const run = this.queue.then(() => this.reinvite(sdp, 0));
    this.queue = run.catch(() => undefined);
    return run;
  }

  bye(headers: Readonly<Record<string, string>> = {}): Promise<void> {
    if (this.ending !== undefined) return this.ending;
    if (this.state === 'ended') return Promise.resolve();
    const checked = checkOutgoing(headers, '');
    this.state = 'ending';
    this.ending = this.requestWithDigest('BYE', checked, undefined).then(
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
    const headers = checkOutgoing({ 'Content-Type': sdpType, Allow: allowedMethods }, sdp);
    this.modifying = true;
    const response = await this.requestWithDigest('INVITE', headers, sdp).finally(() => {
      this.modifying = false;
    });
    if (response.status === 491 && attempt < maxGlareRetries) {
      // §14.1: the side that chose the Call-ID waits longer, so that one of the two gets through.
      const slots = this.options.role === 'uac' ? 2100 + this.options.random() * 1900 : this.options.random() * 2000;
      await new Promise<void>((resolve) => this.options.clock.after(Math.round(slots / 10) * 10, resolve));
      return this.reinvite(sdp, attempt + 1);
    }
    if (response.status === 481 || response.status === 408) {
      // §12.2.1.2: the far end does not know the call any more.
      void this.bye();
    }
    if (response.status < 200 || response.status >= 300) throw rejected(response.status);
    return response.body ?? '';
  }

  private async requestWithDigest(
    method: string,
    headers: Record<string, string>,
    body: string | undefined,
  ): Promise<SrfResponse> {
    const first = await this.send(method, headers, body);
    const { credentials } = this.options;
    if ((first.status !== 401 && first.status !== 407) || credentials === undefined) return first;
    const answer = digestHeader(first, credentials, method, this.options.cnonce());
    return answer === undefined ? first : this.send(method, { ...headers, ...answer }, body);
  }

  private send(method: string, headers: Record<string, string>, body: string | undefined): Promise<SrfResponse> {
    return new Promise((resolve, reject) => {
      this.options.dialog.request({ method, headers, body }, (error, response) => {
        if (response !== undefined && response.status >= 200) resolve(response);
        else if (error) {
          reject(
            new TrunklineError('sip.dialog-gone', 'The call is over, so nothing can be sent in it.', { cause: error }),
          );
        }
      });
    });
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
      case 'OPTIONS':
        response.send(200, { headers: { Allow: allowedMethods, Accept: sdpType } });
        return;
      default:
        response.send(405, { headers: { Allow: allowedMethods } });
    }
  }

  private async onOffer(request: SrfRequest, response: SrfResponse): Promise<void> {
    if (this.state !== 'open') return response.send(481);
    if (!bodyIsSdp(request)) return response.send(415, { headers: { Accept: sdpType } });
    if (request.method === 'UPDATE' && !hasBody(request))
      return response.send(200, { headers: { Allow: allowedMethods } });
    if (this.modifying) return response.send(491);
    if (this.answering) return response.send(500, { headers: { 'Retry-After': '1' } });
    if (this.reinviteHandler === undefined) return response.send(488);
    this.answering = true;
    try {
      const answer = await this.reinviteHandler(hasBody(request) ? request.body : undefined);
      if (typeof answer === 'string') {
        const headers = checkOutgoing({ 'Content-Type': sdpType, Allow: allowedMethods }, answer);
        response.send(200, { headers, body: answer });
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
    this.options.onClosed(this);
    this.endHandler?.(end);
  }
}

function sdpOf(request: SrfRequest): string | undefined {
  return hasBody(request) ? request.body : undefined;
}

export function rejected(
  status: number,
  cause?: unknown,
  details: Readonly<Record<string, unknown>> = {},
): TrunklineError {
  return new TrunklineError('sip.rejected', `The far end refused with status ${status}.`, {
    details: { status, ...details },
    cause,
  });
}

/** The header that answers a challenge, or undefined if it is of a kind we cannot answer. */
export function digestHeader(
  response: SrfResponse,
  credentials: Credentials,
  method: string,
  cnonce: string,
): Record<string, string> | undefined {
  const proxy = response.status === 407;
  const challenge = parseChallenge(response.get(proxy ? 'proxy-authenticate' : 'www-authenticate') ?? '');
  if (challenge === undefined) return undefined;
  const value = authorization(challenge, credentials, { method, uri: response.req.uri }, cnonce);
  return { [proxy ? 'Proxy-Authorization' : 'Authorization']: value };
}
