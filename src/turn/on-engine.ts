/** The turn machine hears the engine: transcript, text, audio, end and failure of the current answer. */
import type { Step } from './step';
import { callToolWhenHeard } from './tool-use';
import { fail, nothingToSay, reportUserTurn, toSpeaking, watchPlayout, withdrawTurn } from './transitions';
import type { Answer, TurnEvent } from './turn-state';
import { isBoundaryBackchannel, reconsiderEnd } from './user-turn';

type EngineEvent = Extract<
  TurnEvent,
  { type: 'transcript' | 'answer-text' | 'answer-audio' | 'answer-end' | 'engine-failed' }
>;

/** Events of an answer that is not the current one are late: they change nothing. */
export function onEngine(step: Step, event: EngineEvent): void {
  const { answer, phase } = step;
  if (answer === undefined || phase.name === 'closing') return;
  if (event.turnId !== undefined && event.turnId !== answer.turnId) return;
  // After its end an answer has nothing more to say; a process that dies later takes nothing away.
  if (answer.ended) return;
  switch (event.type) {
    case 'transcript':
      onTranscript(step, answer, event);
      return;
    case 'answer-text':
      if (answer.kind === 'answer' || answer.kind === 'sound') step.changeAnswer({ text: answer.text + event.delta });
      return;
    case 'answer-audio':
      onAudio(step, answer, event.durationMs);
      return;
    case 'answer-end':
      step.changeAnswer({ ended: true, action: event.action });
      if (answer.released) step.do({ type: 'end-playout', turnId: answer.turnId });
      else if (phase.name === 'thinking' && answer.audioMs === 0) {
        nothingToSay(step, { ...answer, ended: true, action: event.action });
      }
      callToolWhenHeard(step);
      return;
    case 'engine-failed':
      onFailure(step, answer);
      return;
  }
}

function onTranscript(step: Step, answer: Answer, event: Extract<TurnEvent, { type: 'transcript' }>): void {
  const { phase } = step;
  const { turn } = answer;
  // Typed text comes back as it was; once there is audio the words are settled.
  if (turn === undefined || answer.audioMs > 0) return;
  if (phase.name === 'user-pausing' || phase.name === 'thinking' || phase.name === 'held') {
    const text = event.text.trim();
    if (!event.speech || text === '') withdrawTurn(step, answer, 'no-words', '', event.how);
    else if (isBoundaryBackchannel(step, turn, text)) withdrawTurn(step, answer, 'backchannel', text);
    else if (phase.name === 'user-pausing') {
      step.changeAnswer({ userText: text, how: event.how });
      reconsiderEnd(step, text, event.doneProbability);
    } else step.changeAnswer(reportUserTurn(step, { ...answer, how: event.how }, text));
  } else if (phase.name === 'on-hold') {
    if (event.speech) step.changeAnswer(reportUserTurn(step, { ...answer, how: event.how }, event.text.trim()));
    else {
      step.do({ type: 'cancel', turnId: answer.turnId });
      step.report({ type: 'ignored', because: 'no-words', text: '' });
      step.enter({ name: 'on-hold', answer: undefined });
    }
  }
}

function onAudio(step: Step, answer: Answer, durationMs: number): void {
  const { phase } = step;
  const grown = { ...answer, audioMs: answer.audioMs + Math.max(0, durationMs) };
  step.changeAnswer(grown);
  if (phase.name === 'thinking' && grown.audioMs > 0) toSpeaking(step, grown);
  else if (phase.name === 'speaking' || phase.name === 'overlapped') {
    step.clear('watchdog');
    watchPlayout(step);
  }
}

function onFailure(step: Step, answer: Answer): void {
  const { phase } = step;
  switch (phase.name) {
    case 'user-pausing':
      // Only a trial: the turn's real answer is ordered when the turn is over.
      step.enter({ ...phase, speculation: undefined, outcome: 'failed' });
      return;
    case 'on-hold':
      // Noticed on resuming: an answer that ended without a sound.
      step.changeAnswer({ ended: true });
      if (answer.released) step.do({ type: 'end-playout', turnId: answer.turnId });
      return;
    case 'speaking':
    case 'overlapped':
    case 'ducked':
      // What there is of it is spoken to its end.
      step.changeAnswer({ ended: true });
      step.report({ type: 'failure', turnId: answer.turnId, because: 'engine' });
      step.do({ type: 'end-playout', turnId: answer.turnId });
      return;
    default:
      fail(step, { ...answer, ended: true }, 'engine');
  }
}
