/**
 * Who speaks into the telephone, apart from who is heard behind them: what the detector of speech tells, cut where the voice in
 * front has fallen silent although others go on. A room is known by its level, well below that of the voice.
 */
import { levelDbOf } from './energy-gate';
import { VAD_SAMPLE_RATE, type VadEvent } from './vad';

export type ForegroundEvent = {
  readonly type: 'speech-started' | 'speech-ended';
  readonly sample: number;
  /** One past the newest sample that was heard. */
  readonly headSample: number;
};

/** Below the loudest that was heard lately, sound is behind; above it, in front. */
const BEHIND_DB = 15;
const IN_FRONT_DB = 11;
/** So much of it in a row: a voice has softer syllables. */
const BEHIND_SAMPLES = 0.4 * VAD_SAMPLE_RATE;
/** A click at the beginning must not make a room of the voice behind it. */
const FORGET_DB_PER_SECOND = 2;

export class Foreground {
  private loudestDb = Number.NEGATIVE_INFINITY;
  private speaking = false;
  private behindFrom: number | undefined;

  /** Audio around speech, as it comes (`heard` of the listener), before the events that are told of it. */
  hear(startSample: number, pcm: Int16Array): ForegroundEvent[] {
    const levelDb = levelDbOf(pcm);
    const headSample = startSample + pcm.length;
    this.loudestDb = Math.max(this.loudestDb - (FORGET_DB_PER_SECOND * pcm.length) / VAD_SAMPLE_RATE, levelDb);
    if (!this.speaking) return [];
    if (levelDb >= this.loudestDb - BEHIND_DB) {
      this.behindFrom = undefined;
      return [];
    }
    this.behindFrom ??= startSample;
    return headSample - this.behindFrom < BEHIND_SAMPLES ? [] : this.ended(this.behindFrom, headSample);
  }

  push(event: VadEvent): ForegroundEvent[] {
    const { headSample, levelDb } = event;
    if (event.type === 'speech-ended') return this.speaking ? this.ended(event.sample, headSample) : [];
    if (this.speaking || levelDb < this.loudestDb - IN_FRONT_DB) return [];
    this.speaking = true;
    this.behindFrom = undefined;
    // Speech that went on behind has a beginning of its own; the voice in front begins about now.
    const sample = event.type === 'speech-started' ? event.sample : headSample;
    return [{ type: 'speech-started', sample, headSample }];
  }

  private ended(sample: number, headSample: number): ForegroundEvent[] {
    this.speaking = false;
    this.behindFrom = undefined;
    return [{ type: 'speech-ended', sample, headSample }];
  }
}
