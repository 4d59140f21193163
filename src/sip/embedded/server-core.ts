/**
 * The answering side: incoming requests to the application, its responses to the network (RFC 3261 §8.2, §9.2, §12.2.2,
 * §15.1.2).
 */
import type { Timer } from '../../core/clock';
import { parseCSeq } from '../header-values';
import { allowedMethods } from '../srf-headers';
import { type AppMessage, addAppHeaders } from './app-message';
import { contactUri, type Dialog, dialogFromRequest, dialogId } from './dialog';
import { contactFor, type EndpointContext, type Preparation, withLocalHost } from './endpoint-context';
import { knownMethods } from './known-methods';
import { reasonPhrase, type SipRequest, type SipResponse } from './message';
import { OkRepeater } from './ok-repeater';
import { ReliableProvisionals } from './reliable-provisionals';
import { bare, responseHeaders, tagOf } from './responses';
import type { ServerTransaction, TransactionEnd } from './transaction-layer';
import type { Hop } from './transport';

/** Longer than any sensible ringing. */
const longestRingingMs = 10 * 60_000;

/** A request that waits for the application's final response. */
interface Pending {
  readonly transaction: ServerTransaction;
  readonly owner: number;
  readonly localTag: string;
  readonly mergeKey: string;
  /** Set for requests inside a dialog, and once an INVITE has opened one. */
  dialog: Dialog | undefined;
  readonly opensDialog: boolean;
  /** Runs while the application thinks. */
  patience: Timer | undefined;
}

export class ServerCore {
  private readonly pending = new Map<string, Pending>();
  private readonly merging = new Map<string, string>();
  private readonly repeater: OkRepeater;
  private readonly reliable: ReliableProvisionals;
  /** By dialog that an INVITE of theirs opened: its transaction, for PRACKs that come after the answer. */
  private readonly openedBy = new Map<string, ServerTransaction>();

  /** `hangUp` ends a dialog from our side: BYE to the far end. */
  constructor(
    private readonly context: EndpointContext,
    private readonly hangUp: (dialog: Dialog, reason: string) => void,
  ) {
    this.repeater = new OkRepeater(context, hangUp);
    this.reliable = new ReliableProvisionals(context, (id) => this.refuseUnacknowledged(id));
  }

  get pendingCount(): number {
    return this.pending.size;
  }

  onRequest(transaction: ServerTransaction): void {
    const { request } = transaction;
    this.context.counters.requestsIn++;
    if (request.method === 'CANCEL') this.onCancel(transaction);
    else if (tagOf(request.headers.get('to')) !== '') this.onDialogRequest(transaction);
    else this.onNewRequest(transaction);
  }

  /** §8.2: outside any dialog. */
  private onNewRequest(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (!knownMethods.includes(request.method)) {
      this.refuse(transaction, 405, { Allow: allowedMethods });
      return;
    }
    if (request.method === 'BYE' || request.method === 'PRACK') {
      this.context.counters.unknownDialogs++;
      this.refuse(transaction, 481);
      return;
    }
    // §8.2.2.2: the same request by another path while the first is being answered.
    const mergeKey = mergeKeyOf(request);
    const first = this.merging.get(mergeKey);
    if (first !== undefined && first !== transaction.id) {
      this.context.counters.mergedRequests++;
      this.refuse(transaction, 482);
      return;
    }
    const owner = this.context.app.next(request.method);
    if (owner === undefined) {
      this.context.counters.noApplication++;
      this.refuse(transaction, 503, { 'Retry-After': '5' });
      return;
    }
    this.hold(transaction, owner, undefined, mergeKey);
  }

  /** §12.2.2: inside a dialog. */
  private onDialogRequest(transaction: ServerTransaction): void {
    const { request } = transaction;
    const dialog = this.dialogOf(request);
    if (dialog === undefined) {
      this.context.counters.unknownDialogs++;
      this.refuse(transaction, 481);
      return;
    }
    const number = parseCSeq(request.headers.get('cseq') ?? '')?.number ?? 0;
    if (number <= dialog.remoteSeq) {
      this.refuse(transaction, 500);
      return;
    }
    dialog.remoteSeq = number;
    const unanswered = this.invitesIn(dialog).length > 0 || this.repeater.waiting(dialog.id);
    if (request.method === 'INVITE' && unanswered) {
      // §14.2: theirs overtook their own earlier one.
      this.refuse(transaction, 500, { 'Retry-After': '2' });
      return;
    }
    if (request.method === 'INVITE' && dialog.pending.has('INVITE')) {
      this.refuse(transaction, 491);
      return;
    }
    // RFC 3311 §5.2; drachtio-srf would also hand an UPDATE to whatever request of ours is in flight.
    if (request.method === 'UPDATE' && dialog.pending.size > 0) {
      this.refuse(transaction, 491);
      return;
    }
    if (request.method === 'BYE') {
      this.repeater.stop(dialog.id);
      if (this.endUnanswered(dialog, transaction)) return;
      this.endPendingInvites(dialog);
    }
    if (request.method === 'PRACK') {
      this.onPrack(transaction, dialog);
      return;
    }
    if (request.method === 'BYE' || request.method === 'INVITE') dialog.confirmed = true;
    this.hold(transaction, dialog.owner, dialog, '');
  }

  private hold(transaction: ServerTransaction, owner: number, dialog: Dialog | undefined, mergeKey: string): void {
    const { request } = transaction;
    const pending: Pending = {
      transaction,
      owner,
      localTag: dialog?.localTag ?? this.context.random(8),
      mergeKey,
      dialog,
      opensDialog: dialog === undefined && request.method === 'INVITE',
      patience: undefined,
    };
    const patienceMs = request.method === 'INVITE' ? longestRingingMs : 64 * this.context.timers.t1Ms;
    pending.patience = this.context.clock.after(patienceMs, () => this.giveUpOn(pending));
    this.pending.set(transaction.id, pending);
    if (mergeKey !== '') this.merging.set(mergeKey, transaction.id);
    transaction.onEnd = (end) => this.onTransactionEnd(pending, end);
    if (request.method === 'INVITE') transaction.respond(bare(request, 100, ''));
    const delivered = this.context.app.deliver(owner, {
      source: 'network',
      hop: transaction.source,
      transactionId: transaction.id,
      dialogId: dialog?.id ?? '',
      message: request,
    });
    if (!delivered) {
      this.release(pending);
      this.refuse(transaction, 503);
    }
  }

  /** RFC 3262 §3. An offer in it would need an answer that nobody here can give. */
  private onPrack(transaction: ServerTransaction, dialog: Dialog): void {
    const invite = this.openedBy.get(dialog.id);
    const known = invite !== undefined && this.reliable.acknowledge(invite.id, invite.request, transaction.request);
    this.refuse(transaction, known ? (transaction.request.body.length > 0 ? 488 : 200) : 481);
    if (invite !== undefined && known) this.reliable.sendWaiting(invite.id);
  }

  /** RFC 3262 §3: a reliable response that nobody acknowledges ends the INVITE; to the application it is cancelled. */
  private refuseUnacknowledged(transactionId: string): void {
    const pending = this.pending.get(transactionId);
    if (pending === undefined) return;
    const { transaction } = pending;
    this.withdrawAnswer(pending);
    this.release(pending);
    if (pending.dialog !== undefined) this.forget(pending.dialog);
    transaction.respond(bare(transaction.request, 504, pending.localTag));
    this.deliverCancel(pending, { ...transaction.request, method: 'CANCEL' }, transaction.source);
  }

  /** The application believes in a 2xx that waits for a PRACK: it is told that the call is over. */
  private withdrawAnswer({ transaction, dialog }: Pending): void {
    if (dialog !== undefined && this.reliable.holdsAnswer(transaction.id)) {
      this.hangUp(dialog, 'SIP;cause=487;text="ended before the answer could be sent"');
    }
  }

  private deliverCancel(pending: Pending, cancel: SipRequest, hop: Hop): void {
    const { owner, transaction } = pending;
    this.context.app.deliver(owner, {
      source: 'network',
      hop,
      transactionId: transaction.id,
      dialogId: '',
      message: cancel,
    });
  }

  /** §9.2: 200 to the CANCEL; 487 to its INVITE while that has no final response. */
  private onCancel(transaction: ServerTransaction): void {
    const invite = this.context.layer.inviteOf(transaction.request);
    if (invite === undefined) {
      this.refuse(transaction, 481);
      return;
    }
    const pending = this.pending.get(invite.id);
    transaction.respond(bare(transaction.request, 200, pending?.localTag ?? this.context.random(8)));
    if (pending === undefined || invite.state !== 'proceeding') return;
    this.withdrawAnswer(pending);
    this.release(pending);
    if (pending.opensDialog && pending.dialog !== undefined) this.forget(pending.dialog);
    invite.respond(bare(invite.request, 487, pending.localTag));
    this.deliverCancel(pending, transaction.request, transaction.source);
  }

  /** ACK for a 2xx (§13.3.1.4). The first stops the repeats and goes to the application; copies of it end here. */
  onAck(request: SipRequest, from: Hop): void {
    const dialog = this.dialogOf(request);
    if (dialog === undefined || !this.repeater.stop(dialog.id)) return;
    dialog.confirmed = true;
    this.context.app.deliver(dialog.owner, {
      source: 'network',
      hop: from,
      bareProtocol: true,
      transactionId: '',
      dialogId: dialog.id,
      message: request,
    });
  }

  /** The application answers transaction `transactionId`. */
  prepareResponse(owner: number, transactionId: string, answer: AppMessage): Preparation {
    const pending = this.pending.get(transactionId);
    if (pending === undefined || pending.owner !== owner) return { refused: 'unknown transaction' };
    const { transaction } = pending;
    const { request } = transaction;
    const ok = answer.status >= 200 && answer.status < 300;
    const invite = request.method === 'INVITE';
    const headers = responseHeaders(request, answer.status === 100 ? '' : pending.localTag);
    const local = this.context.localFor(transaction.source);
    const stated = answer.headers.get('contact');
    const contact = stated === undefined ? contactFor(local, transaction.source) : withLocalHost(stated, local);
    // §12.1.1: dialog-forming responses carry the Record-Route set and our Contact.
    if (invite && answer.status > 100 && answer.status < 300) {
      for (const route of request.headers.all('record-route')) headers.add('record-route', route);
      headers.add('contact', contact);
    } else if (stated !== undefined || (request.method === 'UPDATE' && ok)) {
      headers.add('contact', contact);
    }
    addAppHeaders(headers, answer);
    const reliable = pending.opensDialog && ReliableProvisionals.wanted(answer);
    const number = reliable ? this.reliable.nextNumber(transactionId) : 0;
    if (reliable) headers.add('rseq', String(number));
    const response: SipResponse = {
      kind: 'response',
      status: answer.status,
      reason: answer.reason === '' ? reasonPhrase(answer.status) : answer.reason,
      headers,
      body: answer.body,
    };
    const id = pending.dialog?.id ?? dialogId(request.headers.get('call-id') ?? '', tagOf(request.headers.get('from')));
    const send = (): void => {
      if (this.pending.get(transactionId) !== pending) return;
      if (pending.opensDialog && answer.status > 100 && answer.status < 300) this.open(pending, contact);
      if (answer.status >= 200) this.finish(pending, ok);
      transaction.respond(response);
      if (reliable) this.reliable.repeat(transaction, number, response);
      if (invite && ok && pending.dialog !== undefined) this.repeater.start(pending.dialog, transaction, response);
    };
    return {
      message: response,
      hop: transaction.replyTo,
      transactionId,
      dialogId: invite ? id : (pending.dialog?.id ?? ''),
      commit: () => this.reliable.inTurn(transactionId, answer.status, send),
    };
  }

  private open(pending: Pending, contact: string): void {
    if (pending.dialog !== undefined) return;
    const { request, source } = pending.transaction;
    const dialog = dialogFromRequest(request, pending.localTag, contact, source, pending.owner);
    pending.dialog = dialog;
    this.context.dialogs.set(dialog.id, dialog);
    this.openedBy.set(dialog.id, pending.transaction);
    this.context.counters.dialogsOpened++;
  }

  private finish(pending: Pending, ok: boolean): void {
    this.release(pending);
    const { request } = pending.transaction;
    const { dialog } = pending;
    if (dialog === undefined) return;
    if (request.method === 'BYE' || (pending.opensDialog && !ok)) this.forget(dialog);
    // §12.2.2: a target refresh takes effect when it is accepted.
    else if (ok && (request.method === 'INVITE' || request.method === 'UPDATE')) {
      dialog.remoteTarget = contactUri(request.headers) ?? dialog.remoteTarget;
    }
  }

  /** §15: a BYE in an early dialog. The application knows of no dialog yet: to it the attempt is cancelled. */
  private endUnanswered(dialog: Dialog, bye: ServerTransaction): boolean {
    const invite = this.invitesIn(dialog).find((one) => one.opensDialog);
    if (invite === undefined || this.reliable.holdsAnswer(invite.transaction.id)) return false;
    this.release(invite);
    this.forget(dialog);
    bye.respond(bare(bye.request, 200, invite.localTag));
    invite.transaction.respond(bare(invite.transaction.request, 487, invite.localTag));
    this.deliverCancel(invite, { ...invite.transaction.request, method: 'CANCEL' }, bye.source);
    return true;
  }

  /** §15.1.2: a BYE ends the INVITE that is still open in the dialog. */
  private endPendingInvites(dialog: Dialog): void {
    for (const one of this.invitesIn(dialog)) {
      this.release(one);
      one.transaction.respond(bare(one.transaction.request, 487, one.localTag));
    }
  }

  private invitesIn(dialog: Dialog): readonly Pending[] {
    const open = [...this.pending.values()];
    return open.filter((one) => one.dialog === dialog && one.transaction.request.method === 'INVITE');
  }

  private onTransactionEnd(pending: Pending, end: TransactionEnd): void {
    this.release(pending);
    this.context.log.debug('A server transaction ended early', { end, method: pending.transaction.request.method });
  }

  /** The application's connection is gone: nobody will answer its requests or end its dialogs. */
  dropOwner(owner: number): void {
    for (const pending of [...this.pending.values()]) {
      if (pending.owner !== owner) continue;
      this.release(pending);
      pending.transaction.respond(bare(pending.transaction.request, 503, pending.localTag));
    }
  }

  forget(dialog: Dialog): void {
    this.repeater.stop(dialog.id);
    const invite = this.openedBy.get(dialog.id);
    if (invite !== undefined && dialog.role === 'uas') {
      this.reliable.forget(invite.id);
      this.openedBy.delete(dialog.id);
    }
    if (this.context.dialogs.get(dialog.id) !== dialog) return;
    this.context.dialogs.delete(dialog.id);
    this.context.counters.dialogsClosed++;
  }

  close(): void {
    this.repeater.close();
    this.reliable.close();
    for (const pending of this.pending.values()) pending.patience?.cancel();
    this.pending.clear();
    this.merging.clear();
  }

  private dialogOf(request: SipRequest): Dialog | undefined {
    const callId = request.headers.get('call-id') ?? '';
    const fromTag = tagOf(request.headers.get('from'));
    const toTag = tagOf(request.headers.get('to'));
    const asUas = this.context.dialogs.get(dialogId(callId, fromTag));
    if (asUas !== undefined && asUas.localTag === toTag && asUas.remoteTag === fromTag) return asUas;
    const asUac = this.context.dialogs.get(dialogId(callId, toTag));
    if (asUac !== undefined && asUac.localTag === toTag && asUac.remoteTag === fromTag) return asUac;
    return undefined;
  }

  /** An application that forgets a request must not make us remember it for ever. */
  private giveUpOn(pending: Pending): void {
    this.context.counters.unanswered++;
    const { transaction } = pending;
    this.release(pending);
    if (pending.opensDialog && pending.dialog !== undefined) this.forget(pending.dialog);
    transaction.respond(
      bare(transaction.request, transaction.request.method === 'INVITE' ? 480 : 408, pending.localTag),
    );
  }

  private release(pending: Pending): void {
    pending.patience?.cancel();
    this.reliable.settle(pending.transaction.id);
    this.pending.delete(pending.transaction.id);
    if (this.merging.get(pending.mergeKey) === pending.transaction.id) this.merging.delete(pending.mergeKey);
  }

  private refuse(transaction: ServerTransaction, status: number, extra: Readonly<Record<string, string>> = {}): void {
    const toTag = tagOf(transaction.request.headers.get('to')) || this.context.random(8);
    const response = bare(transaction.request, status, toTag);
    for (const [name, value] of Object.entries(extra)) response.headers.add(name, value);
    transaction.respond(response);
  }
}

function mergeKeyOf(request: SipRequest): string {
  const { headers } = request;
  return `${headers.get('call-id')}|${tagOf(headers.get('from'))}|${headers.get('cseq')}`;
}
