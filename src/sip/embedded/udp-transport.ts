/** SIP over UDP: one datagram, one message (RFC 3261 §18.1, §18.2). IPv4, IPv6 or both on one socket. */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { TrunklineError } from '../../core/errors';
import type { Hop, SipTransport } from './transport';

/** Room for a burst of requests while the thread is busy; the kernel may give less. */
const receiveBufferBytes = 1024 * 1024;

export class UdpTransport implements SipTransport {
  readonly name = 'udp';
  readonly reliable = false;
  private socket: Socket | undefined;
  private bound = { address: '', port: 0 };
  private readonly counters = { datagramsIn: 0, datagramsOut: 0, sendErrors: 0, socketErrors: 0 };

  /** `host` '::' listens on IPv4 too; '0.0.0.0' on IPv4 only. */
  constructor(private readonly listen: { readonly host: string; readonly port: number }) {}

  get local(): { readonly address: string; readonly port: number } {
    return this.bound;
  }

  async start(receive: (bytes: Buffer, from: Hop) => void): Promise<void> {
    const socket = createSocket({
      type: isIPv6(this.listen.host) ? 'udp6' : 'udp4',
      recvBufferSize: receiveBufferBytes,
    });
    this.socket = socket;
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (cause) => {
        this.socket = undefined;
        socket.close();
        reject(
          new TrunklineError('sip.listen-failed', `The SIP port ${this.listen.port} could not be opened.`, {
            fix: 'Stop the program that holds the port, or set sip.port to a free one.',
            cause,
            details: { host: this.listen.host, port: this.listen.port },
          }),
        );
      });
      socket.bind(this.listen.port, this.listen.host, resolve);
    });
    socket.removeAllListeners('error');
    // ICMP errors arrive here for earlier datagrams; the transaction timers deal with the silence.
    socket.on('error', () => this.counters.socketErrors++);
    socket.on('message', (bytes, from) => {
      this.counters.datagramsIn++;
      receive(bytes, { transport: 'udp', address: withoutMapping(from.address), port: from.port });
    });
    const { address, port } = socket.address();
    this.bound = { address, port };
  }

  send(bytes: Buffer, to: Hop, failed: (error: Error) => void): void {
    this.counters.datagramsOut++;
    const address = isIPv6(this.bound.address) && !isIPv6(to.address) ? `::ffff:${to.address}` : to.address;
    const done = (error: Error | null): void => {
      if (error === null) return;
      this.counters.sendErrors++;
      failed(error);
    };
    try {
      if (this.socket === undefined) throw new Error('the transport is closed');
      this.socket.send(bytes, to.port, address, done);
    } catch (error) {
      setImmediate(done, error instanceof Error ? error : new Error(String(error)));
    }
  }

  async stop(): Promise<void> {
    const socket = this.socket;
    this.socket = undefined;
    if (socket !== undefined) await new Promise<void>((resolve) => socket.close(() => resolve()));
  }

  dump(): Readonly<Record<string, number>> {
    return { ...this.counters };
  }
}

/** A dual-stack socket shows IPv4 peers as ::ffff:192.0.2.1. */
export function withoutMapping(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
