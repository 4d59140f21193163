/**
 * drachtio's control protocol as a server on loopback: authentication first, then verbs, requests and responses of any
 * number of applications (docs/sip.md, "The control protocol").
 */
import { randomUUID, timingSafeEqual } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../core/clock';
import type { Logger } from '../../core/log';
import { formatForApp, parseAppMessage } from './app-message';
import { type ControlCommand, encodeFrame, FrameReader, parseCommand } from './control-frame';
import type { Endpoint } from './endpoint';
import type { AppLink, Delivery, Preparation } from './endpoint-context';

export interface ControlServerOptions {
  readonly secret: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** 0: any free port. */
  readonly port?: number;
}

/** The version that drachtio-srf is told; 0.8.2 and later understand `ping`. */
const protocolVersion = 'v0.9.10';
const maxFrameBytes = 64 * 1024;
const maxConnections = 16;
const maxUnsentBytes = 8 * 1024 * 1024;
const authenticateWithinMs = 5000;

interface Connection {
  readonly number: number;
  readonly socket: Socket;
  readonly reader: FrameReader;
  readonly verbs: Set<string>;
  authenticated: boolean;
}

export class ControlServer implements AppLink {
  private readonly connections = new Map<number, Connection>();
  private readonly turns = new Map<string, number>();
  /** By dialog: the last request that is being sent. */
  private readonly queues = new Map<string, Promise<void>>();
  private server: Server | undefined;
  private lastNumber = 0;
  private endpoint: Endpoint | undefined;
  readonly counters = { refusedConnections: 0, brokenFrames: 0, badCommands: 0, overflows: 0 };

  constructor(private readonly options: ControlServerOptions) {}

  /** Listens on 127.0.0.1 only; resolves with the port. */
  async start(endpoint: Endpoint): Promise<number> {
    this.endpoint = endpoint;
    const server = createServer((socket) => this.accept(socket));
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.options.port ?? 0, '127.0.0.1', resolve);
    });
    const address = server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    for (const { socket } of this.connections.values()) socket.destroy();
    this.connections.clear();
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  next(method: string): number | undefined {
    const verb = method.toLowerCase();
    const willing = [...this.connections.values()].filter((one) => one.verbs.has(verb)).map((one) => one.number);
    const last = this.turns.get(verb) ?? -1;
    const chosen = willing.find((number) => number > last) ?? willing[0];
    if (chosen !== undefined) this.turns.set(verb, chosen);
    return chosen;
  }

  deliver(owner: number, delivery: Delivery): boolean {
    const connection = this.connections.get(owner);
    const { hop, source, transactionId, dialogId } = delivery;
    if (connection === undefined) return false;
    const raw = formatForApp(delivery.message);
    const protocol = delivery.bareProtocol ? '' : (hop?.transport ?? 'udp');
    const local = this.endpoint?.local.find((one) => one.transport === hop?.transport);
    const fields = [
      randomUUID(),
      'sip',
      source,
      Buffer.byteLength(raw),
      protocol,
      hop?.address ?? '',
      hop?.port ?? '',
      this.timeStamp(),
      transactionId,
      dialogId,
    ];
    // Only a new request says which address of ours it came to.
    if (dialogId === '' && delivery.message.kind === 'request')
      fields.push(local?.address ?? '', local?.port ?? '', '');
    return this.write(connection, `${fields.join('|')}\r\n${raw}`);
  }

  private accept(socket: Socket): void {
    if (this.connections.size >= maxConnections) {
      this.counters.refusedConnections++;
      socket.destroy();
      return;
    }
    this.lastNumber++;
    const connection: Connection = {
      number: this.lastNumber,
      socket,
      reader: new FrameReader(maxFrameBytes),
      verbs: new Set(),
      authenticated: false,
    };
    this.connections.set(connection.number, connection);
    socket.setNoDelay(true);
    const deadline = this.options.clock.after(authenticateWithinMs, () => {
      if (!connection.authenticated) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      deadline.cancel();
      if (!this.connections.delete(connection.number)) return;
      if (connection.authenticated) this.endpoint?.dropOwner(connection.number);
    });
    socket.on('data', (chunk) => {
      const { payloads, broken } = connection.reader.push(chunk);
      for (const payload of payloads) {
        if (socket.destroyed) return;
        this.onPayload(connection, payload);
      }
      if (connection.authenticated) deadline.cancel();
      if (broken) {
        this.counters.brokenFrames++;
        socket.destroy();
      }
    });
  }

  private onPayload(connection: Connection, payload: string): void {
    const command = parseCommand(payload);
    if (command === undefined) {
      this.counters.badCommands++;
      connection.socket.destroy();
      return;
    }
    if (!connection.authenticated && command.name !== 'authenticate') {
      this.counters.badCommands++;
      this.reply(connection, command, 'NO|authenticate first');
      connection.socket.end();
      return;
    }
    switch (command.name) {
      case 'authenticate':
        this.onAuthenticate(connection, command);
        return;
      case 'route':
        connection.verbs.add((command.args[0] ?? '').toLowerCase());
        this.reply(connection, command, 'OK');
        return;
      case 'remove_route':
        connection.verbs.delete((command.args[0] ?? '').toLowerCase());
        this.reply(connection, command, 'OK');
        return;
      case 'ping':
        this.reply(connection, command, 'OK|pong');
        return;
      case 'sip':
        this.inOrder(connection, command);
        return;
      default:
        this.counters.badCommands++;
        this.reply(connection, command, 'NO|unknown command');
    }
  }

  private onAuthenticate(connection: Connection, command: ControlCommand): void {
    const given = Buffer.from(command.args[0] ?? '', 'utf8');
    const wanted = Buffer.from(this.options.secret, 'utf8');
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
      this.counters.refusedConnections++;
      this.reply(connection, command, 'NO|incorrect secret');
      connection.socket.end();
      return;
    }
    connection.authenticated = true;
    const addresses = (this.endpoint?.local ?? []).map(
      (one) => `${one.transport}/${one.address.includes(':') ? `[${one.address}]` : one.address}:${one.port}`,
    );
    this.reply(connection, command, `OK|${addresses.join(',')}|${protocolVersion}|${addresses.join(',')}`);
  }

  /** Requests of one dialog leave in the order they were asked for: a BYE must not overtake the ACK before it. */
  private inOrder(connection: Connection, command: ControlCommand): void {
    const dialogId = command.args[1] ?? '';
    if (dialogId === '') {
      void this.onSip(connection, command);
      return;
    }
    const run = (this.queues.get(dialogId) ?? Promise.resolve()).then(() => this.onSip(connection, command));
    this.queues.set(dialogId, run);
    void run.finally(() => {
      if (this.queues.get(dialogId) === run) this.queues.delete(dialogId);
    });
  }

  /** `sip|txnId|dialogId[|proxy]` and a message: a response, a CANCEL, or a request. */
  private async onSip(connection: Connection, command: ControlCommand): Promise<void> {
    const { endpoint } = this;
    const message = parseAppMessage(command.message);
    const [transactionId = '', dialogId = '', proxy = ''] = command.args;
    if (endpoint === undefined || message === undefined) {
      this.counters.badCommands++;
      this.reply(connection, command, 'NO|the message cannot be read');
      return;
    }
    const prepared: Preparation =
      message.kind === 'response'
        ? endpoint.prepareResponse(connection.number, transactionId, message)
        : await endpoint.prepareRequest(connection.number, { transactionId, dialogId, proxy }, message);
    if ('refused' in prepared) {
      this.reply(connection, command, `NO|${prepared.refused}`);
      return;
    }
    // The echo first: drachtio-srf drops a network response to a transaction that it has not been told of.
    const raw = formatForApp(prepared.message);
    const { hop } = prepared;
    const fields = [
      'OK',
      'application',
      Buffer.byteLength(raw),
      hop.transport,
      hop.address,
      hop.port,
      this.timeStamp(),
    ];
    fields.push(prepared.transactionId, prepared.dialogId, '', 'Msg sent:', '');
    this.reply(connection, command, `${fields.join('|')}\r\n${raw}`);
    prepared.commit();
  }

  private reply(connection: Connection, command: ControlCommand, text: string): void {
    this.write(connection, `${randomUUID()}|response|${command.messageId}|${text}`);
  }

  private write(connection: Connection, payload: string): boolean {
    if (connection.socket.destroyed) return false;
    // An application that does not read cannot be waited for: its calls end as if it had died.
    if (connection.socket.writableLength > maxUnsentBytes) {
      this.counters.overflows++;
      connection.socket.destroy();
      return false;
    }
    connection.socket.write(encodeFrame(payload));
    return true;
  }

  private timeStamp(): string {
    return this.options.clock.nowMs().toFixed(3);
  }
}
