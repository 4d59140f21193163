/** Where each transport of SIP listens, unless it is told otherwise. */
import type { TransportName } from './embedded/transport';

/** From sip.port: 5061 for TLS (RFC 3261 §18.2.1); 5066 and 5067 for WebSocket, which has no port of its own. */
const portAfter: Readonly<Record<TransportName, number>> = { udp: 0, tcp: 0, tls: 1, ws: 6, wss: 7 };

export interface SipPorts {
  /** 0: any free one, for each transport. */
  readonly port: number;
  readonly ports?: Readonly<Partial<Record<TransportName, number | undefined>>> | undefined;
}

export function sipPortOf(name: TransportName, { port, ports }: SipPorts): number {
  return ports?.[name] ?? (port === 0 ? 0 : port + portAfter[name]);
}
