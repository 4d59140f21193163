/** From a SIP URI to an address: the part of RFC 3263 that a user agent behind one trunk needs (SRV, then A and AAAA). */
import { lookup, resolveSrv } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { SipUri } from '../uri';
import type { Hop, TransportName } from './transport';

export type Resolve = (uri: SipUri) => Promise<Hop>;

/** Rejects with the DNS error if the name is unknown. Literal addresses never wait. */
export async function resolveTarget(uri: SipUri): Promise<Hop> {
  const transport = transportOf(uri);
  const defaultPort = transport === 'tls' ? 5061 : 5060;
  if (isIP(uri.host) !== 0) return { transport, address: uri.host, port: uri.port ?? defaultPort };
  if (uri.port === undefined && uri.host !== 'localhost') {
    const service = transport === 'tls' ? '_sips._tcp' : `_sip._${transport}`;
    const records = await resolveSrv(`${service}.${uri.host}`).catch(() => []);
    // Lowest priority first; weights only spread load, so the heaviest of them will do for one caller.
    records.sort((a, b) => a.priority - b.priority || b.weight - a.weight);
    const best = records[0];
    if (best !== undefined) return { transport, address: (await lookup(best.name)).address, port: best.port };
  }
  const { address } = await lookup(uri.host, uri.host === 'localhost' ? { family: 4 } : {});
  return { transport, address, port: uri.port ?? defaultPort };
}

export function transportOf(uri: SipUri): TransportName {
  const stated = uri.params.get('transport')?.toLowerCase();
  if (uri.scheme === 'sips') return stated === 'ws' || stated === 'wss' ? 'wss' : 'tls';
  if (stated === 'tcp' || stated === 'tls' || stated === 'ws' || stated === 'wss') return stated;
  return 'udp';
}
