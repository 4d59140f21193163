/**
 * From a SIP URI to the places a request may go to, best first (RFC 3263 §4; RFC 2782 for the weights): NAPTR says by which
 * transport, SRV on which machine and port, A and AAAA at which address. The name server is passed in.
 */
import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { SipUri } from '../uri';
import type { Hop, TransportName } from './transport';

/** Rejects with the DNS error if the name is unknown; never resolves with an empty list. */
export type Resolve = (uri: SipUri) => Promise<readonly Hop[]>;

/** Each resolves with an empty list when there is no such record. */
export interface NameServer {
  naptr(name: string): Promise<readonly NaptrRecord[]>;
  srv(name: string): Promise<readonly SrvRecord[]>;
  addresses(name: string): Promise<readonly string[]>;
}

export interface NaptrRecord {
  readonly order: number;
  readonly preference: number;
  readonly flags: string;
  readonly service: string;
  readonly replacement: string;
}

export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly name: string;
}

export interface ResolverOptions {
  readonly names: NameServer;
  /** Below 1, for the weights. */
  readonly random: () => number;
  /** What we can send by. */
  readonly transports: readonly TransportName[];
}

/** More than anybody would try in the time of a call. */
const maxHops = 12;
const maxRecords = 8;

/** NAPTR services (RFC 3263 §4.1, RFC 7118 §8) that a user agent can follow: nobody can dial a WebSocket client. */
const services: ReadonlyMap<string, TransportName> = new Map([
  ['sip+d2u', 'udp'],
  ['sip+d2t', 'tcp'],
  ['sips+d2t', 'tls'],
]);

export function createResolver({ names, random, transports }: ResolverOptions): Resolve {
  const usable = (transport: TransportName): boolean => transports.includes(transport);

  async function atHost(host: string, transport: TransportName, port: number, domain: string): Promise<Hop[]> {
    const addresses = isIP(host) === 0 ? await names.addresses(host) : [host];
    return addresses.slice(0, maxRecords).map((address) => ({ transport, address, port, host: domain }));
  }

  async function byService(name: string, transport: TransportName, domain: string): Promise<Hop[]> {
    const records = (await names.srv(name)).slice(0, maxRecords);
    const hops: Hop[] = [];
    for (const { name: target, port } of inOrder(records, random)) {
      // RFC 2782: a lone dot says that the service is not there.
      if (target === '' || target === '.') continue;
      hops.push(...(await atHost(target, transport, port, domain).catch(() => [])));
    }
    return hops;
  }

  return async (uri) => {
    const { host, port } = uri;
    const stated = statedTransport(uri);
    if (isIP(host) !== 0) {
      const transport = stated ?? 'udp';
      return [{ transport, address: host, port: port ?? defaultPort(transport) }];
    }
    if (port !== undefined || host === 'localhost') {
      const transport = stated ?? 'udp';
      return some(host, await atHost(host, transport, port ?? defaultPort(transport), host));
    }
    const hops: Hop[] = [];
    if (stated === undefined || uri.scheme === 'sips') {
      const records = (await names.naptr(host)).filter(({ flags }) => flags.toLowerCase() === 's');
      const offered = records
        .map((record) => ({ ...record, transport: services.get(record.service.toLowerCase()) }))
        .filter(({ transport }) => transport !== undefined && usable(transport))
        .filter(({ transport }) => stated === undefined || transport === stated)
        .sort((a, b) => a.order - b.order || a.preference - b.preference)
        .slice(0, maxRecords);
      for (const { replacement, transport } of offered) {
        if (transport !== undefined) hops.push(...(await byService(replacement, transport, host)));
      }
    }
    const order: readonly TransportName[] = stated === undefined ? ['udp', 'tcp', 'tls'] : [stated];
    if (hops.length === 0) {
      for (const transport of order.filter((one) => stated !== undefined || usable(one))) {
        hops.push(...(await byService(serviceName(transport, host), transport, host)));
      }
    }
    if (hops.length === 0) {
      const transport = stated ?? 'udp';
      hops.push(...(await atHost(host, transport, defaultPort(transport), host)));
    }
    return some(host, hops);
  };
}

/** RFC 2782: lowest priority first; among equals each next one is drawn by its weight. */
export function inOrder(records: readonly SrvRecord[], random: () => number): SrvRecord[] {
  const left = [...records].sort((a, b) => a.priority - b.priority || a.weight - b.weight);
  const ordered: SrvRecord[] = [];
  while (left.length > 0) {
    const { priority } = left[0]!;
    const equals = left.filter((one) => one.priority === priority);
    const total = equals.reduce((sum, one) => sum + one.weight, 0);
    const drawn = random() * total;
    let passed = 0;
    const chosen =
      equals.find((one) => {
        passed += one.weight;
        return drawn < passed;
      }) ?? equals[0]!;
    ordered.push(chosen);
    left.splice(left.indexOf(chosen), 1);
  }
  return ordered;
}

/** The transport that the URI leaves no choice about. */
function statedTransport(uri: SipUri): TransportName | undefined {
  const stated = uri.params.get('transport')?.toLowerCase();
  if (uri.scheme === 'sips') return stated === 'ws' || stated === 'wss' ? 'wss' : 'tls';
  return stated === 'udp' || stated === 'tcp' || stated === 'tls' || stated === 'ws' || stated === 'wss'
    ? stated
    : undefined;
}

function serviceName(transport: TransportName, host: string): string {
  return transport === 'tls' ? `_sips._tcp.${host}` : `_sip._${transport}.${host}`;
}

function defaultPort(transport: TransportName): number {
  if (transport === 'ws') return 80;
  if (transport === 'wss') return 443;
  return transport === 'tls' ? 5061 : 5060;
}

function some(host: string, hops: readonly Hop[]): readonly Hop[] {
  if (hops.length === 0) throw Object.assign(new Error(`${host} has no address`), { code: 'ENOTFOUND' });
  return hops.slice(0, maxHops);
}

/** The machine's own: its name servers, and its hosts file for addresses. */
export function systemNames(): NameServer {
  return namesOver(new Resolver({ timeout: 2000, tries: 2 }), async (name) => {
    const found = await lookup(name, name === 'localhost' ? { family: 4, all: true } : { all: true });
    return found.map(({ address }) => address);
  });
}

/** Name servers of one's own, `address` or `address:port`. */
export function namesFrom(servers: readonly string[]): NameServer {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  resolver.setServers([...servers]);
  return namesOver(resolver, async (name) => {
    const [four, six] = await Promise.all([orNone(resolver.resolve4(name)), orNone(resolver.resolve6(name))]);
    return [...four, ...six];
  });
}

function namesOver(resolver: Resolver, addresses: NameServer['addresses']): NameServer {
  return {
    naptr: (name) => orNone(resolver.resolveNaptr(name)),
    srv: (name) => orNone(resolver.resolveSrv(name)),
    addresses,
  };
}

function orNone<T>(records: Promise<T[]>): Promise<T[]> {
  return records.catch(() => []);
}
