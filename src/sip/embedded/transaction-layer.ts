/**
 * Runs the machines of transaction-tables.ts: matches messages to transactions (RFC 3261 §17.1.3, §17.2.3, and the RFC
 * 2543 rule for branches without the magic cookie), keeps their timers, resends. The users are server-core and client-core.
 */
import type { Clock, Timer } from '../../core/clock';
import { parseCSeq, parseNameAddr, parseVia } from '../header-values';
import { noBody, SipHeaders, type SipMessage, type SipRequest, type SipResponse, serializeMessage } from './message';
import { type BaseTimers, retransmissionTimers, timerDelayMs } from './sip-timers';
import {
  inviteClientTable,
  inviteServerTable,
  nonInviteClientTable,
  nonInviteServerTable,
  type TimerName,
  type TransactionEvent,
  type TransactionState,
  type TransactionTable,
  transition,
} from './transaction-tables';
import { type Hop, isReliable } from './transport';

export const magicCookie = 'z9hG4bK';

export type TransactionEnd = 'timeout' | 'transport-error';

export interface ServerTransaction {
  readonly id: string;
  readonly request: SipRequest;
  readonly source: Hop;
  /** Where responses go (RFC 3261 §18.2.2, RFC 3581 §4). */
  readonly replyTo: Hop;
  readonly state: TransactionState;
  respond(response: SipResponse): void;
  /** The far end's ACK did not come, or the response could not leave. */
  onEnd: ((end: TransactionEnd) => void) | undefined;
}

export interface ClientTransaction {
  readonly id: string;
  readonly request: SipRequest;
  readonly target: Hop;
  readonly state: TransactionState;
  /** Stops waiting; nothing more is reported. */
  abandon(): void;
}

export interface ClientUser {
  onResponse(response: SipResponse, from: Hop): void;
  /** `fault`: why the bytes could not leave, if that is it. */
  onEnd(end: TransactionEnd, fault: Error | undefined): void;
}

export interface TransactionUser {
  /** A new request; ACK never comes this way. */
  onRequest(transaction: ServerTransaction): void;
  /** An ACK that ends no transaction: it confirms a 2xx (RFC 3261 §13.3.1.4). */
  onAck(request: SipRequest, from: Hop): void;
  /** A response nobody waits for: a late copy of a 2xx, or noise. */
  onStrayResponse(response: SipResponse, from: Hop): void;
}

export interface TransactionLayerOptions {
  readonly clock: Clock;
  readonly timers: BaseTimers;
  readonly send: (bytes: Buffer, to: Hop, failed: (error: Error) => void) => void;
  readonly user: TransactionUser;
  /** New transactions beyond this are refused by `receive` returning 'full'. */
  readonly maxTransactions: number;
}

interface Machine {
  readonly key: string;
  readonly table: TransactionTable;
  readonly reliable: boolean;
  peer: Hop;
  /** Where a response goes when the connection of its request is closed (RFC 3261 §18.2.2). */
  otherPeer: Hop | undefined;
  state: TransactionState;
  /** Last message sent, for copies. */
  last: Buffer | undefined;
  readonly armed: Map<TimerName, Timer>;
  readonly counts: Map<TimerName, number>;
  fault: Error | undefined;
  report(end: TransactionEnd): void;
  forget(): void;
}

interface ServerMachine extends Machine {
  readonly side: ServerTransaction;
}

interface ClientMachine extends Machine {
  readonly request: SipRequest;
  readonly user: ClientUser;
}

export class TransactionLayer {
  private readonly servers = new Map<string, ServerMachine>();
  private readonly clients = new Map<string, ClientMachine>();
  private sequence = 0;
  readonly counters = { retransmissionsIn: 0, retransmissionsOut: 0, timeouts: 0, transportErrors: 0, refusedFull: 0 };

  constructor(private readonly options: TransactionLayerOptions) {}

  get live(): { readonly servers: number; readonly clients: number } {
    return { servers: this.servers.size, clients: this.clients.size };
  }

  receive(message: SipMessage, from: Hop): 'taken' | 'full' {
    if (message.kind === 'response') {
      this.receiveResponse(message, from);
      return 'taken';
    }
    return this.receiveRequest(message, from);
  }

  private receiveRequest(request: SipRequest, from: Hop): 'taken' | 'full' {
    const key = serverKey(request);
    const known = this.servers.get(key);
    if (request.method === 'ACK') {
      // In `accepted` the ACK belongs to the dialog even if its branch is the INVITE's (old clients).
      if (known === undefined || known.state === 'accepted') this.options.user.onAck(request, from);
      else this.step(known, 'ack');
      return 'taken';
    }
    if (known !== undefined) {
      this.counters.retransmissionsIn++;
      this.step(known, 'request');
      return 'taken';
    }
    if (this.servers.size >= this.options.maxTransactions) {
      this.counters.refusedFull++;
      return 'full';
    }
    const machine = this.openServer(key, request, from);
    this.options.user.onRequest(machine.side);
    return 'taken';
  }

  private openServer(key: string, request: SipRequest, from: Hop): ServerMachine {
    const layer = this;
    const side: ServerTransaction = {
      id: this.nextId('s'),
      request,
      source: from,
      replyTo: replyAddress(request, from),
      onEnd: undefined,
      get state() {
        return machine.state;
      },
      respond(response) {
        const event = response.status < 200 ? 'send-1xx' : response.status < 300 ? 'send-2xx' : 'send-3xx';
        layer.step(machine, event, serializeMessage(response));
      },
    };
    const invite = request.method === 'INVITE';
    const machine: ServerMachine = {
      ...this.blank(key, side.replyTo),
      otherPeer: sentByOf(request, from),
      forget: () => this.servers.delete(key),
      table: invite ? inviteServerTable : nonInviteServerTable,
      state: invite ? 'proceeding' : 'trying',
      side,
      report: (end) => side.onEnd?.(end),
    };
    this.servers.set(key, machine);
    return machine;
  }

  /** The request must already carry its Via with a fresh branch. Nothing is delivered before this returns. */
  request(request: SipRequest, target: Hop, user: ClientUser): ClientTransaction {
    const invite = request.method === 'INVITE';
    const key = clientKey(request);
    const machine: ClientMachine = {
      ...this.blank(key, target),
      forget: () => this.clients.delete(key),
      table: invite ? inviteClientTable : nonInviteClientTable,
      state: invite ? 'calling' : 'trying',
      request,
      user,
      report: (end) => user.onEnd(end, machine.fault),
    };
    this.clients.set(machine.key, machine);
    this.transmit(machine, serializeMessage(request));
    if (!machine.reliable) this.arm(machine, invite ? 'A' : 'E');
    this.arm(machine, invite ? 'B' : 'F');
    return {
      id: this.nextId('c'),
      request,
      target,
      get state() {
        return machine.state;
      },
      abandon: () => this.end(machine),
    };
  }

  /** True for a copy of a request that is being handled, and for what belongs to one (ACK, CANCEL). */
  knows(request: SipRequest): boolean {
    if (this.servers.has(serverKey(request))) return true;
    return request.method === 'CANCEL' && this.inviteOf(request) !== undefined;
  }

  /** The INVITE that a CANCEL names by its branch (§9.2). */
  inviteOf(cancel: SipRequest): ServerTransaction | undefined {
    return this.servers.get(serverKey({ ...cancel, method: 'INVITE' }))?.side;
  }

  /** Forgets everything; timers stop. */
  close(): void {
    for (const machines of [this.servers, this.clients]) {
      for (const machine of machines.values()) for (const timer of machine.armed.values()) timer.cancel();
      machines.clear();
    }
  }

  private receiveResponse(response: SipResponse, from: Hop): void {
    const via = parseVia(response.headers.get('via') ?? '');
    const cseq = parseCSeq(response.headers.get('cseq') ?? '');
    const machine = this.clients.get(`${via?.params.get('branch') ?? ''}|${cseq?.method ?? ''}`);
    if (machine === undefined) {
      this.options.user.onStrayResponse(response, from);
      return;
    }
    const event = response.status < 200 ? 'recv-1xx' : response.status < 300 ? 'recv-2xx' : 'recv-3xx';
    this.step(machine, event, undefined, { response, from });
  }

  private step(
    machine: Machine | ServerMachine | ClientMachine,
    event: TransactionEvent,
    outgoing?: Buffer,
    incoming?: { readonly response: SipResponse; readonly from: Hop },
  ): void {
    const { next, effects } = transition(machine.table, machine.state, event);
    machine.state = next;
    for (const effect of effects) {
      if (effect === 'send') {
        if (outgoing !== undefined) this.transmit(machine, outgoing);
      } else if (effect === 'resend') {
        if (machine.last !== undefined) {
          this.counters.retransmissionsOut++;
          this.transmit(machine, machine.last);
        }
      } else if (effect === 'send-ack') {
        if (incoming !== undefined && 'request' in machine) {
          this.transmit(machine, serializeMessage(ackForFailure(machine.request, incoming.response)));
        }
      } else if (effect === 'deliver') {
        if (incoming !== undefined && 'user' in machine) machine.user.onResponse(incoming.response, incoming.from);
      } else if (effect === 'report-timeout') {
        this.counters.timeouts++;
        machine.report('timeout');
      } else if (effect === 'report-transport-error') {
        this.counters.transportErrors++;
        machine.report('transport-error');
      } else if (effect.startsWith('arm-')) {
        this.arm(machine, effect.slice(4) as TimerName);
      } else {
        const name = effect.slice(7) as TimerName;
        machine.armed.get(name)?.cancel();
        machine.armed.delete(name);
      }
    }
    if (machine.state === 'terminated') this.end(machine);
  }

  private end(machine: Machine): void {
    machine.state = 'terminated';
    for (const timer of machine.armed.values()) timer.cancel();
    machine.armed.clear();
    machine.forget();
  }

  private arm(machine: Machine, name: TimerName): void {
    if (machine.reliable && retransmissionTimers.has(name)) return;
    const count = machine.counts.get(name) ?? 0;
    machine.counts.set(name, count + 1);
    const proceeding = machine.state === 'proceeding';
    const delayMs = timerDelayMs(name, count, machine.reliable, proceeding, this.options.timers);
    machine.armed.get(name)?.cancel();
    machine.armed.set(
      name,
      this.options.clock.after(delayMs, () => {
        machine.armed.delete(name);
        this.step(machine, `timer-${name}`);
      }),
    );
  }

  private transmit(machine: Machine, bytes: Buffer): void {
    machine.last = bytes;
    this.options.send(bytes, machine.peer, (error) => {
      const { otherPeer } = machine;
      if (otherPeer !== undefined && machine.state !== 'terminated') {
        machine.otherPeer = undefined;
        machine.peer = otherPeer;
        this.transmit(machine, bytes);
        return;
      }
      machine.fault = error;
      this.step(machine, 'transport-error');
    });
  }

  private blank(
    key: string,
    peer: Hop,
  ): Pick<Machine, 'key' | 'peer' | 'otherPeer' | 'reliable' | 'last' | 'fault' | 'armed' | 'counts'> {
    return {
      key,
      peer,
      otherPeer: undefined,
      reliable: isReliable(peer.transport),
      last: undefined,
      fault: undefined,
      armed: new Map(),
      counts: new Map(),
    };
  }

  private nextId(side: string): string {
    this.sequence++;
    return `${side}${this.sequence}`;
  }
}

/** §17.1.1.3: the Request-URI, Via, From, Call-ID, CSeq number and Route of the INVITE, the To of the response. */
export function ackForFailure(invite: SipRequest, response: SipResponse): SipRequest {
  const headers = new SipHeaders();
  headers.add('via', invite.headers.get('via') ?? '');
  for (const route of invite.headers.all('route')) headers.add('route', route);
  headers.add('max-forwards', '70');
  headers.add('from', invite.headers.get('from') ?? '');
  headers.add('to', response.headers.get('to') ?? invite.headers.get('to') ?? '');
  headers.add('call-id', invite.headers.get('call-id') ?? '');
  headers.add('cseq', `${parseCSeq(invite.headers.get('cseq') ?? '')?.number ?? 0} ACK`);
  return { kind: 'request', method: 'ACK', uri: invite.uri, headers, body: noBody };
}

function clientKey(request: SipRequest): string {
  return `${parseVia(request.headers.get('via') ?? '')?.params.get('branch') ?? ''}|${request.method}`;
}

/** §17.2.3: branch, sent-by, method; ACK belongs to its INVITE. Without the cookie, the fields RFC 2543 compared. */
export function serverKey(request: SipRequest): string {
  const via = parseVia(request.headers.get('via') ?? '');
  const method = request.method === 'ACK' ? 'INVITE' : request.method;
  const branch = via?.params.get('branch') ?? '';
  const sentBy = `${via?.host.toLowerCase()}:${via?.port ?? 5060}`;
  if (branch.startsWith(magicCookie) && branch.length > magicCookie.length) return `${branch}|${sentBy}|${method}`;
  const cseq = parseCSeq(request.headers.get('cseq') ?? '');
  const from = parseNameAddr(request.headers.get('from') ?? '');
  const callId = request.headers.get('call-id') ?? '';
  return `2543|${request.uri}|${from?.params.get('tag') ?? ''}|${callId}|${cseq?.number}|${sentBy}|${branch}|${method}`;
}

/** §18.2.2 and RFC 3581 §4: back to where it came from; `maddr` is not followed, it would make us a reflector. */
function replyAddress(request: SipRequest, from: Hop): Hop {
  if (isReliable(from.transport)) return from;
  const via = parseVia(request.headers.get('via') ?? '');
  if (via?.params.has('rport')) return from;
  return { transport: from.transport, address: from.address, port: via?.port ?? 5060 };
}

/** For TCP and TLS: a new connection to the port of the Via. */
function sentByOf(request: SipRequest, from: Hop): Hop | undefined {
  if (from.transport !== 'tcp' && from.transport !== 'tls') return undefined;
  const port = parseVia(request.headers.get('via') ?? '')?.port ?? (from.transport === 'tls' ? 5061 : 5060);
  return port === from.port ? undefined : { transport: from.transport, address: from.address, port };
}
