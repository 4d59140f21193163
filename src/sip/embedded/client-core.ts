/**
 * The asking side: requests the application sends, their responses, ACK and its repeats, CANCEL at the right moment
 * (RFC 3261 §8.1, §9.1, §12.2.1, §13.2.2, §15.1.1).
 */
import type { Timer } from '../../core/clock';
import { TrunklineError } from '../../core/errors';
import { formatNameAddr, formatVia, parseCSeq, parseNameAddr, parseVia, quote } from '../header-values';
import { bracketed, parseSipUri } from '../uri';
import { type AppMessage, addAppHeaders } from './app-message';
import { Attempts } from './attempts';
import {
  contactUri,
  type Dialog,
  dialogFromResponse,
  dialogHeaders,
  dialogId,
  nextHopUri,
  routeRequest,
} from './dialog';
import { EarlyDialogs } from './early-dialogs';
import { contactFor, type EndpointContext, type Preparation, withLocalHost } from './endpoint-context';
import { noBody, reasonPhrase, SipHeaders, type SipRequest, type SipResponse, serializeMessage } from './message';
import { magicCookie, type TransactionEnd } from './transaction-layer';
import { type Hop, isReliable } from './transport';

/** About what a Via adds to a message. */
const viaBytes = 110;

interface Sent {
  readonly id: string;
  readonly owner: number;
  /** To the present place, and to the next ones if that fails. */
  readonly attempts: Attempts;
  readonly request: SipRequest;
  readonly hop: Hop;
  dialog: Dialog | undefined;
  readonly opensDialog: boolean;
  readonly early: EarlyDialogs;
  /** A CANCEL that waits for the first 1xx (§9.1). */
  cancelWaiting: SipHeaders | undefined;
  cancelTimer: Timer | undefined;
  provisional: boolean;
  final: boolean;
}

export class ClientCore {
  private readonly sent = new Map<string, Sent>();
  /** By dialog: INVITEs of ours that have no final response yet. */
  private readonly early = new Map<string, EarlyDialogs>();
  private sequence = 0;

  constructor(
    private readonly context: EndpointContext,
    private readonly forget: (dialog: Dialog) => void,
  ) {}

  get pendingCount(): number {
    return this.sent.size;
  }

  async prepareRequest(
    owner: number,
    ids: { readonly transactionId: string; readonly dialogId: string; readonly proxy: string },
    message: AppMessage,
  ): Promise<Preparation> {
    if (ids.dialogId !== '') return this.inDialog(owner, ids.dialogId, message);
    if (ids.transactionId !== '') return this.prepareCancel(ids.transactionId, message);
    return this.newRequest(owner, ids.proxy, message);
  }

  /** §8.1.1: outside any dialog. */
  private async newRequest(owner: number, proxy: string, message: AppMessage): Promise<Preparation> {
    const target = parseSipUri(message.uri);
    if (target === undefined) return { refused: 'the request URI is not a SIP URI' };
    const first = proxy === '' ? target : parseSipUri(proxy.startsWith('sip') ? proxy : `sip:${proxy}`);
    if (first === undefined) return { refused: 'the proxy is not a SIP URI' };
    const hops = await this.context.targets.find(first);
    const hop = hops[0];
    if (hop === undefined) return { refused: 'the name of the next hop is unknown' };
    const local = this.context.localFor(hop);

    const ours = `sip:${bracketed(local.host)}:${local.port}`;
    const from = parseNameAddr(withLocalHost(message.headers.get('from') ?? `<${ours}>`, local));
    const to = parseNameAddr(withLocalHost(message.headers.get('to') ?? `<${message.uri}>`, local));
    if (from === undefined || to === undefined) return { refused: 'From or To cannot be read' };
    const fromTag = from.params.get('tag') ?? this.context.random(8);
    const callId = message.headers.get('call-id') ?? `${this.context.random(16)}@${bracketed(local.host)}`;
    const number = parseCSeq(message.headers.get('cseq') ?? '')?.number ?? 1;

    const headers = new SipHeaders();
    headers.add('max-forwards', '70');
    headers.add('from', formatNameAddr({ ...from, params: new Map([...from.params, ['tag', fromTag]]) }));
    headers.add('to', formatNameAddr(to));
    headers.add('call-id', callId);
    headers.add('cseq', `${number} ${message.method}`);
    const stated = message.headers.get('contact');
    if (stated !== undefined) headers.add('contact', withLocalHost(stated, local));
    else if (message.method === 'INVITE' || message.method === 'SUBSCRIBE') {
      headers.add('contact', contactFor(local, hop, parseSipUri(from.uri)?.user));
    }
    addAppHeaders(headers, message);
    const request: SipRequest = {
      kind: 'request',
      method: message.method,
      uri: message.uri,
      headers,
      body: message.body,
    };
    return this.ready(owner, request, [hop, ...hops.slice(1)], undefined);
  }

  /** §12.2.1.1; the URI the application wrote is a placeholder. */
  private async inDialog(owner: number, id: string, message: AppMessage): Promise<Preparation> {
    const branch = message.method === 'PRACK' ? this.early.get(id)?.forPrack(message.headers.get('rack')) : undefined;
    const dialog = branch ?? this.context.dialogs.get(id);
    // drachtio-srf compares this sentence to tell a dialog that is gone from other refusals.
    if (dialog === undefined || dialog.owner !== owner) return { refused: 'unable to find dialog for dialog id' };
    if (message.method === 'ACK') return this.prepareAck(dialog, message);
    dialog.localSeq++;
    const headers = dialogHeaders(dialog, message.method, dialog.localSeq);
    addAppHeaders(headers, message);
    const { uri } = routeRequest(dialog);
    const request: SipRequest = { kind: 'request', method: message.method, uri, headers, body: message.body };
    const [hop, ...others] = await this.hopsOf(dialog);
    if (hop === undefined) return { refused: 'the name of the next hop is unknown' };
    return this.ready(owner, request, [hop, ...others], dialog);
  }

  /** Best first; none if the name is unknown. */
  private async hopsOf(dialog: Dialog): Promise<readonly Hop[]> {
    const { source } = dialog;
    if (dialog.behindNat && dialog.routeSet.length === 0) return [source];
    const { uri, routes } = routeRequest(dialog);
    const target = parseSipUri(nextHopUri(uri, routes));
    if (target === undefined) return [source];
    // A browser can only be reached by the connection it opened, and a certificate speaks for the one it was shown on.
    const direct = dialog.routeSet.length === 0;
    if (direct && (source.transport === 'ws' || source.transport === 'wss')) return [source];
    // Who speaks to us over a connection and names no transport means that connection, not UDP; if it is closed by
    // now, a new one to where the Contact says.
    const bySource = isReliable(source.transport) && (!target.params.has('transport') || direct);
    if (!bySource) return this.context.targets.find(target);
    const params = new Map([...target.params, ['transport', source.transport]]);
    return [source, ...(await this.context.targets.find({ ...target, params }))];
  }

  private ready(owner: number, request: SipRequest, to: readonly [Hop, ...Hop[]], dialog?: Dialog): Preparation {
    const hops = this.context.targets.fitting(to, serializeMessage(request).length + viaBytes);
    const attempts = new Attempts(this.context, request, [hops[0] ?? to[0], ...hops.slice(1)], {
      stamp: (stamped, hop) => this.addVia(stamped, hop),
      onResponse: (response, from) => this.onResponse(sent, response, from),
      onEnd: (end, fault) => this.onEnd(sent, end, fault),
      onLate: (late, hop, response, from) => this.onLate(sent, late, hop, response, from),
    });
    this.sequence++;
    const sent: Sent = {
      id: `u${this.sequence}`,
      owner,
      attempts,
      get request() {
        return attempts.request;
      },
      get hop() {
        return attempts.hop;
      },
      dialog,
      opensDialog: dialog === undefined && request.method === 'INVITE',
      early: new EarlyDialogs(owner),
      cancelWaiting: undefined,
      cancelTimer: undefined,
      provisional: false,
      final: false,
    };
    // Nobody waits for what comes of a PRACK.
    if (request.method !== 'PRACK') dialog?.pending.add(request.method);
    const commit = (): void => {
      this.sent.set(sent.id, sent);
      attempts.start();
    };
    return { message: sent.request, hop: sent.hop, transactionId: sent.id, dialogId: dialog?.id ?? '', commit };
  }

  private addVia(request: SipRequest, hop: Hop): void {
    const { host, port } = this.context.localFor(hop);
    const params = new Map([
      ['branch', `${magicCookie}${this.context.random(12)}`],
      ['rport', ''],
    ]);
    request.headers.prepend('via', formatVia({ transport: hop.transport.toUpperCase(), host, port, params }));
  }

  /** ACK for the 2xx to our INVITE: the same number, kept to answer copies of the 2xx (§13.2.2.4). */
  private async prepareAck(dialog: Dialog, message: AppMessage): Promise<Preparation> {
    const number = dialog.awaitingAck;
    if (number === undefined) return { refused: 'no 2xx waits for an ACK' };
    const headers = dialogHeaders(dialog, 'ACK', number);
    addAppHeaders(headers, message);
    const { uri } = routeRequest(dialog);
    const request: SipRequest = { kind: 'request', method: 'ACK', uri, headers, body: message.body };
    const hop = (await this.hopsOf(dialog))[0] ?? dialog.source;
    this.addVia(request, hop);
    const commit = (): void => {
      dialog.awaitingAck = undefined;
      dialog.confirmed = true;
      const bytes = serializeMessage(request);
      dialog.acks.clear();
      dialog.acks.set(number, { bytes, to: hop });
      this.context.send(bytes, hop);
    };
    return { message: request, hop, transactionId: '', dialogId: dialog.id, commit };
  }

  private prepareCancel(transactionId: string, message: AppMessage): Preparation {
    const sent = this.sent.get(transactionId);
    if (message.method !== 'CANCEL') return { refused: 'only CANCEL names a transaction' };
    if (sent === undefined || sent.final || sent.request.method !== 'INVITE') return { refused: 'unknown transaction' };
    const extra = new SipHeaders();
    addAppHeaders(extra, message);
    const request = cancelOf(sent.request, extra);
    const commit = (): void => {
      if (sent.final) return;
      sent.attempts.settle();
      if (sent.provisional) this.sendCancel(sent, cancelOf(sent.request, extra));
      else sent.cancelWaiting = extra;
    };
    return { message: request, hop: sent.hop, transactionId, dialogId: '', commit };
  }

  private sendCancel(sent: Sent, request: SipRequest): void {
    sent.cancelWaiting = undefined;
    this.context.layer.request(request, sent.hop, { onResponse: () => {}, onEnd: () => {} });
    // §9.1: if nothing final comes in 64*T1, the INVITE counts as cancelled.
    sent.cancelTimer?.cancel();
    sent.cancelTimer = this.context.clock.after(64 * this.context.timers.t1Ms, () => {
      if (sent.final) return;
      sent.attempts.abandon();
      this.answerLocally(sent, 487);
    });
  }

  private onResponse(sent: Sent, response: SipResponse, from: Hop): void {
    this.context.counters.responsesIn++;
    const { request } = sent;
    const invite = request.method === 'INVITE';
    if (response.status < 200) {
      sent.provisional = true;
      if (sent.cancelWaiting !== undefined) this.sendCancel(sent, cancelOf(request, sent.cancelWaiting));
      // A 100 is told for an INVITE alone: it says that somebody is there, and begins no dialog.
      if (response.status === 100 ? !invite : sent.opensDialog && !this.beginEarly(sent, response, from)) return;
      this.deliver(sent, response, from, invite && response.status > 100);
      return;
    }
    if (invite && response.status < 300) {
      this.onInviteOk(sent, response, from);
      return;
    }
    this.finish(sent);
    if (sent.dialog !== undefined && request.method === 'BYE') this.forget(sent.dialog);
    this.deliver(sent, response, from, invite);
  }

  /** False for a copy. The first branch can be spoken to by the far end as well (RFC 3311). */
  private beginEarly(sent: Sent, response: SipResponse, from: Hop): boolean {
    const taken = sent.early.take(sent.request, response, from);
    if (taken === 'copy') return false;
    if (taken.began !== undefined) {
      this.early.set(taken.began.id, sent.early);
      this.context.dialogs.set(taken.began.id, taken.began);
      sent.dialog = taken.began;
    }
    return true;
  }

  /** §13.2.2.4. The first 2xx makes the dialog; copies get the ACK again; another branch of a fork gets ACK and BYE. */
  private onInviteOk(sent: Sent, response: SipResponse, from: Hop): void {
    const number = parseCSeq(sent.request.headers.get('cseq') ?? '')?.number ?? 0;
    const tag = parseNameAddr(response.headers.get('to') ?? '')?.params.get('tag') ?? '';
    if (sent.final) {
      if (sent.dialog !== undefined && tag !== sent.dialog.remoteTag) this.rejectFork(sent, response, from);
      else this.repeatAck(sent.dialog, number);
      return;
    }
    this.finish(sent);
    if (sent.opensDialog) {
      const dialog = dialogFromResponse(sent.request, response, from, sent.owner);
      const counted = sent.early.sequenceNumbers(tag);
      dialog.localSeq = counted?.local ?? dialog.localSeq;
      dialog.remoteSeq = counted?.remote ?? dialog.remoteSeq;
      sent.dialog = dialog;
      this.context.dialogs.set(dialog.id, dialog);
      this.context.counters.dialogsOpened++;
    } else if (sent.dialog !== undefined) {
      sent.dialog.remoteTarget = contactUri(response.headers) ?? sent.dialog.remoteTarget;
    }
    if (sent.dialog !== undefined) sent.dialog.awaitingAck = number;
    this.deliver(sent, response, from, true);
  }

  private repeatAck(dialog: Dialog | undefined, number: number): void {
    const ack = dialog?.acks.get(number);
    if (ack !== undefined) this.context.send(ack.bytes, ack.to);
  }

  private rejectFork(sent: Sent, response: SipResponse, from: Hop): void {
    this.context.counters.forkedAnswers++;
    const fork = dialogFromResponse(sent.request, response, from, sent.owner);
    void this.acknowledge(fork).then(() => {
      fork.localSeq = sent.early.sequenceNumbers(fork.remoteTag)?.local ?? fork.localSeq;
      this.hangUp(fork, 'SIP;cause=200;text="another branch answered"');
    });
  }

  private async acknowledge(dialog: Dialog): Promise<void> {
    dialog.awaitingAck = dialog.localSeq;
    const empty: AppMessage = {
      kind: 'request',
      method: 'ACK',
      uri: '',
      status: 0,
      reason: '',
      headers: new SipHeaders(),
      body: noBody,
    };
    const ack = await this.prepareAck(dialog, empty);
    if ('commit' in ack) ack.commit();
  }

  /** BYE of the endpoint's own making; whatever comes back, the dialog is over. */
  hangUp(dialog: Dialog, reason: string): void {
    this.forget(dialog);
    dialog.localSeq++;
    const headers = dialogHeaders(dialog, 'BYE', dialog.localSeq).add('reason', reason);
    const { uri } = routeRequest(dialog);
    void this.hopsOf(dialog).then(([hop, ...others]) => {
      if (hop === undefined) return;
      const request: SipRequest = { kind: 'request', method: 'BYE', uri, headers, body: noBody };
      new Attempts(this.context, request, [hop, ...others], {
        stamp: (stamped, to) => this.addVia(stamped, to),
        onResponse: () => {},
        onEnd: () => {},
        onLate: () => {},
      }).start();
    });
  }

  /** Copies of a 2xx that come after its transaction is gone. */
  onStray(response: SipResponse): void {
    const cseq = parseCSeq(response.headers.get('cseq') ?? '');
    const tag = parseNameAddr(response.headers.get('from') ?? '')?.params.get('tag') ?? '';
    const dialog = this.context.dialogs.get(dialogId(response.headers.get('call-id') ?? '', tag));
    this.context.counters.strayResponses++;
    if (cseq?.method === 'INVITE' && response.status >= 200 && response.status < 300)
      this.repeatAck(dialog, cseq.number);
  }

  private onEnd(sent: Sent, end: TransactionEnd, fault: Error | undefined): void {
    if (!sent.final) this.answerLocally(sent, end === 'timeout' ? 408 : 503, fault);
  }

  /** A place that was given up for another comes to life after all: what it began is ended there. */
  private onLate(sent: Sent, request: SipRequest, hop: Hop, response: SipResponse, from: Hop): void {
    if (request.method !== 'INVITE') return;
    if (response.status < 200) {
      const cancel = cancelOf(request, new SipHeaders());
      if (response.status > 100) this.context.layer.request(cancel, hop, { onResponse: () => {}, onEnd: () => {} });
    } else if (response.status < 300) {
      this.rejectFork(sent, response, from);
    }
  }

  /** §8.1.3.1: silence and transport errors look like 408 and 503 to the application; no hop marks them as ours. */
  private answerLocally(sent: Sent, status: number, fault?: Error): void {
    const headers = new SipHeaders();
    for (const name of ['via', 'from', 'to', 'call-id', 'cseq'])
      headers.add(name, sent.request.headers.get(name) ?? '');
    if (fault instanceof TrunklineError) headers.add('warning', `399 trunkline ${quote(fault.code)}`);
    this.finish(sent);
    if (sent.dialog !== undefined && sent.request.method === 'BYE') this.forget(sent.dialog);
    const response: SipResponse = { kind: 'response', status, reason: reasonPhrase(status), headers, body: noBody };
    this.deliver(sent, response, undefined, false);
  }

  private finish(sent: Sent): void {
    sent.final = true;
    sent.cancelTimer?.cancel();
    this.sent.delete(sent.id);
    sent.dialog?.pending.delete(sent.request.method);
    if (sent.opensDialog && sent.dialog !== undefined) {
      // A 2xx puts the confirmed dialog in its place.
      this.early.delete(sent.dialog.id);
      if (this.context.dialogs.get(sent.dialog.id) === sent.dialog) this.context.dialogs.delete(sent.dialog.id);
      sent.dialog = undefined;
    }
  }

  private deliver(sent: Sent, response: SipResponse, hop: Hop | undefined, withDialog: boolean): void {
    const callId = sent.request.headers.get('call-id') ?? '';
    const tag = parseNameAddr(sent.request.headers.get('from') ?? '')?.params.get('tag') ?? '';
    const id = sent.dialog?.id ?? (withDialog ? dialogId(callId, tag) : '');
    this.context.app.deliver(sent.owner, {
      source: 'network',
      hop,
      transactionId: sent.id,
      dialogId: id,
      message: response,
    });
  }

  close(): void {
    for (const sent of this.sent.values()) sent.cancelTimer?.cancel();
    this.sent.clear();
  }
}

/** §9.1: same Request-URI, Call-ID, To, number, From, Route, and exactly the top Via. */
function cancelOf(invite: SipRequest, extra: SipHeaders): SipRequest {
  const headers = new SipHeaders();
  const via = parseVia(invite.headers.get('via') ?? '');
  if (via !== undefined) headers.add('via', formatVia(via));
  for (const route of invite.headers.all('route')) headers.add('route', route);
  headers.add('max-forwards', '70');
  for (const name of ['from', 'to', 'call-id']) headers.add(name, invite.headers.get(name) ?? '');
  headers.add('cseq', `${parseCSeq(invite.headers.get('cseq') ?? '')?.number ?? 0} CANCEL`);
  for (const { key, value } of extra) headers.add(key, value);
  return { kind: 'request', method: 'CANCEL', uri: invite.uri, headers, body: noBody };
}
