/**
 * A tool that an answer calls. From then on the call stands beside the states of the conversation, for the caller may go on
 * talking meanwhile:
 *
 *   called ──result──▶ answered ──the floor is free──▶ told        the question is answered again, from the result
 *     │ ──error, timer tool──▶ failed ──the floor is free──▶ told  said in words that are at hand
 *     ├ ──a later answer calls a tool──▶ overtaken                 nobody waits for it any more
 *     └ ──the caller says something else──▶ cancelled              the same, where the dialplan has it so
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
  const wordless = answer.text === '' && !answer.fillerSaid;
  step.set({ tool: { turnId, name: action.name, question, wordless, outcome: undefined } });
  step.do({ type: 'tool-call', turnId, name: action.name, said: question, arguments: action.arguments });
  step.timer('tool', step.config.toolTimeoutsMs.get(action.name) ?? step.config.toolTimeoutMs);
}

/** With the floor free it is waited for: in silence for no longer than the tool may, where nothing was said with the call. */
export function awaitTool(step: Step): void {
  const { tool } = step.state;
  const { silenceMs, fillerText, toolManners } = step.config;
  const running = step.runs('watchdog');
  step.enter({ name: 'awaiting-tool' });
  // Called without a word: then the silence began before.
  if (!running) step.timer('watchdog', silenceMs);
  const manner = toolManners.get(tool?.name ?? '');
  if (tool?.wordless === true && manner !== undefined && fillerText !== undefined) {
    step.timer('tool-filler', manner.fillerAfterMs);
  }
}

/** The caller has said something else, which `answer` is to answer; what was called for the words before may be past. */
export function cancelTool(step: Step, answer: Answer): void {
  const { tool } = step.state;
  if (tool === undefined || tool.turnId === answer.turnId) return;
  if (step.config.toolManners.get(tool.name)?.cancelled !== true) return;
  step.set({ tool: undefined });
  step.clear('tool');
  step.report({ type: 'tool-over', turnId: tool.turnId, because: 'cancelled' });
}

/** So much of the answer was heard that an interruption would not reopen the turn. */
export function callToolWhenHeard(step: Step): void {
  const { answer } = step;
  if (answer?.released === true && answer.playedMs >= step.config.reopenIfHeardUnderMs) callTool(step, answer);
}
