/** SIP over TCP: connections are kept by their far end and used in both directions (RFC 3261 §18, RFC 5923 in spirit). */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { TrunklineError } from '../../core/errors';
import { StreamFraming } from './stream-framing';
import type { Hop, SipTransport } from './transport';
import { withoutMapping } from './udp-transport';

const maxConnections = 1000;
const maxUnsentBytes = 256 * 1024;
/** A connection that is silent for this long is closed; phones keep theirs open with pings. */
const idleMs = 10 * 60_000;
const connectWithinMs = 5000;

export class TcpTransport implements SipTransport {
  readonly name = 'tcp';
  readonly reliable = true;
  private server: Server | undefined;
  private receive: ((bytes: Buffer, from: Hop) => void) | undefined;
  private bound = { address: '', port: 0 };
  private readonly sockets = new Map<string, Socket>();
  private readonly counters = {
    connectionsIn: 0,
    connectionsOut: 0,
    connectionsRefused: 0,
    messagesIn: 0,
    messagesOut: 0,
    brokenStreams: 0,
    sendErrors: 0,
  };

  constructor(private readonly listen: { readonly host: string; readonly port: number }) {}

  get local(): { readonly address: string; readonly port: number } {
    return this.bound;
  }

  async start(receive: (bytes: Buffer, from: Hop) => void): Promise<void> {
    this.receive = receive;
    const server = createServer((socket) => {
      if (this.sockets.size >= maxConnections) {
        this.counters.connectionsRefused++;
        socket.destroy();
        return;
      }
      this.counters.connectionsIn++;
      this.adopt(socket, {
        transport: 'tcp',
        address: withoutMapping(socket.remoteAddress ?? ''),
        port: socket.remotePort ?? 0,
      });
    });
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) =>
        reject(
          new TrunklineError('sip.listen-failed', `The SIP port ${this.listen.port} could not be opened over TCP.`, {
            fix: 'Stop the program that holds the port, or set sip.port to a free one.',
            cause,
            details: { host: this.listen.host, port: this.listen.port },
          }),
        ),
      );
      server.listen(this.listen.port, this.listen.host, resolve);
    });
    const address = server.address();
    if (address !== null && typeof address === 'object') this.bound = { address: address.address, port: address.port };
  }

  send(bytes: Buffer, to: Hop, failed: (error: Error) => void): void {
    const socket = this.receive === undefined ? undefined : (this.sockets.get(keyOf(to)) ?? this.open(to));
    // Closed, too many connections, or a far end that does not read.
    if (socket === undefined || socket.writableLength > maxUnsentBytes) {
      this.counters.sendErrors++;
      setImmediate(failed, new Error('the connection cannot be used'));
      return;
    }
    this.counters.messagesOut++;
    socket.write(bytes, (error) => {
      if (error === undefined || error === null) return;
      this.counters.sendErrors++;
      failed(error);
    });
  }

  async stop(): Promise<void> {
    this.receive = undefined;
    for (const socket of this.sockets.values()) socket.destroy();
    this.sockets.clear();
    const { server } = this;
    this.server = undefined;
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  dump(): Readonly<Record<string, number>> {
    return { ...this.counters, connections: this.sockets.size };
  }

  private open(to: Hop): Socket | undefined {
    if (this.sockets.size >= maxConnections) return undefined;
    this.counters.connectionsOut++;
    const socket = connect({ host: to.address, port: to.port });
    const giveUp = setTimeout(() => socket.destroy(new Error('the far end does not answer')), connectWithinMs);
    socket.once('connect', () => clearTimeout(giveUp));
    socket.once('close', () => clearTimeout(giveUp));
    this.adopt(socket, to);
    return socket;
  }

  private adopt(socket: Socket, peer: Hop): void {
    const key = keyOf(peer);
    const framing = new StreamFraming();
    this.sockets.get(key)?.destroy();
    this.sockets.set(key, socket);
    socket.setNoDelay(true);
    socket.setTimeout(idleMs, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (this.sockets.get(key) === socket) this.sockets.delete(key);
    });
    socket.on('data', (chunk) => {
      const { messages, pings, broken } = framing.push(chunk);
      // RFC 5626 §3.5.1: a double CRLF is answered by a single one.
      if (pings > 0 && socket.writableLength < maxUnsentBytes) socket.write('\r\n');
      for (const message of messages) {
        this.counters.messagesIn++;
        this.receive?.(message, peer);
      }
      if (broken !== undefined) {
        this.counters.brokenStreams++;
        socket.destroy();
      }
    });
  }
}

function keyOf(hop: Hop): string {
  return `${hop.address}|${hop.port}`;
}
