/** What is kept of a call, and the dialplan, as programs and the console ask for them. */
import { CallTraces } from '../../src/store/call-traces';
import { readPcap } from '../support/pcap-reader';
import { type AgentApp, bodyOf, startAgentApp, tokens } from './agent-app';

let agent: AgentApp;
const traces = new CallTraces({ now: () => new Date(0), maxBytes: 1_000_000 });

beforeAll(async () => {
  agent = await startAgentApp({ traces });
  await agent.call('c1');
  await agent.call('c2');
  traces.link('c1', 'abc');
  traces.overhear({
    ...{ sent: false, transport: 'udp' },
    bytes: Buffer.from('INVITE sip:demo@x SIP/2.0\r\nCall-ID: abc\r\nCSeq: 1 INVITE\r\n\r\n'),
    local: { address: '192.0.2.1', port: 5060 },
    remote: { address: '192.0.2.2', port: 5060 },
  });
  traces.sample('c1', { atMs: 2000, lostShare: 0, jitterMs: 1, mos: 4.4, packetsReceived: 100, packetsSent: 100 });
});
afterAll(() => agent.close());

const get = (path: string, token = tokens.read) => agent.request(path, { token });

describe('the trace of a call', () => {
  it.each(['sip', 'quality', 'pcap'])('%s is for those who may read', async (part) => {
    expect((await agent.request(`/v1/calls/c1/${part}`)).status).toBe(401);
    expect((await get(`/v1/calls/c1/${part}`)).status).toBe(200);
    expect((await bodyOf(await get(`/v1/calls/nobody/${part}`))).code).toBe('call.not-found');
  });

  it('tells its SIP messages', async () => {
    const { messages } = await bodyOf(await get('/v1/calls/c1/sip'));
    expect(messages).toEqual([
      {
        ...{ at: '1970-01-01T00:00:00.000Z', sent: false, transport: 'udp', copy: false },
        ...{ local: '192.0.2.1:5060', remote: '192.0.2.2:5060', text: expect.stringContaining('INVITE sip:demo@x') },
      },
    ]);
  });

  it('tells its quality over time', async () => {
    expect(await bodyOf(await get('/v1/calls/c1/quality'))).toMatchObject({
      intervalMs: 2000,
      samples: [{ mos: 4.4 }],
    });
  });

  it('is a capture file', async () => {
    const response = await get('/v1/calls/c1/pcap');
    expect(response.headers.get('content-type')).toBe('application/vnd.tcpdump.pcap');
    expect(response.headers.get('content-disposition')).toContain('c1.pcap');
    expect(readPcap(new Uint8Array(await response.arrayBuffer()))).toHaveLength(1);
  });

  it('is empty where nothing is kept', async () => {
    expect(await bodyOf(await get('/v1/calls/c2/sip'))).toEqual({ messages: [], dropped: 0 });
    expect(await bodyOf(await get('/v1/calls/c2/quality'))).toEqual({ intervalMs: 2000, samples: [] });
    expect((await bodyOf(await get('/v1/calls/c2/pcap'))).code).toBe('http.no-capture');
  });
});

describe('the dialplan', () => {
  it('lists its rules', async () => {
    const { rules } = await bodyOf(await get('/v1/dialplan'));
    expect(rules).toContainEqual(
      expect.objectContaining({
        place: expect.stringMatching(/\.yaml:\d+$/),
        action: expect.stringMatching(/^agent /),
      }),
    );
  });

  it('says which rule a call would take, and why not the ones before it', async () => {
    const decision = await bodyOf(await get('/v1/dialplan/route?to=echo&from=alice'));
    expect(decision).toMatchObject({ actionType: 'echo', rule: { place: expect.any(String) } });
    expect(decision.passedOver[0].because).toMatch(/^the number is not /);
  });

  it('says that a call would be refused', async () => {
    expect(await bodyOf(await get('/v1/dialplan/route?to=nobody'))).toMatchObject({ actionType: 'reject' });
  });

  it('takes headers, one or several, and a time', async () => {
    for (const query of ['header=X-A%3D1', 'header=X-A%3D1&header=X-B%3D2', 'at=2026-01-31T09%3A30%3A00Z']) {
      expect((await get(`/v1/dialplan/route?to=echo&${query}`)).status).toBe(200);
    }
  });

  it.each(['', 'to=', 'to=echo&at=noon', 'to=echo&header=none', 'to=echo&colour=red'])(
    'refuses the question %j',
    async (query) => {
      const response = await get(`/v1/dialplan/route?${query}`);
      expect(response.status).toBe(422);
      expect((await bodyOf(response)).code).toBe('http.bad-query');
    },
  );

  it('says whether its files are right', async () => {
    expect(await bodyOf(await get('/v1/dialplan/check'))).toMatchObject({ right: true, faults: [] });
  });

  it.each(['', '/route?to=echo', '/check'])('is for those who may read: %s', async (path) => {
    expect((await agent.request(`/v1/dialplan${path}`)).status).toBe(401);
  });
});
