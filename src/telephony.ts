/**
 * Opens what carries and answers calls, in the order in which each part needs the one before, and closes it in the
 * reverse: model process, listener thread, media threads, SIP, exchange. Wiring and nothing else.
 */
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join, resolve } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { performAgent, secureQuestion } from './call/agent-performance';
import { performAsk } from './call/ask-performance';
import type { Performance, Stage } from './call/call';
import { Exchange } from './call/exchange';
import { localDay } from './call/forms/spoken-date';
import { performMessage } from './call/leave-message';
import { performEcho, performHangup, performPlay, performSay, performTone } from './call/line-performance';
import { performMenu } from './call/menu-performance';
import { MenuPrompts } from './call/menu-prompts';
import { performQueue } from './call/queue/queue-performance';
import { secondsUntilRoom } from './call/refusals';
import { reader, rehearse, speakOnce } from './call/rehearsal';
import { agentsOf, greetingsOf, menuPromptsOf, rehearsals } from './call/rehearsals';
import { performScreened } from './call/screening';
import { openSounds } from './call/sound-files';
import { SpokenPrompts } from './call/spoken-prompts';
import { performVoicemail } from './call/take-message';
import { noToolCounts, toolGauges } from './call/tool-calls';
import { turnConfigOf } from './call/turn-config';
import { performVerbs, VerbCounts } from './call/verbs-performance';
import { type Config, environmentValue, portBounds } from './config';
import type { CallEvent, EventSources } from './core/call-event';
import type { Clock } from './core/clock';
import { TrunklineError } from './core/errors';
import type { Logger } from './core/log';
import { type StartTrace, shownStages } from './core/start-trace';
import type { AgentAction, VerbStep, VerbsAction } from './dialplan/dialplan';
import { agentNamed, type LoadedDialplan } from './dialplan/load-dialplan';
import { chooseRoute } from './dialplan/matcher';
import type { StartedEngine } from './engine';
import { ListenerThread } from './listener/listener-thread';
import { openMediaLine } from './media-line';
import type { Persona } from './model/omni-model';
import { makeDtlsIdentity } from './sip/dtls-identity';
import { namesFrom } from './sip/embedded/resolver';
import { localAddressFor } from './sip/local-address';
import { SdpSession } from './sip/sdp-session';
import { SipGuard } from './sip/sip-guard';
import { SipPeers, type SipPeersStatus } from './sip/sip-peers';
import { SrfUserAgent } from './sip/srf-user-agent';
import { TrunkPauses } from './sip/trunk-pauses';
import { routeByTrunk, routeToUser, type TrunkRoute, trunksOf } from './sip/trunk-route';
import type { SipSource } from './sip/user-agent';
import type { CallTraces } from './store/call-traces';
import { Recordings } from './store/recordings';
import { transcodeInThread } from './store/transcode-thread';
import { bareHost, drachtioOf, shownAddress, srtpFor, stirOf, tollGuardOf } from './telephony-parts';
import { toolAsker } from './tools/ask-tool';
import { McpServers } from './tools/mcp-servers';
import { stockTexts } from './turn/turn-state';
import { type AskOptions, askApplication } from './webhooks/ask-application';
import { iceServersFor } from './webrtc/ice-servers';
import { workerEntry } from './workers/locate';

export interface TelephonyOptions {
  readonly config: Config;
  readonly dialplan: LoadedDialplan;
  readonly version: string;
  readonly clock: Clock;
  readonly events: EventSources;
  readonly log: Logger;
  readonly publish: (event: CallEvent) => void;
  readonly traces: CallTraces;
  readonly trace: StartTrace;
  /** Stopped here, after everything that speaks with it. */
  readonly engine: StartedEngine;
}

export interface SipStatus extends SipPeersStatus {
  readonly local: readonly SipSource[];
}

export interface Telephony {
  readonly engine: string;
  /** `sip:demo@HOST:PORT`. */
  readonly sipAddress: string;
  readonly exchange: Exchange;
  /** What no call can be taken for, if anything. */
  notReady(): string | undefined;
  gauges(): Readonly<Record<string, number>>;
  /** Where a number, URI or softphone is called, by a trunk if one is named. Throws `call.unknown-trunk`, `sip.no-contact`. */
  routeOut(to: string, trunk: string | undefined, from?: string): TrunkRoute;
  /** Of calls, and messages that callers left. */
  readonly recordings: Recordings;
  /** Registrations and softphones, for people who look after them. */
  sipStatus(): SipStatus;
  /** Takes up certificates that were renewed; false: they cannot be used. */
  reloadCertificates(): boolean;
  close(): Promise<void>;
}

/** Opus is left to browsers until a SIP peer asks for nothing else: G.711 costs a tenth and loses nothing on a phone. */
const SIP_CODECS = ['PCMU', 'PCMA', 'G722', 'opus'] as const;
const OPEN_WITHIN_PEER_MS = 30_000;

export async function openTelephony(options: TelephonyOptions): Promise<Telephony> {
  const { config, dialplan, clock, log, events, publish, traces, trace } = options;
  const { process: engine, router: engines, loading } = options.engine;
  const modelsDir = resolve(config.engine.models);
  const opened: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of opened.splice(0).reverse()) await close();
  };
  try {
    opened.push(() => engine.stop());
    const listener = await trace.span('listener thread', () =>
      ListenerThread.start({
        entry: workerEntry('listener'),
        modelsDir,
        onDied: (error) => log.error('the listener thread ended', { error: error.message }),
      }),
    );
    opened.push(() => listener.close());
    const lines = openMediaLine('sip-media', listener, traces, log);
    opened.push(lines.close);
    const identity = makeDtlsIdentity(events.now());
    lines.thread.post({ type: 'dtls-identity', identity });
    const peers = openMediaLine('webrtc-media', listener, traces, log);
    opened.push(peers.close);
    // A browser and a phone can be connected: each thread hears the other's voices that its calls are connected with.
    const { port1, port2 } = new MessageChannel();
    lines.thread.post({ type: 'attach-neighbour', port: port1 }, [port1]);
    peers.thread.post({ type: 'attach-neighbour', port: port2 }, [port2]);

    const sipHost = config.sip.host;
    const mediaHostFor = (peer: string): string =>
      sipHost !== '*' ? sipHost : isIPv6(bareHost(peer)) ? '::' : '0.0.0.0';
    const guard = new SipGuard({ ...config.limits, scanners: config.sip.scanners, clock });
    const sipPeers = new SipPeers({
      trunks: config.sip.trunks,
      users: config.sip.users,
      registrations: config.sip.registrations,
      digest: config.sip.digest,
      clock,
      now: events.now,
      log,
      random: (bytes) => randomBytes(bytes).toString('hex'),
    });
    const stir = config.sip.stir === undefined ? undefined : stirOf(config.sip.stir, events.now);
    const userAgent = new SrfUserAgent({
      listen: { host: sipHost, port: config.sip.port },
      protocols: config.sip.transports,
      ports: { tls: config.sip.tlsPort, ws: config.sip.wsPort, wss: config.sip.wssPort },
      tls: config.sip.tls,
      names: config.sip.nameServers.length === 0 ? undefined : namesFrom(config.sip.nameServers),
      advertised: config.sip.advertised,
      drachtio: drachtioOf(config),
      sessionTimer: config.sip.sessionTimer,
      clock,
      log,
      userAgentName: `Trunkline/${options.version}`,
      ...guard.hooks,
      onRegister: sipPeers.onRegister,
      overhear: config.trace.sip ? (message) => traces.overhear(message) : undefined,
      signedHeaders: (call) => stir?.headersFor(call) ?? {},
      full: () => secondsUntilRoom(exchange, config.limits.calls, notReady()),
    });
    const prompts = new SpokenPrompts();
    const toolCounts = noToolCounts();
    const verbCounts = new VerbCounts();
    const policy = { allowPrivate: config.webhooks.allowPrivate };
    const mcp = new McpServers({ policy, environment: environmentValue, log, version: options.version });
    opened.push(() => mcp.close());
    const runTool = toolAsker({ policy, environment: environmentValue, mcp });
    const { music, readPrompt } = await openSounds(config.hold.music, config.audio.promptLoudness);
    const menuPrompts = new MenuPrompts({
      readFile: readPrompt,
      prompts,
      openEngine: (callId, persona) => engines.open(callId, persona),
    });
    const recordings = await Recordings.open({
      folder: join(resolve(config.data), 'recordings'),
      format: config.recording.format,
      retentionDays: config.recording.retentionDays,
      clock,
      now: events.now,
      log,
      transcode: (from, to) => transcodeInThread(workerEntry('transcode'), from, to),
    });
    opened.push(() => recordings.close());
    /**
     * Makes the first calls as quick as the later ones, while nobody else needs the engine: who rings before it is done is
     * greeted as soon as the voice speaks, and the persona is read while the greeting plays.
     */
    const prepareCalls = async (): Promise<void> => {
      const fromMs = clock.nowMs();
      const openEngine = (callId: string, persona: Persona) => engines.open(callId, persona);
      for (const one of rehearsals(dialplan, greetingsOf)) {
        await engine.warm(one.persona);
        await rehearse(one, prompts, openEngine);
      }
      // What is said only when something is late or wrong.
      const stockOf = ({ turns, persona }: AgentAction) =>
        stockTexts(turnConfigOf([config.turns, turns], undefined, persona.tools));
      for (const one of rehearsals(dialplan, stockOf)) {
        await rehearse(one, prompts, openEngine);
      }
      for (const prompt of menuPromptsOf(dialplan)) await menuPrompts.load(prompt).catch(() => undefined);
      log.info('personas and greetings are prepared', { tookMs: Math.round(clock.nowMs() - fromMs) });
    };
    const notReady = (): string | undefined =>
      engine.ready === undefined ? 'the speech engine is loading' : undefined;
    const pauses = new TrunkPauses(clock);
    const toll = tollGuardOf(config, events.now, log);
    const isUsable = (trunk: string): boolean => sipPeers.isUsable(trunk) && !pauses.isPaused(trunk);
    const routeOut: Telephony['routeOut'] = (to, trunk, from) =>
      trunk === undefined
        ? (routeToUser(sipPeers, to) ?? { to })
        : routeByTrunk(trunksOf(config.sip), trunk, to, from, isUsable);
    const speak = (id: string, text: string, voice?: string) =>
      speakOnce(id, text, voice, (callId, persona) => engines.open(callId, persona));
    const record = ({ link, callId }: Stage): void => {
      const { enabled } = config.recording;
      link.post({ type: 'capture', packets: config.trace.rtpPackets, payload: enabled });
      if (enabled) link.post({ type: 'record', path: recordings.pathFor(callId) });
    };
    const perform = (action: VerbStep['verb'] | VerbsAction, stage: Stage): Performance => {
      record(stage);
      switch (action.type) {
        case 'agent':
          return performAgent(action, stage, {
            openEngine: (callId, { tools, ...persona }) =>
              engines.open(callId, { ...persona, tools: mcp.described(tools, action.targets) }),
            subscribe: (sessionId, take) => listener.subscribe(sessionId, take),
            prompts,
            clock,
            turns: config.turns,
            silenceSeconds: config.engine.silenceSeconds,
            toolCounts,
            runTool,
            today: () => localDay(events.now()),
            stepOut: (callId) => exchange.transfers.stepOut(callId),
            handOver: (callId, to) => exchange.transfers.handOver(callId, to),
            summaryOf: (callId) => exchange.transfers.summaryOf(callId),
          });
        case 'echo':
          return performEcho(action, stage);
        case 'tone':
          return performTone(action, stage);
        case 'play':
          return performPlay(action, stage, readPrompt);
        case 'menu':
          return performMenu(action, stage, {
            clock,
            load: (prompt) => menuPrompts.load(prompt),
            subscribe: (sessionId, take) => listener.subscribe(sessionId, take),
            openEngine: (callId) => engines.open(`${callId}:menu`, reader('menu', undefined)),
          });
        case 'verbs':
          return performVerbs(action, stage, { perform, counts: verbCounts });
        case 'say':
          return performSay(stage, () => speak(stage.callId, action.text, action.voice));
        case 'ask': {
          const { ask, voice } = action;
          if (ask.webhook !== undefined) return perform(secureQuestion(ask, ask.webhook, voice), stage);
          return performAsk(action, stage, {
            clock,
            speak: (text) => speak(stage.callId, text, voice),
            subscribe: (sessionId, take) => listener.subscribe(sessionId, take),
            openEngine: (callId) => engines.open(`${callId}:ask`, reader('ask', undefined)),
          });
        }
        case 'hangup':
          return performHangup(stage);
        case 'voicemail': {
          const number = verbCounts.messageOf(stage.link);
          const message = recordings.messageOf(stage.callId, number);
          return performVoicemail(action, stage, {
            clock,
            load: (prompt) => menuPrompts.load(prompt),
            subscribe: (sessionId, take) => listener.subscribe(sessionId, take),
            path: recordings.pathFor(message),
            number,
            discard: () => recordings.discard(message),
          });
        }
        case 'transfer':
        case 'dial':
          return exchange.transfers.perform(action, stage);
        case 'queue':
          return performQueue(action, stage, {
            clock,
            line: exchange.queues.lineFor(action),
            mayDial: exchange.mayDial(stage.callId),
            load: (prompt) => menuPrompts.load(prompt),
            music: action.music === undefined ? Promise.resolve(music) : readPrompt(action.music),
          });
        case 'reject':
          throw new TrunklineError('call.rejected', 'An action that is refused cannot be performed.', {
            fix: 'This is a defect of ours; please report it.',
          });
      }
    };
    const asking: AskOptions = {
      policy,
      surroundings: dialplan.surroundings,
      logger: log,
      newId: () => `msg_${randomUUID()}`,
      now: events.now,
    };
    const exchange: Exchange = new Exchange({
      userAgent,
      lines: lines.router,
      peers: peers.router,
      route: (facts) => chooseRoute(dialplan, facts).action,
      trusts: ({ trunk }) => trunk !== undefined,
      routeOut,
      pauseTrunk: (trunk, seconds) => pauses.pause(trunk, seconds),
      toll,
      music: () => music && { pcm: music.pcm.slice(), sampleRate: music.sampleRate },
      speak: (callId, text) => speak(`briefing:${callId}`, text),
      agentNamed: (persona) => agentNamed(dialplan, persona),
      ask: (action, facts, signal) => askApplication(action, facts, asking, signal),
      screen: (amd, action, stage) => {
        record(stage);
        // Spoken while the machine still greets.
        if (amd.message !== undefined) void menuPrompts.load(amd.message).catch(() => undefined);
        return performScreened(amd, stage, {
          clock,
          rules: config.amd,
          subscribe: (sessionId, take) => listener.subscribe(sessionId, take),
          openEngine:
            action.type === 'agent' ? () => engines.open(`${stage.callId}:greeting`, action.persona) : undefined,
          perform: (inner) => perform(action, inner),
          leave: (prompt, next) => performMessage(prompt, next, { load: (one) => menuPrompts.load(one) }),
        });
      },
      perform,
      record,
      codecsOf: (trunk) =>
        [...config.sip.trunks, ...config.sip.registrations].find(({ name }) => name === trunk)?.codecs,
      negotiation: (peer, trunk, codecs = SIP_CODECS) =>
        new SdpSession({
          sessionId: String(randomInt(1, 2 ** 47)),
          address: localAddressFor(bareHost(peer), {
            bound: mediaHostFor(peer),
            advertised: config.sip.advertised,
            interfaces: networkInterfaces(),
          }),
          codecs,
          comfortNoise: config.rtp.comfortNoise,
          peer: bareHost(peer),
          srtp: srtpFor(config, trunk, identity.fingerprint),
        }),
      dialledAs: (callId, sipCallId) => traces.link(callId, sipCallId),
      publish: (event) => {
        traces.event(event);
        publish(event);
        if (event.type === 'recording.ready') recordings.finished(event.callId);
        if (event.type === 'voicemail.received')
          recordings.finished(recordings.messageAt(event.callId, event.data.path));
      },
      notReady,
      clock,
      log,
      events,
      newCallId: () => `call_${randomUUID()}`,
      rtp: {
        bindAddressFor: mediaHostFor,
        ports: portBounds(config.rtp.ports),
        timeoutMs: config.rtp.timeoutSeconds * 1_000,
      },
      webrtc: () => ({
        iceServers: iceServersFor(config.webrtc.iceServers, 'agent', events.now().getTime()),
        advertised: config.webrtc.advertised,
        ports: portBounds(config.webrtc.ports),
        timeoutMs: OPEN_WITHIN_PEER_MS,
      }),
      limits: {
        calls: config.limits.calls,
        callSeconds: config.limits.callSeconds,
        engineCalls: config.engine.maxCalls,
      },
    });
    opened.push(() => exchange.closeAll('shutdown'));
    userAgent.onInvite((invite) => {
      const caller = sipPeers.admit(invite);
      if (caller === undefined) return;
      if (stir === undefined) {
        exchange.takeInvite(invite, caller);
        return;
      }
      void stir.check(invite).then((checked) => {
        if (checked?.refuse === undefined) exchange.takeInvite(invite, caller, checked?.identity);
        else invite.reject(checked.refuse, `Identity ${checked.identity.reason ?? checked.identity.status}`);
      });
    });
    await trace.span('sip', () => userAgent.start());
    opened.splice(-1, 0, async () => {
      await sipPeers.close();
      await userAgent.stop();
    });
    sipPeers.start(userAgent);

    const ready = await loading;
    log.debug('the model process is ready', shownStages(ready.stages));
    void mcp.prepare(agentsOf(dialplan).flatMap(({ targets }) => [...(targets?.values() ?? [])]));
    void prepareCalls();
    return {
      engine: ready.name,
      sipAddress: `sip:demo@${shownAddress(config)}:${userAgent.local[0]?.port ?? config.sip.port}`,
      exchange,
      recordings,
      notReady,
      gauges: () => ({
        trunkline_calls_live: exchange.live,
        trunkline_queue_callers: exchange.queues.waiting,
        trunkline_engine_ready: engine.ready === undefined ? 0 : 1,
        ...guard.gauges,
        ...toll.gauges,
        ...toolGauges(toolCounts),
        trunkline_webhook_verbs: verbCounts.performed,
        trunkline_webhook_verbs_refused: verbCounts.refused,
        trunkline_sip_trunks_paused: pauses.count,
        ...sipPeers.gauges,
        ...Object.fromEntries(
          Object.entries(stir?.counters ?? {}).map(([name, count]) => [`trunkline_sip_identity_${name}`, count]),
        ),
        trunkline_media_strays: lines.router.dump().strays + peers.router.dump().strays,
      }),
      routeOut,
      sipStatus: () => ({ local: userAgent.local, ...sipPeers.status }),
      reloadCertificates: () => userAgent.reloadCertificates(),
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}
