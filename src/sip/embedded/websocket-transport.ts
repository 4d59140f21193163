/**
 * SIP over WebSocket (RFC 7118): one message of the sub-protocol `sip` is one SIP message. Clients connect to us; nobody can
 * connect to them, so a message to a client whose connection is gone fails at once.
 */
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import type { Clock, Timer } from '../../core/clock';
import { parserCaps } from './parser';
import { type ListenAt, listenOrExplain } from './stream-transport';
import type { TlsCredentials } from './tls-credentials';
import { serverOptions } from './tls-transport';
import { type Hop, hopKey, type SipTransport } from './transport';
import { withoutMapping } from './udp-transport';

const maxConnections = 1000;
const maxConnectionsPerAddress = 200;
const maxUnsentBytes = 256 * 1024;
/** A client that has not answered the ping before the next one is gone. */
const pingEveryMs = 30_000;
const handshakeWithinMs = 10_000;

interface Client {
  readonly socket: WebSocket;
  readonly address: string;
  alive: boolean;
}

export class WebSocketTransport implements SipTransport {
  readonly name: 'ws' | 'wss';
  readonly reliable = true;
  private server: Server | undefined;
  private bound = { address: '', port: 0 };
  private timer: Timer | undefined;
  private readonly clients = new Map<string, Client>();
  private readonly counters = {
    connectionsIn: 0,
    connectionsRefused: 0,
    messagesIn: 0,
    messagesOut: 0,
    sendErrors: 0,
    silentClients: 0,
  };

  /** With `credentials` it is `wss`, without `ws`. */
  constructor(
    private readonly listenAt: ListenAt,
    private readonly clock: Clock,
    private readonly credentials?: TlsCredentials,
  ) {
    this.name = credentials === undefined ? 'ws' : 'wss';
  }

  get local(): { readonly address: string; readonly port: number } {
    return this.bound;
  }

  async start(receive: (bytes: Buffer, from: Hop) => void): Promise<void> {
    const server = this.createServer();
    server.maxConnections = maxConnections;
    server.headersTimeout = handshakeWithinMs;
    server.requestTimeout = handshakeWithinMs;
    server.on('request', (_request, response) => {
      response.writeHead(426, { Connection: 'close', Upgrade: 'websocket' }).end();
    });
    const sockets = new WebSocketServer({
      server,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: parserCaps.datagramBytes,
      // RFC 7118 §4.1: a client that does not speak `sip` is turned away.
      verifyClient: ({ req }: { req: { headers: Record<string, string | string[] | undefined> } }) =>
        offersSip(req.headers['sec-websocket-protocol']),
      handleProtocols: () => 'sip',
    });
    sockets.on('connection', (socket, request) => {
      const { remoteAddress, remotePort } = request.socket;
      const address = withoutMapping(remoteAddress ?? '');
      this.adopt(socket, { transport: this.name, address, port: remotePort ?? 0 }, receive);
    });
    this.server = server;
    await listenOrExplain(server, this.listenAt, this.name.toUpperCase());
    const { address, port } = server.address() as AddressInfo;
    this.bound = { address, port };
    this.watch();
  }

  send(bytes: Buffer, to: Hop, failed: (error: Error) => void): void {
    const client = this.clients.get(hopKey(to));
    const fail = (error: Error): void => {
      this.counters.sendErrors++;
      failed(error);
    };
    if (client === undefined || client.socket.bufferedAmount > maxUnsentBytes) {
      setImmediate(fail, new Error('the client is not connected'));
      return;
    }
    this.counters.messagesOut++;
    client.socket.send(bytes, { binary: false }, (error) => {
      if (error) setImmediate(fail, error);
    });
  }

  async stop(): Promise<void> {
    this.timer?.cancel();
    for (const { socket } of this.clients.values()) socket.terminate();
    this.clients.clear();
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  dump(): Readonly<Record<string, number>> {
    return { ...this.counters, connections: this.clients.size };
  }

  private createServer(): Server {
    const { credentials } = this;
    if (credentials === undefined) return createServer();
    const server = createTlsServer({
      ...serverOptions(credentials.material),
      handshakeTimeout: handshakeWithinMs,
    });
    credentials.onChange((material) => server.setSecureContext(serverOptions(material)));
    return server;
  }

  private adopt(socket: WebSocket, peer: Hop, receive: (bytes: Buffer, from: Hop) => void): void {
    const { address } = peer;
    const fromThere = [...this.clients.values()].filter((one) => one.address === address).length;
    if (this.clients.size >= maxConnections || fromThere >= maxConnectionsPerAddress) {
      this.counters.connectionsRefused++;
      socket.on('error', () => {});
      socket.close(1013);
      return;
    }
    this.counters.connectionsIn++;
    const key = hopKey(peer);
    const client: Client = { socket, address, alive: true };
    this.clients.get(key)?.socket.terminate();
    this.clients.set(key, client);
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      if (this.clients.get(key) === client) this.clients.delete(key);
    });
    socket.on('pong', () => {
      client.alive = true;
    });
    socket.on('message', (data) => {
      this.counters.messagesIn++;
      client.alive = true;
      if (this.server !== undefined) receive(bytesOf(data), peer);
    });
  }

  private watch(): void {
    this.timer = this.clock.after(pingEveryMs, () => {
      for (const client of this.clients.values()) {
        if (!client.alive) {
          this.counters.silentClients++;
          client.socket.terminate();
          continue;
        }
        client.alive = false;
        client.socket.ping();
      }
      this.watch();
    });
  }
}

function offersSip(header: string | string[] | undefined): boolean {
  const offered = Array.isArray(header) ? header.join(',') : (header ?? '');
  return offered.split(',').some((one) => one.trim().toLowerCase() === 'sip');
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
