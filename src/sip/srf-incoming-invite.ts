/** An incoming call attempt over drachtio-srf, until it is answered, refused or cancelled (RFC 3261 §13.3). */
import { TrunklineError } from '../core/errors';
import { allowedMethods, calledNumber, checkOutgoing, firstValue, hasBody, party, sdpType } from './srf-headers';
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
  readonly source: SipSource;
  readonly offerSdp: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  private state: 'ringing' | 'accepting' | 'done' | 'cancelled' = 'ringing';
  private cancelHandler: (() => void) | undefined;

  constructor(
    private readonly srf: Srf,
    private readonly request: SrfRequest,
    private readonly response: SrfResponse,
    private readonly adopt: (dialog: SrfDialog) => SipDialog,
    private readonly userAgentName: string,
  ) {
    const headers: Record<string, string> = Object.create(null) as Record<string, string>;
    for (const [name, value] of Object.entries(request.headers)) headers[name.toLowerCase()] = value;
    this.headers = headers;
    this.sipCallId = request.get('call-id') ?? '';
    this.from = party(request.get('from'));
    this.to = party(request.get('to'));
    this.calledNumber = calledNumber(request.uri);
    this.source = {
      transport: transportOf(request.protocol),
      address: request.source_address,
      port: request.source_port,
    };
    this.offerSdp = hasBody(request) ? request.body : undefined;
    request.on('cancel', () => this.onCancel());
  }

  header(name: string): string | undefined {
    const value = this.headers[name.toLowerCase()];
    return value === undefined || !listHeaders.has(name.toLowerCase()) ? value : (firstValue(value) ?? value);
  }

  ring(status: 180 | 183 = 180, sdp?: string): void {
    if (this.state !== 'ringing') return;
    const headers = checkOutgoing(sdp === undefined ? {} : { 'Content-Type': sdpType }, sdp ?? '');
    this.response.send(status, { headers, body: sdp });
  }

  async accept(sdp: string, headers: Readonly<Record<string, string>> = {}): Promise<SipDialog> {
    if (this.state === 'cancelled') throw cancelled();
    if (this.state !== 'ringing') {
      throw new TrunklineError('sip.already-answered', 'This call has been answered or refused before.');
    }
    const checked = checkOutgoing(
      { Allow: allowedMethods, Server: this.userAgentName, 'Content-Type': sdpType, ...headers },
      sdp,
    );
    this.state = 'accepting';
    try {
      const dialog = await this.srf.createUAS(this.request, this.response, { localSdp: sdp, headers: checked });
      this.state = 'done';
      return this.adopt(dialog);
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
