/** An incoming call attempt over drachtio-srf, until it is answered, refused or cancelled (RFC 3261 §13.3). */
import { TrunklineError } from '../core/errors';
import { listsToken } from './header-values';
import { answerSessionTimer, type SessionTimerAgreement, type SessionTimerSettings } from './session-timer';
import {
  allowedMethods,
  calledNumber,
  checkOutgoing,
  firstValue,
  hasBody,
  party,
  sdpType,
  supportedHeader,
} from './srf-headers';
import type { Srf, SrfDialog, SrfRequest, SrfResponse } from './srf-types';
import type { IncomingInvite, SipDialog, SipParty, SipSource } from './user-agent';

/** Headers whose lines are lists; in others a comma is part of the text. */
const listHeaders = new Set([
  'via',
  'contact',
  'route',
  'record-route',
  'p-asserted-identity',
  'diversion',
  'history-info',
]);

export class SrfIncomingInvite implements IncomingInvite {
  readonly sipCallId: string;
  readonly from: SipParty;
  readonly to: SipParty;
  readonly calledNumber: string;
  readonly requestUri: string;
  readonly source: SipSource;
  readonly offerSdp: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  private state: 'ringing' | 'accepting' | 'done' | 'cancelled' = 'ringing';
  private cancelHandler: (() => void) | undefined;

  constructor(
    private readonly srf: Srf,
    private readonly request: SrfRequest,
    private readonly response: SrfResponse,
    private readonly options: {
      readonly adopt: (dialog: SrfDialog, timer: SessionTimerAgreement | undefined) => SipDialog;
      readonly userAgentName: string;
      readonly timer: SessionTimerSettings;
    },
  ) {
    const headers: Record<string, string> = Object.create(null) as Record<string, string>;
    for (const [name, value] of Object.entries(request.headers)) headers[name.toLowerCase()] = value;
    this.headers = headers;
    this.sipCallId = request.get('call-id') ?? '';
    this.from = party(request.get('from'));
    this.to = party(request.get('to'));
    this.requestUri = request.uri;
    this.calledNumber = calledNumber(request.uri);
    this.source = {
      transport: transportOf(request.protocol),
      address: request.source_address,
      port: request.source_port,
    };
    this.offerSdp = hasBody(request) ? request.body : undefined;
    request.on('cancel', () => this.onCancel());
    // RFC 3311 §5.2: before our answer there is nothing that an offer of theirs could change.
    request.on('update', (update, reply) => {
      if (hasBody(update)) reply.send(500, { headers: { 'Retry-After': '2' } });
      else reply.send(200, { headers: { Allow: allowedMethods } });
    });
  }

  header(name: string): string | undefined {
    const value = this.headers[name.toLowerCase()];
    return value === undefined || !listHeaders.has(name.toLowerCase()) ? value : (firstValue(value) ?? value);
  }

  ring(status: 180 | 183 = 180, sdp?: string): void {
    if (this.state !== 'ringing') return;
    const reliable = this.ringsReliably(sdp);
    // RFC 3262 §5: the first reliable response would have to carry our offer; the 200 that follows does.
    if (reliable === 'cannot') return;
    const headers = checkOutgoing(
      {
        Allow: allowedMethods,
        ...(sdp === undefined ? {} : { 'Content-Type': sdpType }),
        ...(reliable ? { Require: '100rel' } : {}),
      },
      sdp ?? '',
    );
    this.response.send(status, { headers, body: sdp });
  }

  async accept(sdp: string, headers: Readonly<Record<string, string>> = {}): Promise<SipDialog> {
    if (this.state === 'cancelled') throw cancelled();
    if (this.state !== 'ringing') {
      throw new TrunklineError('sip.already-answered', 'This call has been answered or refused before.');
    }
    const timer = answerSessionTimer(this.options.timer, this.request);
    const agreed = timer.kind === 'accepted' ? timer.agreed : undefined;
    const checked = checkOutgoing(
      {
        Allow: allowedMethods,
        Supported: supportedHeader,
        Server: this.options.userAgentName,
        'Content-Type': sdpType,
        ...(timer.kind === 'accepted' ? timer.headers : {}),
        ...headers,
      },
      sdp,
    );
    this.state = 'accepting';
    try {
      const dialog = await this.srf.createUAS(this.request, this.response, { localSdp: sdp, headers: checked });
      this.state = 'done';
      return this.options.adopt(dialog, agreed);
    } catch (cause) {
      if (this.isCancelled()) throw cancelled(cause);
      this.state = 'done';
      throw new TrunklineError('sip.answer-failed', 'The call could not be answered.', {
        fix: 'The caller is gone or sent a request without Contact; nothing needs to be done.',
        cause,
      });
    }
  }

  reject(status: number, reason?: string, headers: Readonly<Record<string, string>> = {}): void {
    if (this.state !== 'ringing') return;
    const extra: Record<string, string> =
      reason === undefined ? {} : { Reason: `SIP;cause=${status};text="${reason.replace(/["\\]/g, '')}"` };
    const checked = checkOutgoing({ ...extra, ...headers }, '');
    this.state = 'done';
    this.response.send(status, { headers: checked });
  }

  onCancelled(run: () => void): void {
    this.cancelHandler = run;
    if (this.state === 'cancelled') run();
  }

  /** RFC 3262 §3: always if the caller demands it; early media also where it is possible, because it must not be lost. */
  private ringsReliably(sdp: string | undefined): boolean | 'cannot' {
    const demanded = listsToken(this.request.get('require'), '100rel');
    if (demanded) return this.offerSdp === undefined ? 'cannot' : true;
    return sdp !== undefined && this.offerSdp !== undefined && listsToken(this.request.get('supported'), '100rel');
  }

  private isCancelled(): boolean {
    return this.state === 'cancelled';
  }

  private onCancel(): void {
    if (this.state === 'done' || this.state === 'cancelled') return;
    this.state = 'cancelled';
    this.cancelHandler?.();
  }
}

function cancelled(cause?: unknown): TrunklineError {
  return new TrunklineError('sip.cancelled', 'The caller hung up before the call was answered.', { cause });
}

export function transportOf(protocol: string): SipSource['transport'] {
  const lower = protocol.toLowerCase();
  return lower === 'tcp' || lower === 'tls' || lower === 'ws' || lower === 'wss' ? lower : 'udp';
}
