/** A network between one client and one server on 127.0.0.1 that delivers each datagram as many times as it is told. */
import { createSocket } from 'node:dgram';

export interface UdpRelay {
  /** What the client talks to. */
  readonly port: number;
  /** Datagrams passed on so far, both ways together. */
  readonly carried: number;
  close(): void;
}

/** `copies` sees every datagram of either direction: 0 loses it, 2 doubles it. */
export async function openUdpRelay(serverPort: number, copies: (text: string) => number): Promise<UdpRelay> {
  const outside = createSocket('udp4');
  const inside = createSocket('udp4');
  let clientPort = 0;
  let carried = 0;
  outside.on('message', (bytes, from) => {
    clientPort = from.port;
    for (let left = copies(bytes.toString('utf8')); left > 0; left--, carried++)
      inside.send(bytes, serverPort, '127.0.0.1');
  });
  inside.on('message', (bytes) => {
    for (let left = copies(bytes.toString('utf8')); left > 0; left--, carried++)
      outside.send(bytes, clientPort, '127.0.0.1');
  });
  for (const socket of [outside, inside]) await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound));
  return {
    port: outside.address().port,
    get carried() {
      return carried;
    },
    close: () => {
      outside.close();
      inside.close();
    },
  };
}
