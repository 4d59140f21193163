/**
 * Replays a caller's audio through detector and turn machine in virtual time, as fast as the computer can: for measuring
 * decisions offline. The engine is a pair of delays; words come from a recogniser or from labels.
 */

import type { SpeechProbability } from './silero-vad';
import { reduce } from './turn-machine';
import { INITIAL_STATE, type TurnConfig, type TurnEffect, type TurnEvent, type TurnState } from './turn-state';
import { VAD_SAMPLE_RATE, VAD_WINDOW_SAMPLES, type VadConfig, type VadEvent } from './vad';
import { VoiceDetector } from './voice-detector';

export interface ReplayEngine {
  /** From the order to the words. */
  readonly transcriptMs: number;
  /** From the order to the first sound of the answer. */
  readonly firstAudioMs: number;
  /** From asking about an overlap to its words. */
  readonly listenMs: number;
  /** What was said in a span of the clip. */
  readonly recognise: (
    fromSample: number,
    toSample: number,
  ) => Promise<{ readonly text: string; readonly speech: boolean }>;
}

export interface Replay {
  readonly pcm: Int16Array;
  readonly turns: TurnConfig;
  readonly engine: ReplayEngine;
  readonly openStream: () => SpeechProbability;
  readonly vad?: VadConfig;
  /** The agent is saying this, without end, when the clip begins. */
  readonly agentText?: string;
  /** What earlier turns have taught of the caller's level. */
  readonly callerLevelDb?: number;
  /** The transport's own delay: how late the listener gets a sample. */
  readonly lateMs?: number;
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
export async function replay(run: Replay): Promise<readonly ReplayedEffect[]> {
  const due: { atMs: number; order: number; event: Undated }[] = [];
  let order = 0;
  const at = (atMs: number, event: Undated): void => {
    order += 1;
    due.push({ atMs, order, event });
  };
  at(0, { type: 'opened', greeting: run.agentText });
  for (const event of await detect(run)) at(event.headSample / SAMPLES_PER_MS + (run.lateMs ?? 0), event);
  const endMs = run.pcm.length / SAMPLES_PER_MS + TAIL_MS;

  const done: ReplayedEffect[] = [];
  let state: TurnState = { ...INITIAL_STATE, callerLevelDb: run.callerLevelDb };
  while (due.length > 0) {
    due.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
    const next = due.shift();
    if (next === undefined || next.atMs > endMs) break;
    const { atMs } = next;
    const result = reduce(state, { ...next.event, atMs } as TurnEvent, run.turns);
    state = result.state;
    for (const effect of result.effects) {
      done.push({ atMs, effect });
      await answer(effect, atMs, run, at);
    }
  }
  return done;
}

async function detect(run: Replay): Promise<VadEvent[]> {
  const detector = new VoiceDetector(run.openStream(), run.vad);
  const events: VadEvent[] = [];
  const end = run.pcm.length + (TAIL_MS / 4) * SAMPLES_PER_MS;
  for (let start = 0; start < end; start += VAD_WINDOW_SAMPLES) {
    const window = new Int16Array(VAD_WINDOW_SAMPLES);
    window.set(run.pcm.subarray(start, start + VAD_WINDOW_SAMPLES));
    events.push(...(await detector.push(start, window)));
  }
  return events;
}

async function answer(
  effect: TurnEffect,
  atMs: number,
  run: Replay,
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
        const { text, speech } = await engine.recognise(input.fromSample, input.toSample);
        at(atMs + engine.transcriptMs, { type: 'transcript', turnId, text, speech });
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
      const { text, speech } = await engine.recognise(fromSample, toSample);
      at(atMs + engine.listenMs, { type: 'listened', requestId, text, speech });
      return;
    }
    default:
      return;
  }
}
