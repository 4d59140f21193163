/** The media thread's side of the protocol: opens sessions, hands each message to its session, forgets closed ones. */
import type { MessagePort } from 'node:worker_threads';
import type { Clock } from '../core/clock';
import { TrunklineError } from '../core/errors';
import { DurationHistogram } from '../rtp/histogram';
import { Pacer } from '../rtp/pacer';
import { PortPool } from '../rtp/port-pool';
import type { OpenDtls } from './line-protection';
import { agentVoice, lineVoice } from './mix-minus';
import type { ToMedia } from './protocol';
import { RtpTransport } from './rtp-transport';
import { Session } from './session';
import type { OpenPeer, PostFromMedia } from './transport';
import { VoiceExchange } from './voice-exchange';

export interface SessionsOptions {
  readonly clock: Clock;
  readonly wallClockMs: () => number;
  /** 0…1. */
  readonly random: () => number;
  readonly post: PostFromMedia;
  readonly openPeer: OpenPeer;
  readonly openDtls?: OpenDtls;
}

export class Sessions {
  private readonly sessions = new Map<string, Session>();
  private readonly rtpTransports = new Map<string, RtpTransport>();
  private readonly pools = new Map<string, PortPool>();
  private readonly pacer: Pacer;
  private listener: MessagePort | undefined;
  private readonly voices = new VoiceExchange({
    isOurs: (sessionId) => this.sessions.has(sessionId),
    hear: (sessionId, voice, frame, fromAfar) => this.sessions.get(sessionId)?.hearPeer(voice, frame, fromAfar),
  });
  /** Messages for sessions that are closed or never were: they cross on the way, and are no fault. */
  private strayMessages = 0;

  constructor(private readonly options: SessionsOptions) {
    this.pacer = new Pacer(options.clock);
  }

  receive(message: Exclude<ToMedia, { type: 'dtls-identity' }>): void {
    switch (message.type) {
      case 'attach-listener':
        this.listener = message.port;
        return;
      case 'attach-neighbour':
        this.voices.attach(message.port);
        return;
      case 'open-rtp':
        void this.openRtp(message);
        return;
      case 'open-webrtc':
        void this.openWebrtc(message);
        return;
      case 'connect-rtp':
        this.connectRtp(message);
        return;
      case 'close':
        void this.close(message.sessionId);
        return;
      case 'dump':
        this.options.post({ type: 'dumped', requestId: message.requestId, dump: this.dump() });
        return;
      case 'shutdown':
        void this.closeAll();
        return;
      default: {
        const session = this.sessions.get(message.sessionId);
        if (message.type === 'source') {
          this.voices.connect(message.sessionId, message.source.kind === 'bridge' ? message.source.peers : []);
        } else if (message.type === 'next-performance') this.voices.connect(message.sessionId, []);
        if (session === undefined) this.strayMessages++;
        else session.receive(message);
      }
    }
  }

  /** Resolves when every recording is on disk and every `closed` is posted. */
  async closeAll(): Promise<void> {
    await Promise.all([...this.sessions.keys()].map((sessionId) => this.close(sessionId)));
    this.voices.close();
  }

  dump() {
    const pace = new DurationHistogram();
    for (const session of this.sessions.values()) pace.add(session.paceHistogram);
    return {
      sessions: [...this.sessions.values()].map((session) => session.dump()),
      strayMessages: this.strayMessages,
      pacer: {
        members: this.pacer.size,
        caughtUpFrames: this.pacer.caughtUpFrames,
        skippedFrames: this.pacer.skippedFrames,
        p50Ms: pace.quantileMs(0.5),
        p95Ms: pace.quantileMs(0.95),
        p99Ms: pace.quantileMs(0.99),
        maxMs: pace.maxMs,
      },
    };
  }

  private async openRtp(message: Extract<ToMedia, { type: 'open-rtp' }>): Promise<void> {
    const { sessionId } = message;
    const session = this.create(sessionId);
    if (session === undefined) return;
    try {
      const transport = await RtpTransport.open({
        bindAddress: message.bindAddress,
        ports: this.poolFor(message.bindAddress, message.ports),
        hooks: session.hooks,
        ssrc: session.ssrc,
        nowMs: () => this.options.clock.nowMs(),
        wallClockMs: this.options.wallClockMs,
        openDtls: this.options.openDtls,
      });
      // Closed while the ports were being bound.
      if (session.closed) {
        transport.close();
        return;
      }
      session.attach(transport);
      this.rtpTransports.set(sessionId, transport);
      this.options.post({ type: 'opened', sessionId, local: transport.local });
    } catch (error) {
      this.fail(session, error);
    }
  }

  private async openWebrtc(message: Extract<ToMedia, { type: 'open-webrtc' }>): Promise<void> {
    const { sessionId } = message;
    const session = this.create(sessionId);
    if (session === undefined) return;
    try {
      const { answerSdp, transport } = await this.options.openPeer(message, session.hooks);
      if (session.closed) {
        transport.close();
        return;
      }
      session.attach(transport);
      const format = transport.format;
      if (format === undefined) {
        throw new TrunklineError('media.no-format', 'The peer was answered without a codec.', {
          fix: 'Offer Opus or G.711 audio.',
        });
      }
      session.run(format, { send: session.connected, receive: true, timeoutMs: message.timeoutMs });
      this.options.post({ type: 'webrtc-answer', sessionId, answerSdp });
    } catch (error) {
      this.fail(session, error);
    }
  }

  private connectRtp(message: Extract<ToMedia, { type: 'connect-rtp' }>): void {
    const session = this.sessions.get(message.sessionId);
    const transport = this.rtpTransports.get(message.sessionId);
    if (session === undefined || transport === undefined) {
      this.strayMessages++;
      return;
    }
    const format = { codec: message.codec, telephoneEvent: message.telephoneEvent, comfortNoise: message.comfortNoise };
    try {
      const { remoteRtcp: rtcp, rtcpMux, srtp, signalledFrom } = message;
      transport.connect(message.remote, format, { rtcp, rtcpMux, srtp, signalledFrom });
      session.run(format, message);
    } catch (error) {
      this.fail(session, error);
    }
  }

  private create(sessionId: string): Session | undefined {
    if (this.sessions.has(sessionId)) {
      this.options.post({
        type: 'failed',
        sessionId,
        code: 'media.session-exists',
        message: 'A media session of this name is open already.',
      });
      return undefined;
    }
    const { clock, wallClockMs, random, post } = this.options;
    const session = new Session(sessionId, {
      clock,
      wallClockMs,
      pacer: this.pacer,
      random,
      post: (message) => {
        // A session that ended by its own fault must not stay behind. The name may have been taken again since.
        if (message.type === 'closed' && this.sessions.get(sessionId)?.closed) this.forget(sessionId);
        post(message);
      },
      listener: () => this.listener,
      heard: (voice, frame) => this.voices.say(voice, frame),
      isHeard: (voice) => this.voices.isHeard(voice),
    });
    this.sessions.set(sessionId, session);
    return session;
  }

  private async close(sessionId: string): Promise<void> {
    const session = this.sessions.get(sessionId);
    if (session === undefined) {
      this.strayMessages++;
      return;
    }
    this.forget(sessionId);
    await session.close();
  }

  private fail(session: Session, error: unknown): void {
    const { sessionId } = session;
    const code = error instanceof TrunklineError ? error.code : 'media.internal';
    const message = error instanceof Error ? error.message : String(error);
    this.options.post({ type: 'failed', sessionId, code, message });
    this.forget(sessionId);
    void session.close();
  }

  private forget(sessionId: string): void {
    this.sessions.delete(sessionId);
    this.rtpTransports.delete(sessionId);
    this.voices.connect(sessionId, []);
    this.voices.silence(sessionId);
    this.voices.silence(agentVoice(sessionId));
    this.voices.silence(lineVoice(sessionId));
  }

  private poolFor(bindAddress: string, [first, last]: readonly [number, number]): PortPool {
    const key = `${bindAddress} ${first}-${last}`;
    let pool = this.pools.get(key);
    if (pool === undefined) {
      // 0-0 leaves the choice to the system.
      pool = first === 0 ? new PortPool(1, 0, this.options.random) : new PortPool(first, last, this.options.random);
      this.pools.set(key, pool);
    }
    return pool;
  }
}
