/** The turn machine hears what has left for the caller: the ledger of the playout, by which history is cut. */

import { commit, finallyClosed } from './history';
import type { Step } from './step';
import { callTool, callToolWhenHeard } from './tool-use';
import { finishAnswer, toListening, watchPlayout } from './transitions';
import type { TurnEvent } from './turn-state';

type PlayoutEvent = Extract<TurnEvent, { type: 'playout' }>;

export function onPlayout(step: Step, event: PlayoutEvent): void {
  const { uncommitted } = step.state;
  if (uncommitted?.turnId === event.turnId) {
    if (event.state === 'flushed' || event.state === 'finished') {
      step.set({ uncommitted: undefined });
      commit(step, { ...uncommitted, playedMs: Math.max(uncommitted.playedMs, event.playedMs) }, event.heardText, true);
      if (step.phase.name === 'yielding') toListening(step);
    } else {
      step.set({ uncommitted: { ...uncommitted, playedMs: event.playedMs, heardText: event.heardText } });
    }
    return;
  }
  const { answer, phase } = step;
  if (answer?.turnId !== event.turnId) return;
  const playedMs = Math.max(answer.playedMs, event.playedMs);
  step.changeAnswer({ playedMs, heardText: event.heardText });
  if (phase.name === 'closing') {
    if (event.state !== 'flushed' && event.state !== 'finished') return;
    commit(step, { ...answer, playedMs }, event.heardText, event.state === 'flushed');
    finallyClosed(step, phase.reason);
    return;
  }
  // A filler plays before the answer is released.
  if (event.state === 'started') step.changeAnswer({ startedMs: answer.startedMs ?? step.atMs });
  if (!answer.released) return;
  switch (event.state) {
    case 'started':
    case 'progress':
      movesOn(step);
      callToolWhenHeard(step);
      return;
    case 'starved':
      if (!answer.ended && (phase.name === 'speaking' || phase.name === 'overlapped')) {
        step.timer('watchdog', step.config.silenceMs);
      }
      return;
    case 'finished':
    case 'flushed':
      // Flushed without our asking: the media lost it; what was heard is all there is.
      if (phase.name !== 'on-hold') finishAnswer(step, event.heardText);
      else {
        commit(step, { ...answer, playedMs }, event.heardText, event.state === 'flushed');
        callTool(step, answer);
        step.enter({ name: 'on-hold', answer: undefined });
      }
      return;
  }
}

function movesOn(step: Step): void {
  if (step.phase.name !== 'speaking' && step.phase.name !== 'overlapped') return;
  step.clear('watchdog');
  watchPlayout(step);
}
