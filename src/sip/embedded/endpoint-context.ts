/** What the server and the client side of the endpoint share: transactions, dialogs, the application, our addresses. */
import type { Clock } from '../../core/clock';
import type { Logger } from '../../core/log';
import type { Dialog } from './dialog';
import type { SipMessage } from './message';
import type { BaseTimers } from './sip-timers';
import type { Targets } from './targets';
import type { TransactionLayer } from './transaction-layer';
import type { Hop } from './transport';

export interface Delivery {
  /** 'application': the endpoint itself speaks (a dialog it had to end). */
  readonly source: 'network' | 'application';
  /** Undefined for an answer that no network gave (a local 408 or 503). */
  readonly hop: Hop | undefined;
  /** ACK is delivered with an empty protocol field. */
  readonly bareProtocol?: boolean;
  readonly transactionId: string;
  readonly dialogId: string;
  readonly message: SipMessage;
}

/** The applications on the control connections, by number. */
export interface AppLink {
  /** Whose turn it is to take a new request of this method; undefined if nobody registered for it. */
  next(method: string): number | undefined;
  /** False if that connection is gone. */
  deliver(owner: number, delivery: Delivery): boolean;
}

export interface EndpointCounters {
  requestsIn: number;
  responsesIn: number;
  malformedDropped: number;
  malformedAnswered: number;
  rateLimited: number;
  unheard: number;
  shunned: number;
  noApplication: number;
  /** The application never answered. */
  unanswered: number;
  unknownDialogs: number;
  mergedRequests: number;
  okRetransmissions: number;
  missingAcks: number;
  /** Reliable provisional responses that nobody acknowledged. */
  missingPracks: number;
  forkedAnswers: number;
  strayResponses: number;
  dialogsOpened: number;
  dialogsClosed: number;
}

export interface EndpointContext {
  readonly clock: Clock;
  readonly timers: BaseTimers;
  readonly log: Logger;
  readonly layer: TransactionLayer;
  readonly dialogs: Map<string, Dialog>;
  readonly app: AppLink;
  readonly targets: Targets;
  readonly counters: EndpointCounters;
  /** Hexadecimal digits from a cryptographic source. */
  random(bytes: number): string;
  /** Our address and port towards a peer. */
  localFor(hop: Hop): { readonly host: string; readonly port: number };
  /** Sends outside any transaction: ACK for 2xx. */
  send(bytes: Buffer, to: Hop): void;
}

/** A message the application asked for, ready to leave. The echo goes to the application first, then `commit` sends. */
export interface Prepared {
  readonly message: SipMessage;
  readonly hop: Hop;
  readonly transactionId: string;
  readonly dialogId: string;
  commit(): void;
}

export type Preparation = Prepared | { readonly refused: string };

/** `localhost` in a URI that an application wrote stands for whatever address the peer sees us by. */
export function withLocalHost(value: string, local: { readonly host: string; readonly port: number }): string {
  const host = local.host.includes(':') ? `[${local.host}]` : local.host;
  return value.replace(/(sips?:(?:[^@>\s]{0,256}@)?)localhost(?=[;>:\s]|$)/i, `$1${host}`);
}

export function contactFor(local: { readonly host: string; readonly port: number }, hop: Hop, user = ''): string {
  const host = local.host.includes(':') ? `[${local.host}]` : local.host;
  const transport = hop.transport === 'udp' ? '' : `;transport=${hop.transport}`;
  return `<sip:${user === '' ? '' : `${user}@`}${host}:${local.port}${transport}>`;
}
