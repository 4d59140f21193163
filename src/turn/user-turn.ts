/** The caller's turn: how it begins, pauses, goes on and is taken up again, and how long its pauses may be. */

import type { Overlap } from './overlap';
import type { Step } from './step';
import type { Answer, UserTurn } from './turn-state';
import { isBackchannel } from './words';

const SAMPLES_PER_MS = 16;

export function newTurn(step: Step, onsetMs: number, onsetSample: number, interrupted?: Answer): UserTurn {
  return {
    fromSample: Math.max(0, onsetSample - step.config.preRollMs * SAMPLES_PER_MS),
    toSample: Math.max(onsetSample, step.state.voice.headSample),
    endSample: Math.max(onsetSample, step.state.voice.headSample),
    startedMs: onsetMs,
    speechMs: 0,
    pauses: 0,
    reopenings: 0,
    interrupted,
  };
}

export function toUserSpeaking(step: Step, turn: UserTurn): void {
  const running = step.runs('turn-limit');
  step.enter({ name: 'user-speaking', turn });
  if (!running) step.timer('turn-limit', step.config.turnLimitMs - (step.atMs - turn.startedMs));
  step.timer('stall', step.config.stallMs);
}

/** `silenceMs`: when the silence began. */
export function toUserPausing(step: Step, turn: UserTurn, silenceMs: number): void {
  const pastMs = step.atMs - silenceMs;
  step.enter({ name: 'user-pausing', turn, silenceMs, speculation: undefined, outcome: 'open' });
  step.timer('speculate', step.config.speculateAfterMs - pastMs);
  step.timer('end-of-turn', waitMs(step, turn, undefined, undefined) - pastMs);
}

/** So many of a caller's pauses are remembered. */
const PAUSES_KEPT = 12;
/** A shorter silence lies between words; after a longer one it is another thought. */
const SHORTEST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 3_000;

/** The caller went on after `pauseMs` of silence: this is how the caller pauses. */
export function learnPause(step: Step, pauseMs: number): void {
  if (pauseMs < SHORTEST_PAUSE_MS || pauseMs > LONGEST_PAUSE_MS) return;
  step.set({ callerPausesMs: [...step.state.callerPausesMs, pauseMs].slice(-PAUSES_KEPT) });
}

/** The words are known: the turn ends sooner or later than it would have without. */
export function reconsiderEnd(step: Step, transcript: string, doneProbability?: number): void {
  if (step.phase.name !== 'user-pausing') return;
  const { turn, silenceMs } = step.phase;
  step.timer('end-of-turn', waitMs(step, turn, transcript, doneProbability) - (step.atMs - silenceMs));
}

function waitMs(
  step: Step,
  turn: UserTurn,
  transcript: string | undefined,
  doneProbability: number | undefined,
): number {
  return step.config.endOfTurn.waitMs({
    speechMs: turn.speechMs,
    pauses: turn.pauses,
    callerPausesMs: step.state.callerPausesMs,
    transcript,
    doneProbability,
    agentText: step.state.lastAgent.text,
  });
}

/** "Mm-hmm" right after the agent's last word takes no turn, unless the agent has asked something. */
export function isBoundaryBackchannel(step: Step, turn: UserTurn, text: string): boolean {
  if (!isBackchannel(text)) return false;
  if (turn.interrupted !== undefined) return true;
  const { lastAgent } = step.state;
  return turn.startedMs - lastAgent.endedMs <= step.config.boundaryMs && !lastAgent.text.trimEnd().endsWith('?');
}

/** The overlapping speech becomes the caller's turn. */
export function takeTurn(step: Step, overlap: Overlap, reopened?: UserTurn, interrupted?: Answer): void {
  const fresh = reopened ?? newTurn(step, overlap.onsetMs, overlap.onsetSample, interrupted);
  const turn = { ...fresh, toSample: Math.max(fresh.toSample, overlap.headSample) };
  if (overlap.ended === undefined) {
    toUserSpeaking(step, turn);
    return;
  }
  const speechMs = turn.speechMs + Math.max(0, overlap.ended.atMs - overlap.onsetMs);
  toUserPausing(step, { ...turn, speechMs, endSample: overlap.ended.sample }, overlap.ended.atMs);
}

/** The caller was not done: the turn that this answers goes on. undefined when there is none, or it was reopened too often. */
export function reopen(step: Step, answer: Answer, onsetMs: number): UserTurn | undefined {
  const { turn } = answer;
  if (turn === undefined || turn.reopenings >= step.config.maxReopenings) return undefined;
  if (answer.reported) step.report({ type: 'reopened', turnId: answer.turnId });
  if (answer.askedMs !== undefined) learnPause(step, onsetMs - answer.askedMs);
  return { ...turn, reopenings: turn.reopenings + 1, pauses: turn.pauses + 1 };
}
