/**
 * A caller of our own: dials over SIP with the media code of the agent, speaks recordings, hears when the agent talks
 * and falls silent, sends digits, holds, hangs up, keeps a stereo tape. `trunkline call`, the benchmarks and many tests
 * are this phone.
 */
import type { Clock } from '../core/clock';
import { TrunklineError } from '../core/errors';
import type { MediaLink, SessionMessage } from '../media/media-router';
import type { MediaStats, SocketAddress } from '../media/protocol';
import type { SdpSession } from '../sip/sdp-session';
import type { SipDialog, SipEnd, SipUserAgent } from '../sip/user-agent';
import { CallerEar } from './ear';
import type { Span } from './tape';

const SAMPLES_PER_MS = 16;

export interface PhoneParts {
  readonly userAgent: SipUserAgent;
  readonly link: MediaLink;
  readonly negotiation: SdpSession;
  readonly clock: Clock;
}

export interface DialOptions {
  readonly to: string;
  readonly from?: string;
  readonly bindAddress: string;
  readonly ports: readonly [number, number];
  readonly tapePath?: string;
  readonly auth?: { readonly username: string; readonly password: string };
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export class Phone {
  private readonly ear = new CallerEar();
  private readonly waiting = new Set<() => void>();
  private turnId = 0;
  private liveTurnId: number | undefined;
  private listener: (pcm: Int16Array) => void = () => undefined;
  private clockSample = 0;
  private ended: SipEnd | undefined;
  private readonly finishedTurns = new Map<number, number>();
  private readonly startedTurns = new Map<number, number>();

  private constructor(
    private readonly parts: PhoneParts,
    private readonly dialog: SipDialog,
    private readonly local: SocketAddress,
    /** From sending INVITE to the final answer. */
    readonly answeredAfterMs: number,
  ) {}

  static async dial(parts: PhoneParts, options: DialOptions): Promise<Phone> {
    const { link, negotiation, userAgent, clock } = parts;
    const local = await link.openRtp(options.bindAddress, options.ports);
    if (options.tapePath !== undefined) link.post({ type: 'record', path: options.tapePath });
    const startedMs = clock.nowMs();
    try {
      const { dialog, answerSdp } = await userAgent.invite({
        to: options.to,
        from: options.from,
        offerSdp: negotiation.offer(local, 'sendrecv'),
        auth: options.auth,
        headers: options.headers,
        signal: options.signal,
      });
      const phone = new Phone(parts, dialog, local, clock.nowMs() - startedMs);
      link.onMessage((message) => phone.receive(message));
      dialog.onEnd((end) => phone.end(end));
      link.post({ type: 'source', source: { kind: 'playout' } });
      link.post({ type: 'connect-rtp', ...negotiation.accept(answerSdp).connect, timeoutMs: 0 });
      return phone;
    } catch (error) {
      await link.close();
      throw error;
    }
  }

  /** Frames of what comes in, from the listener port of the media thread. */
  hear(pcm: Int16Array, startSample: number): void {
    this.clockSample = startSample + pcm.length;
    this.ear.push(pcm, startSample);
    this.listener(pcm);
    this.wake();
  }

  /** Every frame that comes in, 16 kHz mono: for a loudspeaker. */
  onAudio(take: (pcm: Int16Array) => void): void {
    this.listener = take;
  }

  /** Speaks as it comes, without an end: a microphone. */
  speak(pcm: Int16Array, sampleRate: number): void {
    if (this.liveTurnId === undefined) {
      this.turnId += 1;
      this.liveTurnId = this.turnId;
    }
    this.parts.link.post({ type: 'play', turnId: this.liveTurnId, pcm: pcm.slice(), sampleRate, words: [] });
  }

  get agentIsTalking(): boolean {
    return this.ear.isTalking;
  }

  /** Milliseconds on the tape. */
  get nowMs(): number {
    return this.clockSample / SAMPLES_PER_MS;
  }

  /** How the call ended, once it has. */
  get howItEnded(): SipEnd | undefined {
    return this.ended;
  }

  /** Speaks; resolves with where it lies on the tape once the last packet has left. */
  async say(pcm: Int16Array, sampleRate: number): Promise<Span> {
    this.turnId += 1;
    const turnId = this.turnId;
    this.parts.link.post({ type: 'play', turnId, pcm: pcm.slice(), sampleRate, words: [] });
    this.parts.link.post({ type: 'play-end', turnId });
    const durationMs = (pcm.length * 1_000) / sampleRate;
    await this.until(() => this.finishedTurns.has(turnId), durationMs + 5_000, 'the utterance was not played');
    const endMs = (this.finishedTurns.get(turnId) ?? 0) / SAMPLES_PER_MS;
    const startMs = (this.startedTurns.get(turnId) ?? 0) / SAMPLES_PER_MS;
    return { startMs, endMs };
  }

  /** True once the agent talks; false if it has not begun within `withinMs`, or has hung up. */
  waitUntilTalking(withinMs: number): Promise<boolean> {
    return this.eventually(() => this.ear.isTalking, withinMs);
  }

  waitUntilQuiet(withinMs: number): Promise<boolean> {
    return this.eventually(() => !this.ear.isTalking, withinMs);
  }

  waitUntilEnded(withinMs: number): Promise<boolean> {
    return this.eventually(() => this.ended !== undefined, withinMs);
  }

  /** Lets call time pass: counted in samples that came in, so that a stalled line does not count. */
  async pass(durationMs: number): Promise<void> {
    const untilMs = this.nowMs + durationMs;
    await this.eventually(() => this.nowMs >= untilMs, durationMs * 3 + 2_000);
  }

  press(digits: string): void {
    this.parts.link.post({ type: 'send-dtmf', digits });
  }

  /** re-INVITE with sendonly, or back to sendrecv. */
  async hold(on: boolean): Promise<void> {
    const { negotiation, link } = this.parts;
    const answer = await this.dialog.modify(negotiation.offer(this.local, on ? 'sendonly' : 'sendrecv'));
    link.post({ type: 'connect-rtp', ...negotiation.accept(answer).connect, timeoutMs: 0 });
  }

  async hangUp(): Promise<MediaStats | undefined> {
    await this.dialog.bye();
    this.end({ by: 'local', status: undefined, reason: undefined });
    return this.parts.link.close();
  }

  private receive(message: SessionMessage): void {
    if (message.type === 'playout') {
      if (message.state === 'started') this.startedTurns.set(message.turnId, message.callSample);
      if (message.state === 'finished' || message.state === 'flushed')
        this.finishedTurns.set(message.turnId, message.callSample);
    }
    this.wake();
  }

  private end(end: SipEnd): void {
    this.ended ??= end;
    this.wake();
  }

  private wake(): void {
    for (const check of [...this.waiting]) check();
  }

  private async until(condition: () => boolean, withinMs: number, what: string): Promise<void> {
    if (await this.eventually(condition, withinMs)) return;
    throw new TrunklineError('phone.stuck', `The call did not go on: ${what}.`, {
      fix: 'Look at the far end: is it sending media?',
    });
  }

  private eventually(condition: () => boolean, withinMs: number): Promise<boolean> {
    if (condition()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (result: boolean) => {
        this.waiting.delete(check);
        timer.cancel();
        resolve(result);
      };
      const check = () => {
        if (condition()) settle(true);
        else if (this.ended !== undefined) settle(false);
      };
      const timer = this.parts.clock.after(withinMs, () => settle(condition()));
      this.waiting.add(check);
      check();
    });
  }
}
