/**
 * SIP over byte streams: connections are kept by their far end and used in both directions (RFC 3261 §18, RFC 5923 in
 * spirit). TCP and TLS differ in how a connection is made and in nothing else.
 */
import type { AddressInfo, Server, Socket } from 'node:net';
import { TrunklineError } from '../../core/errors';
import { StreamFraming } from './stream-framing';
import { type Hop, hopKey, type SipTransport } from './transport';
import { withoutMapping } from './udp-transport';

const maxConnections = 1000;
/** So that one address cannot take them all. */
const maxConnectionsPerAddress = 200;
const maxUnsentBytes = 256 * 1024;
/** A connection that is silent for this long is closed; phones keep theirs open with pings. */
const idleMs = 60 * 60_000;
/** Whoever connects and brings no whole message is no phone. */
const firstMessageWithinMs = 30_000;
const connectWithinMs = 5000;
const maxWaiting = 100;
/** The system asks after the far end, so that a connection that died silently is not used. */
const keepAliveAfterMs = 60_000;

interface Waiting {
  readonly bytes: Buffer;
  readonly failed: (error: Error) => void;
}

export interface ListenAt {
  readonly host: string;
  readonly port: number;
}

export abstract class StreamTransport implements SipTransport {
  abstract readonly name: 'tcp' | 'tls';
  readonly reliable = true;
  private server: Server | undefined;
  private receive: ((bytes: Buffer, from: Hop) => void) | undefined;
  private bound = { address: '', port: 0 };
  private readonly sockets = new Map<string, Socket>();
  private readonly connections = new Set<Socket>();
  private readonly perAddress = new Map<string, number>();
  /** Also those that are still in their handshake. */
  private readonly accepted = new Set<Socket>();
  /**
   * Messages for connections that are being made. They wait here and not in the socket: over TLS it would send them before
   * the certificate was looked at.
   */
  private readonly waiting = new Map<Socket, Waiting[]>();
  /** Why a connection broke, for those whose bytes were still to leave by it. */
  private readonly faults = new WeakMap<Socket, Error>();
  protected readonly counters = {
    connectionsIn: 0,
    connectionsOut: 0,
    connectionsRefused: 0,
    messagesIn: 0,
    messagesOut: 0,
    brokenStreams: 0,
    sendErrors: 0,
  };

  constructor(private readonly listenAt: ListenAt) {}

  /** `accept` is called for connections that are ready to carry messages. */
  protected abstract createServer(accept: (socket: Socket) => void): Server;
  protected abstract connect(to: Hop): Socket;
  /** Of a socket that `connect` returned. */
  protected abstract readonly connectedEvent: 'connect' | 'secureConnect';

  /** What a connection must have in common with a hop to be used for it. */
  protected keyOf(to: Hop): string {
    return hopKey(to);
  }

  /** What a connection error means to a person. */
  protected explain(error: Error, _to: Hop): Error {
    return error;
  }

  get local(): { readonly address: string; readonly port: number } {
    return this.bound;
  }

  async start(receive: (bytes: Buffer, from: Hop) => void): Promise<void> {
    this.receive = receive;
    const server = this.createServer((socket) => this.accept(socket));
    server.maxConnections = maxConnections;
    server.on('connection', (socket: Socket) => {
      this.accepted.add(socket);
      socket.once('close', () => this.accepted.delete(socket));
    });
    this.server = server;
    await listenOrExplain(server, this.listenAt, this.name.toUpperCase());
    const address = server.address() as AddressInfo;
    this.bound = { address: address.address, port: address.port };
  }

  send(bytes: Buffer, to: Hop, failed: (error: Error) => void): void {
    const known = this.sockets.get(this.keyOf(to));
    const usable = known?.destroyed ? undefined : known;
    const socket = this.receive === undefined ? undefined : (usable ?? this.open(to));
    // Closed, too many connections, or a far end that does not read.
    if (socket === undefined || socket.writableLength > maxUnsentBytes) {
      this.counters.sendErrors++;
      setImmediate(failed, new Error('the connection cannot be used'));
      return;
    }
    this.counters.messagesOut++;
    const queue = this.waiting.get(socket);
    if (queue === undefined) this.write(socket, { bytes, failed });
    else if (queue.length < maxWaiting) queue.push({ bytes, failed });
    else {
      this.counters.sendErrors++;
      setImmediate(failed, new Error('too much waits for this connection'));
    }
  }

  private write(socket: Socket, { bytes, failed }: Waiting): void {
    socket.write(bytes, (error) => {
      if (error === undefined || error === null) return;
      this.counters.sendErrors++;
      failed(this.faults.get(socket) ?? error);
    });
  }

  async stop(): Promise<void> {
    this.receive = undefined;
    for (const socket of [...this.connections, ...this.accepted]) socket.destroy();
    this.sockets.clear();
    const { server } = this;
    this.server = undefined;
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  dump(): Readonly<Record<string, number>> {
    return { ...this.counters, connections: this.connections.size };
  }

  private accept(socket: Socket): void {
    const address = withoutMapping(socket.remoteAddress ?? '');
    const known = this.perAddress.get(address) ?? 0;
    if (this.connections.size >= maxConnections || known >= maxConnectionsPerAddress) {
      this.counters.connectionsRefused++;
      socket.destroy();
      return;
    }
    this.counters.connectionsIn++;
    this.perAddress.set(address, known + 1);
    socket.once('close', () => {
      const left = (this.perAddress.get(address) ?? 1) - 1;
      if (left > 0) this.perAddress.set(address, left);
      else this.perAddress.delete(address);
    });
    const patience = setTimeout(() => socket.destroy(), firstMessageWithinMs);
    this.adopt(socket, { transport: this.name, address, port: socket.remotePort ?? 0 }, patience);
  }

  private open(to: Hop): Socket | undefined {
    if (this.connections.size >= maxConnections) return undefined;
    this.counters.connectionsOut++;
    const socket = this.connect(to);
    const giveUp = setTimeout(() => socket.destroy(new Error('the far end does not answer')), connectWithinMs);
    this.waiting.set(socket, []);
    socket.once(this.connectedEvent, () => {
      clearTimeout(giveUp);
      for (const one of this.takeWaiting(socket)) this.write(socket, one);
    });
    socket.once('close', () => {
      clearTimeout(giveUp);
      for (const { failed } of this.takeWaiting(socket)) {
        this.counters.sendErrors++;
        failed(this.faults.get(socket) ?? new Error('the connection was closed'));
      }
    });
    this.adopt(socket, to);
    return socket;
  }

  private takeWaiting(socket: Socket): readonly Waiting[] {
    const taken = this.waiting.get(socket) ?? [];
    this.waiting.delete(socket);
    return taken;
  }

  private adopt(socket: Socket, peer: Hop, patience?: NodeJS.Timeout): void {
    const framing = new StreamFraming();
    // What comes by a connection is answered by it, whatever name it was opened for.
    const from: Hop = { transport: this.name, address: peer.address, port: peer.port };
    for (const key of [this.keyOf(peer), hopKey(from)]) this.sockets.set(key, socket);
    this.connections.add(socket);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, keepAliveAfterMs);
    socket.setTimeout(idleMs, () => socket.destroy());
    socket.on('error', (error) => {
      this.faults.set(socket, this.explain(error, peer));
      socket.destroy();
    });
    socket.on('close', () => {
      clearTimeout(patience);
      this.connections.delete(socket);
      for (const key of [this.keyOf(peer), hopKey(from)]) {
        if (this.sockets.get(key) === socket) this.sockets.delete(key);
      }
    });
    socket.on('data', (chunk: Buffer) => {
      const { messages, pings, broken } = framing.push(chunk);
      // RFC 5626 §3.5.1: a double CRLF is answered by a single one.
      if (pings > 0 && socket.writableLength < maxUnsentBytes) socket.write('\r\n');
      if (messages.length > 0) clearTimeout(patience);
      for (const message of messages) {
        this.counters.messagesIn++;
        this.receive?.(message, from);
      }
      if (broken !== undefined) {
        this.counters.brokenStreams++;
        socket.destroy();
      }
    });
  }
}

/** Rejects with `sip.listen-failed`; `how` is TCP, TLS, WS or WSS. */
export function listenOrExplain(server: Server, { host, port }: ListenAt, how: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new TrunklineError('sip.listen-failed', `The SIP port ${port} could not be opened over ${how}.`, {
          fix: 'Stop the program that holds the port, or set sip.port to a free one.',
          cause,
          details: { host, port },
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
}
