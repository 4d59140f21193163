/**
 * Reads a call off its stereo tape, as the caller's side of the line recorded it: who spoke when, how long the caller
 * waited, how fast the agent fell silent. Method after open dual-channel benchmarks: two detectors that work differently
 * must agree on an edge, and what they do not agree on is discarded and counted, never guessed.
 */
export interface Tape {
  readonly sampleRate: number;
  /** −1…1, one sample clock for both. */
  readonly caller: Float32Array;
  readonly agent: Float32Array;
}

export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

export interface DetectorOptions {
  /** Frames above this many dB over the noise floor count as speech. */
  readonly marginDb: number;
  /** Silence shorter than this does not split a talkspurt. */
  readonly bridgeMs: number;
  /** Anything shorter is a click, not speech. */
  readonly minimumMs: number;
}

const FRAME_MS = 10;
const LOUDNESS: DetectorOptions = { marginDb: 20, bridgeMs: 300, minimumMs: 60 };
/** Nothing below this is ever speech: comfort noise of a G.711 line lies around −65 dBFS. */
const FLOOR_DBFS = -50;

/** Detector one: loudness of 10 ms frames against the channel's own floor (its 10th percentile). */
export function loudSpans(samples: Float32Array, sampleRate: number, options: DetectorOptions = LOUDNESS): Span[] {
  const frame = Math.round((sampleRate * FRAME_MS) / 1_000);
  const levels: number[] = [];
  for (let at = 0; at + frame <= samples.length; at += frame) {
    let sum = 0;
    for (let index = at; index < at + frame; index += 1) sum += (samples[index] ?? 0) ** 2;
    levels.push(10 * Math.log10(sum / frame + 1e-10));
  }
  const floor = [...levels].sort((a, b) => a - b)[Math.floor(levels.length / 10)] ?? -100;
  const threshold = Math.max(FLOOR_DBFS, Math.min(floor + options.marginDb, -30));
  return spansOf(
    levels.map((level) => level > threshold),
    FRAME_MS,
    options,
  );
}

/**
 * Detector two: variance of the waveform's slope in 20 ms windows stepped by 5 ms. It follows consonants and ignores
 * hum and offset, which deceive loudness.
 */
export function busySpans(samples: Float32Array, sampleRate: number, options: DetectorOptions = LOUDNESS): Span[] {
  const stepMs = 5;
  const step = Math.round((sampleRate * stepMs) / 1_000);
  const window = step * 4;
  const busy: boolean[] = [];
  for (let at = 0; at + window <= samples.length; at += step) {
    let sum = 0;
    for (let index = at + 1; index < at + window; index += 1) {
      sum += ((samples[index] ?? 0) - (samples[index - 1] ?? 0)) ** 2;
    }
    busy.push(10 * Math.log10(sum / window + 1e-12) > -58);
  }
  return spansOf(busy, stepMs, options);
}

function spansOf(active: readonly boolean[], stepMs: number, options: DetectorOptions): Span[] {
  const spans: { startMs: number; endMs: number }[] = [];
  for (let index = 0; index < active.length; index += 1) {
    if (active[index] !== true) continue;
    const startMs = index * stepMs;
    const last = spans.at(-1);
    if (last !== undefined && startMs - last.endMs <= options.bridgeMs) last.endMs = startMs + stepMs;
    else spans.push({ startMs, endMs: startMs + stepMs });
  }
  return spans.filter((span) => span.endMs - span.startMs >= options.minimumMs);
}

export interface TurnGap {
  /** End of the caller's speech on the tape. */
  readonly callerEndMs: number;
  /** First audible sample of the agent after it. */
  readonly agentStartMs: number;
  readonly gapMs: number;
}

export interface TapeReading {
  readonly gaps: readonly TurnGap[];
  /** Utterances after which the agent never spoke. */
  readonly unanswered: number;
  /** The agent began before the caller had finished. */
  readonly cutIns: number;
  /** Edges on which the two detectors were more than `agreeMs` apart. */
  readonly discarded: number;
}

/** `utterances`: where the caller's utterances lie on the tape; the player knows, so they need no detector. */
export function readTurnGaps(tape: Tape, utterances: readonly Span[], agreeMs = 60): TapeReading {
  const loud = loudSpans(tape.agent, tape.sampleRate);
  const busy = busySpans(tape.agent, tape.sampleRate);
  const caller = loudSpans(tape.caller, tape.sampleRate);
  const gaps: TurnGap[] = [];
  let unanswered = 0;
  let cutIns = 0;
  let discarded = 0;
  utterances.forEach((utterance, index) => {
    const spoken = caller.filter((span) => span.startMs < utterance.endMs && span.endMs > utterance.startMs).at(-1);
    const callerEndMs = Math.min(spoken?.endMs ?? utterance.endMs, utterance.endMs);
    const nextMs = utterances[index + 1]?.startMs ?? Number.POSITIVE_INFINITY;
    const talkingAlready = loud.some((span) => span.startMs > utterance.startMs && span.startMs < callerEndMs);
    if (talkingAlready) {
      cutIns += 1;
      return;
    }
    const answer = loud.find((span) => span.startMs >= callerEndMs && span.startMs < nextMs);
    if (answer === undefined) {
      unanswered += 1;
      return;
    }
    const second = busy.find((span) => Math.abs(span.startMs - answer.startMs) <= agreeMs);
    if (second === undefined) {
      discarded += 1;
      return;
    }
    const agentStartMs = Math.min(answer.startMs, second.startMs);
    gaps.push({ callerEndMs, agentStartMs, gapMs: agentStartMs - callerEndMs });
  });
  return { gaps, unanswered, cutIns, discarded };
}

/** Silence of the agent from which it counts as a stop: a dip that goes on before is none, and the next answer may follow soon. */
export const STOPPED_MS = 500;

/** From the onset of an interruption to the agent's last audible sample; undefined: the agent never stopped. */
export function readBargeIn(tape: Tape, onsetMs: number, withinMs = 3_000): number | undefined {
  const speaking = loudSpans(tape.agent, tape.sampleRate, { ...LOUDNESS, bridgeMs: STOPPED_MS }).find(
    // It may be between two sentences just then; that it does not go on is a stop as well.
    (span) => span.startMs <= onsetMs && span.endMs > onsetMs - STOPPED_MS,
  );
  if (speaking === undefined) return undefined;
  const stoppedAfterMs = Math.max(0, speaking.endMs - onsetMs);
  return stoppedAfterMs <= withinMs ? stoppedAfterMs : undefined;
}
