/**
 * One caller and the agent: carries out what the turn machine decides. Reports of the listener, the engine and the media
 * become its events, its effects become messages to them; every decision is made in src/turn/.
 */
import type { Clock } from '../core/clock';
import type { Logger } from '../core/log';
import type { ListenerReport } from '../listener/protocol';
import type { MediaLink, SessionMessage } from '../media/media-router';
import { OTHERS_ANSWER } from '../turn/on-command';
import { reduce } from '../turn/turn-machine';
import {
  type CloseReason,
  INITIAL_STATE,
  type TurnConfig,
  type TurnEffect,
  type TurnEvent,
  type TurnReport,
  type TurnState,
} from '../turn/turn-state';
import { AnswerAudio } from './answer-audio';
import type { ConversationEvent } from './conversation-event';
import type { EngineMessage, EnginePort } from './engine-port';
import { SpokenFillers } from './spoken-fillers';
import { durationMsOf, type SpokenPrompts } from './spoken-prompts';
import type { ToolCalls } from './tool-calls';
import { TurnNotes } from './turn-notes';
import { TurnTimers } from './turn-timers';
import { TurnTimeline } from './turn-times';

type WithoutTime<E> = E extends { readonly atMs: number } ? Omit<E, 'atMs'> : never;
type Happening = WithoutTime<TurnEvent>;

export interface ConversationParts {
  readonly link: Pick<MediaLink, 'post'>;
  readonly engine: EnginePort;
  /** The listener's reports about this call; returns how to stop them. */
  readonly hearCaller: (take: (report: ListenerReport) => void) => () => void;
  readonly prompts: SpokenPrompts;
  /** The persona's, under which prompts are kept. */
  readonly voice: string;
  readonly notice?: string | undefined;
  readonly greeting: string | undefined;
  readonly turns: TurnConfig;
  readonly tools: ToolCalls;
  readonly clock: Clock;
  readonly log: Logger;
  readonly emit: (event: ConversationEvent) => void;
}

const SAMPLES_PER_MS = 16;

export class Conversation {
  private state: TurnState = INITIAL_STATE;
  private readonly queue: TurnEvent[] = [];
  private working = false;
  private readonly timers: TurnTimers;
  private readonly audio: AnswerAudio;
  private readonly times = new TurnTimeline();
  private readonly learning = new Map<number, ReturnType<SpokenPrompts['learn']>>();
  private readonly fillers = new SpokenFillers();
  private readonly notes = new TurnNotes();
  private stopHearing: () => void = () => undefined;
  private engine: 'opening' | 'open' | 'down' = 'opening';
  private closed: (() => void)[] = [];
  private interrupted = 0;
  readonly turnGapsMs = this.notes.gapsMs;

  constructor(private readonly parts: ConversationParts) {
    this.timers = new TurnTimers(parts.clock, (id, token) => this.happen({ type: 'timer', id, token }));
    this.audio = new AnswerAudio((turnId, { pcm, sampleRate, words }) => {
      // A copy goes: a prompt is played again, and audio from a process may lie in a buffer that others use.
      const copy = pcm.slice();
      parts.link.post({ type: 'play', turnId, pcm: copy, sampleRate, words }, [copy.buffer]);
    });
  }

  get interruptions(): number {
    return this.interrupted;
  }

  /** Media is up: greet, and listen. */
  start(): void {
    const { link, engine, hearCaller, notice, greeting } = this.parts;
    link.post({ type: 'source', source: { kind: 'playout' } });
    engine.onMessage((message) => this.onEngine(message));
    this.stopHearing = hearCaller((report) => this.onListener(report));
    this.happen({ type: 'opened', notice, greeting });
  }

  userText(text: string): void {
    this.happen({ type: 'user-text', text });
  }

  /** `interruptible` false: to its end, whatever the caller does. */
  say(text: string, interruptible?: boolean): void {
    this.happen({ type: 'say', text, interruptible });
  }

  /** What the agent has said that it will do in that turn is arranged with the caller by somebody else. */
  withdrawTool(turnId: number): void {
    this.happen({ type: 'tool-withdrawn', turnId });
  }

  /** What a tool has told; `text` undefined: it could not. False: the conversation is over. Throws `tool.…`. */
  toolResult(toolCallId: string, text: string | undefined): boolean {
    if (['closing', 'closed'].includes(this.state.phase.name)) return false;
    this.happen({ type: 'tool-result', turnId: this.parts.tools.answer(toolCallId), text });
    return true;
  }

  /** Silences the agent; false when it is not speaking. */
  stop(): boolean {
    const speaking = ['speaking', 'overlapped', 'ducked'].includes(this.state.phase.name);
    if (speaking) this.happen({ type: 'stop' });
    return speaking;
  }

  /** Somebody else answers what the caller has said in that turn. */
  leave(turnId: number): void {
    this.happen({ type: 'stop', turnId });
  }

  onHold(held: boolean): void {
    this.happen({ type: held ? 'hold' : 'resume' });
  }

  onMedia(message: SessionMessage): void {
    if (message.type === 'dtmf') this.happen({ type: 'dtmf', digit: message.digit });
    else if (message.type === 'playout') this.onPlayout(message);
  }

  /** Resolves when what was heard is known, `closeMs` later at most. Idempotent. */
  close(reason: CloseReason): Promise<void> {
    if (this.state.phase.name === 'closed') return Promise.resolve();
    const done = new Promise<void>((resolve) => this.closed.push(resolve));
    this.happen({ type: 'hangup', reason });
    return done;
  }

  dump() {
    const { phase, failures, waiting, droppedWaiting } = this.state;
    return {
      state: phase.name,
      failures,
      waiting: waiting.length,
      droppedWaiting,
      droppedAudioMs: this.audio.droppedMs,
      interruptions: this.interrupted,
      turnGapsMs: this.turnGapsMs,
    };
  }

  private onListener(report: ListenerReport): void {
    if (report.type === 'heard') this.parts.engine.hear(report.startSample, report.pcm);
    else {
      const { sessionId: _, ...event } = report;
      this.happen(event);
    }
  }

  private onEngine(message: EngineMessage): void {
    switch (message.type) {
      case 'opened':
        this.engine = 'open';
        return;
      case 'cancelled':
        return;
      case 'listened': {
        const { requestId, text, speech, sound } = message;
        this.happen({ type: 'listened', requestId, text, speech, sound });
        return;
      }
      case 'failed':
        this.parts.log.warn('the engine failed', { code: message.code, turnId: message.turnId });
        // A question about an overlap that failed costs nothing: it is judged without words.
        if (message.turnId === undefined && message.callId !== undefined && this.engine === 'open') return;
        // Down until it has been started again and has opened the call anew.
        if (message.callId === undefined) this.engine = 'down';
        this.happen({ type: 'engine-failed', turnId: message.turnId });
        return;
      case 'answer-event':
        this.onAnswer(message.turnId, message.event);
        return;
    }
  }

  private onAnswer(turnId: number, event: Extract<EngineMessage, { type: 'answer-event' }>['event']): void {
    if (!this.audio.expects(turnId)) return;
    const nowMs = this.parts.clock.nowMs();
    this.learning.get(turnId)?.(event);
    switch (event.type) {
      case 'transcript':
        this.times.mark(turnId, 'transcriptMs', nowMs);
        this.happen({
          type: 'transcript',
          turnId,
          text: event.text,
          speech: event.speech,
          doneProbability: event.doneProbability,
          how: event.how,
        });
        return;
      case 'text':
        this.times.mark(turnId, 'firstTextMs', nowMs);
        this.happen({ type: 'answer-text', turnId, delta: event.delta });
        this.captionAgent(turnId);
        return;
      case 'audio':
        this.times.mark(turnId, 'firstAudioMs', nowMs);
        // First the samples, then the event that may release them.
        this.audio.push(turnId, event);
        this.happen({ type: 'answer-audio', turnId, durationMs: durationMsOf(event) });
        return;
      case 'end':
        this.learning.delete(turnId);
        if (event.citations !== undefined) this.notes.cite(turnId, event.citations);
        this.happen({ type: 'answer-end', turnId, action: event.action });
        return;
    }
  }

  private onPlayout(message: Extract<SessionMessage, { type: 'playout' }>): void {
    const { turnId, state } = message;
    const { playedMs, heardText } = this.fillers.without(turnId, message);
    if (state === 'started') this.measureGap(turnId, message.callSample);
    this.happen({ type: 'playout', turnId, state, playedMs, heardText });
    if (state === 'progress' || state === 'started') this.captionAgent(turnId);
  }

  private measureGap(turnId: number, callSample: number): void {
    const { phase } = this.state;
    const answer = 'answer' in phase ? phase.answer : undefined;
    if (answer?.turnId !== turnId || answer.turn === undefined || answer.askedMs === undefined) return;
    const gapMs = Math.round((callSample - answer.turn.endSample) / SAMPLES_PER_MS);
    this.notes.gap(turnId, gapMs);
    this.times.mark(turnId, 'firstPacketMs', answer.askedMs + gapMs);
    this.parts.emit({ type: 'turn-times', turnId, times: this.times.get(turnId) });
  }

  /** Events are taken one after the other, also those that an effect sets off. */
  private happen(event: Happening): void {
    this.queue.push({ ...event, atMs: this.parts.clock.nowMs() } as TurnEvent);
    if (this.working) return;
    this.working = true;
    try {
      for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
        const before = this.state.phase.name;
        const { state, effects } = reduce(this.state, next, this.parts.turns);
        this.state = state;
        for (const effect of effects) this.carryOut(effect);
        if (state.phase.name !== before) this.parts.emit({ type: 'state', state: state.phase.name });
      }
    } finally {
      this.working = false;
    }
  }

  private carryOut(effect: TurnEffect): void {
    const { engine, link, clock } = this.parts;
    const nowMs = clock.nowMs();
    switch (effect.type) {
      case 'answer':
        this.audio.expect(effect.turnId);
        this.times.mark(effect.turnId, 'orderedMs', nowMs);
        if (!effect.speculative) this.decided(effect.turnId, nowMs);
        if (this.engine === 'down') this.happen({ type: 'engine-failed', turnId: effect.turnId });
        else engine.answer(effect.turnId, effect.input, effect.speculative);
        return;
      case 'tool-call': {
        const { name, said } = effect;
        const toolCallId = this.parts.tools.open(effect.turnId, name);
        const { turnId } = effect;
        this.parts.emit({ type: 'tool-called', toolCallId, turnId, name, said, arguments: effect.arguments });
        return;
      }
      case 'prompt':
        this.audio.expect(effect.turnId);
        this.prompt(effect.turnId, effect.text);
        return;
      case 'filler':
        this.filler(effect.turnId, effect.text);
        return;
      case 'promote':
        this.decided(effect.turnId, nowMs);
        engine.promote(effect.turnId);
        return;
      case 'release':
        this.audio.release(effect.turnId);
        this.captionAgent(effect.turnId);
        return;
      case 'end-playout':
        link.post({ type: 'play-end', turnId: effect.turnId });
        return;
      case 'cancel':
        this.audio.forget(effect.turnId);
        this.learning.delete(effect.turnId);
        engine.cancel(effect.turnId);
        return;
      case 'pause':
      case 'resume':
        link.post({ type: effect.type, turnId: effect.turnId });
        return;
      case 'flush':
        this.audio.forget(effect.turnId);
        link.post({ type: 'flush', turnId: effect.turnId });
        return;
      case 'listen':
        engine.listen(effect.requestId, effect.fromSample, effect.toSample);
        return;
      case 'commit': {
        const { turnId, userText, heardText, interrupted } = effect;
        engine.commit(turnId, { userText, heardText, interrupted });
        return;
      }
      case 'timer':
        this.timers.set(effect.id, effect.token, effect.afterMs);
        return;
      case 'clear-timer':
        this.timers.clear(effect.id);
        return;
      case 'report':
        this.report(effect.report);
        return;
      case 'closed':
        this.shutDown(effect.reason);
        return;
    }
  }

  private decided(turnId: number, nowMs: number): void {
    const { phase } = this.state;
    const answer = 'answer' in phase ? phase.answer : undefined;
    if (answer?.turnId === turnId && answer.askedMs !== undefined) {
      this.times.mark(turnId, 'speechEndMs', answer.askedMs);
    }
    this.times.mark(turnId, 'decidedMs', nowMs);
  }

  private prompt(turnId: number, text: string): void {
    const { prompts, voice, engine } = this.parts;
    const chunks = prompts.get(voice, text);
    if (chunks === undefined) {
      this.learning.set(turnId, prompts.learn(voice, text));
      engine.answer(turnId, { kind: 'say', text }, false);
      return;
    }
    for (const chunk of chunks) {
      this.audio.push(turnId, chunk);
      this.happen({ type: 'answer-audio', turnId, durationMs: durationMsOf(chunk) });
    }
    this.happen({ type: 'answer-end', turnId, action: undefined });
  }

  /** Only from what is at hand: the engine is busy with the answer itself. */
  private filler(turnId: number, text: string): void {
    const chunks = this.parts.prompts.get(this.parts.voice, text);
    if (chunks === undefined) return;
    const durationMs = chunks.reduce((sum, chunk) => sum + durationMsOf(chunk), 0);
    this.fillers.note(turnId, { text, durationMs });
    for (const { pcm, sampleRate, words } of chunks) {
      const copy = pcm.slice();
      this.parts.link.post({ type: 'play', turnId, pcm: copy, sampleRate, words }, [copy.buffer]);
    }
  }

  private report(report: TurnReport): void {
    const { emit, log } = this.parts;
    switch (report.type) {
      case 'user-turn': {
        const { turnId, text, source, how } = report;
        log.debug('the caller’s turn', { turnId, source, content: text });
        emit({ type: 'caption', role: 'user', turnId, text, final: true });
        emit({ type: 'user-turn', turnId, text, source, how });
        return;
      }
      case 'reopened':
        // The caller was not done: what was taken for the turn is a part of it only.
        emit({ type: 'caption', role: 'user', turnId: report.turnId, text: '', final: true });
        return;
      case 'agent-turn': {
        const { turnId, kind, text, heardText, playedMs, interrupted } = report;
        const stages = this.times.stagesOf(turnId);
        const notes = this.notes.take(turnId);
        const atHangup = ['closing', 'closed'].includes(this.state.phase.name);
        this.forget(turnId);
        emit({ type: 'caption', role: 'agent', turnId, text, heardText, final: true, interrupted });
        emit({ type: 'agent-turn', turnId, kind, text, heardText, interrupted, atHangup, playedMs, ...notes, stages });
        return;
      }
      case 'interrupted':
        if (report.because !== OTHERS_ANSWER) this.interrupted += 1;
        log.debug('interrupted', { turnId: report.turnId, because: report.because });
        return;
      case 'ignored':
        log.debug('speech that takes no turn', { because: report.because, content: report.text });
        emit({ type: 'disregarded', because: report.because });
        return;
      case 'dismissed':
        log.debug('no interruption', { turnId: report.turnId, because: report.because });
        emit({ type: 'disregarded', because: report.because });
        return;
      case 'failure':
        log.warn('an answer failed', { turnId: report.turnId, because: report.because });
        emit({ type: 'failure', turnId: report.turnId, because: report.because });
        return;
      case 'handover':
        emit({ type: 'handover' });
        return;
      case 'tool-over': {
        const call = this.parts.tools.giveUp(report.turnId, report.because);
        if (call === undefined) return;
        if (report.because === 'timed-out') emit({ type: 'tool-late', name: call.name });
        emit({ type: 'tool-over', toolCallId: call.toolCallId, because: report.because });
        return;
      }
    }
  }

  private captionAgent(turnId: number): void {
    const { phase } = this.state;
    const answer = 'answer' in phase ? phase.answer : undefined;
    if (answer?.turnId !== turnId || !answer.released || answer.text === '') return;
    const { text, heardText } = answer;
    this.parts.emit({ type: 'caption', role: 'agent', turnId, text, heardText, final: false });
  }

  private forget(turnId: number): void {
    this.audio.forget(turnId);
    this.learning.delete(turnId);
    this.fillers.forget(turnId);
  }

  private shutDown(reason: CloseReason): void {
    this.stopHearing();
    this.audio.clear();
    this.timers.clearAll();
    this.parts.engine.close();
    this.parts.emit({ type: 'ended', reason });
    for (const resolve of this.closed.splice(0)) resolve();
  }
}
