/** What a caller says outside of a conversation: heard by the listener, told as words by the engine's recogniser. */
import type { Clock, Timer } from '../core/clock';
import type { ListenerReport } from '../listener/protocol';
import { VAD_SAMPLE_RATE } from '../turn/vad';
import type { EnginePort } from './engine-port';

export interface SpokenInputParts {
  readonly clock: Clock;
  readonly subscribe: (take: (report: ListenerReport) => void) => () => void;
  readonly openEngine: () => EnginePort;
  /** Somebody speaks. */
  readonly onSpeech: () => void;
  /** '' when no words were found, or nobody could tell. */
  readonly onWords: (text: string) => void;
}

/** A choice is a word or two: a short pause ends it. */
const PAUSE_MS = 700;
/** Whoever goes on is judged by what was said so far. */
const LONGEST_MS = 8_000;
/** Audio before the onset and after the end that the listener hands on. */
const MARGIN_SAMPLES = 0.3 * VAD_SAMPLE_RATE;
/** A recogniser that is busy with others, or down. */
const WORDS_WITHIN_MS = 8_000;

export class SpokenInput {
  private readonly engine: EnginePort;
  private readonly stopHearing: () => void;
  private from: number | undefined;
  private to = 0;
  private requestId = 0;
  private asked = false;
  private pause: Timer | undefined;
  private limit: Timer | undefined;

  constructor(private readonly parts: SpokenInputParts) {
    this.engine = parts.openEngine();
    this.engine.onMessage((message) => {
      if (message.type === 'listened' && message.requestId === this.requestId) this.told(message.text);
      else if (message.type === 'failed') this.told('');
    });
    this.stopHearing = parts.subscribe((report) => this.onReport(report));
  }

  /** The caller speaks, or what was said is being looked at. */
  get busy(): boolean {
    return this.from !== undefined || this.asked;
  }

  /** What has been said so far is of no interest. */
  forget(): void {
    this.pause?.cancel();
    this.limit?.cancel();
    this.from = undefined;
    this.asked = false;
    this.requestId++;
  }

  close(): void {
    this.forget();
    this.stopHearing();
    this.engine.close();
  }

  private onReport(report: ListenerReport): void {
    const { clock } = this.parts;
    switch (report.type) {
      case 'heard':
        this.engine.hear(report.startSample, report.pcm);
        return;
      case 'speech-started':
        this.pause?.cancel();
        if (this.from !== undefined) return;
        this.forget();
        this.from = report.sample - MARGIN_SAMPLES;
        this.to = report.headSample;
        this.limit = clock.after(LONGEST_MS, () => this.listen());
        this.parts.onSpeech();
        return;
      case 'speech-continues':
        this.to = report.headSample;
        return;
      case 'speech-ended':
        if (this.from === undefined) return;
        this.to = report.sample + MARGIN_SAMPLES;
        this.pause?.cancel();
        this.pause = clock.after(PAUSE_MS, () => this.listen());
    }
  }

  private listen(): void {
    const { from, to } = this;
    if (from === undefined) return;
    this.forget();
    this.asked = true;
    this.engine.listen(this.requestId, Math.max(0, from), to);
    this.limit = this.parts.clock.after(WORDS_WITHIN_MS, () => this.told(''));
  }

  private told(text: string): void {
    if (!this.asked) return;
    this.forget();
    this.parts.onWords(text);
  }
}
