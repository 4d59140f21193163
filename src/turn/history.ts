/** What was heard of an answer becomes history, also when it was cut; and the end of the conversation, which settles it. */
import type { Step } from './step';
import type { Answer, CloseReason } from './turn-state';

export function commit(step: Step, answer: Answer, heardText: string, interrupted: boolean): void {
  const { turnId, userText, kind, playedMs } = answer;
  const text = interrupted ? heardText : answer.text || heardText;
  step.set({ lastAgent: { text, endedMs: step.atMs } });
  step.do({ type: 'commit', turnId, userText, heardText, interrupted });
  step.report({ type: 'agent-turn', turnId, kind, userText, text: answer.text, heardText, playedMs, interrupted });
}

/** History must be right before the next answer is thought of: what is known of the last one has to do. */
export function settle(step: Step): void {
  const { uncommitted } = step.state;
  if (uncommitted === undefined) return;
  step.set({ uncommitted: undefined });
  commit(step, uncommitted, uncommitted.heardText, true);
}

export function flush(step: Step, answer: Answer): void {
  step.do({ type: 'flush', turnId: answer.turnId });
}

export function close(step: Step, reason: CloseReason): void {
  const { phase, answer } = step;
  if (phase.name === 'closing' || phase.name === 'closed') return;
  if (answer !== undefined && !answer.ended) step.do({ type: 'cancel', turnId: answer.turnId });
  if (answer === undefined || !(answer.released || answer.fillerSaid)) {
    finallyClosed(step, reason);
    return;
  }
  settle(step);
  flush(step, answer);
  step.enter({ name: 'closing', reason, answer });
  step.timer('close', step.config.closeMs);
}

export function finallyClosed(step: Step, reason: CloseReason): void {
  settle(step);
  step.enter({ name: 'closed', reason });
  step.set({ waiting: [], listening: undefined, tool: undefined });
  step.do({ type: 'closed', reason });
}
