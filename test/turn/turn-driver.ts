/** Runs the turn machine against a small world of virtual time: an engine, a playout and a caller whose behaviour a test sets. */
import { ManualClock, type Timer } from '../../src/core/clock';
import { reduce } from '../../src/turn/turn-machine';
import {
  DEFAULT_TURNS,
  INITIAL_STATE,
  type TimerId,
  type TurnConfig,
  type TurnEffect,
  type TurnEvent,
  type TurnReport,
  type TurnState,
} from '../../src/turn/turn-state';

type Untimed<E> = E extends { readonly atMs: number } ? Omit<E, 'atMs'> : never;
export type Input = Untimed<TurnEvent>;

/** How the engine treats one order. */
export interface EngineManner {
  readonly kind:
    | 'answers'
    | 'fails'
    | 'is-dead'
    | 'hears-nothing'
    | 'hears-a-cough'
    | 'is-empty'
    | 'dies-halfway'
    | 'hangs-up'
    /** Says what it always says, and calls a tool. */
    | 'calls-a-tool'
    /** Calls one without a word. */
    | 'only-calls-a-tool';
  readonly transcriptMs: number;
  readonly audioMs: number;
  readonly text: string;
}

export const PROMPT_ANSWER: EngineManner = {
  kind: 'answers',
  transcriptMs: 200,
  audioMs: 400,
  text: 'What time do you open?',
};

/** How an application answers a tool call: undefined text: with an error. */
export interface ToolManner {
  readonly afterMs: number;
  readonly text: string | undefined;
}

const REPLY = 'We open at nine. We close at five.';
const CHUNK_MS = 400;
const CHUNKS = 5;
/** The engine is a little faster than speech. */
const CHUNK_EVERY_MS = 300;

interface Playing {
  readonly turnId: number;
  queuedMs: number;
  playedMs: number;
  ended: boolean;
  paused: boolean;
  started: boolean;
  starved: boolean;
}

export class TurnDriver {
  state: TurnState = INITIAL_STATE;
  readonly clock = new ManualClock();
  readonly effects: { atMs: number; effect: TurnEffect }[] = [];
  readonly problems: string[] = [];
  /** Asked at each order; the last one stays. */
  manners: EngineManner[] = [PROMPT_ANSWER];
  /** What `listen` finds; undefined: it never answers. */
  overlapText: string | undefined = 'wait a moment';
  listenMs = 150;
  mediaAlive = true;
  /** Asked at each tool call; the last one stays. undefined: no answer. */
  toolManners: (ToolManner | undefined)[] = [{ afterMs: 800, text: 'It ships on Friday.' }];
  promptsCached = true;
  private readonly timers = new Map<TimerId, Timer>();
  private readonly engineTimers = new Map<number, Timer[]>();
  private playing: Playing | undefined;
  private readonly held = new Map<number, number>();
  private sample = 0;

  constructor(readonly config: TurnConfig = DEFAULT_TURNS) {
    this.tick();
  }

  get phase(): string {
    return this.state.phase.name;
  }

  reports(): TurnReport[] {
    return this.effects.flatMap(({ effect }) => (effect.type === 'report' ? [effect.report] : []));
  }

  ofType<T extends TurnEffect['type']>(type: T): (Extract<TurnEffect, { type: T }> & { atMs: number })[] {
    return this.effects.flatMap(({ atMs, effect }) =>
      effect.type === type ? [{ ...(effect as Extract<TurnEffect, { type: T }>), atMs }] : [],
    );
  }

  send(input: Input): void {
    const event = { ...input, atMs: this.clock.nowMs() } as TurnEvent;
    const { state, effects } = reduce(this.state, event, this.config);
    this.state = state;
    for (const effect of effects) this.carryOut(effect);
  }

  advance(ms: number): void {
    this.clock.advance(ms);
  }

  /** The caller speaks for so long; the listener's own delays are part of it. */
  speak(ms: number, levelDb = -25): void {
    const onset = this.sampleNow();
    let spoken = 64;
    this.advance(64);
    this.send({ type: 'speech-started', sample: onset, headSample: this.sampleNow(), levelDb });
    while (ms - spoken > 0) {
      const part = Math.min(96, ms - spoken);
      this.advance(part);
      spoken += part;
      if (part === 96) this.send({ type: 'speech-continues', sample: onset, headSample: this.sampleNow(), levelDb });
    }
    const silence = this.sampleNow();
    this.advance(96);
    this.send({ type: 'speech-ended', sample: silence, headSample: this.sampleNow(), levelDb });
  }

  sampleNow(): number {
    return Math.max(this.sample, Math.round(this.clock.nowMs() * 16));
  }

  get audibleTurn(): number | undefined {
    return this.playing?.turnId;
  }

  private carryOut(effect: TurnEffect): void {
    this.effects.push({ atMs: this.clock.nowMs(), effect });
    switch (effect.type) {
      case 'timer': {
        this.timers.get(effect.id)?.cancel();
        const { id, token } = effect;
        this.timers.set(
          id,
          this.clock.after(effect.afterMs, () => this.send({ type: 'timer', id, token })),
        );
        return;
      }
      case 'clear-timer':
        this.timers.get(effect.id)?.cancel();
        return;
      case 'answer':
        this.order(effect.turnId, effect.input);
        return;
      case 'prompt':
        if (this.promptsCached) this.prompt(effect.turnId);
        else this.order(effect.turnId, undefined);
        return;
      case 'cancel':
        for (const timer of this.engineTimers.get(effect.turnId) ?? []) timer.cancel();
        return;
      case 'listen': {
        const text = this.overlapText;
        if (text === undefined) return;
        const { requestId } = effect;
        this.clock.after(this.listenMs, () => this.send({ type: 'listened', requestId, text, speech: text !== '' }));
        return;
      }
      case 'filler':
        this.startPlaying(effect.turnId);
        if (this.playing !== undefined) this.playing.queuedMs += 900;
        return;
      case 'release':
        this.startPlaying(effect.turnId);
        if (this.playing !== undefined) this.playing.queuedMs += this.held.get(effect.turnId) ?? 0;
        return;
      case 'end-playout':
        if (this.playing?.turnId === effect.turnId) this.playing.ended = true;
        return;
      case 'pause':
      case 'resume':
        if (this.playing === undefined || this.playing.turnId !== effect.turnId) return;
        this.playing.paused = effect.type === 'pause';
        return;
      case 'flush':
        this.flush(effect.turnId);
        return;
      case 'tool-call': {
        const manner = this.toolManners.length > 1 ? this.toolManners.shift() : this.toolManners[0];
        if (manner === undefined) return;
        const { turnId } = effect;
        this.clock.after(manner.afterMs, () => this.send({ type: 'tool-result', turnId, text: manner.text }));
        return;
      }
      case 'promote':
      case 'commit':
      case 'report':
      case 'closed':
        return;
    }
  }

  private startPlaying(turnId: number): void {
    if (this.playing?.turnId === turnId) return;
    if (this.playing !== undefined) this.problems.push(`turn ${turnId} audible over turn ${this.playing.turnId}`);
    this.playing = { turnId, queuedMs: 0, playedMs: 0, ended: false, paused: false, started: false, starved: false };
  }

  private later(turnId: number, afterMs: number, run: () => void): void {
    const timers = this.engineTimers.get(turnId) ?? [];
    timers.push(this.clock.after(afterMs, run));
    this.engineTimers.set(turnId, timers);
  }

  private prompt(turnId: number): void {
    this.later(turnId, 0, () => {
      this.audio(turnId, 1_200);
      this.send({ type: 'answer-end', turnId, action: undefined });
    });
  }

  private audio(turnId: number, durationMs: number): void {
    this.held.set(turnId, (this.held.get(turnId) ?? 0) + durationMs);
    if (this.playing?.turnId === turnId) this.playing.queuedMs += durationMs;
    this.send({ type: 'answer-audio', turnId, durationMs });
  }

  private order(turnId: number, input: Extract<TurnEffect, { type: 'answer' }>['input'] | undefined): void {
    const spoken = input?.kind === 'audio';
    const wordless = input?.kind === 'audio' && input.wordless === true;
    // Neither a prompt nor the answer from a result calls anything.
    const tool =
      input?.kind === 'audio' || input?.kind === 'text' ? ({ type: 'tool', name: 'order_status' } as const) : undefined;
    const manner = this.manners.length > 1 ? this.manners.shift()! : this.manners[0]!;
    const { kind, transcriptMs, audioMs, text } = manner;
    if (kind === 'is-dead') return;
    if (kind === 'fails') {
      this.later(turnId, transcriptMs, () => this.send({ type: 'engine-failed', turnId }));
      return;
    }
    if (spoken) {
      const coughed = kind === 'hears-a-cough' || wordless;
      const speech = kind !== 'hears-nothing' && !coughed;
      const how = coughed ? ({ sound: 'cough' } as const) : undefined;
      this.later(turnId, transcriptMs, () =>
        this.send({ type: 'transcript', turnId, text: speech ? text : '', speech, how }),
      );
      if (!speech && !wordless) {
        this.later(turnId, transcriptMs + 1, () => this.send({ type: 'answer-end', turnId, action: undefined }));
        return;
      }
    }
    const firstMs = transcriptMs + audioMs;
    if (kind === 'is-empty' || kind === 'hangs-up' || kind === 'only-calls-a-tool') {
      const action = kind === 'hangs-up' ? 'hangup' : kind === 'only-calls-a-tool' ? tool : undefined;
      this.later(turnId, firstMs, () => this.send({ type: 'answer-end', turnId, action }));
      return;
    }
    this.later(turnId, firstMs, () => this.send({ type: 'answer-text', turnId, delta: REPLY }));
    for (let chunk = 0; chunk < CHUNKS; chunk += 1) {
      if (kind === 'dies-halfway' && chunk === 2) {
        this.later(turnId, firstMs + chunk * CHUNK_EVERY_MS, () =>
          this.send({ type: 'engine-failed', turnId: undefined }),
        );
        return;
      }
      this.later(turnId, firstMs + chunk * CHUNK_EVERY_MS, () => this.audio(turnId, CHUNK_MS));
    }
    const action = kind === 'calls-a-tool' ? tool : undefined;
    this.later(turnId, firstMs + CHUNKS * CHUNK_EVERY_MS, () => this.send({ type: 'answer-end', turnId, action }));
  }

  private flush(upTo: number): void {
    const playing = this.playing;
    if (playing === undefined || playing.turnId > upTo) return;
    this.playing = undefined;
    if (!this.mediaAlive) return;
    this.clock.after(5, () => this.playout(playing, 'flushed'));
  }

  private playout(playing: Playing, state: 'started' | 'finished' | 'flushed' | 'starved' | 'progress'): void {
    const words = REPLY.split(' ');
    const heardText = words.slice(0, Math.floor(playing.playedMs / 250)).join(' ');
    this.send({ type: 'playout', turnId: playing.turnId, state, playedMs: playing.playedMs, heardText });
  }

  private tick(): void {
    this.clock.after(20, () => this.tick());
    const playing = this.playing;
    if (playing === undefined || playing.paused || !this.mediaAlive) return;
    if (playing.playedMs < playing.queuedMs) {
      playing.playedMs += 20;
      playing.starved = false;
      if (!playing.started) {
        playing.started = true;
        this.playout(playing, 'started');
      } else if (playing.playedMs % 100 === 0) this.playout(playing, 'progress');
    } else if (playing.ended) {
      this.playing = undefined;
      this.playout(playing, 'finished');
    } else if (!playing.starved && playing.started) {
      playing.starved = true;
      this.playout(playing, 'starved');
    }
  }
}
