/** The HTTP app on a free port with parts that tests look into; requests are real ones. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CallAction } from '../../src/core/call-action';
import { type CallEvent, CallEventSequence } from '../../src/core/call-event';
import { ManualClock } from '../../src/core/clock';
import { TrunklineError } from '../../src/core/errors';
import { silentLogger } from '../../src/core/log';
import { loadDialplan } from '../../src/dialplan/load-dialplan';
import { dialplanView } from '../../src/dialplan/view';
import { createHttpApp } from '../../src/http/app';
import { EventHub } from '../../src/http/event-hub';
import { listenHttp } from '../../src/http/http-server';
import type { AccessToken, DialRequest, HttpParts } from '../../src/http/ports';
import { CallStore } from '../../src/store/call-store';
import { Erasure } from '../../src/store/erasure';

export const tokens = { read: 'reader-0123456789', control: 'controller-0123456789', admin: 'admin-0123456789' };

const accessTokens: readonly AccessToken[] = [
  { token: tokens.read, name: 'reader', scopes: ['read'] },
  { token: tokens.control, name: 'controller', scopes: ['control'] },
  { token: tokens.admin, name: 'admin', scopes: ['admin'] },
];

let made = 0;
const sources = { newId: () => `evt_${++made}`, now: () => new Date(Date.UTC(2026, 0, 1) + ++made * 1000) };

export interface AgentApp {
  readonly base: string;
  readonly store: CallStore;
  readonly hub: EventHub;
  readonly acted: { callId: string; action: CallAction }[];
  readonly dialled: DialRequest[];
  nowMs: number;
  /** A call with its first events, told to everyone. */
  call(id: string): Promise<CallEventSequence>;
  publish(event: CallEvent): Promise<void>;
  request(path: string, init?: RequestInit & { token?: string }): Promise<Response>;
  close(): Promise<void>;
}

const waitingCall = { id: 'wait_1', to: 'sip:x@y', attempt: 1, at: '2026-01-31T09:30:00.000Z' };

export async function startAgentApp(more: Partial<HttpParts> = {}): Promise<AgentApp> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'trunkline-http-'));
  const store = new CallStore({ dataFolder, sources, logger: silentLogger });
  const hub = new EventHub();
  const acted: { callId: string; action: CallAction }[] = [];
  const dialled: DialRequest[] = [];
  const publish = async (event: CallEvent): Promise<void> => {
    hub.publish(event);
    await store.record(event);
  };
  const call = async (id: string): Promise<CallEventSequence> => {
    const sequence = new CallEventSequence(id, sources);
    await publish(sequence.next('call.started', { direction: 'inbound', transport: 'sip', from: 'a', to: 'demo' }));
    return sequence;
  };
  const erasure = new Erasure({
    store,
    sources,
    clock: new ManualClock(),
    log: silentLogger,
    recordings: { erase: async () => false, eraseMessages: async () => false },
    tell: (event) => hub.publish(event),
    recordDays: 365,
    transcriptDays: 30,
  });
  const agent = { nowMs: 0 };
  const http = createHttpApp({
    records: store,
    live: {
      async dial(request) {
        dialled.push(request);
        const id = `out${dialled.length}`;
        if (request.whenClosed === 'wait') return { waiting: waitingCall };
        await call(id);
        return { callId: id };
      },
      waiting: () => [waitingCall],
      cancelWaiting: (id) => id === waitingCall.id,
      async act(callId, action) {
        if ((await store.get(callId))?.state === 'ended') {
          throw new TrunklineError('call.wrong-state', 'The call has ended.', { fix: 'Look at its record.' });
        }
        acted.push({ callId, action });
      },
    },
    erase: (callId, what) => erasure.erase(callId, what),
    feed: hub,
    dialplan: dialplanView(loadDialplan(join(__dirname, '../../dialplans'))),
    tokens: () => accessTokens,
    readiness: () => ({ ready: true, waitingFor: [] }),
    logger: silentLogger,
    version: '0.0.0',
    maxBodyBytes: 10_000,
    loopbackOnly: true,
    pageFolder: join(__dirname, '../../src/http/page'),
    whip: undefined,
    gauges: () => ({ trunkline_calls_live: 3 }),
    sipStatus: () => ({ local: [], registrations: [], users: [] }),
    random: randomBytes,
    nowMs: () => agent.nowMs,
    ...more,
  });
  const server = await listenHttp(http.app, { host: '127.0.0.1', port: 0, maxConnections: 50 });
  const base = `http://127.0.0.1:${server.port}`;
  return Object.assign(agent, {
    base,
    store,
    hub,
    acted,
    dialled,
    call,
    publish,
    request(path: string, { token, ...init }: RequestInit & { token?: string } = {}) {
      const headers = new Headers(init.headers);
      if (token !== undefined) headers.set('Authorization', `Bearer ${token}`);
      return fetch(`${base}${path}`, { ...init, headers });
    },
    async close() {
      http.close();
      await server.close(0);
    },
  });
}

export function json(body: unknown, method = 'POST'): RequestInit {
  return { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** Whatever JSON came: the tests say what they expect of it. */
export async function bodyOf(response: Response) {
  return JSON.parse(await response.text());
}
