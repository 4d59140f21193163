/**
 * One call from the first message to the record: its state, its media, what is done on it, and the one way in which it
 * ends. It wires; what it wires is handed in, and no part is handed the call.
 */
import type { AskAction } from '../core/call-action';
import {
  type CallEvent,
  type CallEventData,
  CallEventSequence,
  type CallEventType,
  type EventSources,
} from '../core/call-event';
import type { CallEndCause, CallRecord } from '../core/call-record';
import type { Clock, Timer } from '../core/clock';
import type { Logger } from '../core/log';
import { type Action, type DirectAction, nameOf, type VerbResult } from '../dialplan/dialplan';
import type { MediaLink, SessionMessage } from '../media/media-router';
import { qualityOf } from './call-quality';
import { type CallStep, nextCallState } from './call-state';
import { Dialogue, type Said } from './dialogue';
import { type KeyWay, PressedKeys } from './pressed-keys';
import { within } from './within';

/** What runs on an answered call: a conversation, a prompt, an echo. */
export interface Performance {
  /** Media messages that the call does not take itself. */
  onMedia(message: SessionMessage): void;
  onHold(held: boolean): void;
  /** REST and webhook answers; false: this performance cannot do that. Throws `tool.…` for a result that nobody waits for. */
  command(command: CallCommand): boolean;
  /** Cancels, flushes, and resolves when what was heard is known. Idempotent. */
  close(cause: CallEndCause): Promise<void>;
  readonly turnGapsMs: readonly number[];
  readonly interruptions: number;
}

export type CallCommand =
  | AskAction
  | { readonly type: 'say'; readonly text: string; readonly interruptible?: boolean | undefined }
  | { readonly type: 'user_text'; readonly text: string }
  | { readonly type: 'stop' }
  | {
      readonly type: 'tool_result';
      readonly toolCallId: string;
      readonly text?: string | undefined;
      readonly error?: string | undefined;
    };

/** The signalling half: a SIP dialog or a WebRTC peer. */
export interface Leg {
  /** BYE, or a final refusal if the call was never answered. Idempotent; resolves when done or given up on. */
  hangUp(cause: CallEndCause): Promise<void>;
}

export interface Sound {
  readonly pcm: Int16Array;
  readonly sampleRate: number;
}

export interface CallParts {
  readonly record: Pick<
    CallRecord,
    'id' | 'direction' | 'transport' | 'from' | 'to' | 'trunk' | 'user' | 'identity' | 'sipCallId' | 'metadata'
  > & { readonly headers: Readonly<Record<string, string>> };
  readonly link: MediaLink;
  readonly leg: Leg;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: EventSources;
  readonly publish: (event: CallEvent, record: CallRecord) => void;
  readonly perform: (action: DirectAction, call: Stage) => Performance;
  /** Asks an application where the action says so, and takes what the action needs. Rejects when there is no room. */
  readonly choose: (action: Action, digits: string | undefined, result?: VerbResult) => Promise<DirectAction>;
  readonly maxSeconds: number;
}

/** What goes along when another action takes over. */
export interface Succession {
  /** For the same application, when it has had something done. */
  readonly result?: VerbResult;
  /** What the caller typed, for the application that is asked. */
  readonly digits?: string;
  /** When the application has nothing; the call is ended if left out. */
  readonly otherwise?: Action | undefined;
}

/** What a performance may do with its call. */
export interface Stage {
  readonly callId: string;
  readonly transport: CallRecord['transport'];
  readonly link: MediaLink;
  readonly log: Logger;
  emit<T extends CallEventType>(type: T, data: CallEventData<T>): void;
  end(cause: CallEndCause): void;
  /** Another action takes the call over, from now on. */
  become(action: Action, more?: Succession): void;
  /** As `become`, with a performance that is at hand; `name` is what the record calls it. False: the call is over, or not ours any more. */
  take(name: string, make: (stage: Stage) => Performance): Promise<boolean>;
  /** While it is on, keys are told to the performance alone, and sound to nobody. */
  secure(on: boolean): void;
}

const CLOSE_LIMIT_MS = 2_000;

export class Call {
  private record: CallRecord;
  private readonly sequence: CallEventSequence;
  private performance: Performance | undefined;
  /** One that is being replaced: that it has ended is no news. */
  private leaving: Performance | undefined;
  private closing: Promise<void> | undefined;
  private limit: Timer | undefined;
  /** By the far end, and by us. */
  private held = false;
  private parked = false;
  private secured = false;
  /** Name of the trunk that carries it. */
  private carrier: string | undefined;
  private readonly leavers: (() => void)[] = [];
  /** Performances before this one. */
  private readonly past: Performance[] = [];
  private readonly keys = new PressedKeys();
  private readonly log: Logger;
  private readonly dialogue = new Dialogue();

  constructor(private readonly parts: CallParts) {
    const { headers, ...facts } = parts.record;
    this.record = { ...facts, state: 'trying', startedAt: parts.events.now().toISOString() };
    this.carrier = facts.trunk;
    this.sequence = new CallEventSequence(facts.id, parts.events);
    this.log = parts.log.child({ callId: facts.id });
    parts.link.onMessage((message) => this.onMedia(message));
    this.emit('call.started', {
      direction: facts.direction,
      transport: facts.transport,
      from: facts.from,
      to: facts.to,
      trunk: facts.trunk,
      user: facts.user,
      identity: facts.identity,
      sipCallId: facts.sipCallId,
      headers: { ...headers },
      metadata: facts.metadata,
    });
  }

  get id(): string {
    return this.record.id;
  }

  /** A snapshot; the call goes on without it. */
  get snapshot(): CallRecord {
    return this.record;
  }

  /** What is done with it right now. */
  get performing(): Performance | undefined {
    return this.performance;
  }

  /** Once: when something else is done with the call, or it ends. */
  whenLeft(listener: () => void): void {
    this.leavers.push(listener);
  }

  get link(): MediaLink {
    return this.parts.link;
  }

  /** Its newest turns. */
  get said(): readonly Said[] {
    return this.dialogue.said;
  }

  /** It is placed by this trunk from now on: the first one failed. */
  goesBy(trunk: string | undefined): void {
    this.carrier = trunk;
  }

  ringing(): void {
    if (this.step('ring')) this.emit('call.ringing', {});
  }

  /** The far end has our answer (or we theirs) and media may flow: do what the dialplan chose. */
  answered(action: DirectAction): void {
    this.answeredWith(nameOf(action), (stage) => this.parts.perform(action, stage));
  }

  /** As `answered`, with a performance that no dialplan knows of. */
  answeredWith(name: string, make: (stage: Stage) => Performance): void {
    if (!this.step('answer')) return;
    const trunk = this.carrier === this.record.trunk ? {} : { trunk: this.carrier };
    this.record = { ...this.record, answeredAt: this.parts.events.now().toISOString(), action: name, ...trunk };
    this.emit('call.answered', { action: name, ...trunk });
    this.limit = this.parts.clock.after(this.parts.maxSeconds * 1_000, () => void this.close('time-limit'));
    this.perform(make);
  }

  private perform(make: (stage: Stage) => Performance): void {
    let performance: Performance | undefined;
    // What a performance says after its time is said to nobody; what it says while it is being made, when it is.
    const whileMine = async <T>(act: () => T | Promise<T>): Promise<T | undefined> => {
      if (performance === undefined) await Promise.resolve();
      const isMine = this.performance === performance && this.leaving !== performance;
      return isMine ? act() : undefined;
    };
    performance = make({
      callId: this.id,
      transport: this.record.transport,
      link: this.parts.link,
      log: this.log,
      emit: (type, data) => this.emit(type, data),
      end: (cause) => void whileMine(() => this.close(cause)),
      become: (next, more) => void whileMine(() => this.become(next, more)),
      take: async (name, next) => (await whileMine(() => this.take(name, next))) ?? false,
      secure: (on) => this.secure(on),
    });
    this.performance = performance;
    if (this.held || this.parked) performance.onHold(true);
  }

  /** The dialplan, an application or whoever steers the call puts another action in the place of the present one. */
  async become(action: Action, { digits, otherwise, result }: Succession = {}): Promise<void> {
    const before = this.performance;
    let chosen: DirectAction;
    try {
      chosen = await this.parts.choose(action, digits, result);
    } catch (error) {
      this.log.warn('an action could not take the call over', { error: String(error) });
      chosen = { type: 'reject', status: 503, reason: undefined };
    }
    if (this.record.state !== 'answered' || this.performance !== before || this.closing !== undefined) return;
    if (chosen.type === 'reject') {
      if (otherwise === undefined) void this.close('finished');
      else await this.become(otherwise);
      return;
    }
    await this.take(nameOf(chosen), (stage) => this.parts.perform(chosen, stage));
  }

  /** False: the call was over before, or something else was quicker. */
  async take(name: string, make: (stage: Stage) => Performance): Promise<boolean> {
    const before = this.performance;
    this.leaving = before;
    await this.within(4, 'performance', before?.close('finished'));
    if (this.record.state !== 'answered' || this.performance !== before || this.closing !== undefined) return false;
    if (before !== undefined) this.past.push(before);
    this.performance = undefined;
    for (const leaves of this.leavers.splice(0)) leaves();
    this.parts.link.post({ type: 'next-performance' });
    this.record = { ...this.record, action: name };
    this.perform(make);
    return true;
  }

  private secure(on: boolean): void {
    if (on === this.secured) return;
    this.secured = on;
    this.parts.link.post({ type: 'secure', on });
  }

  /** Whether the caller is heard; false: the call is not answered. */
  mute(on: boolean): boolean {
    if (this.record.state !== 'answered') return false;
    this.parts.link.post({ type: 'mute', on });
    return true;
  }

  /** The far end parks us, or takes us back. */
  hold(held: boolean): void {
    if (held === this.held) return;
    this.held = held;
    this.told('far-end', held);
  }

  /** We park the far end, with something to hear if there is anything; false: it is parked already, or not. */
  park(parked: boolean, sound?: Sound): boolean {
    if (parked === this.parked || this.record.state !== 'answered') return false;
    this.parked = parked;
    this.parts.link.post({ type: 'music', ...(parked && sound !== undefined ? { sound } : {}) });
    this.told('us', parked);
    return true;
  }

  private told(by: 'us' | 'far-end', on: boolean): void {
    if (this.record.state === 'answered') this.emit(on ? 'hold.started' : 'hold.ended', { by });
    const other = by === 'us' ? this.held : this.parked;
    if (!other) this.performance?.onHold(on);
  }

  /** Something of this call that others find out: a transfer. */
  tell<T extends CallEventType>(type: T, data: CallEventData<T>): void {
    if (this.closing === undefined) this.emit(type, data);
  }

  /** A key that the caller pressed, once even if the phone tells it in two ways. */
  key(way: KeyWay, digit: string, durationMs: number): void {
    if (!this.keys.take(way, digit, durationMs, this.parts.clock.nowMs())) return;
    if (!this.secured) this.emit('dtmf.received', { digit, durationMs });
    this.performance?.onMedia({ type: 'dtmf', sessionId: this.id, digit, durationMs });
  }

  command(command: CallCommand): boolean {
    return this.record.state === 'answered' && this.performance?.command(command) === true;
  }

  /** The closing order of ARCHITECTURE.md. Idempotent: whoever comes later waits for the same end. */
  close(cause: CallEndCause, sip: { readonly status?: number; readonly reason?: string } = {}): Promise<void> {
    // Not begun before it is remembered: a performance that is closed may say in the same breath that it has ended.
    this.closing ??= Promise.resolve().then(() => this.shutDown(cause, sip));
    return this.closing;
  }

  private async shutDown(
    cause: CallEndCause,
    sip: { readonly status?: number; readonly reason?: string },
  ): Promise<void> {
    this.step('close');
    this.limit?.cancel();
    // Each step gets its share and no more: a far end that never answers our BYE must not keep ports or records.
    await this.within(4, 'performance', this.performance?.close(cause));
    for (const leaves of this.leavers.splice(0)) leaves();
    await this.within(2, 'signalling', this.parts.leg.hangUp(cause));
    const stats = await this.within(4, 'media', this.parts.link.close());
    const endedAt = this.parts.events.now();
    const quality = stats === undefined ? undefined : qualityOf(stats, this.performances);
    this.record = {
      ...this.record,
      endedAt: endedAt.toISOString(),
      cause,
      sipStatus: sip.status,
      sipReason: sip.reason,
      quality,
    };
    this.step('released');
    if (stats?.recordedMs !== undefined) {
      this.emit('recording.ready', { durationMs: stats.recordedMs, path: `/v1/calls/${this.id}/recording` });
    }
    const { answeredAt } = this.record;
    this.emit('call.ended', {
      cause,
      sipStatus: sip.status,
      sipReason: sip.reason,
      durationMs: answeredAt === undefined ? 0 : endedAt.getTime() - Date.parse(answeredAt),
      quality,
    });
  }

  private onMedia(message: SessionMessage): void {
    switch (message.type) {
      case 'media-timeout':
        void this.close('media-timeout');
        return;
      case 'failed':
        this.emit('error', { code: message.code, message: message.message });
        // Whoever cannot record can still talk.
        if (message.code === 'audio.recording-failed') return;
        void this.close('media-failed');
        return;
      case 'webrtc-state':
        if (message.state === 'closed') void this.close('caller-hangup');
        else if (message.state === 'failed') void this.close('media-failed');
        else this.performance?.onMedia(message);
        return;
      case 'dtmf':
        this.key('rtp', message.digit, message.durationMs);
        return;
      case 'playout':
        if ((message.performance ?? 0) === this.past.length) this.performance?.onMedia(message);
        return;
      default:
        this.performance?.onMedia(message);
    }
  }

  private get performances(): readonly Performance[] {
    return this.performance === undefined ? this.past : [...this.past, this.performance];
  }

  private step(step: CallStep): boolean {
    const state = nextCallState(this.record.state, step);
    if (state === undefined) return false;
    this.record = { ...this.record, state };
    return true;
  }

  private emit<T extends CallEventType>(type: T, data: CallEventData<T>): void {
    // The union is distributed over the types; TypeScript cannot see that T is one of them.
    const event = this.sequence.next(type, data) as CallEvent;
    if (event.type === 'amd.result') this.record = { ...this.record, answeredBy: event.data.answeredBy };
    this.dialogue.note(event);
    this.parts.publish(event, this.record);
  }

  /** Each step gets its share of the limit and no more. */
  private within<T>(share: number, what: string, work: Promise<T> | undefined): Promise<T | undefined> {
    return within({ clock: this.parts.clock, log: this.log }, CLOSE_LIMIT_MS / share, what, work);
  }
}
