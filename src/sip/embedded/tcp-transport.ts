/** SIP over TCP (RFC 3261 §18). */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { StreamTransport } from './stream-transport';
import type { Hop } from './transport';

export class TcpTransport extends StreamTransport {
  readonly name = 'tcp';
  protected readonly connectedEvent = 'connect';

  protected createServer(accept: (socket: Socket) => void): Server {
    return createServer(accept);
  }

  protected connect(to: Hop): Socket {
    return connect({ host: to.address, port: to.port });
  }
}
