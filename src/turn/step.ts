/**
 * One transition of the turn machine in the making: the state so far, the effects so far, and which timers may run in
 * which state. Lives only inside one call of `reduce`.
 */
import type {
  Answer,
  Phase,
  PhaseName,
  TimerId,
  Transition,
  TurnConfig,
  TurnEffect,
  TurnReport,
  TurnState,
} from './turn-state';

/** A timer is dropped on entering a state that does not know it. */
const TIMERS_OF: Readonly<Record<PhaseName, readonly TimerId[]>> = {
  idle: ['digits'],
  listening: ['idle', 'digits'],
  'awaiting-tool': ['watchdog', 'digits', 'tool', 'tool-filler'],
  'user-speaking': ['turn-limit', 'stall', 'digits', 'tool'],
  'user-pausing': ['turn-limit', 'speculate', 'end-of-turn', 'digits', 'tool'],
  thinking: ['watchdog', 'digits', 'tool'],
  held: ['watchdog', 'confirm', 'digits', 'tool'],
  speaking: ['watchdog', 'playout', 'digits', 'tool'],
  overlapped: ['watchdog', 'playout', 'duck', 'judge', 'digits', 'tool'],
  ducked: ['judge', 'digits', 'tool'],
  'on-hold': ['digits', 'tool'],
  yielding: ['settle', 'digits', 'tool'],
  closing: ['close'],
  closed: [],
};

/** Speech that the listener has not confirmed for so long is over: packets have ceased. */
const VOICE_STALE_MS = 600;

export class Step {
  readonly effects: TurnEffect[] = [];
  private draft: TurnState;

  constructor(
    state: TurnState,
    readonly config: TurnConfig,
    readonly atMs: number,
  ) {
    this.draft = state;
  }

  get state(): TurnState {
    return this.draft;
  }

  get phase(): Phase {
    return this.draft.phase;
  }

  done(): Transition {
    return { state: this.draft, effects: this.effects };
  }

  do(effect: TurnEffect): void {
    this.effects.push(effect);
  }

  report(report: TurnReport): void {
    this.do({ type: 'report', report });
  }

  set(change: Partial<Omit<TurnState, 'phase'>>): void {
    this.draft = { ...this.draft, ...change };
  }

  enter(phase: Phase): void {
    const allowed = TIMERS_OF[phase.name];
    for (const id of Object.keys(this.draft.timers) as TimerId[]) if (!allowed.includes(id)) this.clear(id);
    this.draft = { ...this.draft, phase };
  }

  /** Starts the timer anew if it runs. */
  timer(id: TimerId, afterMs: number): void {
    const token = this.draft.nextToken;
    this.set({ nextToken: token + 1, timers: { ...this.draft.timers, [id]: token } });
    this.do({ type: 'timer', id, token, afterMs: Math.max(0, Math.round(afterMs)) });
  }

  runs(id: TimerId): boolean {
    return this.draft.timers[id] !== undefined;
  }

  clear(id: TimerId): void {
    if (!this.runs(id)) return;
    const { [id]: _, ...timers } = this.draft.timers;
    this.set({ timers });
    this.do({ type: 'clear-timer', id });
  }

  nextTurnId(): number {
    const turnId = this.draft.nextTurnId;
    this.set({ nextTurnId: turnId + 1 });
    return turnId;
  }

  nextRequestId(): number {
    const requestId = this.draft.nextRequestId;
    this.set({ nextRequestId: requestId + 1 });
    return requestId;
  }

  /** The caller is heard speaking now. */
  get voiceActive(): boolean {
    const { voice } = this.draft;
    return voice.speaking && this.atMs - voice.seenMs <= VOICE_STALE_MS;
  }

  /** The answer that is being made or spoken, speculation included. */
  get answer(): Answer | undefined {
    const { phase } = this.draft;
    if (phase.name === 'user-pausing') return phase.speculation;
    return 'answer' in phase ? phase.answer : undefined;
  }

  /** Changes the current answer in place. */
  changeAnswer(change: Partial<Answer>): void {
    const { phase } = this.draft;
    switch (phase.name) {
      case 'thinking':
      case 'held':
      case 'speaking':
      case 'overlapped':
      case 'ducked':
        this.draft = { ...this.draft, phase: { ...phase, answer: { ...phase.answer, ...change } } };
        return;
      case 'on-hold':
      case 'closing':
        if (phase.answer === undefined) return;
        this.draft = { ...this.draft, phase: { ...phase, answer: { ...phase.answer, ...change } } };
        return;
      case 'user-pausing':
        if (phase.speculation === undefined) return;
        this.draft = { ...this.draft, phase: { ...phase, speculation: { ...phase.speculation, ...change } } };
        return;
      case 'idle':
      case 'listening':
      case 'awaiting-tool':
      case 'user-speaking':
      case 'yielding':
      case 'closed':
        return;
    }
  }
}
