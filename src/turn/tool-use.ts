/**
 * A tool that an answer calls. From then on the call stands beside the states of the conversation, for the caller may go on
 * talking meanwhile:
 *
 *   called ──result──▶ answered ──the floor is free──▶ told        the question is answered again, from the result
 *     │ ──error, timer tool──▶ failed ──the floor is free──▶ told  said in words that are at hand
 *     └ ──a later answer calls a tool──▶ overtaken                 nobody waits for it any more
 */
import type { Step } from './step';
import type { Answer } from './turn-state';

/**
 * Asks the application for what `answer` called, once. Not before the turn that it answers can no longer be reopened: what
 * a tool has booked is booked.
 */
export function callTool(step: Step, answer: Answer): void {
  const { action, turnId, userText } = answer;
  if (typeof action !== 'object' || !answer.ended) return;
  const before = step.state.tool;
  if (before?.turnId === turnId) return;
  if (before !== undefined) step.report({ type: 'tool-over', turnId: before.turnId, because: 'overtaken' });
  const question = userText ?? '';
  step.set({ tool: { turnId, question, outcome: undefined } });
  step.do({ type: 'tool-call', turnId, name: action.name, said: question, arguments: action.arguments });
  step.timer('tool', step.config.toolTimeoutsMs.get(action.name) ?? step.config.toolTimeoutMs);
}

/** So much of the answer was heard that an interruption would not reopen the turn. */
export function callToolWhenHeard(step: Step): void {
  const { answer } = step;
  if (answer?.released === true && answer.playedMs >= step.config.reopenIfHeardUnderMs) callTool(step, answer);
}
