/** The turn machine hears of the tool that it waits for: a result, an error, or nothing for too long. */
import type { Step } from './step';
import type { ToolUse } from './tool-state';
import { sayNow, toListening } from './transitions';
import type { TurnEvent } from './turn-state';

/** A result of any other call is late: it changes nothing. */
export function onToolResult(step: Step, { turnId, text }: Extract<TurnEvent, { type: 'tool-result' }>): void {
  const { tool } = step.state;
  if (tool?.turnId !== turnId || tool.outcome !== undefined) return;
  settle(step, tool, text === undefined ? 'failed' : { text });
}

/** Nothing more is said of it here. */
export function withdrawTool(step: Step, turnId: number): void {
  if (step.state.tool?.turnId !== turnId) return;
  step.set({ tool: undefined });
  step.clear('tool');
  if (step.phase.name === 'awaiting-tool') toListening(step);
}

export function giveUpTool(step: Step): void {
  const { tool } = step.state;
  if (tool === undefined || tool.outcome !== undefined) return;
  step.report({ type: 'tool-over', turnId: tool.turnId, because: 'timed-out' });
  settle(step, tool, 'failed');
}

/** In any other state the caller is told as soon as the floor is free. */
function settle(step: Step, tool: ToolUse, outcome: ToolUse['outcome']): void {
  step.clear('tool');
  step.set({ tool: { ...tool, outcome } });
  if (step.phase.name === 'awaiting-tool') toListening(step);
}

/** Silence has lasted as long as it may, and the result is still to come. */
export function bridgeSilence(step: Step): void {
  const { fillerText } = step.config;
  const { tool } = step.state;
  if (tool !== undefined) step.set({ tool: { ...tool, wordless: false } });
  if (fillerText === undefined) giveUpTool(step);
  else sayNow(step, 'filler', fillerText);
}
