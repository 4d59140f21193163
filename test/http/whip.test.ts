/** WHIP over real HTTP, with the call behind it written down. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

import express from 'express';
import fc from 'fast-check';

import { TrunklineError } from '../../src/core/errors';
import { silentLogger } from '../../src/core/log';
import { answerWithProblem } from '../../src/http/problem';
import { whipRouter } from '../../src/http/whip';
import { MAX_OFFER_BYTES } from '../../src/webrtc/offer';

const OFFER = readFileSync(path.join(__dirname, '../webrtc/fixtures/chromium-offer.sdp'), 'utf8');
const UFRAG = /^a=ice-ufrag:(.*)$/m.exec(OFFER)![1]!.trim();
const FRAGMENT = `a=ice-ufrag:${UFRAG}\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=end-of-candidates\r\n`;
const SDP = { 'Content-Type': 'application/sdp' };
const TRICKLE = { 'Content-Type': 'application/trickle-ice-sdpfrag' };

let server: Server;
let base: string;
let did: string[];
let validToken: string | undefined;
let refusal: Error | undefined;
let restartAnswer: string | undefined;

beforeEach(async () => {
  did = [];
  validToken = undefined;
  refusal = undefined;
  restartAnswer = undefined;
  const app = express();
  app.use(
    '/whip',
    whipRouter({
      authorise: (request) => validToken === undefined || request.get('Authorization') === `Bearer ${validToken}`,
      placeCall: async (number, _offer, caller) => {
        if (refusal !== undefined) throw refusal;
        did.push(`call ${number} from ${caller.address.replace('::ffff:', '')}`);
        return { id: `id-${did.length}`, answerSdp: 'v=0\r\n' };
      },
      patch: (id, fragment) => void did.push(`patch ${id} ${fragment.length}`),
      restart: async (id, fragment) => {
        did.push(`restart ${id} ${fragment.length}`);
        return restartAnswer;
      },
      hangup: (id) => void did.push(`hang up ${id}`),
      iceServers: () => [
        { urls: 'stun:stun.example.net' },
        { urls: 'turn:turn.example.net', username: 'a"b', credential: 'secret' },
      ],
    }),
  );
  app.use(answerWithProblem(silentLogger));
  server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function place(headers: Record<string, string> = {}): Promise<{ url: string; etag: string; response: Response }> {
  const response = await fetch(`${base}/whip/demo`, { method: 'POST', headers: { ...SDP, ...headers }, body: OFFER });
  const location = response.headers.get('Location');
  return { url: `${base}${location}`, etag: response.headers.get('ETag') ?? '', response };
}

async function problemOf(response: Response): Promise<[number, string]> {
  expect(response.headers.get('Content-Type')).toMatch(/^application\/problem\+json/);
  const problem = (await response.json()) as { code: string; status: number; title: string };
  expect(problem.status).toBe(response.status);
  expect(problem.title).not.toBe('');
  return [response.status, problem.code];
}

describe('a WHIP endpoint', () => {
  test('answers an offer with 201, the answer, and where the call now lies', async () => {
    const { response, url, etag } = await place();
    expect(response.status).toBe(201);
    expect(response.headers.get('Content-Type')).toMatch(/^application\/sdp/);
    expect(await response.text()).toBe('v=0\r\n');
    expect(url).toBe(`${base}/whip/demo/id-1`);
    expect(etag).toMatch(/^"[\w-]+"$/);
    expect(response.headers.get('Link')).toBe(
      '<stun:stun.example.net>; rel="ice-server", ' +
        '<turn:turn.example.net>; rel="ice-server"; username="a\\"b"; credential="secret"; credential-type="password"',
    );
    expect(did).toEqual(['call demo from 127.0.0.1']);
  });

  test('passes candidates on and hangs up once', async () => {
    const { url, etag } = await place();
    const patch = { method: 'PATCH', headers: { ...TRICKLE, 'If-Match': etag }, body: FRAGMENT };
    expect((await fetch(url, patch)).status).toBe(204);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(200);
    expect(did.slice(1)).toEqual([`patch id-1 ${FRAGMENT.length}`, 'hang up id-1']);
    expect(await problemOf(await fetch(url, { method: 'DELETE' }))).toEqual([404, 'whip.no-such-session']);
    expect(await problemOf(await fetch(url, patch))).toEqual([404, 'whip.no-such-session']);
  });

  test('begins ICE anew on the call, and takes candidates of the new session only from then on', async () => {
    const { url, etag } = await place();
    restartAnswer = 'a=ice-ufrag:ours\r\n';
    const anew = FRAGMENT.replace(UFRAG, 'anew');
    const patch = (ifMatch: string, body: string) =>
      fetch(url, { method: 'PATCH', headers: { ...TRICKLE, 'If-Match': ifMatch }, body });
    const restarted = await patch('*', anew);
    expect(restarted.status).toBe(200);
    expect(restarted.headers.get('Content-Type')).toMatch(/^application\/trickle-ice-sdpfrag/);
    expect(await restarted.text()).toBe(restartAnswer);
    const newEtag = restarted.headers.get('ETag') ?? '';
    expect([newEtag === '', newEtag === etag]).toEqual([false, false]);
    expect(await problemOf(await patch(etag, anew))).toEqual([412, 'whip.other-ice-session']);
    expect(await problemOf(await patch(newEtag, FRAGMENT))).toEqual([422, 'whip.ice-restart-declined']);
    expect((await patch(newEtag, anew)).status).toBe(204);
  });

  test('takes candidates only for the ICE session that there is', async () => {
    const { url, etag } = await place();
    const patch = async (headers: Record<string, string>, body = FRAGMENT) =>
      problemOf(await fetch(url, { method: 'PATCH', headers: { ...TRICKLE, ...headers }, body }));
    expect(await patch({})).toEqual([428, 'whip.precondition-required']);
    expect(await patch({ 'If-Match': '"other"' })).toEqual([412, 'whip.other-ice-session']);
    expect(await patch({ 'If-Match': '*' })).toEqual([422, 'whip.ice-restart-declined']);
    const restart = FRAGMENT.replace(UFRAG, 'another');
    expect(await patch({ 'If-Match': etag }, restart)).toEqual([422, 'whip.ice-restart-declined']);
    expect(await patch({ 'If-Match': etag }, 'junk')).toEqual([400, 'webrtc.bad-candidates']);
    expect(await patch({ 'If-Match': etag, 'Content-Type': 'text/plain' })).toEqual([415, 'http.wrong-content-type']);
    // Only `*` asks for a restart, and this call could not have one.
    expect(did.slice(1)).toEqual([`restart id-1 ${FRAGMENT.length}`]);
  });

  test('wants a token to place a call; whoever placed it may go on when the token has run out', async () => {
    validToken = 'one-minute';
    expect(await problemOf((await place()).response)).toEqual([401, 'http.unauthorised']);
    const authorization = { Authorization: `Bearer ${validToken}` };
    const { url, etag } = await place(authorization);
    validToken = 'run out';
    const patch = { method: 'PATCH', headers: { ...TRICKLE, 'If-Match': etag }, body: FRAGMENT };
    expect(await problemOf(await fetch(url, patch))).toEqual([401, 'http.unauthorised']);
    expect(await problemOf(await fetch(url, { method: 'DELETE' }))).toEqual([401, 'http.unauthorised']);
    expect((await fetch(url, { ...patch, headers: { ...patch.headers, ...authorization } })).status).toBe(204);
    expect((await fetch(url, { method: 'DELETE', headers: authorization })).status).toBe(200);
  });

  test('takes the token from the query as well', async () => {
    const url = `${base}/whip/demo?token=abc`;
    const response = await fetch(url, { method: 'POST', headers: SDP, body: OFFER });
    const location = `${base}${response.headers.get('Location')}`;
    validToken = 'another';
    expect((await fetch(location, { method: 'DELETE' })).status).toBe(401);
    expect((await fetch(`${location}?token=abc`, { method: 'DELETE' })).status).toBe(200);
  });

  test('refuses what can be no call before there is one', async () => {
    const post = async (url: string, body: string, headers: Record<string, string> = SDP) =>
      problemOf(await fetch(`${base}/whip/${url}`, { method: 'POST', headers, body }));
    expect(await post('demo', 'junk')).toEqual([400, 'webrtc.bad-offer']);
    expect(await post('demo', OFFER, { 'Content-Type': 'text/plain' })).toEqual([415, 'http.wrong-content-type']);
    expect(await post('a%20b', OFFER)).toEqual([404, 'whip.bad-number']);
    expect((await post('demo', 'v=0\r\n'.repeat(MAX_OFFER_BYTES)))[0]).toBe(413);
    expect(await problemOf(await fetch(`${base}/whip/demo`))).toEqual([405, 'http.method-not-allowed']);
    expect(await problemOf(await fetch(`${base}/whip/demo/x`, { method: 'PUT' }))).toEqual([
      405,
      'http.method-not-allowed',
    ]);
    expect(did).toEqual([]);
  });

  test('hands on why a call was not taken', async () => {
    refusal = new TrunklineError('call.draining', 'The agent is stopping.', { details: { retryAfterSeconds: 7 } });
    const { response } = await place();
    expect(response.headers.get('Retry-After')).toBe('7');
    expect(await problemOf(response)).toEqual([503, 'call.draining']);
    refusal = new Error('a bug with a secret in it');
    const fault = (await place()).response;
    expect(fault.status).toBe(500);
    expect(await fault.text()).not.toContain('secret');
  });

  test('tells what it accepts', async () => {
    const endpoint = await fetch(`${base}/whip/demo`, { method: 'OPTIONS' });
    expect([endpoint.status, endpoint.headers.get('Accept-Post')]).toEqual([204, 'application/sdp']);
    expect(endpoint.headers.get('Link')).toBeNull();
    const resource = await fetch(`${base}/whip/demo/x`, { method: 'OPTIONS' });
    expect(resource.headers.get('Accept-Patch')).toBe('application/trickle-ice-sdpfrag');
  });

  test('tells the ICE servers before the offer to whoever may call, and to nobody else', async () => {
    validToken = 'right';
    const ask = (token: string) =>
      fetch(`${base}/whip/demo`, { method: 'OPTIONS', headers: { Authorization: `Bearer ${token}` } });
    expect((await ask('right')).headers.get('Link')).toContain('<stun:stun.example.net>; rel="ice-server"');
    expect((await ask('wrong')).headers.get('Link')).toBeNull();
  });

  test('answers any body with a status below 500', async () => {
    const { url, etag } = await place();
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 300 }), fc.constantFrom('POST', 'PATCH'), async (body, method) => {
        const headers = method === 'POST' ? SDP : { ...TRICKLE, 'If-Match': etag };
        const response = await fetch(method === 'POST' ? `${base}/whip/demo` : url, { method, headers, body });
        expect(response.status).toBeLessThan(500);
        await response.arrayBuffer();
      }),
      { numRuns: 150 },
    );
  });
});
