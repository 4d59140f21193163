/** One line of the dialplan's action `queue`: rings its members for whoever waits, and connects in the order of arrival. */
import type { Clock, Timer } from '../../core/clock';
import type { QueueAction, QueueMember } from '../../dialplan/dialplan';
import type { BridgeSide } from '../bridge';
import { EMPTY_LINE, engagedBy, type LineEffect, type LineEvent, nextLine } from './line-state';

export interface WaitingLineParts {
  readonly clock: Clock;
  /** Resolves when they answer; rejects when they do not. */
  readonly dial: (member: QueueMember, ringSeconds: number, signal: AbortSignal) => Promise<BridgeSide>;
}

/** What a line tells the others of its members, and hears of them. */
export interface OtherLines {
  /** Before it does anything that needs them. */
  engaged(member: string): void;
  released(member: string): void;
  /** Of these members, those whom another line needs now. */
  elsewhere(members: readonly string[]): readonly string[];
}

const NO_OTHERS: OtherLines = { engaged: () => undefined, released: () => undefined, elsewhere: () => [] };

/** A caller as the line sees it. */
export interface QueuedCaller {
  readonly callId: string;
  /** It is this caller's turn. */
  readonly serve: (peer: BridgeSide) => void;
}

export type LineRules = Pick<QueueAction, 'members' | 'ring' | 'ringSeconds' | 'retrySeconds' | 'wrapUpSeconds'>;

/** How much the newest call counts in the mean length of calls. */
const newestShare = 0.2;

export class WaitingLine {
  private state = EMPTY_LINE;
  private readonly callers = new Map<string, QueuedCaller>();
  private readonly ringing = new Map<string, AbortController>();
  private readonly picked = new Map<string, BridgeSide>();
  private readonly timers = new Map<string, Timer>();
  private members = new Map<string, QueueMember>();
  private meanCallMs: number | undefined;

  constructor(
    private rules: LineRules,
    private readonly parts: WaitingLineParts,
    private readonly others: OtherLines = NO_OTHERS,
  ) {
    this.follow(rules);
  }

  get waiting(): number {
    return this.state.waiting.length;
  }

  /** Nobody waits, rings, talks or rests. */
  get idle(): boolean {
    return this.waiting === 0 && this.engaged.length === 0;
  }

  /** Members whom this line rings, has talking, or lets rest. */
  get engaged(): readonly string[] {
    return engagedBy(this.state);
  }

  /** Another line has begun, or ceased, to need that member. */
  elsewhere(member: string, engaged: boolean): void {
    this.happen({ type: engaged ? 'engaged' : 'released', member });
  }

  /** Of several routes to one line the last that was taken says how it is served. */
  follow(rules: LineRules): void {
    this.rules = rules;
    this.members = new Map(rules.members.map((member) => [`${member.to} ${member.trunk ?? ''}`, member]));
    const ids = [...this.members.keys()];
    this.happen({ type: 'members', ids, elsewhere: this.others.elsewhere(ids) });
  }

  /** Says the position; may serve at a later moment only. */
  join(caller: QueuedCaller): number {
    this.callers.set(caller.callId, caller);
    this.happen({ type: 'joined', callId: caller.callId });
    return this.positionOf(caller.callId);
  }

  leave(callId: string): void {
    this.callers.delete(callId);
    this.happen({ type: 'left', callId });
  }

  /** 1: the next; 0: not in the line. */
  positionOf(callId: string): number {
    return this.state.waiting.indexOf(callId) + 1;
  }

  /** From the mean length of past calls; undefined before there was one. */
  expectedWaitMs(position: number): number | undefined {
    return this.meanCallMs === undefined ? undefined : (position * this.meanCallMs) / Math.max(1, this.members.size);
  }

  close(): void {
    for (const ring of this.ringing.values()) ring.abort();
    for (const timer of this.timers.values()) timer.cancel();
  }

  private happen(event: LineEvent): void {
    const before = this.engaged;
    const { state, effects } = nextLine(this.state, event, this.rules.ring);
    this.state = state;
    const after = this.engaged;
    // First: another line must not ring them in answer to what follows.
    for (const member of after) if (!before.includes(member)) this.others.engaged(member);
    for (const effect of effects) this.carryOut(effect);
    // They may be needed again meanwhile.
    const now = this.engaged;
    for (const member of before) if (!after.includes(member) && !now.includes(member)) this.others.released(member);
  }

  private carryOut(effect: LineEffect): void {
    const { member } = effect;
    switch (effect.type) {
      case 'ring':
        this.ring(member);
        return;
      case 'stop-ringing':
        this.ringing.get(member)?.abort();
        this.ringing.delete(member);
        return;
      case 'dismiss':
        this.picked.get(member)?.leave();
        this.picked.delete(member);
        return;
      case 'rest': {
        const { retrySeconds, wrapUpSeconds } = this.rules;
        const seconds = effect.after === 'call' ? wrapUpSeconds : retrySeconds;
        this.timers.set(
          member,
          this.parts.clock.after(seconds * 1_000, () => {
            this.timers.delete(member);
            this.happen({ type: 'rested', member });
          }),
        );
        return;
      }
      case 'connect': {
        const peer = this.picked.get(member);
        const caller = this.callers.get(effect.callId);
        this.picked.delete(member);
        this.callers.delete(effect.callId);
        if (peer === undefined) return;
        const fromMs = this.parts.clock.nowMs();
        peer.onLeft(() => this.hungUp(member, this.parts.clock.nowMs() - fromMs));
        if (caller === undefined) peer.leave();
        else caller.serve(peer);
      }
    }
  }

  private ring(id: string): void {
    const member = this.members.get(id);
    if (member === undefined) return;
    const abort = new AbortController();
    this.ringing.set(id, abort);
    const settled = (): boolean => {
      if (abort.signal.aborted) return false;
      this.ringing.delete(id);
      return true;
    };
    this.parts.dial(member, this.rules.ringSeconds, abort.signal).then(
      (peer) => {
        // Answered in the moment in which it was given up.
        if (!settled()) {
          peer.leave();
          return;
        }
        this.picked.set(id, peer);
        this.happen({ type: 'answered', member: id });
      },
      () => {
        if (settled()) this.happen({ type: 'not-reached', member: id });
      },
    );
  }

  private hungUp(member: string, lastedMs: number): void {
    const before = this.meanCallMs ?? lastedMs;
    this.meanCallMs = before + newestShare * (lastedMs - before);
    this.happen({ type: 'hung-up', member });
  }
}
