/** The express app: who may, what is mounted where. No rules of calls live here. */
import { join } from 'node:path';
import express, { type Express } from 'express';
import { TrunklineError } from '../core/errors';
import { Access, bearerOf } from './access';
import { allowedMethods } from './allowed-methods';
import { callRoutes } from './call-routes';
import { CallTokens, isLocalPage } from './call-tokens';
import { dialplanRoutes } from './dialplan-routes';
import { docsPage } from './docs-page';
import { EventStream } from './event-stream';
import { Idempotency } from './idempotency';
import { Metrics } from './metrics';
import { openApiDocument } from './open-api';
import type { HttpParts } from './ports';
import { answerWithProblem } from './problem';
import { RequestLimits } from './request-limits';
import { traceRoutes } from './trace-routes';
import { importMapHashes, vendorFiles } from './vendor-files';
import { waitingRoutes } from './waiting-routes';
import { webhookRoutes } from './webhook-routes';
import { whipRouter } from './whip';

export interface HttpApp {
  readonly app: Express;
  /** Ends live streams and forgets its subscriptions. */
  close(): void;
}

/** The page gets the microphone and its own scripts, and nothing from elsewhere; `inline`: scripts that stand in it, by their hash. */
const pageHeaders = (inline: readonly string[] = []) => ({
  'Content-Security-Policy': `default-src 'self'; script-src ${["'self'", ...inline].join(' ')}; img-src 'self' data:; media-src 'self' blob:; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`,
  'Permissions-Policy': 'microphone=(self), autoplay=(self), camera=(), geolocation=()',
});

export function createHttpApp(parts: HttpParts): HttpApp {
  const limits = parts.limits && new RequestLimits(parts.limits, parts.nowMs);
  const access = new Access(parts.tokens, (request) => limits?.guessed(request));
  const callTokens = new CallTokens(parts.random, parts.nowMs);
  const idempotency = new Idempotency(parts.nowMs);
  const events = new EventStream(parts.feed, parts.records);
  const metrics = new Metrics(parts.feed, () => ({
    ...parts.gauges(),
    ...limits?.gauges,
    trunkline_event_listeners: events.listening,
    trunkline_event_listeners_dropped: events.dropped,
  }));

  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.set('case sensitive routing', true);
  app.use((_request, response, next) => {
    response.set({ 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' });
    next();
  });

  app.get('/healthz', (_request, response) => {
    response.json({ status: 'alive', version: parts.version });
  });
  app.get('/readyz', (_request, response) => {
    const { ready, waitingFor } = parts.readiness();
    response.status(ready ? 200 : 503).json({ ready, waitingFor });
  });
  // Whoever looks whether we live is answered in any flood.
  if (limits !== undefined) app.use(limits.forRequests((request) => access.nameOf(request)));
  app.get('/metrics', async (_request, response) => {
    response.type(metrics.contentType).send(await metrics.text());
  });
  const document = openApiDocument(parts.version);
  app.get('/openapi.json', (_request, response) => {
    response.json(document);
  });
  app.get('/docs', (_request, response) => {
    response.set(pageHeaders()).type('html').send(docsPage(document));
  });

  if (parts.whip !== undefined) {
    const authorise = (request: express.Request): boolean => {
      const query = request.query['token'];
      const token = bearerOf(request) ?? (typeof query === 'string' ? query : undefined);
      const may = access.allows(request, 'control') || (token !== undefined && callTokens.isValid(token));
      if (!may && token !== undefined && access.nameOf(request) === undefined) limits?.guessed(request);
      return may;
    };
    if (limits !== undefined) app.post('/whip/:number', limits.forCalls());
    app.use('/whip', whipRouter({ ...parts.whip, authorise }));
    // Whoever hears others is somebody with a token of their own, on this machine as well.
    const mayListen = (request: express.Request): boolean => access.allows(request, 'control');
    app.use('/listen', whipRouter({ ...parts.whip, placeCall: parts.whip.listen, authorise: mayListen }));
  }

  // Before the body is read. The page's own call tokens are for whoever is on this machine.
  app.use('/v1', (request, response, next) => {
    if (request.method === 'POST' && request.path === '/call-tokens') next();
    else access.require('read')(request, response, next);
  });
  app.use('/v1', express.json({ limit: parts.maxBodyBytes, strict: true, type: 'application/json' }));
  app.post('/v1/call-tokens', (request, response) => {
    if (!(parts.loopbackOnly && isLocalPage(request))) access.check(request, 'control');
    // The page gathers its candidates before it posts its offer: it has to know the servers by then.
    const iceServers = parts.whip?.iceServers?.() ?? [];
    response
      .status(201)
      .set('Cache-Control', 'no-store')
      .json({ ...callTokens.issue(), iceServers });
  });
  app.get('/v1/events', access.require('read'), (request, response) => events.open(request, response));
  app.get('/v1/health', access.require('read'), (_request, response) => {
    response.json({ ...parts.readiness(), version: parts.version, sip: parts.sipStatus?.() });
  });
  app.use('/v1/calls', callRoutes(parts, access, idempotency));
  app.use('/v1/calls', traceRoutes(parts.records, parts.traces, access));
  app.use('/v1/dialplan', dialplanRoutes(parts.dialplan, access, parts.nowMs));
  app.use('/v1/waiting', waitingRoutes(parts.live, access));
  app.use('/v1/webhooks', webhookRoutes(parts.deliveries, access, idempotency));

  if (parts.pageFolder !== undefined) {
    const root = parts.pageFolder;
    const console = pageHeaders(importMapHashes(join(root, 'console.html')));
    app.get('/console', (_request, response, next) => {
      response.set(console).sendFile('console.html', { root }, (error) => {
        if (error !== undefined) next(error);
      });
    });
    app.use('/vendor', vendorFiles());
    const setHeaders = (response: { setHeader(name: string, value: string): unknown }): void => {
      for (const [name, value] of Object.entries(pageHeaders())) response.setHeader(name, value);
    };
    app.use(express.static(root, { index: 'index.html', dotfiles: 'ignore', redirect: false, setHeaders }));
  }
  app.use((request) => {
    const allowed = allowedMethods(document.paths, request.path);
    if (allowed.length > 0 && !allowed.includes(request.method)) {
      throw new TrunklineError('http.method-not-allowed', 'That method means nothing here.', {
        fix: `Use ${allowed.join(' or ')}; a call is ended by the action hangup.`,
        details: { allow: allowed.join(', ') },
      });
    }
    throw new TrunklineError('http.not-found', 'There is nothing here.', {
      fix: '/docs tells what there is.',
      details: { method: request.method },
    });
  });
  app.use(answerWithProblem(parts.logger));

  return {
    app,
    close() {
      events.close();
      metrics.close();
    },
  };
}
