/**
 * Speech onsets and ends out of window-by-window speech probabilities: two thresholds and two minimum durations
 * (hysteresis), on the call's sample clock, and a drop of the level, which shows an end sooner than the network does.
 * Pure; the probabilities come from silero-vad.ts.
 *
 *      probability 1 |        ____   ___
 *              start |-------/----\-/---\---------------
 *                end |------/------v-----\--------------
 *                    |_____/              \_____________
 *                          ^ onset         ^ silence
 *                          |<startMs>|     |<endMs>|
 *                                    ^ speech-started   ^ speech-ended, both carrying the earlier sample
 */
import type { SoundChances } from '../core/overlap-heard';
import type { Stage } from '../core/stage';

export const VAD_SAMPLE_RATE = 16_000;
/** What the network takes at 16 kHz: 32 ms. */
export const VAD_WINDOW_SAMPLES = 512;

export interface VadConfig {
  /** At or above it a window counts as speech. */
  readonly startThreshold: number;
  /** Below it a window counts as silence; in between the last verdict stands. */
  readonly endThreshold: number;
  /** Speech windows needed before an onset is believed. */
  readonly startMs: number;
  /** Silence needed before an end is reported; the length of a pause is measured by whoever listens. */
  readonly endMs: number;
  /** So far below the speech a window is silence, whatever the network says: its verdict lags behind by 100 ms and more. */
  readonly quietDropDb: number;
  /** Distance between two `speech-continues`. */
  readonly reportMs: number;
}

export const DEFAULT_VAD: VadConfig = {
  startThreshold: 0.5,
  endThreshold: 0.35,
  startMs: 64,
  endMs: 96,
  quietDropDb: 20,
  reportMs: 96,
};

export interface VadWindow {
  readonly startSample: number;
  readonly samples: number;
  readonly probability: number;
  /** Mean level of the window in dBFS. */
  readonly levelDb: number;
}

interface VadEventFacts {
  /** One past the newest sample that was judged when the event was made. */
  readonly headSample: number;
  /** Mean level of this stretch of speech so far, dBFS. */
  readonly levelDb: number;
  /** What it sounds like so far, where a network says so. */
  readonly sound?: SoundChances | undefined;
  /** How alike it is to what we sent, 0…1 (echo-match.ts), where that is known. */
  readonly echo?: number | undefined;
}

export type VadEvent =
  /** `sample`: the first of the speech. */
  | ({ readonly type: 'speech-started'; readonly sample: number } & VadEventFacts)
  | ({ readonly type: 'speech-continues'; readonly sample: number } & VadEventFacts)
  /** `sample`: the first of the silence. */
  | ({ readonly type: 'speech-ended'; readonly sample: number } & VadEventFacts);

const SILENCE_DB = -96;
/** For so long after speech the network may go on seeing it. */
const AFTERMATH_MS = 600;

export class VadHysteresis implements Stage<VadWindow, VadEvent> {
  private onset: number | undefined;
  private speaking = false;
  private speechSamples = 0;
  private silence: number | undefined;
  /** The speech before, whose end the network may not have noticed yet. */
  private last: { readonly endSample: number; readonly levelDb: number } | undefined;
  private reportedAt = 0;
  private power = 0;
  private powerSamples = 0;

  constructor(private readonly config: VadConfig = DEFAULT_VAD) {}

  get inSpeech(): boolean {
    return this.speaking;
  }

  /** First sample of the speech that is going on or being considered; what must not be forgotten yet. */
  get onsetSample(): number | undefined {
    return this.onset;
  }

  push(window: VadWindow): VadEvent[] {
    return this.speaking ? this.pushInSpeech(window) : this.pushInSilence(window);
  }

  reset(): void {
    this.onset = undefined;
    this.speaking = false;
    this.speechSamples = 0;
    this.silence = undefined;
    this.power = 0;
    this.powerSamples = 0;
  }

  /** Ends speech that is going on, for a stream that stopped or jumped. */
  interrupt(headSample: number): VadEvent[] {
    if (!this.speaking) {
      this.reset();
      return [];
    }
    const event: VadEvent = {
      type: 'speech-ended',
      sample: this.silence ?? headSample,
      headSample,
      levelDb: this.levelDb(),
    };
    this.reset();
    return [event];
  }

  private pushInSilence(window: VadWindow): VadEvent[] {
    const { probability, startSample, samples } = window;
    if (probability < this.config.endThreshold || this.isAftermath(window)) {
      this.reset();
      return [];
    }
    if (probability >= this.config.startThreshold) {
      this.onset ??= startSample;
      this.speechSamples += samples;
      this.addLevel(window);
    }
    if (this.onset === undefined || this.speechSamples < toSamples(this.config.startMs)) return [];
    const headSample = startSample + samples;
    this.speaking = true;
    this.silence = undefined;
    this.reportedAt = headSample;
    return [{ type: 'speech-started', sample: this.onset, headSample, levelDb: this.levelDb() }];
  }

  private pushInSpeech(window: VadWindow): VadEvent[] {
    const { probability, startSample, samples } = window;
    const headSample = startSample + samples;
    const onset = this.onset ?? startSample;
    if (window.levelDb < this.levelDb() - this.config.quietDropDb || probability < this.config.endThreshold) {
      this.silence ??= startSample;
    } else if (probability >= this.config.startThreshold) {
      this.silence = undefined;
      this.addLevel(window);
    }
    if (this.silence !== undefined && headSample - this.silence >= toSamples(this.config.endMs)) {
      const levelDb = this.levelDb();
      const event: VadEvent = { type: 'speech-ended', sample: this.silence, headSample, levelDb };
      this.last = { endSample: this.silence, levelDb };
      this.reset();
      return [event];
    }
    if (headSample - this.reportedAt < toSamples(this.config.reportMs)) return [];
    this.reportedAt = headSample;
    return [{ type: 'speech-continues', sample: onset, headSample, levelDb: this.levelDb() }];
  }

  private isAftermath(window: VadWindow): boolean {
    if (this.last === undefined || window.startSample - this.last.endSample > toSamples(AFTERMATH_MS)) return false;
    return window.levelDb < this.last.levelDb - this.config.quietDropDb;
  }

  private addLevel(window: VadWindow): void {
    this.power += 10 ** (window.levelDb / 10) * window.samples;
    this.powerSamples += window.samples;
  }

  private levelDb(): number {
    if (this.powerSamples === 0 || this.power === 0) return SILENCE_DB;
    return Math.max(SILENCE_DB, 10 * Math.log10(this.power / this.powerSamples));
  }
}

function toSamples(ms: number): number {
  return (ms * VAD_SAMPLE_RATE) / 1_000;
}
