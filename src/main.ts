/** The composition root: opens every part, hands each what it needs, closes them in order. Wiring and nothing else. */
import { randomBytes, randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { Config } from './config';
import type { CallEvent } from './core/call-event';
import { SystemClock } from './core/clock';
import { TrunklineError } from './core/errors';
import type { Logger } from './core/log';
import { loadDialplan } from './dialplan/load-dialplan';
import { ensureApiToken } from './http/api-token-file';
import { createHttpApp } from './http/app';
import { EventHub } from './http/event-hub';
import { listenHttp } from './http/http-server';
import { isLoopbackHost } from './http/loopback';
import { CallStore } from './store/call-store';
import { WebhookDispatcher } from './webhooks/webhook-dispatcher';

export interface AgentOptions {
  readonly config: Config;
  readonly version: string;
  readonly logger: Logger;
}

export interface RunningAgent {
  readonly engine: string;
  /** `sip:demo@HOST:5060`, `http://localhost:8080/`. */
  readonly addresses: readonly string[];
  readonly tokenPath: string;
  /** No new calls; resolves when the live ones have ended or `drain.seconds` are over. */
  drain(): Promise<void>;
  /** Ends what is left and gives everything back. */
  stop(): Promise<void>;
}

export async function startAgent({ config, version, logger }: AgentOptions): Promise<RunningAgent> {
  const clock = new SystemClock();
  const sources = { newId: () => `evt_${randomUUID()}`, now: () => new Date() };
  const dataFolder = resolve(config.data);
  loadDialplan(resolve(config.dialplans));
  const apiToken = ensureApiToken(dataFolder, randomBytes);

  const hub = new EventHub();
  const store = new CallStore({ dataFolder, sources, logger });
  const webhooks = new WebhookDispatcher({
    endpoints: config.webhooks.endpoints,
    policy: { allowPrivate: config.webhooks.allowPrivate },
    clock,
    now: sources.now,
    random: Math.random,
    logger,
  });
  const publish = (event: CallEvent): void => {
    void store.record(event);
    webhooks.publish(event);
    hub.publish(event);
  };
  for (const event of await store.recover()) {
    webhooks.publish(event);
    hub.publish(event);
  }
  void publish;

  const noCalls = (): never => {
    throw new TrunklineError('call.not-ready', 'This agent takes no calls yet.', {
      fix: 'Wait until /readyz is ready.',
    });
  };
  const http = createHttpApp({
    records: store,
    live: { dial: async () => noCalls(), act: async () => noCalls() },
    feed: hub,
    tokens: [
      { token: apiToken.token, name: 'operator', scopes: ['admin'] },
      ...config.http.tokens.map(({ token, name, scopes }, index) => ({
        token,
        name: name ?? `token ${index}`,
        scopes,
      })),
    ],
    readiness: () => ({ ready: false, waitingFor: ['engine'] }),
    logger,
    version,
    maxBodyBytes: config.limits.httpBodyBytes,
    loopbackOnly: isLoopbackHost(config.http.host),
    pageFolder: join(__dirname, 'http', 'page'),
    whip: undefined,
    gauges: () => ({
      trunkline_store_writes_failed: store.counts.writesFailed,
      trunkline_webhooks_waiting: webhooks.counts.waiting,
      trunkline_webhooks_dropped: webhooks.counts.dropped,
    }),
    random: randomBytes,
    nowMs: () => Date.now(),
  });
  const server = await listenHttp(http.app, {
    host: config.http.host,
    port: config.http.port,
    tls: config.http.tls,
    maxConnections: config.limits.httpConnections,
  });
  return {
    engine: 'none yet',
    addresses: [`${config.http.tls === undefined ? 'http' : 'https'}://localhost:${server.port}/`],
    tokenPath: apiToken.path,
    drain: async () => {},
    async stop() {
      http.close();
      await server.close(1000);
      await webhooks.close(2000);
      await store.close();
    },
  };
}
