import { type AgentApp, bodyOf, startAgentApp, tokens } from './agent-app';

let agent: AgentApp;

beforeEach(async () => {
  agent = await startAgentApp({
    limits: { httpRequestsPerSourcePerSecond: 5, callsPerSourcePerSecond: 1 },
    whip: {
      placeCall: async () => ({ id: 'w1', answerSdp: 'v=0\r\n' }),
      listen: async () => ({ id: 'w2', answerSdp: 'v=0\r\n' }),
      patch: () => {},
      hangup: () => {},
    },
  });
});
afterEach(() => agent.close());

async function statuses(count: number, ask: () => Promise<Response>): Promise<Record<number, number>> {
  const found: Record<number, number> = {};
  for (let one = 0; one < count; one++) {
    const { status } = await ask();
    found[status] = (found[status] ?? 0) + 1;
  }
  return found;
}

describe('one source', () => {
  it('is refused with 429, Retry-After and a problem when it asks too much, each token by itself', async () => {
    const read = () => agent.request('/v1/calls', { token: tokens.read });
    expect(await statuses(22, read)).toEqual({ 200: 20, 429: 2 });
    const refused = await read();
    expect(refused.headers.get('content-type')).toMatch(/application\/problem\+json/);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await bodyOf(refused)).toMatchObject({ status: 429, code: 'http.too-many-requests' });
    expect((await agent.request('/v1/calls', { token: tokens.admin })).status).toBe(200);
    expect((await agent.request('/healthz')).status).toBe(200);
    agent.nowMs += 1_000;
    expect((await read()).status).toBe(200);
    expect(await (await agent.request('/metrics')).text()).toMatch(/trunkline_http_requests_limited 3\n/);
  });

  it('is asked to wait after ten wrong tokens, by REST and by WHIP, while a right one passes', async () => {
    let guess = 0;
    const wrong = () => agent.request('/v1/calls', { token: `wrong-0123456789-${guess++}` });
    expect(await statuses(12, wrong)).toEqual({ 401: 10, 429: 2 });
    const offer = { method: 'POST', headers: { 'content-type': 'application/sdp' }, body: 'v=0\r\n' };
    expect((await agent.request('/whip/demo?token=wrong-0123456789', offer)).status).toBe(429);
    expect((await agent.request('/whip/demo', { ...offer, token: 'wrong-0123456789' })).status).toBe(429);
    expect((await agent.request('/v1/calls', { token: tokens.read })).status).toBe(200);
    agent.nowMs += 6_000;
    expect((await wrong()).status).toBe(401);
  });

  it('may place so many calls by WHIP, and no more', async () => {
    const place = () =>
      agent.request('/whip/demo', {
        method: 'POST',
        headers: { 'content-type': 'application/sdp' },
        body: 'v=0\r\n',
        token: tokens.control,
      });
    // What is refused with 400 is the offer.
    expect(await statuses(5, place)).toEqual({ 400: 4, 429: 1 });
    const refused = await place();
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await bodyOf(refused)).toMatchObject({ code: 'http.too-many-requests' });
    agent.nowMs += 1_000;
    expect((await place()).status).toBe(400);
  });
});

describe('whoever has no token', () => {
  it.each([
    ['a path that there is', '/v1/calls', 'POST'],
    ['a path that there is not', '/v1/secrets', 'POST'],
    ['a method that there is not', '/v1/calls/x/recording', 'PUT'],
    ['a body that is no JSON', '/v1/calls', 'POST'],
  ])('gets the same answer for %s', async (_what, path, method) => {
    const one = await agent.request(path, { method, headers: { 'content-type': 'application/json' }, body: '{' });
    expect(one.status).toBe(401);
    expect(await bodyOf(one)).toEqual({
      type: 'urn:trunkline:error:http.unauthorised',
      title: 'This needs a token.',
      status: 401,
      code: 'http.unauthorised',
      detail: expect.any(String),
    });
  });
});
