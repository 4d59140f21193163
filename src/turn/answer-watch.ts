/**
 * One answered call of ours, watched until it is known who answered (answered-by.ts): what the listener, the detector of tones
 * and the recogniser report, in whatever order it comes, and which words are worth asking for. The call and the bench run this
 * same watch, one on the clock, one as fast as it can.
 */
import type { AnswerRules } from '../core/answer-rules';
import {
  type AnswerEvent,
  type AnswerState,
  type AnswerVerdict,
  deadlineOf,
  initialAnswer,
  stepAnswer,
} from './answered-by';
import { Foreground, type ForegroundEvent } from './foreground';
import { VAD_SAMPLE_RATE, type VadEvent } from './vad';

/** What is to be done about it. */
export type AnswerEffect =
  | AnswerVerdict
  /** What was said in that span? The answer comes back as `words`. */
  | { readonly type: 'listen'; readonly fromSample: number; readonly toSample: number };

type Heard =
  | VadEvent
  /** 16 kHz, around speech: before the events that are told of it. */
  | { readonly type: 'heard'; readonly startSample: number; readonly pcm: Int16Array }
  | Exclude<AnswerEvent, { type: 'speech-started' | 'speech-ended' }>;

/** Reports come so long after what they tell of, at most; a deadline that passes without one has passed. */
export const REPORTS_WITHIN_MS = 100;
/** New speech that is worth another look, and its length where the voice makes no pause. */
const LEAST_NEW_SAMPLES = 0.4 * VAD_SAMPLE_RATE;
const MOST_NEW_SAMPLES = 1.6 * VAD_SAMPLE_RATE;
/** The recogniser keeps so much, and a mailbox has said what it is by then. */
const MOST_ASKED_SAMPLES = 14 * VAD_SAMPLE_RATE;

export class AnswerWatch {
  private state: AnswerState;
  private spokenFrom: number | undefined;
  private askedTo = 0;
  private asking = false;
  private readonly foreground = new Foreground();

  constructor(
    startSample: number,
    private readonly rules: AnswerRules,
    private readonly withWords: boolean,
  ) {
    this.state = initialAnswer(startSample);
  }

  get over(): boolean {
    return this.state.phase.name === 'over';
  }

  /** When `time` is to be pushed, with the time that reports take; undefined: never. */
  get deadlineSample(): number | undefined {
    const deadline = deadlineOf(this.state, this.rules);
    return deadline === undefined ? undefined : deadline + (REPORTS_WITHIN_MS * VAD_SAMPLE_RATE) / 1_000;
  }

  push(heard: Heard): AnswerEffect[] {
    switch (heard.type) {
      case 'heard':
        return this.foreground.hear(heard.startSample, heard.pcm).flatMap((event) => this.take(event));
      case 'speech-started':
      case 'speech-ended':
        return this.foreground.push(heard).flatMap((event) => this.take(event));
      case 'speech-continues':
        return [...this.foreground.push(heard).flatMap((event) => this.take(event)), ...this.ask(heard)];
      case 'words':
        this.asking = false;
        return this.step(heard);
      default:
        return this.step(heard);
    }
  }

  private take(event: ForegroundEvent): AnswerEffect[] {
    return [...this.step(event), ...this.ask(event)];
  }

  private step(event: AnswerEvent): AnswerEffect[] {
    const { state, verdicts } = stepAnswer(this.state, event, this.rules);
    this.state = state;
    return [...verdicts];
  }

  private ask(event: Pick<VadEvent, 'type' | 'sample' | 'headSample'>): AnswerEffect[] {
    this.spokenFrom ??= event.sample;
    const { name } = this.state.phase;
    // Once it is decided an agent may be speaking: what is heard then is none of this.
    if (!this.withWords || this.asking || (name !== 'greeting' && name !== 'pausing')) return [];
    const toSample = event.headSample;
    if (toSample - this.spokenFrom > MOST_ASKED_SAMPLES) return [];
    const fresh = toSample - Math.max(this.askedTo, this.spokenFrom);
    if (fresh < (event.type === 'speech-ended' ? LEAST_NEW_SAMPLES : MOST_NEW_SAMPLES)) return [];
    this.asking = true;
    this.askedTo = toSample;
    return [{ type: 'listen', fromSample: this.spokenFrom, toSample }];
  }
}
