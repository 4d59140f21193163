/** The turn machine is told: the call is up, typed text, things to say, keys, hold, hang-up. */

import { close, finallyClosed, settle } from './history';
import type { Step } from './step';
import { begin, interruptFor, mayCut, sayNow, toListening, toSpeaking, toThinking } from './transitions';
import type { TurnEvent, Waiting } from './turn-state';
import { queue } from './waiting';

/** Longest input by keys; more are dropped. */
const MAX_DIGITS = 32;
/** Why an answer is dropped that nobody has heard or shall hear. */
export const OTHERS_ANSWER = 'others-answer';
const DIGIT = /^[0-9A-D*#]$/;

type CommandEvent = Extract<
  TurnEvent,
  { type: 'opened' | 'user-text' | 'say' | 'stop' | 'dtmf' | 'hold' | 'resume' | 'hangup' }
>;

export function onCommand(step: Step, event: CommandEvent): void {
  switch (event.type) {
    case 'opened':
      if (step.phase.name !== 'idle') return;
      open(step, spokenOf(event.notice), spokenOf(event.greeting));
      return;
    case 'user-text':
      typed(step, event.text);
      return;
    case 'say': {
      if (event.text.trim() === '') return;
      const kind = event.interruptible === false ? 'notice' : 'say';
      const next: Waiting = { kind, text: event.text, userText: undefined, closeAfter: undefined };
      if (step.phase.name === 'listening' || step.phase.name === 'awaiting-tool') begin(step, next);
      else if (isOpen(step)) queue(step, next);
      return;
    }
    case 'dtmf':
      key(step, event.digit);
      return;
    case 'stop':
      stop(step, event.turnId);
      return;
    case 'hold':
      hold(step);
      return;
    case 'resume':
      resume(step);
      return;
    case 'hangup':
      if (step.phase.name === 'idle') finallyClosed(step, event.reason);
      else close(step, event.reason);
      return;
  }
}

function stop(step: Step, turnId: number | undefined): void {
  const { name } = step.phase;
  if (turnId === undefined) {
    if (!['speaking', 'overlapped', 'ducked'].includes(name)) return;
    interruptFor(step, 'stopped');
  } else {
    if (step.answer?.turnId !== turnId || !['thinking', 'held', 'speaking', 'overlapped', 'ducked'].includes(name))
      return;
    const { released } = step.answer;
    interruptFor(step, OTHERS_ANSWER);
    // Of what was never played no word comes back.
    if (!released) settle(step);
  }
  toListening(step);
}

function spokenOf(text: string | undefined): string | undefined {
  return text?.trim() === '' ? undefined : text;
}

function open(step: Step, notice: string | undefined, greeting: string | undefined): void {
  if (notice !== undefined) {
    if (greeting !== undefined) {
      queue(step, { kind: 'greeting', text: greeting, userText: undefined, closeAfter: undefined });
    }
    sayNow(step, 'notice', notice);
  } else if (greeting !== undefined) sayNow(step, 'greeting', greeting);
  else toListening(step);
}

function isOpen(step: Step): boolean {
  return step.phase.name !== 'closing' && step.phase.name !== 'closed';
}

function typed(step: Step, text: string): void {
  if (text.trim() === '' || !isOpen(step)) return;
  const next: Waiting = { kind: 'text', text, userText: undefined, closeAfter: undefined };
  switch (step.phase.name) {
    case 'listening':
    case 'awaiting-tool':
      begin(step, next);
      return;
    case 'speaking':
    case 'overlapped':
    case 'ducked':
      if (!mayCut(step.phase.answer)) {
        queue(step, next);
        return;
      }
      interruptFor(step, 'typed');
      begin(step, next);
      return;
    default:
      // The caller is speaking, or an earlier question is being answered: one after the other.
      queue(step, next);
  }
}

function key(step: Step, digit: string): void {
  if (!DIGIT.test(digit) || !isOpen(step)) return;
  // The tone of a key is no speech: an overlap that it set off is none.
  if (step.phase.name === 'overlapped' || step.phase.name === 'ducked') {
    if (step.phase.name === 'ducked') step.do({ type: 'resume', turnId: step.phase.answer.turnId });
    toSpeaking(step, step.phase.answer);
  }
  if (digit === '#') {
    enterDigits(step);
    return;
  }
  step.set({ digits: (step.state.digits + digit).slice(0, MAX_DIGITS) });
  step.timer('digits', step.config.digitsMs);
}

/** The keys pressed so far are what the caller says. */
export function enterDigits(step: Step): void {
  const { digits } = step.state;
  step.clear('digits');
  step.set({ digits: '' });
  typed(step, [...digits].join(' '));
}

function hold(step: Step): void {
  const { phase } = step;
  switch (phase.name) {
    case 'listening':
    case 'awaiting-tool':
    case 'user-speaking':
    case 'yielding':
      step.enter({ name: 'on-hold', answer: undefined });
      break;
    case 'user-pausing':
      if (phase.speculation !== undefined && !phase.speculation.ended) {
        step.do({ type: 'cancel', turnId: phase.speculation.turnId });
      }
      step.enter({ name: 'on-hold', answer: undefined });
      break;
    case 'thinking':
    case 'held':
      step.enter({ name: 'on-hold', answer: phase.answer });
      break;
    case 'speaking':
    case 'overlapped':
      step.do({ type: 'pause', turnId: phase.answer.turnId });
      step.enter({ name: 'on-hold', answer: phase.answer });
      break;
    case 'ducked':
      step.enter({ name: 'on-hold', answer: phase.answer });
      break;
    case 'idle':
    case 'on-hold':
    case 'closing':
    case 'closed':
      return;
  }
  step.set({ voice: { ...step.state.voice, speaking: false }, listening: undefined });
}

function resume(step: Step): void {
  const { phase } = step;
  if (phase.name !== 'on-hold') return;
  const { answer } = phase;
  if (answer === undefined) toListening(step);
  else if (answer.released) {
    step.do({ type: 'resume', turnId: answer.turnId });
    toSpeaking(step, answer);
  } else toThinking(step, answer, step.atMs);
}
