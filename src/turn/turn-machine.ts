/**
 * Whose turn it is: one pure function from a state and an event to the next state and a list of effects. It reads no
 * clock and does nothing; src/call/conversation.ts carries the effects out. The table of its states stands in
 * docs/turn-taking.md and is made from this function.
 */
import { onCommand } from './on-command';
import { onEngine } from './on-engine';
import { onPlayout } from './on-playout';
import { onListened, onSpeech } from './on-speech';
import { onTimer } from './on-timer';
import { onToolResult, withdrawTool } from './on-tool';
import { Step } from './step';
import type { Transition, TurnConfig, TurnEvent, TurnState } from './turn-state';

export function reduce(state: TurnState, event: TurnEvent, config: TurnConfig): Transition {
  if (state.phase.name === 'closed') return { state, effects: [] };
  const step = new Step(state, config, event.atMs);
  switch (event.type) {
    case 'speech-started':
    case 'speech-continues':
    case 'speech-ended':
      onSpeech(step, event);
      break;
    case 'transcript':
    case 'answer-text':
    case 'answer-audio':
    case 'answer-end':
    case 'engine-failed':
      onEngine(step, event);
      break;
    case 'listened':
      onListened(step, event);
      break;
    case 'playout':
      onPlayout(step, event);
      break;
    case 'tool-result':
      onToolResult(step, event);
      break;
    case 'tool-withdrawn':
      withdrawTool(step, event.turnId);
      break;
    case 'opened':
    case 'user-text':
    case 'say':
    case 'stop':
    case 'dtmf':
    case 'hold':
    case 'resume':
    case 'hangup':
      onCommand(step, event);
      break;
    case 'timer':
      onTimer(step, event);
      break;
  }
  return step.done();
}
