/** The HTTP interface by real requests: who may, what comes back, what bad input gets. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type AgentApp, bodyOf, json, startAgentApp, tokens } from './agent-app';

let agent: AgentApp;

beforeAll(async () => {
  agent = await startAgentApp();
});
afterAll(() => agent.close());

describe('health', () => {
  it('is alive, ready, and says so without a token', async () => {
    expect(await bodyOf(await agent.request('/healthz'))).toEqual({ status: 'alive', version: '0.0.0' });
    expect((await agent.request('/readyz')).status).toBe(200);
  });

  it('tells who may read how SIP is doing, and nobody else', async () => {
    expect((await agent.request('/v1/health')).status).toBe(401);
    const sip = { local: [], registrations: [], users: [] };
    expect(await bodyOf(await agent.request('/v1/health', { token: tokens.read }))).toMatchObject({ ready: true, sip });
  });

  it('is not ready while something is waited for', async () => {
    const loading = await startAgentApp({ readiness: () => ({ ready: false, waitingFor: ['engine'] }) });
    const response = await loading.request('/readyz');
    expect([response.status, await bodyOf(response)]).toEqual([503, { ready: false, waitingFor: ['engine'] }]);
    await loading.close();
  });

  it('counts calls and gaps for Prometheus', async () => {
    const sequence = await agent.call('metric');
    await agent.publish(sequence.next('turn.agent', { turn: 1, text: 'x', interrupted: false, gapMs: 700 }));
    await agent.publish(sequence.next('call.ended', { cause: 'idle', durationMs: 4000 }));
    const text = await (await agent.request('/metrics')).text();
    expect(text).toMatch(/trunkline_calls_ended_total\{cause="idle"\} 1/);
    expect(text).toMatch(/trunkline_turn_gap_seconds_bucket\{le="0.7"\} 1/);
    expect(text).toMatch(/trunkline_calls_live 3/);
  });
});

describe('a method that a path does not know', () => {
  const ask = (path: string, method: string) => agent.request(path, { method, token: tokens.control });

  it.each([
    ['/v1/calls/abc', 'PUT', 'GET, DELETE, HEAD'],
    ['/v1/calls', 'PUT', 'GET, POST, HEAD'],
    ['/v1/calls/abc/actions', 'GET', 'POST'],
    ['/v1/waiting/wait_1', 'POST', 'DELETE'],
  ])('is told so, with those it knows: %s %s', async (path, method, allow) => {
    const response = await ask(path, method);
    expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
    expect((await bodyOf(response)).code).toBe('http.method-not-allowed');
  });

  it('is nothing special where there is no path', async () => {
    expect((await ask('/v1/calls/abc/nothing', 'DELETE')).status).toBe(404);
    expect((await agent.request('/v1/calls/abc', { method: 'DELETE' })).status).toBe(401);
  });
});

describe('the page and the papers', () => {
  it('serves the softphone with headers that let nothing foreign in', async () => {
    const response = await agent.request('/');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/text\/html/);
    expect(response.headers.get('content-security-policy')).toMatch(/default-src 'self'/);
    expect(response.headers.get('x-powered-by')).toBeNull();
  });

  it('serves the console with its libraries, whose only inline script is named by its hash', async () => {
    const response = await agent.request('/console');
    expect(response.status).toBe(200);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/script-src 'self' 'sha256-[A-Za-z0-9+/=]+';/);
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
    const page = await response.text();
    const [, map = ''] = /<script type="importmap">(.*?)<\/script>/s.exec(page) ?? [];
    const modules = Object.values<string>(JSON.parse(map).imports);
    expect(modules.length).toBeGreaterThan(3);
    for (const path of [...modules.map((one) => one.slice(1)), '/vendor/uplot.css', '/console/main.js']) {
      const file = await agent.request(path);
      expect([path, file.status]).toEqual([path, 200]);
      expect(file.headers.get('content-type')).toMatch(path.endsWith('.css') ? /text\/css/ : /javascript/);
      expect((await file.text()).length).toBeGreaterThan(500);
    }
    expect((await agent.request('/vendor/package.json')).status).toBe(404);
  });

  it('describes itself in OpenAPI 3.1, every path answered for', async () => {
    const document = await bodyOf(await agent.request('/openapi.json'));
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.webhooks)).toContain('call.ended');
    for (const [path, methods] of Object.entries<Record<string, unknown>>(document.paths)) {
      for (const method of Object.keys(methods)) {
        if (/^\/(whip|listen)\//.test(path) || path === '/v1/events') continue;
        const response = await agent.request(path.replace('{id}', 'none'), {
          method: method.toUpperCase(),
          token: tokens.admin,
        });
        const { code } = response.status === 404 ? await bodyOf(response) : { code: undefined };
        // The path is there: what is missing is at most the call.
        expect([path, code]).not.toEqual([path, 'http.not-found']);
      }
    }
    expect(await (await agent.request('/docs')).text()).toContain('/v1/calls/{id}/actions');
  });

  it('answers an unknown path and a path outside the page folder with a problem', async () => {
    for (const path of ['/nothing', '/../app.ts', '/%2e%2e/app.ts', '/..%2fapp.ts', '/%00', '/.git/config']) {
      const response = await agent.request(path);
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(response.headers.get('content-type')).toMatch(/application\/problem\+json/);
    }
  });
});

describe('tokens', () => {
  it.each([
    ['no token', undefined, '/v1/calls', 'GET', 401, 'http.unauthorised'],
    ['a wrong token', 'wrong-0123456789', '/v1/calls', 'GET', 401, 'http.unauthorised'],
    ['an unknown path without a token', undefined, '/v1/secret', 'GET', 401, 'http.unauthorised'],
    ['a reader who writes', tokens.read, '/v1/calls/x/actions', 'POST', 403, 'http.wrong-scope'],
  ])('refuse %s', async (_what, token, path, method, status, code) => {
    const response = await agent.request(path, { method, token });
    expect([response.status, (await bodyOf(response)).code]).toEqual([status, code]);
    if (status === 401) expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  it('let wider scopes do what narrower ones may', async () => {
    for (const token of Object.values(tokens)) expect((await agent.request('/v1/calls', { token })).status).toBe(200);
  });
});

describe('calls', () => {
  it('are listed newest first, page by page, and told one by one', async () => {
    const fresh = await startAgentApp();
    for (const id of ['c1', 'c2', 'c3']) await fresh.call(id);
    const first = await bodyOf(await fresh.request('/v1/calls?limit=2', { token: tokens.read }));
    expect(first.calls.map(({ id }: { id: string }) => id)).toEqual(['c3', 'c2']);
    const next = `/v1/calls?limit=2&cursor=${first.nextCursor}`;
    const second = await bodyOf(await fresh.request(next, { token: tokens.read }));
    expect(second.calls.map(({ id }: { id: string }) => id)).toEqual(['c1']);
    expect(await bodyOf(await fresh.request('/v1/calls/c1', { token: tokens.read }))).toMatchObject({
      id: 'c1',
      state: 'trying',
    });
    expect((await bodyOf(await fresh.request('/v1/calls/c1/timeline', { token: tokens.read }))).events).toHaveLength(1);
    expect(await bodyOf(await fresh.request('/v1/calls/c1/transcript', { token: tokens.read }))).toEqual({
      turns: [],
    });
    await fresh.close();
  });

  it.each(['?limit=0', '?limit=many', '?state=asleep', '?since=yesterday', '?curser=x'])(
    'refuse the query %s',
    async (query) => {
      const response = await agent.request(`/v1/calls${query}`, { token: tokens.read });
      expect(response.status).toBe(422);
      expect((await bodyOf(response)).code).toBe('http.bad-query');
    },
  );

  it('find no page at a cursor of no call', async () => {
    const response = await agent.request('/v1/calls?cursor=none', { token: tokens.read });
    expect([response.status, (await bodyOf(response)).code]).toEqual([404, 'store.bad-cursor']);
  });

  it('are dialled once per Idempotency-Key', async () => {
    const dial = (body: unknown, key: string) => {
      const init = json(body);
      return agent.request('/v1/calls', {
        ...init,
        token: tokens.control,
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
      });
    };
    const before = agent.dialled.length;
    const [first, second] = await Promise.all([
      dial({ to: 'sip:x@y', agent: 'demo' }, 'k1'),
      dial({ to: 'sip:x@y', agent: 'demo' }, 'k1'),
    ]);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(await bodyOf(first)).toEqual(await bodyOf(second));
    expect(first.headers.get('location')).toMatch(/^\/v1\/calls\/out\d+$/);
    expect(agent.dialled.length).toBe(before + 1);
    const other = await dial({ to: 'sip:z@y', agent: 'demo' }, 'k1');
    expect([other.status, (await bodyOf(other)).code]).toEqual([422, 'http.idempotency-mismatch']);
  });

  it.each([
    [{ agent: 'demo' }, 'to'],
    [{ to: 'sip:x@y' }, ''],
    [{ to: 'sip:x@y', agent: 'demo', dialplan: 'demo' }, ''],
    [{ to: 'sip:x@y', agent: 'demo', ringSeconds: 0 }, 'ringSeconds'],
    [{ to: 'sip:x@y', agent: 'demo', amd: { onMachine: 'message' } }, 'amd.message'],
    [{ to: 'sip:x@y', agent: 'demo', amd: { onMachine: 'hangup', message: 'Hello.' } }, 'amd.message'],
    [{ to: 'sip:x@y', agent: 'demo', amd: 'yes' }, 'amd'],
    [{ to: 'sip:x@y', agent: 'demo', retry: { attempts: 1 } }, 'retry.attempts'],
    [{ to: 'sip:x@y', agent: 'demo', retry: { afterSeconds: [1] } }, 'retry.afterSeconds[0]'],
    [{ to: 'sip:x@y', agent: 'demo', headers: { 'X-A': 'a\r\nVia: evil' } }, 'headers.X-A'],
    [{ to: 'sip:x@y', agent: 'demo', headers: { Via: 'x' } }, 'headers.Via'],
    [{ to: 'sip:x@y', agent: 'demo', colour: 'red' }, 'colour'],
  ])('refuse to be dialled with %j', async (body, path) => {
    const response = await agent.request('/v1/calls', { ...json(body), token: tokens.control });
    expect(response.status).toBe(422);
    const problem = await bodyOf(response);
    expect(problem.code).toBe('http.bad-body');
    expect(problem.errors.map((error: { path: string }) => error.path)).toContain(path);
  });

  it('wait for their hours where they are told to, are listed then, and can be taken back', async () => {
    const token = tokens.control;
    const ordered = await agent.request('/v1/calls', {
      ...json({ to: 'sip:x@y', agent: 'demo', whenClosed: 'wait' }),
      token,
    });
    expect([ordered.status, (await bodyOf(ordered)).waiting.id]).toEqual([202, 'wait_1']);
    const { waiting } = await bodyOf(await agent.request('/v1/waiting', { token: tokens.read }));
    expect(waiting).toHaveLength(1);
    const remove = (id: string, by: string) => agent.request(`/v1/waiting/${id}`, { method: 'DELETE', token: by });
    expect((await remove('wait_1', token)).status).toBe(204);
    expect((await bodyOf(await remove('wait_2', token))).code).toBe('call.not-waiting');
    expect((await remove('wait_1', tokens.read)).status).toBe(403);
  });

  it('take actions while they live, and say 409 when they have ended', async () => {
    const sequence = await agent.call('steer');
    const act = (action: unknown) =>
      agent.request('/v1/calls/steer/actions', { ...json(action), token: tokens.control });
    expect((await act({ type: 'say', text: 'One moment.' })).status).toBe(202);
    expect((await act({ type: 'dtmf', digits: '12#' })).status).toBe(202);
    expect(agent.acted.slice(-2)).toEqual([
      { callId: 'steer', action: { type: 'say', text: 'One moment.' } },
      { callId: 'steer', action: { type: 'dtmf', digits: '12#' } },
    ]);
    const result = { type: 'tool_result', toolCallId: 't1' };
    expect((await act({ ...result, text: 'It ships on Friday.' })).status).toBe(202);
    expect((await act({ ...result, error: 'no such order' })).status).toBe(202);
    expect((await act(result)).status).toBe(422);
    expect((await act({ ...result, text: 'x', error: 'y' })).status).toBe(422);
    expect((await act({ type: 'sing' })).status).toBe(422);
    expect((await act({ type: 'dtmf', digits: 'E' })).status).toBe(422);
    await agent.publish(sequence.next('call.ended', { cause: 'caller-hangup', durationMs: 0 }));
    const late = await act({ type: 'hangup' });
    expect([late.status, (await bodyOf(late)).code]).toEqual([409, 'call.wrong-state']);
    const nobody = await agent.request('/v1/calls/nobody/actions', {
      ...json({ type: 'hangup' }),
      token: tokens.control,
    });
    expect([nobody.status, (await bodyOf(nobody)).code]).toEqual([404, 'call.not-found']);
  });
});

describe('recordings', () => {
  it('are erased by admins alone, any time again, and only when they have ended', async () => {
    const sequence = await agent.call('e1');
    await agent.publish(sequence.next('turn.user', { turn: 1, text: 'A zebra.' }));
    const erase = (path: string, token: string) => agent.request(`/v1/calls/${path}`, { method: 'DELETE', token });
    expect((await erase('e1', tokens.control)).status).toBe(403);
    expect((await bodyOf(await erase('e1/transcript', tokens.admin))).code).toBe('call.wrong-state');
    await agent.publish(sequence.next('call.ended', { cause: 'caller-hangup', durationMs: 1 }));
    const transcript = async () => (await agent.request('/v1/calls/e1/transcript', { token: tokens.read })).text();
    expect(await transcript()).toContain('zebra');
    for (const path of ['e1/transcript', 'e1/transcript', 'e1/recording', 'e1/voicemail', 'nobody']) {
      expect((await erase(path, tokens.admin)).status).toBe(204);
    }
    expect(await transcript()).toBe('{"turns":[]}');
    expect((await erase('e1', tokens.admin)).status).toBe(204);
    expect((await agent.request('/v1/calls/e1', { token: tokens.read })).status).toBe(404);
    expect((await erase('e1', tokens.admin)).status).toBe(204);
  });

  it('come back whole or in part once the call has ended, and as 404 before', async () => {
    const recordingsFolder = mkdtempSync(join(tmpdir(), 'trunkline-recordings-'));
    const keeping = await startAgentApp({
      recordings: {
        folder: recordingsFolder,
        messageOf: (id) => `${id}.message`,
        find: async (id) =>
          existsSync(join(recordingsFolder, `${id}.wav`)) ? { name: `${id}.wav`, mediaType: 'audio/wav' } : undefined,
      },
    });
    const sequence = await keeping.call('r1');
    const fetchIt = (headers: Record<string, string> = {}) =>
      keeping.request('/v1/calls/r1/recording', { token: tokens.read, headers });
    writeFileSync(join(recordingsFolder, 'r1.wav'), 'RIFF-and-more');
    expect((await fetchIt()).status).toBe(404);
    await keeping.publish(sequence.next('call.ended', { cause: 'idle', durationMs: 0 }));
    const whole = await fetchIt();
    expect([whole.status, whole.headers.get('content-type')]).toEqual([200, 'audio/wav']);
    expect(await whole.text()).toBe('RIFF-and-more');
    expect(await (await fetchIt({ range: 'bytes=0-3' })).text()).toBe('RIFF');
    rmSync(join(recordingsFolder, 'r1.wav'));
    expect((await bodyOf(await fetchIt())).code).toBe('http.no-recording');
    expect((await keeping.request('/v1/calls/r1/recording')).status).toBe(401);
    await keeping.close();
  });
});

describe('call tokens', () => {
  it('are given to our own page on this machine, without a bearer', async () => {
    const response = await agent.request('/v1/call-tokens', { method: 'POST', headers: { origin: agent.base } });
    expect(response.status).toBe(201);
    expect(await bodyOf(response)).toEqual({
      token: expect.stringMatching(/^ct_/),
      expiresInSeconds: 60,
      iceServers: [],
    });
  });

  it.each([
    ['another site', { origin: 'https://evil.example' }],
    ['a proxied request', { 'x-forwarded-for': '203.0.113.5' }],
    ['a frame on another site', { 'sec-fetch-site': 'cross-site' }],
  ])('are refused to %s', async (_who, headers) => {
    const response = await agent.request('/v1/call-tokens', {
      method: 'POST',
      headers: new Headers(Object.entries(headers)),
    });
    expect(response.status).toBe(401);
  });

  it('are refused to a name that only points here (DNS rebinding)', async () => {
    const answer = await raw(
      'POST /v1/call-tokens HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 401/);
  });

  it('need a bearer on any address but loopback', async () => {
    const open = await startAgentApp({ loopbackOnly: false });
    expect((await open.request('/v1/call-tokens', { method: 'POST' })).status).toBe(401);
    expect((await open.request('/v1/call-tokens', { method: 'POST', token: tokens.read })).status).toBe(403);
    expect((await open.request('/v1/call-tokens', { method: 'POST', token: tokens.control })).status).toBe(201);
    await open.close();
  });

  it('open WHIP for a minute, and nothing else', async () => {
    const placed: string[] = [];
    const calling = await startAgentApp({
      whip: {
        placeCall: async (number) => {
          placed.push(number);
          return { id: 'w1', answerSdp: 'v=0\r\n' };
        },
        listen: async () => ({ id: 'l1', answerSdp: 'v=0\r\n' }),
        patch: () => {},
        hangup: () => {},
      },
    });
    const { token } = await bodyOf(await calling.request('/v1/call-tokens', { method: 'POST' }));
    const dial = (headers: Record<string, string>) =>
      calling.request('/whip/demo', {
        method: 'POST',
        headers: { 'content-type': 'application/sdp', ...headers },
        body: 'v=0\r\n',
      });
    expect((await dial({})).status).toBe(401);
    expect((await dial({ authorization: `Bearer ${tokens.read}` })).status).toBe(401);
    // Authorised: what is refused now is the offer.
    expect((await dial({ authorization: `Bearer ${token}` })).status).toBe(400);
    expect((await dial({ authorization: `Bearer ${tokens.control}` })).status).toBe(400);
    expect((await calling.request('/v1/calls', { token })).status).toBe(401);
    // Nobody hears others with it.
    const listen = (bearer: string) =>
      calling.request('/listen/c1', {
        method: 'POST',
        headers: { 'content-type': 'application/sdp', authorization: `Bearer ${bearer}` },
        body: 'v=0\r\n',
      });
    expect((await listen(token)).status).toBe(401);
    expect((await listen(tokens.read)).status).toBe(401);
    expect((await listen(tokens.control)).status).toBe(400);
    calling.nowMs += 61_000;
    expect((await dial({ authorization: `Bearer ${token}` })).status).toBe(401);
    expect(placed).toEqual([]);
    await calling.close();
  });
});

describe('live events', () => {
  it('arrive as they happen, and again after the one seen last', async () => {
    const fresh = await startAgentApp();
    const abort = new AbortController();
    const response = await fresh.request('/v1/events', { token: tokens.read, signal: abort.signal });
    expect(response.headers.get('content-type')).toMatch(/text\/event-stream/);
    const sequence = await fresh.call('e1');
    await fresh.publish(sequence.next('turn.user', { turn: 1, text: 'hello' }));
    const seen = await readUntil(response, 'turn.user');
    expect(seen).toMatch(/event: call\.started[\s\S]*event: turn\.user/);
    const firstId = /id: (\S+)/.exec(seen)?.[1] ?? '';
    abort.abort();
    const again = new AbortController();
    const resumed = await fresh.request('/v1/events?callId=e1', {
      token: tokens.read,
      signal: again.signal,
      headers: { 'last-event-id': firstId },
    });
    const missed = await readUntil(resumed, 'turn.user');
    expect(missed).not.toContain('call.started');
    again.abort();
    await fresh.close();
  });

  it('come again from the records of calls when thousands were told since, each once and in order', async () => {
    const fresh = await startAgentApp();
    const sequence = await fresh.call('long');
    const first = sequence.next('turn.user', { turn: 1, text: 'the first' });
    await fresh.publish(first);
    const later: string[] = [];
    for (let turn = 2; turn <= 1900; turn += 1) {
      const event = sequence.next('turn.user', { turn, text: 'x'.repeat(2000) });
      later.push(event.id);
      await fresh.publish(event);
    }
    const ended = sequence.next('call.ended', { cause: 'caller-hangup', durationMs: 1 });
    later.push(ended.id);
    await fresh.publish(ended);
    const abort = new AbortController();
    const resumed = await fresh.request('/v1/events', {
      token: tokens.read,
      signal: abort.signal,
      headers: { 'last-event-id': first.id },
    });
    const told = await readUntil(resumed, 'call.ended');
    expect([...told.matchAll(/^id: (\S+)$/gm)].map(([, id]) => id)).toEqual(later);
    abort.abort();
    await fresh.close();
  });

  it('of a new run follow those of the run before, and a gap is said where nobody remembers', async () => {
    const fresh = await startAgentApp();
    const sequence = await fresh.call('over');
    // As if told by the run before: on record, and never in this run's memory.
    const before = [1, 2, 3].map((turn) => sequence.next('turn.user', { turn, text: 'hello' }));
    for (const event of before) await fresh.store.record(event);
    const abort = new AbortController();
    const [resumed, lost] = await Promise.all(
      [before[0]?.id ?? '', 'evt_of_another_year'].map((id) =>
        fresh.request('/v1/events', { token: tokens.read, signal: abort.signal, headers: { 'last-event-id': id } }),
      ),
    );
    await fresh.publish(sequence.next('call.ended', { cause: 'caller-hangup', durationMs: 1 }));
    const told = await readUntil(resumed!, 'call.ended');
    expect([...told.matchAll(/^event: (\S+)$/gm)].map(([, type]) => type)).toEqual([
      'turn.user',
      'turn.user',
      'call.ended',
    ]);
    expect(await readUntil(lost!, 'call.ended')).toMatch(
      /event: stream\.gap\ndata: \{\}\n\nid: \S+\nevent: call\.ended/,
    );
    abort.abort();
    await fresh.close();
  });

  it('need a token and a query that fits', async () => {
    expect((await agent.request('/v1/events')).status).toBe(401);
    expect((await agent.request('/v1/events?since=1', { token: tokens.read })).status).toBe(422);
  });
});

describe('bad input', () => {
  it.each<[string, RequestInit, number, string]>([
    [
      'broken JSON',
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"to":' },
      400,
      'http.bad-json',
    ],
    [
      'a JSON word',
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: '"x"' },
      400,
      'http.bad-json',
    ],
    [
      'another type',
      { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' },
      415,
      'http.wrong-content-type',
    ],
    ['no body', { method: 'POST' }, 422, 'http.bad-body'],
    ['too much', json({ to: 'x'.repeat(20_000), agent: 'demo' }), 413, 'http.body-too-large'],
    [
      'a false encoding',
      { method: 'POST', headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' }, body: '{}' },
      400,
      'http.bad-request',
    ],
    [
      'an encoding of its own',
      { method: 'POST', headers: { 'content-type': 'application/json', 'content-encoding': 'rot13' }, body: '{}' },
      415,
      'http.wrong-content-type',
    ],
    [
      'a false charset',
      { method: 'POST', headers: { 'content-type': 'application/json; charset=klingon' }, body: '{}' },
      415,
      'http.wrong-content-type',
    ],
    [
      'a bad key',
      {
        ...json({ to: 'x', agent: 'demo' }),
        headers: { 'content-type': 'application/json', 'idempotency-key': 'a b' },
      },
      400,
      'http.bad-request',
    ],
  ])('%s gets its code', async (_what, init, status, code) => {
    const response = await agent.request('/v1/calls', { ...init, token: tokens.control });
    expect([response.status, (await bodyOf(response)).code]).toEqual([status, code]);
    expect(response.headers.get('content-type')).toMatch(/application\/problem\+json/);
  });

  it('that is no HTTP ends that connection and nothing else', async () => {
    expect(await raw('\x16\x03\x01 nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400/);
    expect(await raw(`GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`)).toMatch(
      /^(HTTP\/1\.1 4|$)/,
    );
    expect((await agent.request('/healthz')).status).toBe(200);
  });

  it('of any JSON shape is answered, never with 500', async () => {
    const paths = fc.constantFrom(
      '/v1/calls',
      '/v1/calls/steer/actions',
      '/v1/calls/%ff/actions',
      '/v1/calls/__proto__/actions',
    );
    await fc.assert(
      fc.asyncProperty(paths, fc.jsonValue(), async (path, body) => {
        const response = await agent.request(path, { ...json(body), token: tokens.control });
        expect(response.status).toBeLessThan(500);
        await response.arrayBuffer();
      }),
      { numRuns: 150 },
    );
  });
});

/** Bytes in, bytes out. */
function raw(text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(agent.base).port), '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('error', () => resolve(answer));
    socket.on('close', () => resolve(answer));
  });
}

async function readUntil(response: Response, marker: string): Promise<string> {
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  let text = '';
  while (!text.includes(`event: ${marker}`) || !text.endsWith('\n\n')) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
  }
  return text;
}
