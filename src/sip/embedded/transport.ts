/**
 * What the endpoint asks of a transport (RFC 3261 §18, RFC 7118): bytes of one message in, bytes of one message out. A hop
 * names the place, or the connection that a message came on.
 */
export type TransportName = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';

/** Where a message came from or goes to. */
export interface Hop {
  readonly transport: TransportName;
  readonly address: string;
  readonly port: number;
  /** The name that was looked up: what a certificate must be made out to (RFC 5922 §7.2). */
  readonly host?: string;
}

export interface SipTransport {
  readonly name: TransportName;
  /** No retransmission timers, no wait states. */
  readonly reliable: boolean;
  /** After `start`. */
  readonly local: { readonly address: string; readonly port: number };
  start(receive: (bytes: Buffer, from: Hop) => void): Promise<void>;
  /** `failed` is called, at most once and never synchronously, if the bytes could not leave. */
  send(bytes: Buffer, to: Hop, failed: (error: Error) => void): void;
  stop(): Promise<void>;
  dump(): Readonly<Record<string, number>>;
}

export function isReliable(transport: TransportName): boolean {
  return transport !== 'udp';
}

/** Connections are found by their far end. */
export function hopKey(hop: Hop): string {
  return `${hop.address}|${hop.port}`;
}
