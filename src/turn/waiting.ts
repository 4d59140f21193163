/** What the agent will say: an answer that is only ordered, and the bounded queue of texts that wait for their turn. */
import type { Step } from './step';
import { type Answer, type AnswerKind, MAX_WAITING, type Waiting } from './turn-state';

export function queue(step: Step, next: Waiting): void {
  const { waiting, droppedWaiting } = step.state;
  // Full: the newest is refused, so that what was promised first is kept.
  if (waiting.length >= MAX_WAITING) step.set({ droppedWaiting: droppedWaiting + 1 });
  else step.set({ waiting: [...waiting, next] });
}

export function queueFirst(step: Step, next: Waiting): void {
  const { waiting, droppedWaiting } = step.state;
  const kept = waiting.slice(0, MAX_WAITING - 1);
  step.set({ waiting: [next, ...kept], droppedWaiting: droppedWaiting + waiting.length - kept.length });
}

export function newAnswer(turnId: number, kind: AnswerKind): Answer {
  return {
    turnId,
    kind,
    userText: undefined,
    reported: false,
    speculative: false,
    released: false,
    text: '',
    audioMs: 0,
    ended: false,
    action: undefined,
    closeAfter: undefined,
    fillerSaid: false,
    startedMs: undefined,
    playedMs: 0,
    heardText: '',
    falseAlarms: 0,
    askedMs: undefined,
    tool: undefined,
    turn: undefined,
  };
}
