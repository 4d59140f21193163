/** RFC 3263 with a name server on loopback that answers over UDP. */
import fc from 'fast-check';
import { createResolver, inOrder, namesFrom, type Resolve } from '../../../src/sip/embedded/resolver';
import type { TransportName } from '../../../src/sip/embedded/transport';
import { parseSipUri } from '../../../src/sip/uri';
import { DnsServer } from '../../support/dns-server';

const all: readonly TransportName[] = ['udp', 'tcp', 'tls'];
let dns: DnsServer;

beforeAll(async () => {
  dns = await DnsServer.open({
    'naptr.example': [
      { type: 'NAPTR', order: 20, preference: 10, service: 'SIP+D2U', replacement: '_sip._udp.naptr.example' },
      { type: 'NAPTR', order: 10, preference: 50, service: 'SIP+D2T', replacement: '_sip._tcp.naptr.example' },
      { type: 'NAPTR', order: 10, preference: 20, service: 'SIPS+D2T', replacement: '_sips._tcp.elsewhere.example' },
      { type: 'NAPTR', order: 5, preference: 1, service: 'SIP+D2S', replacement: '_sip._sctp.naptr.example' },
    ],
    '_sip._udp.naptr.example': [{ type: 'SRV', priority: 1, weight: 1, port: 5060, target: 'one.example' }],
    '_sip._tcp.naptr.example': [{ type: 'SRV', priority: 1, weight: 1, port: 5070, target: 'one.example' }],
    '_sips._tcp.elsewhere.example': [{ type: 'SRV', priority: 1, weight: 1, port: 5071, target: 'two.example' }],
    '_sip._udp.srv.example': [
      { type: 'SRV', priority: 20, weight: 0, port: 5080, target: 'two.example' },
      { type: 'SRV', priority: 10, weight: 0, port: 5090, target: 'one.example' },
    ],
    '_sip._tcp.srv.example': [{ type: 'SRV', priority: 1, weight: 0, port: 5099, target: 'two.example' }],
    'srv.example': [],
    '_sip._udp.closed.example': [{ type: 'SRV', priority: 1, weight: 0, port: 5060, target: '.' }],
    'closed.example': [],
    'one.example': [{ type: 'A', address: '192.0.2.1' }],
    'two.example': [
      { type: 'A', address: '192.0.2.2' },
      { type: 'A', address: '192.0.2.3' },
      { type: 'AAAA', address: '::1' },
    ],
  });
});
afterAll(() => dns.close());

function resolver(transports = all): Resolve {
  return createResolver({ names: namesFrom([dns.address]), random: () => 0.5, transports });
}

async function found(uri: string, transports = all): Promise<string[]> {
  const parsed = parseSipUri(uri);
  if (parsed === undefined) throw new Error('not a URI');
  return (await resolver(transports)(parsed)).map((hop) => `${hop.transport} ${hop.address} ${hop.port}`);
}

describe('where a request goes', () => {
  it.each([
    ['sip:a@192.0.2.9', ['udp 192.0.2.9 5060']],
    ['sip:a@[2001:db8::9]:5070;transport=tcp', ['tcp 2001:db8::9 5070']],
    ['sips:a@192.0.2.9', ['tls 192.0.2.9 5061']],
    ['sip:a@192.0.2.9;transport=ws', ['ws 192.0.2.9 80']],
  ])('%s: a literal address is itself', async (uri, hops) => {
    dns.asked.length = 0;
    expect(await found(uri)).toEqual(hops);
    expect(dns.asked).toEqual([]);
  });

  it('asks for nothing but addresses when there is a port', async () => {
    dns.asked.length = 0;
    expect(await found('sip:a@two.example:5070')).toEqual(['udp 192.0.2.2 5070', 'udp 192.0.2.3 5070', 'udp ::1 5070']);
    expect(new Set(dns.asked)).toEqual(new Set(['A two.example', 'AAAA two.example']));
  });

  it('takes the transport that NAPTR names first, by order and then by preference', async () => {
    expect(await found('sip:a@naptr.example')).toEqual([
      'tls 192.0.2.2 5071',
      'tls 192.0.2.3 5071',
      'tls ::1 5071',
      'tcp 192.0.2.1 5070',
      'udp 192.0.2.1 5060',
    ]);
  });

  it('leaves out transports that we do not have', async () => {
    expect(await found('sip:a@naptr.example', ['udp'])).toEqual(['udp 192.0.2.1 5060']);
  });

  it('asks NAPTR for nothing but TLS for sips', async () => {
    expect((await found('sips:a@naptr.example')).every((hop) => hop.startsWith('tls '))).toBe(true);
  });

  it('tries SRV of each transport in turn without NAPTR, lowest priority first', async () => {
    expect(await found('sip:a@srv.example')).toEqual([
      'udp 192.0.2.1 5090',
      'udp 192.0.2.2 5080',
      'udp 192.0.2.3 5080',
      'udp ::1 5080',
      'tcp 192.0.2.2 5099',
      'tcp 192.0.2.3 5099',
      'tcp ::1 5099',
    ]);
    expect((await found('sip:a@srv.example;transport=tcp'))[0]).toBe('tcp 192.0.2.2 5099');
  });

  it('falls to the addresses of the name and the usual port', async () => {
    expect(await found('sip:a@one.example')).toEqual(['udp 192.0.2.1 5060']);
    expect(await found('sips:a@one.example')).toEqual(['tls 192.0.2.1 5061']);
  });

  it('rejects for a name that nobody knows, and for a service that is declared absent', async () => {
    await expect(found('sip:a@nowhere.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(found('sip:a@closed.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('remembers the name that was looked up: a certificate has to be made out to it', async () => {
    const uri = parseSipUri('sips:a@naptr.example')!;
    expect((await resolver()(uri)).map(({ host }) => host)).toEqual([
      'naptr.example',
      'naptr.example',
      'naptr.example',
    ]);
  });
});

describe('the order of SRV records', () => {
  const record = fc.record({
    priority: fc.integer({ min: 0, max: 3 }),
    weight: fc.integer({ min: 0, max: 100 }),
    port: fc.integer({ min: 1, max: 65_535 }),
    name: fc.constantFrom('a', 'b', 'c'),
  });

  it('keeps every record and never puts a higher priority number first', () => {
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 12 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (records, drawn) => {
          const ordered = inOrder(records, () => drawn);
          expect(ordered).toHaveLength(records.length);
          const priorities = ordered.map(({ priority }) => priority);
          expect(priorities).toEqual([...priorities].sort((a, b) => a - b));
        },
      ),
    );
  });

  it('draws by weight: three quarters first', () => {
    const records = [
      { priority: 1, weight: 25, port: 1, name: 'light' },
      { priority: 1, weight: 75, port: 2, name: 'heavy' },
    ];
    let firsts = 0;
    for (let step = 0; step < 100; step++) if (inOrder(records, () => step / 100)[0]?.name === 'heavy') firsts++;
    expect(firsts).toBe(75);
  });
});
