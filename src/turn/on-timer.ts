/** The turn machine hears its timers. One that was replaced or dropped carries an old token and is ignored. */

import { commit, finallyClosed, settle } from './history';
import { enterDigits } from './on-command';
import { considerOverlap, duck, goOn } from './on-speech';
import { bridgeSilence, giveUpTool } from './on-tool';
import type { Step } from './step';
import { fail, finishAnswer, finishTurn, sayNow, speculate, toListening } from './transitions';
import type { TurnEvent } from './turn-state';
import { toUserPausing } from './user-turn';

export function onTimer(step: Step, event: Extract<TurnEvent, { type: 'timer' }>): void {
  if (step.state.timers[event.id] !== event.token) return;
  const { [event.id]: _, ...timers } = step.state.timers;
  step.set({ timers });
  switch (event.id) {
    case 'speculate':
      speculate(step);
      return;
    case 'end-of-turn':
    case 'turn-limit':
      finishTurn(step);
      return;
    case 'stall':
      stall(step);
      return;
    case 'confirm':
      goOn(step, undefined);
      return;
    case 'duck':
      duck(step);
      return;
    case 'judge':
      considerOverlap(step);
      return;
    case 'watchdog':
      watchdog(step);
      return;
    case 'playout':
      playoutStuck(step);
      return;
    case 'idle':
      idle(step);
      return;
    case 'digits':
      enterDigits(step);
      return;
    case 'settle':
      settle(step);
      if (step.phase.name === 'yielding') toListening(step);
      return;
    case 'tool':
      giveUpTool(step);
      return;
    case 'tool-filler':
      bridgeSilence(step);
      return;
    case 'close':
      if (step.phase.name !== 'closing') return;
      if (step.phase.answer !== undefined) commit(step, step.phase.answer, step.phase.answer.heardText, true);
      finallyClosed(step, step.phase.reason);
      return;
  }
}

/** The caller's packets ceased in the middle of a word. */
function stall(step: Step): void {
  const { phase } = step;
  if (phase.name !== 'user-speaking') return;
  const { voice } = step.state;
  step.set({ voice: { ...voice, speaking: false } });
  const speechMs = phase.turn.speechMs + Math.max(0, voice.seenMs - Math.max(voice.onsetMs, phase.turn.startedMs));
  toUserPausing(step, { ...phase.turn, speechMs }, voice.seenMs);
}

/** The agent's turn, and silence for too long. */
function watchdog(step: Step): void {
  const { phase, config } = step;
  const { answer } = step;
  if (phase.name === 'awaiting-tool') bridgeSilence(step);
  if (answer === undefined) return;
  const waiting = phase.name === 'thinking' || phase.name === 'held';
  if (waiting && answer.kind === 'answer' && !answer.fillerSaid && config.fillerText !== undefined) {
    step.do({ type: 'filler', turnId: answer.turnId, text: config.fillerText });
    step.changeAnswer({ fillerSaid: true });
    step.timer('watchdog', config.silenceMs);
  } else fail(step, answer, 'silence');
}

/** No report of the playout for longer than it can take. */
function playoutStuck(step: Step): void {
  const { answer } = step;
  if (answer === undefined) return;
  if (!answer.ended) {
    fail(step, answer, 'playout');
    return;
  }
  step.report({ type: 'failure', turnId: answer.turnId, because: 'playout' });
  step.do({ type: 'flush', turnId: answer.turnId });
  finishAnswer(step, answer.heardText);
}

function idle(step: Step): void {
  const { idle: ladder } = step.config;
  if (ladder === undefined || step.phase.name !== 'listening') return;
  const prompt = ladder.prompts[step.state.idlePrompts];
  step.set({ idlePrompts: step.state.idlePrompts + 1 });
  if (prompt === undefined) sayNow(step, 'goodbye', ladder.goodbye, undefined, 'idle');
  else sayNow(step, 'idle', prompt);
}
