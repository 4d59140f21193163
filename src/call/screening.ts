/**
 * A call of ours that was answered, before and while what it is for is performed: who answered is found out in silence, a
 * machine is left alone, spoken to or given a message, and a person gets what the call is for.
 */
import type { Amd, AnswerRules } from '../core/answer-rules';
import type { CallEndCause } from '../core/call-record';
import type { Clock, Timer } from '../core/clock';
import type { MenuPrompt } from '../dialplan/dialplan';
import type { ListenerReport } from '../listener/protocol';
import type { SessionMessage } from '../media/media-router';
import { type AnswerEffect, AnswerWatch } from '../turn/answer-watch';
import { VAD_SAMPLE_RATE } from '../turn/vad';
import type { CallCommand, Performance, Stage } from './call';
import type { EnginePort } from './engine-port';

/** What is done with machines. */
export interface AmdRequest {
  /** continue: as with a person; message: `message` is said after the beep, then the call is ended. */
  readonly onMachine: 'continue' | 'hangup' | 'message';
  readonly message?: MenuPrompt | undefined;
}

/** Undefined: nobody asked who answers. */
export function amdRequestOf(amd: Amd | undefined, voice: string | undefined): AmdRequest | undefined {
  if (amd === undefined || amd === false) return undefined;
  const { onMachine, message } = amd === true ? {} : amd;
  return {
    onMachine: onMachine ?? (message === undefined ? 'continue' : 'message'),
    message: message === undefined ? undefined : { say: message, voice },
  };
}

export interface ScreeningParts {
  readonly clock: Clock;
  readonly rules: AnswerRules;
  readonly subscribe: (sessionId: string, take: (report: ListenerReport) => void) => () => void;
  /** Whose recogniser tells the words of a greeting; undefined: by sound alone. */
  readonly openEngine: (() => EnginePort) | undefined;
  /** What the call is for. */
  readonly perform: (stage: Stage) => Performance;
  readonly leave: (prompt: MenuPrompt, stage: Stage) => Performance;
}

const SAMPLES_PER_MS = VAD_SAMPLE_RATE / 1_000;

export function performScreened(request: AmdRequest, stage: Stage, parts: ScreeningParts): Performance {
  const screening = new Screening(request, stage, parts);
  screening.begin();
  return screening;
}

class Screening implements Performance {
  private watch: AnswerWatch | undefined;
  private readonly answeredMs: number;
  private stopHearing: () => void = () => undefined;
  private engine: EnginePort | undefined;
  private pendingWords = false;
  private deadline: Timer | undefined;
  /** What the call is for, once it is performed. */
  private inner: Performance | undefined;
  private held = false;
  private isMachine = false;
  private dismissed = false;
  private closed = false;
  /** Where the call's sample clock stood, and when. */
  private from = { sample: 0, ms: 0 };

  constructor(
    private readonly request: AmdRequest,
    private readonly stage: Stage,
    private readonly parts: ScreeningParts,
  ) {
    this.answeredMs = parts.clock.nowMs();
  }

  get turnGapsMs(): readonly number[] {
    return this.inner?.turnGapsMs ?? [];
  }

  get interruptions(): number {
    return this.inner?.interruptions ?? 0;
  }

  begin(): void {
    const { link } = this.stage;
    link.post({ type: 'source', source: { kind: 'playout' } });
    link.post({ type: 'watch-tones', on: true });
    this.stopHearing = this.parts.subscribe(link.sessionId, (report) => this.onReport(report));
    this.engine = this.parts.openEngine?.();
    this.engine?.onMessage((message) => {
      if (message.type === 'listened') this.onWords(message.text);
      else if (message.type === 'failed') this.onWords('');
    });
  }

  onMedia(message: SessionMessage): void {
    if (message.type === 'tones-watched') {
      this.from = { sample: message.callSample, ms: this.parts.clock.nowMs() };
      this.watch = new AnswerWatch(message.callSample, this.parts.rules, this.engine !== undefined);
      this.wait();
    } else if (message.type === 'tone') this.take(message);
    else this.inner?.onMedia(message);
  }

  onHold(held: boolean): void {
    this.held = held;
    this.inner?.onHold(held);
  }

  command(command: CallCommand): boolean {
    return this.inner?.command(command) ?? false;
  }

  async close(cause: CallEndCause): Promise<void> {
    this.stop();
    await this.inner?.close(cause);
  }

  private onReport(report: ListenerReport): void {
    if (report.type === 'heard') this.engine?.hear(report.startSample, report.pcm);
    this.take(report);
  }

  private onWords(text: string): void {
    if (!this.pendingWords) return;
    this.pendingWords = false;
    this.take({ type: 'words', text });
  }

  private take(heard: Parameters<AnswerWatch['push']>[0]): void {
    if (this.closed || this.watch === undefined) return;
    for (const effect of this.watch.push(heard)) this.carryOut(effect);
    if (this.closed) return;
    if (this.inner !== undefined && !this.pendingWords) this.closeEngine();
    if (this.watch.over) this.stop();
    else this.wait();
  }

  private wait(): void {
    this.deadline?.cancel();
    const deadlineSample = this.watch?.deadlineSample;
    if (deadlineSample === undefined) return;
    const nowMs = this.parts.clock.nowMs();
    const atMs = this.from.ms + (deadlineSample - this.from.sample) / SAMPLES_PER_MS;
    this.deadline = this.parts.clock.after(Math.max(0, atMs - nowMs), () => {
      const elapsedMs = this.parts.clock.nowMs() - this.from.ms;
      this.take({ type: 'time', sample: Math.ceil(this.from.sample + elapsedMs * SAMPLES_PER_MS) });
    });
  }

  private carryOut(effect: AnswerEffect): void {
    if (effect.type === 'listen') {
      this.pendingWords = true;
      this.engine?.listen(0, effect.fromSample, effect.toSample);
      return;
    }
    const afterMs = Math.round(this.parts.clock.nowMs() - this.answeredMs);
    if (effect.type === 'records') {
      const { beepHz } = effect;
      const records = beepHz === undefined ? ('silence' as const) : ('beep' as const);
      const because = beepHz === undefined ? ('silence' as const) : ('beep' as const);
      this.stage.emit('amd.result', { answeredBy: 'machine', because, afterMs, records, beepHz });
      this.leaveMessage();
      return;
    }
    const { answeredBy, because, greetingMs } = effect;
    this.stage.emit('amd.result', { answeredBy, because, afterMs, greetingMs });
    if (answeredBy !== 'machine') this.go();
    else this.onMachine(because === 'intercept' || because === 'fax');
  }

  /** `deaf`: it records nothing. */
  private onMachine(deaf: boolean): void {
    this.isMachine = true;
    const { onMachine } = this.request;
    if (onMachine === 'continue') this.go();
    else if (onMachine === 'hangup' || deaf) this.stage.end('machine');
    // Who was taken for a person is no longer spoken to: its beep is waited for.
    else {
      this.dismissed = true;
      void this.inner?.close('finished');
    }
  }

  private leaveMessage(): void {
    const { onMachine, message } = this.request;
    if (!this.isMachine || onMachine !== 'message' || message === undefined) return;
    this.stop();
    this.stage.take('message', (stage) => this.parts.leave(message, stage));
  }

  private go(): void {
    if (this.inner !== undefined) return;
    // One that is sent away says that it has ended: that does not end the call.
    const end: Stage['end'] = (cause) => void (!this.dismissed && this.stage.end(cause));
    this.inner = this.parts.perform({ ...this.stage, end });
    if (this.held) this.inner.onHold(true);
  }

  private stop(): void {
    if (this.closed && this.engine === undefined) return;
    this.closed = true;
    this.deadline?.cancel();
    this.stopHearing();
    this.closeEngine();
    this.stage.link.post({ type: 'watch-tones', on: false });
  }

  private closeEngine(): void {
    this.engine?.close();
    this.engine = undefined;
  }
}
