/** The transports that a configuration asks for, each on its port: TLS beside TCP at the next one, WebSocket above. */
import { networkInterfaces } from 'node:os';
import type { Clock } from '../../core/clock';
import { TrunklineError } from '../../core/errors';
import type { Logger } from '../../core/log';
import { type SipPorts, sipPortOf } from '../sip-ports';
import { TcpTransport } from './tcp-transport';
import { TlsCredentials, type TlsFiles } from './tls-credentials';
import { TlsTransport } from './tls-transport';
import type { SipTransport, TransportName } from './transport';
import { UdpTransport } from './udp-transport';
import { WebSocketTransport } from './websocket-transport';

export interface ListenOptions extends SipPorts {
  /** '*': every IPv4 address, and every IPv6 one where the machine has any. */
  readonly host: string;
  readonly protocols: readonly TransportName[];
  readonly tls?: TlsFiles | undefined;
}

export interface OpenedTransports {
  readonly transports: readonly SipTransport[];
  readonly credentials: TlsCredentials | undefined;
}

/** They listen once they are started. Throws `sip.bad-certificate`. */
export function openTransports(listen: ListenOptions, clock: Clock, log: Logger): OpenedTransports {
  const sixToo = Object.values(networkInterfaces()).some((list) => list?.some((one) => one.family === 'IPv6'));
  const host = listen.host === '*' ? (sixToo ? '::' : '0.0.0.0') : listen.host;
  const at = (name: TransportName) => ({ host, port: sipPortOf(name, listen) });
  const secured = listen.protocols.some((one) => one === 'tls' || one === 'wss');
  const credentials =
    secured && listen.tls !== undefined ? new TlsCredentials({ files: listen.tls, clock, log }) : undefined;
  const transports = [...new Set(listen.protocols)].map((name): SipTransport => {
    if (name === 'udp') return new UdpTransport(at(name));
    if (name === 'tcp') return new TcpTransport(at(name));
    if (name === 'ws') return new WebSocketTransport(at(name), clock);
    if (credentials === undefined) {
      throw new TrunklineError('sip.bad-certificate', `SIP over ${name.toUpperCase()} needs a certificate.`, {
        fix: 'Give sip.tls {cert, key}.',
      });
    }
    return name === 'tls'
      ? new TlsTransport(at(name), credentials, log)
      : new WebSocketTransport(at(name), clock, credentials);
  });
  return { transports, credentials };
}
