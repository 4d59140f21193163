/** What a number does, ready to run: routes in file order, their actions with every file found and every persona read. */
import type { AskAction } from '../core/call-action';
import type { Tool, ToolTarget } from '../core/tool';
import type { TurnSettings } from '../core/turn-settings';
import type { MatchRule } from './schema';

/** The same shape as the model's, kept apart so that routing does not depend on any model. */
export interface DialplanPersona {
  readonly id: string;
  readonly name: string;
  readonly instructions: string;
  readonly facts: readonly string[];
  readonly tools?: readonly Tool[];
  /** Absolute path of the folder whose documents it may look things up in. */
  readonly knowledge?: string;
  readonly voice?: string;
  /** Words that it says in its own way, with their phonemes. */
  readonly lexicon?: Readonly<Record<string, string>>;
}

/** Who is rung when the agent hands its caller over. */
export interface HandOver {
  readonly to: string;
  readonly trunk?: string | undefined;
  readonly from?: string | undefined;
  readonly ringSeconds: number;
  readonly mode: 'auto' | 'refer' | 'bridge' | 'warm' | 'conference';
  /** Their telephone is told the summary of the call in a header. */
  readonly summaryHeader?: boolean | undefined;
}

/** What is done then with the call. */
export interface HandOverToAction {
  readonly action: Action;
}

export interface AgentAction {
  readonly type: 'agent';
  readonly persona: DialplanPersona;
  /** Said before the greeting and not cut off by the caller. */
  readonly notice?: string | undefined;
  /** Said first; undefined: the caller speaks first. */
  readonly greeting: string | undefined;
  readonly turns: TurnSettings;
  /** By the tool's name, those that we ask ourselves; the others are for an application. */
  readonly targets?: ReadonlyMap<string, ToolTarget>;
  /** Left out: the agent says so, and an application that hears of it may act. */
  readonly handOver?: HandOver | HandOverToAction | undefined;
}

export interface PlayAction {
  readonly type: 'play';
  /** Absolute path of a WAV or Ogg file that was there when the plan was loaded. */
  readonly path: string;
  readonly format: 'wav' | 'ogg';
  readonly repeat: number;
}

export interface EchoAction {
  readonly type: 'echo';
}

export interface ToneAction {
  readonly type: 'tone';
  readonly frequencyHz: number;
  readonly levelDbm0: number;
}

export interface RejectAction {
  readonly type: 'reject';
  readonly status: number;
  readonly reason: string | undefined;
}

/** A sentence, or a recording of one. */
export type MenuPrompt =
  | { readonly say: string; readonly voice: string | undefined }
  | { readonly path: string; readonly format: 'wav' | 'ogg' };

/** Who is asked what to do, and how long. */
export interface Application {
  readonly url: string;
  readonly timeoutMs: number;
  readonly secret: string | undefined;
}

export interface MenuAction {
  readonly type: 'menu';
  readonly prompt: MenuPrompt;
  /** By the keys that choose them. */
  readonly options: ReadonlyMap<string, Action>;
  /** By the same keys: what may be said instead. None: nobody listens. */
  readonly spoken: ReadonlyMap<string, readonly string[]>;
  /** From the second time on; undefined: the prompt. */
  readonly again: MenuPrompt | undefined;
  readonly webhook: Application | undefined;
  readonly maxDigits: number;
  /** '' for none. */
  readonly endKey: string;
  readonly timeoutSeconds: number;
  readonly attempts: number;
  readonly secure: boolean;
  /** Undefined: the call is ended. */
  readonly otherwise: Action | undefined;
}

interface OutgoingAction {
  readonly to: string;
  readonly trunk: string | undefined;
  readonly from: string | undefined;
  readonly ringSeconds: number;
  readonly otherwise: Action | undefined;
}

export interface TransferAction extends OutgoingAction {
  readonly type: 'transfer';
  readonly mode: 'auto' | 'refer' | 'bridge' | 'warm';
}

export interface DialAction extends OutgoingAction {
  readonly type: 'dial';
}

/** A greeting, a beep, and the caller's message on disk. */
export interface VoicemailAction {
  readonly type: 'voicemail';
  /** Undefined: the beep alone. */
  readonly prompt: MenuPrompt | undefined;
  readonly mailbox: string | undefined;
  readonly maxSeconds: number;
  readonly silenceSeconds: number;
  /** '' for none. */
  readonly endKey: string;
}

/** Somebody whose phone is rung for those who wait. */
export interface QueueMember {
  readonly to: string;
  readonly trunk?: string | undefined;
  readonly from?: string | undefined;
}

export interface QueueAnnouncements {
  readonly position: boolean;
  readonly wait: boolean;
  /** Said after these. */
  readonly prompt: MenuPrompt | undefined;
  readonly voice: string | undefined;
  readonly everySeconds: number;
}

/** Waiting, in order, for the next of several people who is free. */
export interface QueueAction {
  readonly type: 'queue';
  readonly name: string;
  readonly members: readonly QueueMember[];
  readonly ring: 'one-by-one' | 'all';
  readonly ringSeconds: number;
  readonly retrySeconds: number;
  readonly wrapUpSeconds: number;
  readonly maxLength: number;
  readonly maxWaitSeconds: number;
  /** Undefined: what every caller on hold hears. */
  readonly music: PlayAction | undefined;
  readonly announce: QueueAnnouncements;
  readonly otherwise: Action | undefined;
}

/** A sentence, and no more. */
export interface SayVerb {
  readonly type: 'say';
  readonly text: string;
  readonly voice: string | undefined;
}

/** A question of an application's own, without an agent. */
export interface AskVerb {
  readonly type: 'ask';
  readonly ask: AskAction;
  readonly voice: string | undefined;
}

export interface HangupVerb {
  readonly type: 'hangup';
}

/** One of the things that an application wants done, in order. */
export interface VerbStep {
  readonly verb: SayVerb | AskVerb | HangupVerb | Exclude<DirectAction, VerbsAction>;
  /** Asked with what became of it, in place of what stands behind it. */
  readonly next: WebhookAction | undefined;
}

/** What became of a verb, with what was told of it: for the application that named a URL. */
export type VerbResult = { readonly verb: string; readonly cause: string } & Readonly<Record<string, unknown>>;

/** An application's answer of several verbs. */
export interface VerbsAction {
  readonly type: 'verbs';
  readonly steps: readonly VerbStep[];
}

/** What can be done with a call at once. */
export type DirectAction =
  | VerbsAction
  | AgentAction
  | PlayAction
  | EchoAction
  | ToneAction
  | RejectAction
  | MenuAction
  | TransferAction
  | DialAction
  | VoicemailAction
  | QueueAction;

/** What the record of a call says that is done with it: of several verbs, the first. */
export function nameOf(action: DirectAction | VerbStep['verb']): string {
  if (action.type === 'voicemail' && action.prompt === undefined) return 'record';
  if (action.type !== 'verbs') return action.type;
  const [first] = action.steps;
  return first === undefined ? action.type : nameOf(first.verb);
}

/** Ask an application; when it does not answer with a valid action in time, do `fallback`. */
export interface WebhookAction extends Application {
  readonly type: 'webhook';
  readonly fallback: DirectAction;
}

export type Action = DirectAction | WebhookAction;

/** An action, and every one that it may lead to. */
export function reachableActions(action: Action): Action[] {
  switch (action.type) {
    case 'webhook':
      return [action, ...reachableActions(action.fallback)];
    case 'menu':
      return [action, ...[...action.options.values()].flatMap(reachableActions), ...orElse(action.otherwise)];
    case 'agent': {
      const { handOver } = action;
      return [action, ...orElse(handOver !== undefined && 'action' in handOver ? handOver.action : undefined)];
    }
    case 'transfer':
    case 'dial':
    case 'queue':
      return [action, ...orElse(action.otherwise)];
    default:
      return [action];
  }
}

function orElse(otherwise: Action | undefined): Action[] {
  return otherwise === undefined ? [] : reachableActions(otherwise);
}

export interface Route {
  readonly name: string;
  /** `dialplans/demo.yaml:7`. */
  readonly place: string;
  readonly match: MatchRule;
  readonly action: Action;
}

export interface Dialplan {
  readonly folder: string;
  readonly routes: readonly Route[];
  /** Every persona that a route may bring on the line: what an engine warms. */
  readonly personas: readonly DialplanPersona[];
  /** Routes that can never be reached, and the like: told by `dialplan check`, no hindrance to start. */
  readonly warnings: readonly string[];
}

/** What happens to a call that no route wants. */
export const noRoute: RejectAction = { type: 'reject', status: 404, reason: undefined };
