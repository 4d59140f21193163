/**
 * One call's media: joins a transport, the inbound and the outbound line, the recorder and the listener, and moves all of
 * them by one tick per 20 ms, so that everything that is measured of a call stands on one sample clock.
 */
import type { MessagePort } from 'node:worker_threads';
import { ToneDetector } from '../audio/tone-detector';
import { VoiceMixer } from '../audio/voice-mixer';
import type { Clock } from '../core/clock';
import { DurationHistogram } from '../rtp/histogram';
import type { Pacer, PacerMember } from '../rtp/pacer';
import { levelDbOf } from '../turn/energy-gate';
import { callFrameSamples, callSampleRate, Inbound } from './inbound';
import { type CountedParts, mediaStats, receptionCounts } from './media-stats';
import { agentVoice } from './mix-minus';
import { Outbound } from './outbound';
import type { FromMedia, MediaStats, SocketAddress, ToListener, ToMedia } from './protocol';
import { Recorder } from './recorder';
import { type Ears, SentVoice } from './sent-voice';
import { SessionTrace } from './session-trace';
import type {
  MediaFormat,
  MediaPacket,
  MediaTransport,
  PostFromMedia,
  StreamReport,
  TransportHooks,
} from './transport';

export interface SessionSurroundings extends Ears {
  readonly clock: Clock;
  readonly wallClockMs: () => number;
  readonly pacer: Pacer;
  /** 0…1. */
  readonly random: () => number;
  readonly post: PostFromMedia;
  /** Each frame of 20 ms that came in, or that an agent said in a conference, for whoever is connected. */
  readonly heard?: (voice: string, frame: Int16Array) => void;
  /** Where frames for the listener go, once it is attached. */
  readonly listener: () => MessagePort | undefined;
}

type SteeringMessage = Extract<
  ToMedia,
  {
    type:
      | 'source'
      | 'play'
      | 'play-end'
      | 'pause'
      | 'resume'
      | 'flush'
      | 'send-dtmf'
      | 'next-performance'
      | 'music'
      | 'secure'
      | 'watch-tones'
      | 'mute'
      | 'record-message'
      | 'capture'
      | 'send-event'
      | 'record'
      | 'webrtc-candidates'
      | 'webrtc-restart';
  }
>;

/** Until the SDP says otherwise. */
const formatBeforeAnswer: MediaFormat = { codec: { name: 'PCMU', payloadType: 0, clockRate: 8000, packetMs: 20 } };
const frameMs = 20;
/** RFC 3550 §6.2: 5 s between reports, varied by half either way so that they never fall into step. */
const reportEveryMs = 5000;
const NOTHING = new Int16Array(0);
/** After a stall longer than this the frames in between are counted, not delivered one by one. */
const maxSkippedDelivered = 500;

export class Session {
  private readonly inbound: Inbound;
  private readonly outbound: Outbound;
  private readonly pace = new DurationHistogram();
  /** WebRTC: there is a path to the peer. It may be there before the answer is out. */
  connected = false;
  private transport: MediaTransport | undefined;
  private readonly trace: SessionTrace;
  /** The transport, as packets leave by it. */
  private way: Pick<MediaTransport, 'send'> | undefined;
  private member: PacerMember | undefined;
  private recorder: Recorder | undefined;
  /** What the caller leaves as a message. */
  private message: Recorder | undefined;
  private state: 'opening' | 'running' | 'closed' = 'opening';
  private packetsReceived = 0;
  private startedReported = false;
  private timeoutMs = 0;
  private timeoutFromMs = 0;
  private timeoutReported = false;
  private receiving = true;
  private reportInFrames: number;
  private droppedEvents = 0;
  private performances = 0;
  private muted = false;
  private readonly mixer = new VoiceMixer();
  private readonly sentVoice: SentVoice;
  private tones: { readonly detector: ToneDetector; readonly fromSample: number } | undefined;

  constructor(
    readonly sessionId: string,
    private readonly around: SessionSurroundings,
  ) {
    this.sentVoice = new SentVoice(sessionId, around);
    this.inbound = new Inbound(formatBeforeAnswer, (dtmf) => this.post({ type: 'dtmf', sessionId, ...dtmf }));
    this.outbound = new Outbound(formatBeforeAnswer, around.random, (event) =>
      this.post({ type: 'playout', sessionId, ...event, callSample: this.inbound.callSample, ...this.performance() }),
    );
    this.outbound.setEnabled(false);
    // The wall clock of the first packet, and from there on the call's own: finer, and it never jumps.
    const wallOffsetMs = around.wallClockMs() - around.clock.nowMs();
    this.trace = new SessionTrace(() => wallOffsetMs + around.clock.nowMs());
    this.reportInFrames = this.nextReport();
  }

  get closed(): boolean {
    return this.state === 'closed';
  }

  get ssrc(): number {
    return this.outbound.packetizer.ssrc;
  }

  /** What the transport calls back; may be handed out before `attach`. */
  readonly hooks: TransportHooks = {
    onPacket: (packet: MediaPacket, arrivalMs: number) => {
      if (this.state === 'closed') return;
      this.packetsReceived++;
      this.timeoutReported = false;
      this.trace.note(packet, false, this.transport?.format);
      this.inbound.push(packet, arrivalMs);
    },
    onStarted: (remote: SocketAddress | undefined) => {
      if (this.state === 'closed') return;
      this.inbound.newSource();
      this.trace.heardFrom(remote);
      if (this.startedReported) return;
      this.startedReported = true;
      this.post({ type: 'media-started', sessionId: this.sessionId, remote });
    },
    onState: (state) => {
      if (this.state === 'closed') return;
      this.connected = state === 'connected';
      this.outbound.setEnabled(this.connected);
      this.post({ type: 'webrtc-state', sessionId: this.sessionId, state });
    },
    onFailed: (error) => {
      if (this.state === 'closed') return;
      this.post({ type: 'failed', sessionId: this.sessionId, code: error.code, message: error.message });
      void this.close();
    },
    onEvent: (json) => {
      if (this.state !== 'closed') this.post({ type: 'event', sessionId: this.sessionId, json });
    },
  };

  attach(transport: MediaTransport): void {
    this.transport = transport;
    this.way = this.trace.around(transport);
  }

  /** The session's clock begins with the first format; later calls change direction, codec or timeout. */
  run(format: MediaFormat, options: { send: boolean; receive: boolean; timeoutMs: number }): void {
    if (this.state === 'closed') return;
    this.inbound.setFormat(format);
    this.inbound.setEnabled(options.receive);
    this.outbound.setFormat(format);
    this.outbound.setEnabled(options.send);
    this.receiving = options.receive;
    this.timeoutMs = options.timeoutMs;
    this.timeoutFromMs = this.around.clock.nowMs();
    this.timeoutReported = false;
    this.state = 'running';
    this.member ??= this.around.pacer.join((deadlineMs, skipped) => this.tick(deadlineMs, skipped));
  }

  /** A frame of somebody with whom this call may be connected; `fromAfar`: on another thread. */
  hearPeer(voice: string, frame: Int16Array, fromAfar: boolean): void {
    if (this.state === 'running') this.outbound.heardPeer(frame, voice, fromAfar);
  }

  receive(message: SteeringMessage): void {
    if (this.state === 'closed') return;
    const playout = this.outbound.playout;
    switch (message.type) {
      case 'source':
        this.outbound.setSource(message.source);
        return;
      case 'play':
        playout.play(message.turnId, message.pcm, message.sampleRate, message.words);
        return;
      case 'play-end':
        playout.end(message.turnId);
        return;
      case 'pause':
        playout.pause(message.turnId);
        return;
      case 'resume':
        playout.resume(message.turnId);
        return;
      case 'flush':
        playout.flush(message.turnId);
        return;
      case 'send-dtmf':
        this.outbound.sendDtmf(message.digits);
        return;
      case 'next-performance':
        this.performances++;
        playout.restart();
        this.outbound.setSource({ kind: 'playout' });
        return;
      case 'music':
        this.outbound.setMusic(message.sound, message.yields);
        return;
      case 'secure':
        this.trace.secure = message.on;
        return;
      case 'capture':
        this.trace.capture(message.packets, message.payload);
        return;
      case 'mute':
        this.muted = message.on;
        return;
      case 'record-message':
        void this.recordMessage(message.path);
        return;
      case 'watch-tones':
        this.watchTones(message.on);
        return;
      case 'send-event':
        if (this.transport?.sendEvent(message.json) !== true) this.droppedEvents++;
        return;
      case 'webrtc-candidates':
        this.transport?.addCandidates(message.fragment);
        return;
      case 'webrtc-restart':
        void this.restartIce(message.fragment);
        return;
      case 'record':
        this.record(message.path);
        return;
    }
  }

  /**
   * Idempotent. Stops the clock, says goodbye, frees the ports, ends the recording, and reports what it was; resolves
   * then.
   */
  async close(): Promise<void> {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.member?.leave();
    // A closed socket has no address.
    const captured = this.trace.captured(this.sessionId, this.transport?.local);
    this.transport?.close(this.streamReport());
    if (captured !== undefined) this.post(captured);
    this.around.listener()?.postMessage({ type: 'session-closed', sessionId: this.sessionId } satisfies ToListener);
    const stats = this.stats();
    this.inbound.close();
    this.outbound.close();
    const recorder = this.recorder;
    this.recorder = undefined;
    // `closed` promises that the recording is whole on disk.
    if (recorder !== undefined) await recorder.close();
    await this.recordMessage(undefined);
    this.post({ type: 'closed', sessionId: this.sessionId, stats: { ...stats, recordedMs: recorder?.durationMs } });
  }

  stats(): MediaStats {
    return mediaStats(this.counted, this.pace);
  }

  private get counted(): CountedParts {
    const { inbound, outbound, transport, packetsReceived } = this;
    return { inbound, outbound, transport, packetsReceived, format: transport?.format ?? formatBeforeAnswer };
  }

  dump() {
    return {
      sessionId: this.sessionId,
      state: this.state,
      transport: this.transport?.kind,
      format: this.transport?.format,
      callSample: this.inbound.callSample,
      stats: this.stats(),
      inbound: this.inbound.stats,
      counters: this.transport?.counters(),
      playout: this.outbound.playout.dump(),
      droppedEvents: this.droppedEvents,
    };
  }

  /** Counts of pace deviation, to be summed over sessions. */
  get paceHistogram(): DurationHistogram {
    return this.pace;
  }

  private tick(deadlineMs: number, skippedFrames: number): void {
    const { transport, way } = this;
    if (transport === undefined || way === undefined || this.state !== 'running') return;
    try {
      if (skippedFrames > 0) this.skip(skippedFrames);
      // What leaves is on a deadline; what came in has 20 ms.
      const sent = this.outbound.tick(way);
      const nowMs = this.around.clock.nowMs();
      if (sent !== undefined) this.pace.record(Math.abs(nowMs - deadlineMs));
      this.deliver(nowMs, sent);
      this.watch(nowMs);
      const sample = this.trace.tick(() => receptionCounts(this.counted));
      if (sample !== undefined) this.post({ type: 'quality', sessionId: this.sessionId, sample });
      if (--this.reportInFrames <= 0) this.report(transport);
    } catch (error) {
      // A fault of ours ends this call with a reason and leaves the others alone.
      this.post({
        type: 'failed',
        sessionId: this.sessionId,
        code: 'media.internal',
        message: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
      void this.close();
    }
  }

  private deliver(nowMs: number, sent: Int16Array | undefined): void {
    const startSample = this.inbound.callSample;
    const frame = this.inbound.tick(nowMs);
    if (this.trace.secure) frame.fill(0);
    if (this.tones !== undefined) this.tellTones(this.tones, frame);
    this.message?.write(frame, undefined, callSampleRate);
    this.recorder?.write(frame, this.trace.secure ? undefined : sent, this.outbound.encodeRate);
    // What is kept of the call is whole; nobody hears it.
    if (this.muted) frame.fill(0);
    this.outbound.heardOwn(frame);
    this.around.heard?.(this.sessionId, frame);
    if (!this.trace.secure) this.sentVoice.tell(sent, this.outbound.encodeRate);
    const conference = sent === undefined ? undefined : this.outbound.conference;
    if (conference !== undefined) {
      this.around.heard?.(agentVoice(this.sessionId), conference.said);
      // The agent hears everybody.
      this.mixer.mix([frame, conference.others], frame);
    }
    // Copied, not transferred: for 640 bytes that is cheaper, and the frame can be used again.
    const sentDb = levelDbOf(sent ?? NOTHING);
    this.around
      .listener()
      ?.postMessage({ type: 'audio', sessionId: this.sessionId, startSample, pcm: frame, sentDb } satisfies ToListener);
  }

  private watchTones(on: boolean): void {
    const fromSample = this.inbound.callSample;
    this.tones = on ? { detector: new ToneDetector(callSampleRate), fromSample } : undefined;
    if (on) this.post({ type: 'tones-watched', sessionId: this.sessionId, callSample: fromSample });
  }

  private tellTones({ detector, fromSample }: NonNullable<Session['tones']>, frame: Int16Array): void {
    for (const tone of detector.push(frame)) {
      this.post({ type: 'tone', sessionId: this.sessionId, ...tone, endSample: fromSample + tone.endSample });
    }
  }

  private skip(frames: number): void {
    this.outbound.skip(frames);
    this.inbound.skippedFrames += frames;
    this.trace.skip(frames);
    const delivered = Math.min(frames, maxSkippedDelivered);
    const nowMs = this.around.clock.nowMs();
    for (let i = 0; i < delivered; i++) this.deliver(nowMs - (delivered - i) * frameMs, undefined);
    this.inbound.callSample += (frames - delivered) * callFrameSamples;
  }

  private watch(nowMs: number): void {
    if (this.timeoutMs <= 0 || !this.receiving || this.timeoutReported) return;
    const silentSinceMs = Math.max(this.timeoutFromMs, this.inbound.lastPacketMs ?? 0);
    if (nowMs - silentSinceMs < this.timeoutMs) return;
    this.timeoutReported = true;
    this.post({ type: 'media-timeout', sessionId: this.sessionId });
  }

  private report(transport: MediaTransport): void {
    this.reportInFrames = this.nextReport();
    const { remote } = transport.counters();
    if (remote !== undefined) this.outbound.expectLoss(remote.lostShare);
    transport.report(this.streamReport());
  }

  private streamReport(): StreamReport {
    const { packetizer } = this.outbound;
    return {
      sentTimestampTicks: packetizer.timestampTicks,
      sentPackets: packetizer.sentPackets,
      sentBytes: packetizer.sentBytes,
      received: this.inbound.reception.report(),
    };
  }

  private nextReport(): number {
    return Math.round(((0.5 + this.around.random()) * reportEveryMs) / frameMs);
  }

  private performance(): { readonly performance?: number } {
    return this.performances === 0 ? {} : { performance: this.performances };
  }

  private async restartIce(fragment: string): Promise<void> {
    const answer = await this.transport?.restartIce?.(fragment).catch(() => undefined);
    this.post({ type: 'webrtc-restarted', sessionId: this.sessionId, fragment: answer });
  }

  private record(path: string): void {
    // One recording per call, whatever is performed on it: to begin anew would overwrite what there is.
    if (this.recorder?.path === path) return;
    void this.recorder?.close();
    this.recorder = new Recorder(path, (error) => {
      this.recorder = undefined;
      this.post({ type: 'failed', sessionId: this.sessionId, code: error.code, message: error.message });
    });
  }

  private async recordMessage(path: string | undefined): Promise<void> {
    const { message } = this;
    this.message =
      path === undefined
        ? undefined
        : new Recorder(
            path,
            ({ code, message }) => {
              this.message = undefined;
              this.post({ type: 'failed', sessionId: this.sessionId, code, message });
            },
            1,
          );
    if (message === undefined) return;
    await message.close();
    this.post({ type: 'message-recorded', sessionId: this.sessionId, durationMs: message.durationMs });
  }

  private post(message: FromMedia): void {
    this.around.post(message);
  }
}
