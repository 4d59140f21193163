/** A conversation on a line of virtual time: the real playout queue on a 20 ms clock, and an engine that follows a script. */

import { Conversation } from '../../src/call/conversation';
import type { ConversationEvent } from '../../src/call/conversation-event';
import type { EngineMessage, EnginePort } from '../../src/call/engine-port';
import { SpokenPrompts } from '../../src/call/spoken-prompts';
import { noToolCounts, ToolCalls } from '../../src/call/tool-calls';
import { ManualClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import type { ToolCall } from '../../src/core/tool';
import type { ListenerReport } from '../../src/listener/protocol';
import type { SessionCommand } from '../../src/media/media-router';
import { PlayoutQueue } from '../../src/media/playout-queue';
import type { AnswerInput } from '../../src/model/omni-model';
import { DEFAULT_TURNS, type TurnConfig } from '../../src/turn/turn-state';

const RATE = 8_000;
const FRAME = 160;
const WORD_MS = 250;
const WORD_SAMPLES = (RATE * WORD_MS) / 1_000;

type Commit = { turnId: number; userText: string | undefined; heardText: string; interrupted: boolean };

/** Answers every question with `reply`; each word is 250 ms of samples that carry the word's number. */
export class ScriptedEngine implements EnginePort {
  reply = 'We are open from nine to five on weekdays. On Saturdays we close at noon.';
  question = 'When are you open?';
  overlap = 'wait please';
  transcriptMs = 150;
  firstAudioMs = 300;
  wordEveryMs = 100;
  broken = false;
  /** What an answer to a question ends with; the answer from a result ends with nothing. */
  tool: ToolCall | 'handover' | undefined;
  readonly orders: { turnId: number; input: AnswerInput; speculative: boolean; atMs: number }[] = [];
  readonly commits: Commit[] = [];
  readonly cancelled = new Set<number>();
  readonly heard: { startSample: number; length: number }[] = [];
  readonly promoted: number[] = [];
  closed = 0;
  private take: (message: EngineMessage) => void = () => undefined;

  constructor(private readonly clock: ManualClock) {}

  onMessage(take: (message: EngineMessage) => void): void {
    this.take = take;
    take({ type: 'opened', callId: 'c' });
  }
  hear(startSample: number, pcm: Int16Array): void {
    this.heard.push({ startSample, length: pcm.length });
  }
  promote(turnId: number): void {
    this.promoted.push(turnId);
  }
  cancel(turnId: number): void {
    this.cancelled.add(turnId);
  }
  listen(requestId: number): void {
    this.clock.after(120, () =>
      this.take({ type: 'listened', callId: 'c', requestId, text: this.overlap, speech: this.overlap !== '' }),
    );
  }
  commit(turnId: number, turn: Omit<Commit, 'turnId'>): void {
    this.commits.push({ turnId, ...turn });
  }
  close(): void {
    this.closed += 1;
  }

  answer(turnId: number, input: AnswerInput, speculative: boolean): void {
    this.orders.push({ turnId, input, speculative, atMs: this.clock.nowMs() });
    if (this.broken) return;
    if (input.kind === 'audio') {
      this.after(this.transcriptMs, turnId, { type: 'transcript', text: this.question, speech: true });
    }
    const text = input.kind === 'say' ? input.text : input.kind === 'tool-result' ? input.text : this.reply;
    const action = input.kind === 'audio' || input.kind === 'text' ? this.tool : undefined;
    const words = text.split(' ');
    words.forEach((word, index) => {
      const atMs = this.firstAudioMs + index * this.wordEveryMs;
      this.after(atMs, turnId, { type: 'text', delta: index === 0 ? word : ` ${word}` });
      const pcm = new Int16Array(WORD_SAMPLES).fill((index + 1) * 100);
      const spoken = [{ text: word, startSample: 0, endSample: WORD_SAMPLES }];
      this.after(atMs, turnId, { type: 'audio', pcm, sampleRate: RATE, words: spoken });
    });
    this.after(this.firstAudioMs + words.length * this.wordEveryMs, turnId, {
      type: 'end',
      stages: {},
      ...(action === undefined ? {} : { action }),
    });
  }

  fail(code: string, turnId?: number): void {
    const callId = turnId === undefined ? undefined : 'c';
    this.take({ type: 'failed', callId, turnId, code, message: 'It failed.' });
  }

  private after(
    afterMs: number,
    turnId: number,
    event: Extract<EngineMessage, { type: 'answer-event' }>['event'],
  ): void {
    this.clock.after(afterMs, () => {
      // A message may already be on its way when the answer is cancelled: it comes nevertheless.
      this.take({ type: 'answer-event', callId: 'c', turnId, event });
    });
  }
}

export class Line {
  readonly clock = new ManualClock();
  readonly engine = new ScriptedEngine(this.clock);
  readonly events: ConversationEvent[] = [];
  readonly prompts: SpokenPrompts;
  readonly toolCounts = noToolCounts();
  readonly conversation: Conversation;
  /** What left, a number per sample: the word's, 0 for silence. */
  readonly sent: number[] = [];
  private readonly queue: PlayoutQueue;
  private report: (report: ListenerReport) => void = () => undefined;
  private sample = 0;

  constructor(options: { greeting?: string; turns?: TurnConfig; prompts?: SpokenPrompts } = {}) {
    this.prompts = options.prompts ?? new SpokenPrompts();
    this.queue = new PlayoutQueue(RATE, (event) => {
      // Reports cross a thread boundary: they arrive after what is being done now.
      const callSample = this.sample;
      this.clock.after(1, () => this.conversation.onMedia({ type: 'playout', sessionId: 's', ...event, callSample }));
    });
    this.conversation = new Conversation({
      link: { post: (command) => this.toMedia(command as SessionCommand) },
      engine: this.engine,
      hearCaller: (take) => {
        this.report = take;
        return () => {
          this.report = () => undefined;
        };
      },
      prompts: this.prompts,
      voice: 'amy',
      greeting: options.greeting,
      tools: new ToolCalls('c', this.toolCounts),
      turns: options.turns ?? { ...DEFAULT_TURNS, idle: undefined },
      clock: this.clock,
      log: silentLogger,
      emit: (event) => this.events.push(event),
    });
    this.clock.after(20, () => this.tick());
    this.conversation.start();
  }

  ofType<T extends ConversationEvent['type']>(type: T): Extract<ConversationEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<ConversationEvent, { type: T }> => event.type === type);
  }

  advance(ms: number): void {
    this.clock.advance(ms);
  }

  speak(ms: number): void {
    const onset = this.sample;
    const say = (type: 'speech-started' | 'speech-continues' | 'speech-ended', sample: number) => {
      const from = this.engine.heard.at(-1);
      const heardTo = from === undefined ? Math.max(0, onset - 4_800) : from.startSample + from.length;
      this.report({ type: 'heard', sessionId: 's', startSample: heardTo, pcm: new Int16Array(this.sample - heardTo) });
      this.report({ type, sessionId: 's', sample, headSample: this.sample, levelDb: -25 });
    };
    this.advance(80);
    say('speech-started', onset);
    for (let spoken = 80; spoken < ms; spoken += 100) {
      this.advance(Math.min(100, ms - spoken));
      say('speech-continues', onset);
    }
    const silence = this.sample;
    this.advance(100);
    say('speech-ended', silence);
  }

  /** Words of which at least half was sent since `fromIndex`: every sample of speech that left is no zero. */
  wordsSent(fromIndex: number): number {
    const samples = this.sent.slice(fromIndex).filter((value) => value !== 0).length;
    return Math.floor(samples / WORD_SAMPLES + 0.5);
  }

  private toMedia(command: SessionCommand): void {
    switch (command.type) {
      case 'play':
        this.queue.play(command.turnId, command.pcm, command.sampleRate, command.words);
        return;
      case 'play-end':
        this.queue.end(command.turnId);
        return;
      case 'pause':
        this.queue.pause(command.turnId);
        return;
      case 'resume':
        this.queue.resume(command.turnId);
        return;
      case 'flush':
        this.queue.flush(command.turnId);
        return;
      default:
        return;
    }
  }

  private tick(): void {
    const frame = new Int16Array(FRAME);
    const speech = this.queue.pull(frame);
    for (let index = 0; index < FRAME; index += 1) this.sent.push(index < speech ? (frame[index] ?? 0) : 0);
    this.sample += 320;
    this.clock.after(20, () => this.tick());
  }
}
