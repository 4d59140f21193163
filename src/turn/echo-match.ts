/**
 * Is a sound on the line our own voice come back? Compares the loudness of what is heard, frame by frame, with the
 * loudness of what was sent, at every delay that an echo may have: an echo rises and falls as the voice did, a caller
 * does not. Pure.
 *
 *      sent    ▁▅▇▃▁▁▆▇▂▁▄▇        heard   ▁▁▁▁▁▅▇▃▁▁▆▇▂
 *                                               |<- delay ->| correlation 0.95: echo
 */

/** One frame of the call's clock. */
export const ECHO_FRAME_SAMPLES = 320;
/** ITU-T G.131 is concerned with echoes up to about here. */
const LONGEST_DELAY_FRAMES = 20;
const KEPT_FRAMES = 100;
/** Fewer frames are alike by chance … */
const FEWEST_FRAMES = 12;
/** … and fewer than these more often than the likeness says … */
const FRAMES_TO_BELIEVE = 22;
/** … so that they count as if so many had been compared. */
const FRAMES_AS_IF = 30;
/** Quieter than the loudest by this is silence, dB: the line's own noise has no shape. */
const DEPTH_DB = 25;
/** The voice must have risen and fallen by so much, dB of standard deviation, to be recognised again. */
const LEAST_SHAPE_DB = 3;
const SILENCE_DB = -96;

export class EchoMatch {
  private readonly heardDb: number[] = [];
  private readonly sentDb: number[] = [];
  /** Of the first frame kept. */
  private first = 0;

  /** `startSample` on the call's 16 kHz clock; levels in dBFS. A gap forgets what was before. */
  push(startSample: number, heardDb: number, sentDb: number): void {
    const frame = Math.round(startSample / ECHO_FRAME_SAMPLES);
    if (frame !== this.first + this.heardDb.length) {
      this.heardDb.length = 0;
      this.sentDb.length = 0;
      this.first = frame;
    }
    this.heardDb.push(heardDb);
    this.sentDb.push(sentDb);
    if (this.heardDb.length > KEPT_FRAMES) {
      this.heardDb.shift();
      this.sentDb.shift();
      this.first += 1;
    }
  }

  /**
   * How alike [fromSample, toSample) is to what was sent before it, 0…1; undefined when there is too little of it. What is
   * short must be the more alike: its likeness is told as the one that would be as unlikely by chance in longer speech.
   */
  match(fromSample: number, toSample: number): number | undefined {
    // Of long speech the newest part, so that what was sent before it is still known.
    const oldest = this.heardDb.length < KEPT_FRAMES ? 0 : LONGEST_DELAY_FRAMES;
    const from = Math.max(oldest, Math.round(fromSample / ECHO_FRAME_SAMPLES) - this.first);
    const to = Math.min(this.heardDb.length, Math.floor(toSample / ECHO_FRAME_SAMPLES) - this.first);
    if (to - from < FEWEST_FRAMES) return undefined;
    const heard = shapeOf(this.heardDb.slice(from, to));
    let best = 0;
    for (let delay = 0; delay <= Math.min(LONGEST_DELAY_FRAMES, from); delay += 1) {
      const sent = shapeOf(this.sentDb.slice(from - delay, to - delay));
      if (sent.deviation >= LEAST_SHAPE_DB && heard.deviation >= LEAST_SHAPE_DB) {
        best = Math.max(best, correlation(heard, sent));
      }
    }
    return asInLongSpeech(best, to - from);
  }
}

/** Fisher's z: atanh of a correlation over n values has a standard deviation of 1 / √(n - 3). */
function asInLongSpeech(likeness: number, frames: number): number {
  if (frames >= FRAMES_TO_BELIEVE) return likeness;
  const z = Math.atanh(Math.min(likeness, 1 - Number.EPSILON));
  return Math.tanh(z * Math.sqrt((frames - 3) / (FRAMES_AS_IF - 3)));
}

interface Shape {
  /** Levels less their mean. */
  readonly values: readonly number[];
  readonly deviation: number;
}

function shapeOf(levelsDb: readonly number[]): Shape {
  const floorDb = Math.max(SILENCE_DB, ...levelsDb) - DEPTH_DB;
  const levels = levelsDb.map((levelDb) => Math.max(floorDb, levelDb));
  const mean = levels.reduce((sum, level) => sum + level, 0) / levels.length;
  const values = levels.map((level) => level - mean);
  return { values, deviation: Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length) };
}

function correlation(a: Shape, b: Shape): number {
  const sum = a.values.reduce((total, value, index) => total + value * (b.values[index] ?? 0), 0);
  return sum / (a.values.length * a.deviation * b.deviation);
}
