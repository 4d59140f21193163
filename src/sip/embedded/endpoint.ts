/**
 * Our own SIP endpoint: transports below, RFC 3261 transactions and dialogs in the middle, an application above that is
 * reached through drachtio's control protocol (control-server.ts).
 */
import type { OverheardSip } from '../../core/call-trace';
import type { Clock } from '../../core/clock';
import type { Logger } from '../../core/log';
import { formatVia, parseVia } from '../header-values';
import { type Interfaces, localAddressFor } from '../local-address';
import { bracketed } from '../uri';
import type { AppMessage } from './app-message';
import { ClientCore } from './client-core';
import type { Dialog } from './dialog';
import type { AppLink, EndpointContext, EndpointCounters, Preparation } from './endpoint-context';
import { noBody, SipHeaders, type SipMessage, type SipRequest, type SipResponse, serializeMessage } from './message';
import { type ParseResult, parseMessage } from './parser';
import type { Resolve } from './resolver';
import { bare, tagOf } from './responses';
import { ServerCore } from './server-core';
import { type BaseTimers, defaultTimers } from './sip-timers';
import { Targets } from './targets';
import { TransactionLayer } from './transaction-layer';
import { type Hop, isReliable, type SipTransport } from './transport';

export interface EndpointOptions {
  readonly transports: readonly SipTransport[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly resolve: Resolve;
  readonly interfaces: () => Interfaces;
  /** Hexadecimal digits from a cryptographic source. */
  readonly random: (bytes: number) => string;
  readonly advertised?: string;
  readonly timers?: BaseTimers;
  /** False: the source is over its rate; the request is dropped without an answer and counted. */
  readonly admit?: (source: Hop) => boolean;
  /** False: the message is dropped unread. */
  readonly hear?: ((source: Hop) => boolean) | undefined;
  /** True: a request of such a User-Agent is dropped without an answer. */
  readonly shun?: ((userAgent: string | undefined) => boolean) | undefined;
  /** Told of every message that can be read, as it comes and leaves. Must not throw. */
  readonly overhear?: ((message: OverheardSip) => void) | undefined;
  /** Each is kept for 32 s after its answer, so this bounds requests per second to about a thirtieth. */
  readonly maxTransactions?: number;
}

export class Endpoint {
  private readonly layer: TransactionLayer;
  private readonly server: ServerCore;
  private readonly client: ClientCore;
  private readonly context: EndpointContext;
  private readonly targets: Targets;
  private stopped = false;
  private readonly counters: EndpointCounters = {
    requestsIn: 0,
    responsesIn: 0,
    malformedDropped: 0,
    malformedAnswered: 0,
    rateLimited: 0,
    unheard: 0,
    shunned: 0,
    noApplication: 0,
    unanswered: 0,
    unknownDialogs: 0,
    mergedRequests: 0,
    okRetransmissions: 0,
    missingAcks: 0,
    missingPracks: 0,
    forkedAnswers: 0,
    strayResponses: 0,
    dialogsOpened: 0,
    dialogsClosed: 0,
  };

  constructor(
    private readonly options: EndpointOptions,
    app: AppLink,
  ) {
    const timers = options.timers ?? defaultTimers;
    this.targets = new Targets({
      resolve: options.resolve,
      clock: options.clock,
      transports: () => options.transports.map(({ name }) => name),
    });
    this.layer = new TransactionLayer({
      clock: options.clock,
      timers,
      send: (bytes, to, failed) => this.send(bytes, to, failed),
      maxTransactions: options.maxTransactions ?? 30_000,
      user: {
        onRequest: (transaction) => this.server.onRequest(transaction),
        onAck: (request, from) => this.server.onAck(request, from),
        onStrayResponse: (response) => this.client.onStray(response),
      },
    });
    this.context = {
      clock: options.clock,
      timers,
      log: options.log,
      layer: this.layer,
      dialogs: new Map(),
      app,
      targets: this.targets,
      counters: this.counters,
      random: options.random,
      localFor: (hop) => this.localFor(hop),
      send: (bytes, to) => this.send(bytes, to, () => {}),
    };
    this.server = new ServerCore(this.context, (dialog, reason) => this.endDialog(dialog, reason));
    this.client = new ClientCore(this.context, (dialog) => this.server.forget(dialog));
  }

  async start(): Promise<void> {
    for (const transport of this.options.transports) {
      await transport.start((bytes, from) => this.receive(bytes, from));
    }
  }

  get local(): readonly Hop[] {
    return this.options.transports.map(({ name, local }) => ({ transport: name, ...local }));
  }

  prepareResponse(owner: number, transactionId: string, answer: AppMessage): Preparation {
    return this.server.prepareResponse(owner, transactionId, answer);
  }

  prepareRequest(
    owner: number,
    ids: { readonly transactionId: string; readonly dialogId: string; readonly proxy: string },
    message: AppMessage,
  ): Promise<Preparation> {
    return this.client.prepareRequest(owner, ids, message);
  }

  /** An application's connection closed: its open requests get 503, its dialogs a BYE. */
  dropOwner(owner: number): void {
    this.server.dropOwner(owner);
    for (const dialog of [...this.context.dialogs.values()]) {
      if (dialog.owner === owner) this.client.hangUp(dialog, 'SIP;cause=503;text="the application is gone"');
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.server.close();
    this.client.close();
    this.layer.close();
    for (const transport of this.options.transports) await transport.stop();
  }

  dump(): Readonly<Record<string, unknown>> {
    return {
      ...this.counters,
      ...this.layer.counters,
      ...this.targets.counters,
      dialogs: this.context.dialogs.size,
      transactions: this.layer.live,
      awaitingApplication: this.server.pendingCount,
      awaitingNetwork: this.client.pendingCount,
      transports: Object.fromEntries(this.options.transports.map((one) => [one.name, one.dump()])),
    };
  }

  private receive(bytes: Buffer, from: Hop): void {
    if (this.stopped) return;
    if (this.options.hear?.(from) === false) {
      this.counters.unheard++;
      return;
    }
    const parsed = parseMessage(bytes);
    if (parsed.kind === 'keep-alive') return;
    if (this.isShunned(parsed)) {
      this.counters.shunned++;
      return;
    }
    if (parsed.kind === 'malformed') {
      this.onMalformed(parsed.request, parsed.status, from);
      return;
    }
    this.overheard(false, bytes, from);
    const message =
      parsed.message.kind === 'request' ? withContact(stampVia(parsed.message, from), from) : parsed.message;
    if (message.kind === 'request' && !this.admitted(message, from)) {
      this.counters.rateLimited++;
      return;
    }
    if (this.layer.receive(message, from) === 'full' && message.kind === 'request')
      this.answerStateless(message, 503, from);
  }

  private isShunned(parsed: ParseResult): boolean {
    const request =
      parsed.kind === 'malformed' ? parsed.request : parsed.kind === 'message' ? parsed.message : undefined;
    if (request?.kind !== 'request') return false;
    return this.options.shun?.(request.headers.get('user-agent')) ?? false;
  }

  /** Only what would open something new counts against a source's rate. */
  private admitted(request: SipRequest, from: Hop): boolean {
    const { admit } = this.options;
    if (admit === undefined || request.method === 'ACK' || tagOf(request.headers.get('to')) !== '') return true;
    return this.layer.knows(request) || admit(from);
  }

  private onMalformed(request: SipRequest | undefined, status: number, from: Hop): void {
    if (request === undefined || request.method === 'ACK' || (this.options.admit?.(from) ?? true) === false) {
      this.counters.malformedDropped++;
      return;
    }
    this.counters.malformedAnswered++;
    this.answerStateless(stampVia(request, from), status, from);
  }

  private answerStateless(request: SipRequest, status: number, from: Hop): void {
    if (request.method === 'ACK') return;
    const toTag = tagOf(request.headers.get('to')) || this.options.random(8);
    const response: SipResponse = bare(request, status, toTag);
    const via = parseVia(request.headers.get('via') ?? '');
    const port = isReliable(from.transport) || via?.params.has('rport') ? from.port : (via?.port ?? 5060);
    this.send(serializeMessage(response), { ...from, port }, () => {});
  }

  /** The far end never confirmed our answer: BYE to it, and to the application as if it had hung up. */
  private endDialog(dialog: Dialog, reason: string): void {
    const headers = SipHeaders.of({
      Via: `SIP/2.0/UDP ${dialog.source.address.includes(':') ? '[::1]' : '127.0.0.1'}`,
      From: this.nameAddr(dialog.remote),
      To: this.nameAddr(dialog.local),
      'Call-ID': dialog.callId,
      CSeq: `${dialog.remoteSeq + 1} BYE`,
      Reason: reason,
    });
    const message: SipMessage = { kind: 'request', method: 'BYE', uri: 'sip:unsolicited', headers, body: noBody };
    this.client.hangUp(dialog, reason);
    this.context.app.deliver(dialog.owner, {
      source: 'application',
      hop: dialog.source,
      transactionId: 'unsolicited',
      dialogId: dialog.id,
      message,
    });
  }

  private nameAddr(value: Dialog['local']): string {
    const tag = value.params.get('tag');
    return `<${value.uri}>${tag === undefined ? '' : `;tag=${tag}`}`;
  }

  private send(bytes: Buffer, to: Hop, failed: (error: Error) => void): void {
    if (this.stopped) return;
    const transport = this.options.transports.find((one) => one.name === to.transport);
    if (transport === undefined) setImmediate(failed, new Error(`no ${to.transport} transport is open`));
    else {
      this.overheard(true, bytes, to);
      transport.send(bytes, to, failed);
    }
  }

  private overheard(sent: boolean, bytes: Buffer, hop: Hop): void {
    const { overhear } = this.options;
    if (overhear === undefined) return;
    const { host, port } = this.localFor(hop);
    const { transport } = hop;
    overhear({
      sent,
      bytes,
      transport,
      local: { address: host, port },
      remote: { address: hop.address, port: hop.port },
    });
  }

  private localFor(hop: Hop): { readonly host: string; readonly port: number } {
    const transport = this.options.transports.find((one) => one.name === hop.transport) ?? this.options.transports[0];
    const bound = transport?.local ?? { address: '127.0.0.1', port: 5060 };
    const host = localAddressFor(hop.address, {
      bound: bound.address,
      advertised: this.options.advertised,
      interfaces: this.options.interfaces(),
    });
    return { host, port: bound.port };
  }
}

/** A client of RFC 2543 may leave its Contact out: what it has to be sent goes to where it speaks from. */
function withContact(request: SipRequest, from: Hop): SipRequest {
  if (request.method !== 'INVITE' || request.headers.has('contact')) return request;
  const port = parseVia(request.headers.get('via') ?? '')?.port ?? from.port;
  const headers = request.headers.clone().add('contact', `<sip:${bracketed(from.address)}:${port}>`);
  return { ...request, headers };
}

/** RFC 3261 §18.2.1 and RFC 3581 §4: note in the top Via where the request really came from. */
function stampVia(request: SipRequest, from: Hop): SipRequest {
  const via = parseVia(request.headers.get('via') ?? '');
  if (via === undefined) return request;
  const params = new Map(via.params);
  const wantsPort = params.has('rport');
  params.delete('received');
  if (wantsPort) params.set('rport', String(from.port));
  if (wantsPort || via.host !== from.address) params.set('received', from.address);
  const headers = request.headers.clone();
  const rest = headers.all('via').slice(1);
  headers.remove('via');
  for (const line of rest.reverse()) headers.prepend('via', line);
  headers.prepend('via', formatVia({ ...via, params }));
  return { ...request, headers };
}
