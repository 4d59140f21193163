/** The composition root: opens every part, hands each what it needs, closes them in order. Wiring and nothing else. */
import { randomBytes, randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import { CallQueue } from './call/call-queue';
import type { Exchange } from './call/exchange';
import { amdRequestOf } from './call/screening';
import type { Config } from './config';
import { type CallAction, webhookAnswerSchema } from './core/call-action';
import type { CallEvent } from './core/call-event';
import { SystemClock } from './core/clock';
import { TrunklineError } from './core/errors';
import type { Logger } from './core/log';
import type { StartTrace } from './core/start-trace';
import type { DirectAction } from './dialplan/dialplan';
import { agentNamed, type LoadedDialplan, loadDialplan } from './dialplan/load-dialplan';
import { chooseRoute } from './dialplan/matcher';
import { dialplanView } from './dialplan/view';
import type { StartedEngine } from './engine';
import { ensureApiToken } from './http/api-token-file';
import { createHttpApp } from './http/app';
import { EventHub } from './http/event-hub';
import { listenHttp } from './http/http-server';
import { isLoopbackHost } from './http/loopback';
import type { DialRequest } from './http/ports';
import { TokenFiles } from './http/token-files';
import { Knowledge } from './knowledge';
import { type Outbox, openOutbox } from './outbox';
import { CallStore } from './store/call-store';
import { CallTraces } from './store/call-traces';
import { openEmbeddedDatabase } from './store/embedded-database';
import { Erasure } from './store/erasure';
import { postgresDatabase } from './store/postgres-database';
import { SharedDatabase } from './store/shared-database';
import { callElsewhere } from './store/shared-records';
import { openTelephony } from './telephony';
import { WebhookDispatcher } from './webhooks/webhook-dispatcher';
import { iceServersFor } from './webrtc/ice-servers';
import { workerEntry } from './workers/locate';

export interface AgentOptions {
  readonly config: Config;
  readonly version: string;
  readonly logger: Logger;
  readonly trace: StartTrace;
  /** Loading already; it is stopped with the agent, or when the agent cannot start. */
  readonly engine: StartedEngine;
}

export interface RunningAgent {
  readonly engine: string;
  /** `sip:demo@HOST:5060`, `http://localhost:8080/`. */
  readonly addresses: readonly string[];
  readonly tokenPath: string;
  /** What SIGHUP asks for: certificates and documents read anew. */
  reload(): void;
  /** No new calls; resolves when the live ones have ended or `drain.seconds` are over. */
  drain(): Promise<void>;
  /** Ends what is left and gives everything back. */
  stop(): Promise<void>;
}

export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  try {
    return await openAgent(options);
  } catch (error) {
    await options.engine.process.stop();
    throw error;
  }
}

async function openAgent({ config, version, logger, trace, engine }: AgentOptions): Promise<RunningAgent> {
  const clock = new SystemClock();
  const sources = { newId: () => `evt_${randomUUID()}`, now: () => new Date() };
  const dataFolder = resolve(config.data);
  const dialplan = await trace.span('dialplan', () => loadDialplan(resolve(config.dialplans)));
  const apiToken = ensureApiToken(dataFolder, randomBytes);

  const keepsOutbox = config.webhooks.endpoints.length > 0 || config.database.url !== undefined;
  const hub = new EventHub();
  const store = new CallStore({ dataFolder, sources, logger });
  const traces = new CallTraces({ now: sources.now, maxBytes: config.trace.megabytes * 1_048_576 });
  const webhooks = new WebhookDispatcher({
    endpoints: config.webhooks.endpoints,
    policy: { allowPrivate: config.webhooks.allowPrivate },
    clock,
    now: sources.now,
    random: Math.random,
    logger,
    awaitsLedger: keepsOutbox,
    onAnswer: (callId, answer) => {
      const parsed = webhookAnswerSchema.safeParse(answer);
      if (!parsed.success || telephony.exchange.find(callId) === undefined) return 'ignored';
      for (const action of parsed.data.actions) void act(telephony.exchange, callId, action).catch(() => undefined);
      return 'taken';
    },
  });
  const queue: CallQueue<DialRequest> = new CallQueue({
    clock,
    now: sources.now,
    newId: () => `wait_${randomUUID()}`,
    hours: config.outbound.hours,
    maxWaiting: config.outbound.queue,
    dial: (request) => {
      const { trunk, to, from } = request;
      const route = telephony.routeOut(to, trunk, from);
      const action = actionFor(dialplan, request);
      const voice = action.type === 'agent' ? action.persona.voice : undefined;
      return telephony.exchange.dialOut({ ...request, ...route, action, amd: amdRequestOf(request.amd, voice) });
    },
    onFailed: ({ id, attempt }, error) =>
      logger.warn('a call that had waited could not be placed', { id, attempt, error: String(error) }),
  });
  const publish = (event: CallEvent): void => {
    if (event.type === 'call.ended') queue.ended({ id: event.callId, cause: event.data.cause });
    // What is told is on record: else a death in between would let the next run give its number to another event.
    void store.record(event).then(() => tell(event));
  };
  const tell = (event: CallEvent): void => {
    if (outbox?.disowned(event.callId) === true) return;
    webhooks.publish(event);
    hub.publish(event);
  };
  const { url } = config.database;
  const database = new SharedDatabase(async () =>
    url === undefined
      ? openEmbeddedDatabase(join(dataFolder, 'database'), workerEntry('database'))
      : postgresDatabase(url),
  );
  const knowledge = new Knowledge({ config, database, log: logger });
  engine.answerSearches((folder, question) => knowledge.search(folder, question));
  const loadKnowledge = (): void => {
    void knowledge.load(dialplan.personas.flatMap(({ knowledge: folder }) => folder ?? []));
  };
  const lost = await trace.span('records', () => store.recover());
  await store.flush();
  for (const event of lost) hub.publish(event);
  const outbox: Outbox | undefined = keepsOutbox
    ? openOutbox({
        config,
        database,
        dataFolder,
        clock,
        now: sources.now,
        logger,
        webhooks,
        store,
        lost,
        tell: (event) => tell(event),
      })
    : undefined;
  const telephony = await openTelephony({
    config,
    dialplan,
    version,
    clock,
    events: sources,
    log: logger,
    publish,
    traces,
    trace,
    engine,
  });
  loadKnowledge();
  const { exchange } = telephony;
  const erasure = new Erasure({
    ...{ store, sources, clock, tell, traces, deliveries: outbox, recordings: telephony.recordings, log: logger },
    ...config.retention,
  });
  erasure.start();
  const mustBeHere = async (callId: string): Promise<void> => {
    const where = await outbox?.records.elsewhere(callId);
    if (where !== undefined) throw callElsewhere(where);
  };
  let draining = false;
  const http = createHttpApp({
    records: outbox?.records ?? store,
    live: {
      dial: async (request) => queue.place(request),
      waiting: () => queue.waiting,
      cancelWaiting: (id) => queue.cancel(id),
      act: async (callId, action) => {
        if (exchange.find(callId) === undefined) await mustBeHere(callId);
        await act(exchange, callId, action);
      },
    },
    erase: async (callId, what) => {
      await mustBeHere(callId);
      await erasure.erase(callId, what);
    },
    feed: hub,
    traces,
    dialplan: dialplanView(dialplan),
    deliveries: config.webhooks.endpoints.length === 0 ? undefined : outbox,
    tokens: tokensOf(config, apiToken.path, logger).current,
    limits: config.limits,
    sipStatus: () => telephony.sipStatus(),
    readiness: () => {
      const waitingFor = [
        ...(draining ? ['draining'] : []),
        ...[telephony.notReady()].filter((why) => why !== undefined),
      ];
      return { ready: waitingFor.length === 0, waitingFor };
    },
    logger,
    version,
    maxBodyBytes: config.limits.httpBodyBytes,
    loopbackOnly: isLoopbackHost(config.http.host),
    pageFolder: join(__dirname, 'http', 'page'),
    recordings: telephony.recordings,
    whip: {
      placeCall: (number, offerSdp, caller) => exchange.web.place(number, offerSdp, caller),
      listen: (callId, offerSdp, caller) => exchange.web.listen(callId, offerSdp, caller),
      patch: (id, fragment) => exchange.find(id)?.link.post({ type: 'webrtc-candidates', fragment }),
      restart: async (id, fragment) => exchange.find(id)?.link.restartIce(fragment),
      hangup: (id) => exchange.find(id)?.close('caller-hangup'),
      iceServers: () => iceServersFor(config.webrtc.iceServers, 'caller', Date.now()),
    },
    gauges: () => ({
      ...telephony.gauges(),
      ...knowledge.gauges(),
      trunkline_store_writes_failed: store.counts.writesFailed,
      trunkline_calls_erased: erasure.counters.erased,
      trunkline_calls_expired: erasure.counters.callsExpired,
      trunkline_transcripts_expired: erasure.counters.transcriptsExpired,
      trunkline_trace_bytes: traces.keptBytes,
      trunkline_traces_forgotten: traces.forgotten,
      trunkline_webhooks_waiting: webhooks.counts.waiting,
      trunkline_webhooks_dropped: webhooks.counts.dropped,
      trunkline_webhooks_spilled: webhooks.counts.spilled,
      trunkline_webhooks_unsaved: outbox?.unsaved ?? 0,
      trunkline_nodes_taken_over: outbox?.nodes.takenOver ?? 0,
      trunkline_node_lease_lost: outbox?.nodes.lost ?? 0,
      trunkline_calls_waiting: queue.counts.waiting,
      trunkline_calls_waiting_dropped: queue.counts.dropped,
    }),
    random: randomBytes,
    nowMs: () => Date.now(),
  });
  const server = await listenHttp(http.app, {
    host: config.http.host,
    port: config.http.port,
    tls: config.http.tls,
    maxConnections: config.limits.httpConnections,
  }).catch(async (error: unknown) => {
    await telephony.close();
    throw error;
  });
  return {
    engine: telephony.engine,
    addresses: [
      telephony.sipAddress,
      `${config.http.tls === undefined ? 'http' : 'https'}://localhost:${server.port}/`,
    ],
    tokenPath: apiToken.path,
    reload() {
      telephony.reloadCertificates();
      loadKnowledge();
    },
    async drain() {
      draining = true;
      queue.close();
      await new Promise<void>((resolve) => {
        const limit = clock.after(config.drain.seconds * 1_000, resolve);
        void exchange.drain().then(() => {
          limit.cancel();
          resolve();
        });
      });
    },
    async stop() {
      queue.close();
      await telephony.close();
      http.close();
      await server.close(1_000);
      await erasure.close();
      await store.flush();
      await webhooks.close(2_000);
      await outbox?.close();
      await knowledge.close();
    },
  };
}

/** The operator's own file, and those of the configuration, which names tokens or files of them. */
function tokensOf({ http }: Config, operatorPath: string, logger: Logger): TokenFiles {
  const named = http.tokens.map((given, index) => ({ ...given, name: given.name ?? `token ${index}` }));
  const fixed = named.flatMap(({ token, name, scopes }) => (token === undefined ? [] : [{ token, name, scopes }]));
  const files = named.flatMap(({ tokenFile: path, name, scopes }) =>
    path === undefined ? [] : [{ path, name, scopes }],
  );
  const operator = { path: operatorPath, name: 'operator', scopes: ['admin'] as const };
  return new TokenFiles(fixed, [operator, ...files], () => performance.now(), logger);
}

/** One order of REST or of a webhook's answer, to the call that it names. */
async function act(exchange: Exchange, callId: string, action: CallAction): Promise<void> {
  const call = exchange.find(callId);
  if (call === undefined) {
    throw new TrunklineError('call.not-found', 'There is no such call, or it has ended.', {
      fix: 'List the live calls.',
    });
  }
  if (action.type === 'hangup') {
    await call.close('hangup-requested');
    return;
  }
  if (action.type === 'dtmf') {
    call.link.post({ type: 'send-dtmf', digits: action.digits });
    return;
  }
  if (action.type === 'mute') {
    if (call.mute(action.on)) return;
    throw new TrunklineError('call.wrong-state', 'Only an answered call can be muted.', {
      fix: 'Wait until it is answered.',
    });
  }
  if (action.type === 'hold' || action.type === 'resume') {
    await exchange.transfers.hold(call, action.type === 'hold');
    return;
  }
  if (action.type === 'transfer') {
    const { to, callId, ...how } = action;
    if (to !== undefined) exchange.transfers.order(call, { to, ...how });
    else {
      const other = exchange.find(callId ?? '');
      if (other === undefined || other === call) {
        throw new TrunklineError('call.not-found', 'There is no such other call.', { fix: 'List the live calls.' });
      }
      exchange.transfers.attended(call, other);
    }
    return;
  }
  if (!call.command(action)) {
    throw new TrunklineError('call.wrong-state', 'The call cannot do that in its present state.', {
      fix: 'Only an answered call with an agent takes it.',
      details: { state: call.snapshot.state },
    });
  }
}

/** What an outgoing call gets when it is answered: a persona by name, or what the dialplan does for a number. */
function actionFor(dialplan: LoadedDialplan, request: DialRequest): DirectAction {
  if (request.agent !== undefined) {
    const named = agentNamed(dialplan, request.agent);
    if (named !== undefined) return named;
    throw new TrunklineError('call.unknown-agent', `There is no persona ${request.agent}.`, {
      fix: 'Name a persona of the dialplan.',
    });
  }
  const facts = { number: request.dialplan ?? '', caller: request.from ?? '', headers: {}, at: new Date() };
  const { action } = chooseRoute(dialplan, facts);
  if (action.type === 'reject' || action.type === 'webhook') {
    throw new TrunklineError('call.unknown-agent', 'The dialplan has nothing for such a call.', {
      fix: 'Give agent: the name of a persona, or dialplan: a number that has a route.',
    });
  }
  return action;
}
