/**
 * Replays a caller's audio through detector and turn machine in virtual time, as fast as the computer can: for measuring
 * decisions offline. The engine is a pair of delays; words come from a recogniser or from labels.
 */

import type { OverlapHeard } from '../core/overlap-heard';
import { ECHO_FRAME_SAMPLES } from './echo-match';
import { levelDbOf } from './energy-gate';
import type { OverlapSound } from './overlap-sound';
import type { SpeechProbability } from './silero-vad';
import { reduce } from './turn-machine';
import { INITIAL_STATE, type TurnConfig, type TurnEffect, type TurnEvent, type TurnState } from './turn-state';
import { VAD_SAMPLE_RATE, VAD_WINDOW_SAMPLES, type VadConfig, type VadEvent } from './vad';
import { VoiceDetector } from './voice-detector';

/** What was understood of a span of the clip. */
export interface HeardSpan extends OverlapHeard {
  /** How sure the recogniser is that the caller is done, 0…1. */
  readonly doneProbability?: number | undefined;
}

export interface ReplayEngine {
  /** From the order to the words. */
  readonly transcriptMs: number;
  /** From the order to the first sound of the answer. */
  readonly firstAudioMs: number;
  /** From asking about an overlap to its words. */
  readonly listenMs: number;
  /** What was said in a span of `heard`, the clip as it came to the listener. */
  readonly recognise: (fromSample: number, toSample: number, heard: Int16Array) => Promise<HeardSpan>;
}

export interface Replay {
  readonly pcm: Int16Array;
  readonly turns: TurnConfig;
  readonly engine: ReplayEngine;
  readonly openStream: () => SpeechProbability;
  readonly vad?: VadConfig;
  readonly sounds?: OverlapSound;
  /** The agent is saying this, without end, when the clip begins. */
  readonly agentText?: string;
  /** The clip is the agent's own voice come back: it is silent while the agent is, so many milliseconds later. */
  readonly echoAfterMs?: number;
  /** What a caller says meanwhile, from the clip's first sample on: it is there whatever the agent does. 16 kHz. */
  readonly callerPcm?: Int16Array;
  /** What the agent sends all the while, 16 kHz. With `echoAfterMs` the clip itself, so much earlier. */
  readonly agentPcm?: Int16Array;
  /** What earlier turns have taught of the caller's level and pauses. */
  readonly callerLevelDb?: number;
  readonly callerPausesMs?: readonly number[];
  /** The transport's own delay: how late the listener gets a sample. */
  readonly lateMs?: number;
}

export interface Replayed {
  readonly effects: readonly ReplayedEffect[];
  readonly callerPausesMs: readonly number[];
}

export interface ReplayedEffect {
  readonly atMs: number;
  readonly effect: TurnEffect;
}

const SAMPLES_PER_MS = VAD_SAMPLE_RATE / 1_000;
/** Silence appended, so that every turn can end. */
const TAIL_MS = 4_000;
const AGENT_MS = 600_000;

type Undated = TurnEvent extends infer E ? (E extends { readonly atMs: number } ? Omit<E, 'atMs'> : never) : never;

/** Times count from the first sample of the clip. */
export async function replay(run: Replay): Promise<Replayed> {
  const due: { atMs: number; order: number; event: Undated }[] = [];
  let order = 0;
  const at = (atMs: number, event: Undated): void => {
    order += 1;
    due.push({ atMs, order, event });
  };
  at(0, { type: 'opened', greeting: run.agentText });
  const endMs = run.pcm.length / SAMPLES_PER_MS + TAIL_MS;
  const line = new Line(run);

  const done: ReplayedEffect[] = [];
  const { callerLevelDb, callerPausesMs = [] } = run;
  let state: TurnState = { ...INITIAL_STATE, callerLevelDb, callerPausesMs };
  for (;;) {
    due.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
    const next = due[0];
    // The listener's next window may have something to say before that.
    if (line.nextMs <= (next?.atMs ?? Number.POSITIVE_INFINITY) && line.nextMs <= endMs) {
      for (const event of await line.push()) at(event.headSample / SAMPLES_PER_MS + (run.lateMs ?? 0), event);
      continue;
    }
    if (next === undefined || next.atMs > endMs) break;
    due.shift();
    const { atMs } = next;
    const result = reduce(state, { ...next.event, atMs } as TurnEvent, run.turns);
    state = result.state;
    for (const effect of result.effects) {
      done.push({ atMs, effect });
      line.follow(effect, atMs);
      await answer(effect, atMs, run, line.heard, at);
    }
  }
  return { effects: done, callerPausesMs: state.callerPausesMs };
}

/** What comes over the line, window by window, and what the listener makes of it. */
class Line {
  readonly heard: Int16Array;
  private readonly detector: VoiceDetector;
  private start = 0;
  private framed = 0;
  /** When the agent fell silent or spoke again. */
  private readonly silences: { readonly atMs: number; readonly silent: boolean }[] = [];

  constructor(private readonly run: Replay) {
    this.heard = run.pcm.slice();
    this.detector = new VoiceDetector(run.openStream(), run.vad, run.sounds);
  }

  /** When the next window is complete. */
  get nextMs(): number {
    return (this.start + VAD_WINDOW_SAMPLES) / SAMPLES_PER_MS;
  }

  async push(): Promise<VadEvent[]> {
    const { start } = this;
    this.start += VAD_WINDOW_SAMPLES;
    const { echoAfterMs } = this.run;
    if (echoAfterMs !== undefined && this.silentAt(start / SAMPLES_PER_MS - echoAfterMs)) {
      this.heard.fill(0, start, start + VAD_WINDOW_SAMPLES);
    }
    this.addCaller(start, start + VAD_WINDOW_SAMPLES);
    for (; this.framed + ECHO_FRAME_SAMPLES <= this.start; this.framed += ECHO_FRAME_SAMPLES) {
      const frame = this.heard.subarray(this.framed, this.framed + ECHO_FRAME_SAMPLES);
      this.detector.frame(this.framed, levelDbOf(frame), this.sentDb(this.framed));
    }
    const window = new Int16Array(VAD_WINDOW_SAMPLES);
    window.set(this.heard.subarray(start, start + VAD_WINDOW_SAMPLES));
    return this.detector.push(start, window);
  }

  private addCaller(from: number, to: number): void {
    const { callerPcm } = this.run;
    if (callerPcm === undefined) return;
    for (let at = from; at < Math.min(to, this.heard.length); at += 1) {
      this.heard[at] = Math.max(-32_768, Math.min(32_767, (this.heard[at] ?? 0) + (callerPcm[at] ?? 0)));
    }
  }

  follow(effect: TurnEffect, atMs: number): void {
    if (effect.type === 'pause' || effect.type === 'flush') this.silences.push({ atMs, silent: true });
    else if (effect.type === 'resume' || effect.type === 'release') this.silences.push({ atMs, silent: false });
  }

  private sentDb(startSample: number): number {
    const { agentPcm, echoAfterMs, pcm } = this.run;
    if (this.silentAt(startSample / SAMPLES_PER_MS)) return levelDbOf(new Int16Array(0));
    const sent = echoAfterMs === undefined ? agentPcm : pcm.subarray(echoAfterMs * SAMPLES_PER_MS);
    if (sent === undefined || sent.length === 0) return levelDbOf(new Int16Array(0));
    const from = echoAfterMs === undefined ? startSample % sent.length : startSample;
    return levelDbOf(sent.subarray(from, from + ECHO_FRAME_SAMPLES));
  }

  private silentAt(atMs: number): boolean {
    return this.silences.findLast((change) => change.atMs <= atMs)?.silent ?? false;
  }
}

async function answer(
  effect: TurnEffect,
  atMs: number,
  run: Replay,
  heard: Int16Array,
  at: (atMs: number, event: Undated) => void,
): Promise<void> {
  const { engine } = run;
  switch (effect.type) {
    case 'timer':
      at(atMs + effect.afterMs, { type: 'timer', id: effect.id, token: effect.token });
      return;
    case 'answer': {
      const { turnId, input } = effect;
      if (input.kind === 'audio') {
        const { text, speech, doneProbability } = await engine.recognise(input.fromSample, input.toSample, heard);
        at(atMs + engine.transcriptMs, { type: 'transcript', turnId, text, speech, doneProbability });
        if (!speech) return;
      }
      at(atMs + engine.firstAudioMs, { type: 'answer-audio', turnId, durationMs: 3_000 });
      at(atMs + engine.firstAudioMs, { type: 'answer-end', turnId, action: undefined });
      return;
    }
    case 'prompt':
      at(atMs, { type: 'answer-audio', turnId: effect.turnId, durationMs: AGENT_MS });
      at(atMs, { type: 'answer-end', turnId: effect.turnId, action: undefined });
      return;
    case 'release':
      at(atMs, { type: 'playout', turnId: effect.turnId, state: 'started', playedMs: 0, heardText: '' });
      return;
    case 'flush':
      at(atMs, { type: 'playout', turnId: effect.turnId, state: 'flushed', playedMs: atMs, heardText: '' });
      return;
    case 'listen': {
      const { requestId, fromSample, toSample } = effect;
      const { text, speech, sound } = await engine.recognise(fromSample, toSample, heard);
      at(atMs + engine.listenMs, { type: 'listened', requestId, text, speech, sound });
      return;
    }
    default:
      return;
  }
}
