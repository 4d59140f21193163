/** The agent on a call: a conversation, told as call events to the world and as captions to the softphone. */
import type { AskAction } from '../core/call-action';
import type { Clock } from '../core/clock';
import { TrunklineError } from '../core/errors';
import type { TurnSettings } from '../core/turn-settings';
import type { AgentAction, HandOver, HandOverToAction, MenuAction } from '../dialplan/dialplan';
import type { ListenerReport } from '../listener/protocol';
import type { SessionMessage } from '../media/media-router';
import type { Persona } from '../model/omni-model';
import type { PhaseName } from '../turn/turn-state';
import { readSoftphoneMessage, type SoftphoneEvent, type StateEvent } from '../webrtc/softphone-events';
import { Asking } from './asking';
import type { CallCommand, Performance, Stage } from './call';
import { Conversation } from './conversation';
import type { ConversationEvent } from './conversation-event';
import type { EnginePort } from './engine-port';
import { FormFilling } from './forms/form-filling';
import { promptVoiceOf, type SpokenPrompts } from './spoken-prompts';
import { ToolCalls, type ToolCounts } from './tool-calls';
import { type RunTool, ToolRuns } from './tool-runs';
import { turnConfigOf } from './turn-config';

export interface AgentParts {
  readonly openEngine: (callId: string, persona: Persona) => EnginePort;
  /** The listener's reports about a session, until the returned function is called. */
  readonly subscribe: (sessionId: string, take: (report: ListenerReport) => void) => () => void;
  readonly prompts: SpokenPrompts;
  readonly clock: Clock;
  /** `turns` of the configuration; the persona's come on top. */
  readonly turns: TurnSettings;
  /** `engine.silenceSeconds`. */
  readonly silenceSeconds: number;
  /** Of all calls; counted up here. */
  readonly toolCounts: ToolCounts;
  /** `2027-03-01`, by which callers' "tomorrow" is reckoned. */
  readonly today: () => string;
  /** Asks an HTTP service or an MCP server. */
  readonly runTool: RunTool;
  /** The agent hands its caller over. */
  readonly handOver: (callId: string, next: HandOver | HandOverToAction) => void;
  /** Who calls, what was asked and answered. */
  readonly summaryOf: (callId: string) => string | undefined;
  /** It has said goodbye: true if its caller goes on talking with others. */
  readonly stepOut: (callId: string) => boolean;
}

/** What a person sees of the states. */
const SHOWN: Readonly<Record<PhaseName, StateEvent['state']>> = {
  idle: 'connecting',
  listening: 'listening',
  'user-speaking': 'listening',
  'user-pausing': 'listening',
  thinking: 'thinking',
  held: 'thinking',
  speaking: 'speaking',
  overlapped: 'speaking',
  ducked: 'speaking',
  'awaiting-tool': 'thinking',
  'on-hold': 'listening',
  yielding: 'thinking',
  closing: 'ended',
  closed: 'ended',
};

/** Ends the id of a call whose arguments the caller was asked for: its result is said, not thought about. */
const FILLED = '_filled';

export function performAgent(action: AgentAction, stage: Stage, parts: AgentParts): Performance {
  const show = (event: SoftphoneEvent) => stage.link.post({ type: 'send-event', json: JSON.stringify(event) });
  let shown: StateEvent['state'] | undefined;
  let asking: Asking | undefined;
  const { persona } = action;
  /** Turns that an application has asked for: the agent does not answer them. */
  const left = new Set<number>();
  /** Turns that the model answers while a form is open. */
  const between = new Set<number>();
  const turns = turnConfigOf([parts.turns, action.turns], parts.silenceSeconds, action.persona.tools);
  /** What the caller is asked for, for a tool that needs it; the last one. */
  let filling: { readonly toolCallId: string; readonly form: FormFilling } | undefined;
  const runs = new ToolRuns({
    tools: persona.tools ?? [],
    targets: action.targets ?? new Map(),
    run: parts.runTool,
    counts: parts.toolCounts,
    tell: (toolCallId, text) => {
      if (filling?.toolCallId === toolCallId) filling.form.told(text);
      else if (!toolCallId.endsWith(FILLED)) conversation.toolResult(toolCallId, text);
    },
    failed: (name, { code, message, fix }) => {
      stage.log.warn('a tool failed', { name, code, detail: message });
      stage.emit('error', { code, message: `The tool ${name}: ${message}`, fix });
    },
  });
  const conversation = new Conversation({
    link: stage.link,
    engine: parts.openEngine(stage.callId, action.persona),
    hearCaller: (take) => parts.subscribe(stage.link.sessionId, take),
    prompts: parts.prompts,
    voice: promptVoiceOf(action.persona),
    notice: action.notice,
    greeting: action.greeting,
    turns,
    tools: new ToolCalls(stage.callId, parts.toolCounts),
    clock: parts.clock,
    log: stage.log,
    emit: (event) => {
      if (event.type === 'agent-turn' && left.delete(event.turnId)) return;
      if (event.type === 'ended' && parts.stepOut(stage.callId)) return;
      if (event.type === 'tool-called' && fill(event)) return;
      tellCall(event, stage, action.targets);
      if (event.type === 'tool-called') runs.begin(event);
      else if (event.type === 'tool-over') runs.over(event.toolCallId, event.because);
      if (event.type === 'state') asking?.quiet(event.state === 'listening');
      else if (event.type === 'agent-turn') asking?.spoke(event.text);
      else if (event.type === 'user-turn' && asking?.over === false) {
        left.add(event.turnId);
        conversation.leave(event.turnId);
        asking.heard(event.text);
      } else if (event.type === 'user-turn' && filling?.form.over === false) {
        // What is a question is the model's: it is asked again after the answer.
        if (filling.form.heard(event.text)) {
          left.add(event.turnId);
          conversation.leave(event.turnId);
        } else between.add(event.turnId);
      }
      if (event.type === 'agent-turn' && between.delete(event.turnId) && !event.interrupted) filling?.form.answered();
      if (event.type === 'handover') {
        const { handOver } = action;
        const to = handOver !== undefined && 'to' in handOver ? handOver.to : undefined;
        stage.emit('agent.handover', { to, summary: parts.summaryOf(stage.callId) });
        if (handOver !== undefined) parts.handOver(stage.callId, handOver);
      }
      if (event.type === 'state') {
        if (SHOWN[event.state] === shown || SHOWN[event.state] === 'ended') return;
        shown = SHOWN[event.state];
        show({ type: 'state', state: shown });
      } else tellPage(event, show);
    },
  });
  /** True: the caller is asked first for what the tool needs. */
  function fill(call: Extract<ConversationEvent, { type: 'tool-called' }>): boolean {
    const tool = persona.tools?.find(({ name }) => name === call.name);
    if (tool === undefined || action.targets?.has(call.name) !== true) return false;
    // The model wants what is being arranged already.
    if (filling?.form.over === false) {
      conversation.withdrawTool(call.turnId);
      return true;
    }
    const toolCallId = `${call.toolCallId}${FILLED}`;
    const begin = (values: Readonly<Record<string, unknown>>) => {
      const filled = { ...call, toolCallId, arguments: { ...call.arguments, ...values } };
      tellCall(filled, stage, action.targets);
      runs.begin(filled);
    };
    const form = FormFilling.open(tool, call.arguments, {
      say: (text) => conversation.say(text),
      call: begin,
      today: parts.today,
      failedText: turns.toolFailedText,
    });
    if (form === undefined) return false;
    filling = { toolCallId, form };
    conversation.withdrawTool(call.turnId);
    return true;
  }
  const ask = (action: AskAction): boolean => {
    if (asking?.over === false) {
      throw new TrunklineError('call.wrong-state', 'Another question is open.', { fix: 'Wait for its ask.answered.' });
    }
    const { webhook } = action;
    if (webhook !== undefined) {
      stage.become(secureQuestion(action, webhook, persona.voice));
      return true;
    }
    asking = new Asking(action, {
      clock: parts.clock,
      say: (text) => conversation.say(text),
      hush: () => void conversation.stop(),
      listen: (on) => stage.link.post({ type: 'mute', on: !on }),
      tell: (outcome) => stage.emit('ask.answered', outcome),
    });
    asking.begin();
    return true;
  };
  conversation.start();
  return {
    onMedia: (message) => {
      const typed = typedText(message);
      if (message.type === 'dtmf' && asking?.over === false) asking.key(message.digit);
      else if (typed !== undefined) conversation.userText(typed);
      else conversation.onMedia(message);
    },
    onHold: (held) => conversation.onHold(held),
    command: (command) => (command.type === 'ask' ? ask(command) : obey(conversation, command)),
    close: (cause) => {
      asking?.close();
      runs.close();
      return conversation.close(cause);
    },
    get turnGapsMs() {
      return conversation.turnGapsMs;
    },
    get interruptions() {
      return conversation.interruptions;
    },
  };
}

/** Keys that nobody but the application may know are taken where no sound is kept and no model hears: in a menu. */
export function secureQuestion(
  { text, again, maxDigits, endKey, timeoutSeconds, attempts }: AskAction,
  { url, timeoutMs, secret }: NonNullable<AskAction['webhook']>,
  voice: string | undefined,
): MenuAction {
  return {
    type: 'menu',
    prompt: { say: text, voice },
    options: new Map(),
    spoken: new Map(),
    again: again === undefined ? undefined : { say: again, voice },
    webhook: { url, timeoutMs, secret },
    maxDigits,
    endKey,
    timeoutSeconds,
    attempts,
    secure: true,
    otherwise: undefined,
  };
}

function typedText(message: SessionMessage): string | undefined {
  return message.type === 'event' ? readSoftphoneMessage(message.json)?.text : undefined;
}

function obey(conversation: Conversation, command: Exclude<CallCommand, AskAction>): boolean {
  switch (command.type) {
    case 'say':
      conversation.say(command.text, command.interruptible);
      return true;
    case 'user_text':
      conversation.userText(command.text);
      return true;
    case 'stop':
      return conversation.stop();
    case 'tool_result':
      return conversation.toolResult(command.toolCallId, command.text);
  }
}

function tellCall(event: ConversationEvent, stage: Stage, targets: AgentAction['targets']): void {
  switch (event.type) {
    case 'user-turn':
      stage.emit('turn.user', { turn: event.turnId, text: event.text, how: event.how });
      return;
    case 'agent-turn': {
      const { turnId, heardText, interrupted, atHangup, gapMs, playedMs, citations, stages } = event;
      if (interrupted && !atHangup) stage.emit('turn.interrupted', { turn: turnId, heardText });
      const cited = citations && [...citations];
      const times = { gapMs, playedMs, stages: { ...stages } };
      stage.emit('turn.agent', { turn: turnId, text: heardText, interrupted, citations: cited, ...times });
      return;
    }
    case 'tool-called': {
      const { toolCallId, name, said } = event;
      const by = targets?.get(name)?.kind ?? 'application';
      stage.emit('tool.called', { toolCallId, name, by, said, arguments: event.arguments && { ...event.arguments } });
      return;
    }
    case 'tool-late':
      stage.emit('error', {
        code: 'tool.too-late',
        message: `The tool ${event.name} has not answered in time; the caller was told that it cannot be had.`,
        fix: 'Answer tool.called sooner, or raise timeoutMs of the tool.',
      });
      return;
    case 'failure':
      stage.emit('error', {
        code: 'turn.answer-failed',
        message: `An answer could not be given (${event.because}); the caller heard a fallback.`,
      });
      return;
    case 'ended':
      stage.end(event.reason);
      return;
    case 'state':
    case 'caption':
    case 'turn-times':
    case 'disregarded':
    case 'tool-over':
    case 'handover':
      return;
  }
}

function tellPage(event: ConversationEvent, show: (event: SoftphoneEvent) => void): void {
  if (event.type === 'caption') show(event);
  else if (event.type === 'turn-times') {
    const { speechEndMs, decidedMs, transcriptMs, firstTextMs, firstAudioMs, firstPacketMs } = event.times;
    if (speechEndMs === undefined) return;
    const stages = { speechEndMs, decidedMs, transcriptMs, firstTextMs, firstAudioMs, firstPacketMs };
    show({ type: 'turn', turnId: event.turnId, stages });
  }
}
