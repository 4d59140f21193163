/**
 * The vocabulary of the turn machine: its states, what happens to it, what it wants done. Times are milliseconds on the
 * call's own scale, carried by the events; samples are positions on the call's inbound 16 kHz clock.
 */
import type { CallEndCause } from '../core/call-record';
import type { HowSaid } from '../core/how-said';
import type { OverlapHeard } from '../core/overlap-heard';
import type { AnswerAction } from '../core/tool';
import type { EndOfTurn } from './end-of-turn';
import { DEFAULT_END_OF_TURN, TextualEndOfTurn } from './end-of-turn';
import type { Overlap } from './overlap';
import { DEFAULT_OVERLAP, type OverlapPolicy } from './overlap-judge';
import type { ToolManner, ToolOver, ToolUse } from './tool-state';
import type { VadEvent } from './vad';

export interface TurnConfig {
  readonly endOfTurn: EndOfTurn;
  readonly overlap: OverlapPolicy;
  /** Silence after which an answer is begun on trial. */
  readonly speculateAfterMs: number;
  /** Audio before an onset that belongs to the speech. */
  readonly preRollMs: number;
  /** A caller who speaks longer than this without a pause is answered nevertheless. */
  readonly turnLimitMs: number;
  /** Speech that was reported but not confirmed for so long has stopped (packets ceased). */
  readonly stallMs: number;
  /** Speech after the end of a turn, before the answer is heard: this much of it (the end of a shorter one is
   * known by then) and the turn goes on. */
  readonly confirmMs: number;
  /** A turn is reopened in that way at most so often; then the answer is spoken. */
  readonly maxReopenings: number;
  /** Interrupted when less than this was heard: the caller was not done, the turn goes on. */
  readonly reopenIfHeardUnderMs: number;
  /** A backchannel that begins so soon after the agent's last word takes no turn. */
  readonly boundaryMs: number;
  /** Longest silence on the agent's turn before it says something. */
  readonly silenceMs: number;
  /** Said when the answer is late; undefined: the fallback comes at once. */
  readonly fillerText: string | undefined;
  /** Said when an answer failed. */
  readonly fallbackText: string;
  /** Said when long speech held no words. */
  readonly unheardText: string;
  readonly unheardAfterMs: number;
  /** So often in a row; then it is taken for noise. */
  readonly maxUnheard: number;
  /** Said before hanging up after `maxFailures` failures in a row. */
  readonly apologyText: string;
  readonly maxFailures: number;
  /** Said when a tool has failed, or was too late. */
  readonly toolFailedText: string;
  /** How long the result of a tool is waited for, by its name … */
  readonly toolTimeoutsMs: ReadonlyMap<string, number>;
  /** … and of one that is not among them. */
  readonly toolTimeoutMs: number;
  /** By name; those that are not among them are kept, and bridged by the longest silence alone. */
  readonly toolManners: ReadonlyMap<string, ToolManner>;
  /** undefined: wait for ever. */
  readonly idle:
    | { readonly afterMs: number; readonly prompts: readonly string[]; readonly goodbye: string }
    | undefined;
  /** Keys pressed within this time of one another are one input; `#` ends it at once. */
  readonly digitsMs: number;
  /** Time for the report of what was heard of a cut answer before going on without it. */
  readonly settleMs: number;
  /** The same, at the end of the call. */
  readonly closeMs: number;
}

export const DEFAULT_TURNS: TurnConfig = {
  endOfTurn: new TextualEndOfTurn(DEFAULT_END_OF_TURN),
  overlap: DEFAULT_OVERLAP,
  speculateAfterMs: 200,
  preRollMs: 300,
  turnLimitMs: 45_000,
  stallMs: 1_500,
  confirmMs: 280,
  maxReopenings: 4,
  reopenIfHeardUnderMs: 700,
  boundaryMs: 1_000,
  silenceMs: 3_500,
  fillerText: 'One moment, please.',
  fallbackText: 'Sorry, something went wrong on my side. Could you say that again?',
  unheardText: 'Sorry, I could not understand you. Could you say that again?',
  unheardAfterMs: 300,
  maxUnheard: 2,
  apologyText: 'I am sorry, I cannot help you right now. Please try again later. Goodbye.',
  maxFailures: 3,
  toolFailedText: 'I am sorry, I cannot look that up right now. Shall I connect you to a colleague?',
  toolTimeoutsMs: new Map(),
  toolTimeoutMs: 5_000,
  toolManners: new Map(),
  idle: { afterMs: 15_000, prompts: ['Are you still there?'], goodbye: 'I will hang up now. Goodbye.' },
  digitsMs: 1_500,
  settleMs: 200,
  closeMs: 500,
};

/** Everything that is said word for word under `config`, so that it can be spoken ahead. */
export function stockTexts(config: TurnConfig): string[] {
  const { fillerText, fallbackText, unheardText, apologyText, idle } = config;
  const toolFailedText = config.toolTimeoutsMs.size === 0 ? undefined : config.toolFailedText;
  const stock = [fillerText, fallbackText, unheardText, apologyText, toolFailedText];
  return [...stock, ...(idle?.prompts ?? []), idle?.goodbye].filter((text) => text !== undefined);
}

/** Why a conversation ended. */
export type CloseReason = CallEndCause;

/** What the caller says until the agent answers. */
export interface UserTurn {
  readonly fromSample: number;
  /** One past the last sample worth hearing, as far as it is known. */
  readonly toSample: number;
  /** First sample of the silence after it, as far as it is known. */
  readonly endSample: number;
  readonly startedMs: number;
  readonly speechMs: number;
  readonly pauses: number;
  readonly reopenings: number;
  /** How it sounds, where no words were understood in it and the engine can reply to that. */
  readonly wordless?: HowSaid | undefined;
  /** The answer that it cut short: taken up again if there were no words in the turn after all. */
  readonly interrupted: Answer | undefined;
}

/** `sound`: a reply to how something sounded, without words. `notice`: nothing that the caller does cuts it off. `filler`:
 * said while a tool is waited for. */
export type AnswerKind =
  | 'answer'
  | 'sound'
  | 'notice'
  | 'greeting'
  | 'say'
  | 'filler'
  | 'fallback'
  | 'idle'
  | 'goodbye';

/** One thing that the agent says, from the order to the last word heard. */
export interface Answer {
  readonly turnId: number;
  readonly kind: AnswerKind;
  /** What it answers, once known. */
  readonly userText: string | undefined;
  /** How that was said; undefined: the engine does not tell. */
  readonly how?: HowSaid | undefined;
  readonly reported: boolean;
  readonly speculative: boolean;
  /** Its audio may be played. */
  readonly released: boolean;
  readonly text: string;
  readonly audioMs: number;
  /** Everything was produced. */
  readonly ended: boolean;
  readonly action: AnswerAction | undefined;
  readonly closeAfter: CloseReason | undefined;
  readonly fillerSaid: boolean;
  readonly startedMs: number | undefined;
  readonly playedMs: number;
  readonly heardText: string;
  readonly falseAlarms: number;
  /** Since when the caller had been silent when it was due. */
  readonly askedMs: number | undefined;
  /** The tool whose result it tells. */
  readonly tool: ToolUse | undefined;
  /** The spoken turn that it answers, so that the turn may go on if the caller was not done. */
  readonly turn: UserTurn | undefined;
}

export type Phase =
  /** Before the media is up. */
  | { readonly name: 'idle' }
  /** Nobody speaks; the floor is the caller's. */
  | { readonly name: 'listening' }
  | { readonly name: 'user-speaking'; readonly turn: UserTurn }
  /** The caller is silent, perhaps done. */
  | {
      readonly name: 'user-pausing';
      readonly turn: UserTurn;
      readonly silenceMs: number;
      readonly speculation: Answer | undefined;
      /** The trial answer failed, or there were no words in the speech. */
      readonly outcome: 'open' | 'failed' | 'no-words';
    }
  /** The turn is over, the answer is not yet heard. */
  | { readonly name: 'thinking'; readonly answer: Answer; readonly sinceMs: number }
  /** As thinking, and a sound came that may be the caller going on: the answer is held back for a moment. */
  | {
      readonly name: 'held';
      readonly answer: Answer;
      readonly sinceMs: number;
      readonly onsetMs: number;
      readonly onsetSample: number;
    }
  | { readonly name: 'speaking'; readonly answer: Answer }
  /** Somebody speaks over the answer, which goes on. */
  | { readonly name: 'overlapped'; readonly answer: Answer; readonly overlap: Overlap }
  /** The answer is paused while the overlap is judged. */
  | { readonly name: 'ducked'; readonly answer: Answer; readonly overlap: Overlap; readonly duckedMs: number }
  /** A tool was called and its result is not there; the caller may speak as in `listening`. */
  | { readonly name: 'awaiting-tool' }
  /** The far end put the call on hold; the answer, if any, waits. */
  | { readonly name: 'on-hold'; readonly answer: Answer | undefined }
  /** An answer was cut for something else to say; what was heard of it comes first. */
  | { readonly name: 'yielding' }
  /** Hanging up: waiting to learn what was heard of the last answer. */
  | { readonly name: 'closing'; readonly reason: CloseReason; readonly answer: Answer | undefined }
  | { readonly name: 'closed'; readonly reason: CloseReason };

export type PhaseName = Phase['name'];

export type TimerId =
  | 'speculate'
  | 'end-of-turn'
  | 'turn-limit'
  | 'stall'
  | 'confirm'
  | 'duck'
  | 'judge'
  | 'watchdog'
  | 'playout'
  | 'idle'
  | 'digits'
  | 'settle'
  | 'tool'
  | 'tool-filler'
  | 'close';

/** `text`: typed by the caller; the rest is for the agent to say. */
export interface Waiting {
  readonly kind: AnswerKind | 'text';
  readonly text: string;
  readonly userText: string | undefined;
  readonly closeAfter: CloseReason | undefined;
}

export interface TurnState {
  readonly phase: Phase;
  readonly nextTurnId: number;
  readonly nextToken: number;
  readonly nextRequestId: number;
  /** The token of each running timer: a late one carries an old token. */
  readonly timers: Readonly<Partial<Record<TimerId, number>>>;
  /** The listener's last word. */
  readonly voice: {
    readonly speaking: boolean;
    readonly onsetMs: number;
    readonly onsetSample: number;
    readonly headSample: number;
    readonly seenMs: number;
  };
  /** Typed and ordered texts that wait for their turn; bounded. */
  readonly waiting: readonly Waiting[];
  readonly droppedWaiting: number;
  readonly digits: string;
  /** An overlap that the recogniser was asked about. */
  readonly listening:
    | {
        readonly requestId: number;
        readonly turnId: number;
        readonly askedMs: number;
        readonly toSample: number;
        readonly overlap: Overlap;
      }
    | undefined;
  readonly tool: ToolUse | undefined;
  /** An interrupted answer whose heard words are not known yet. */
  readonly uncommitted: Answer | undefined;
  readonly lastAgent: { readonly text: string; readonly endedMs: number };
  /** How loud the caller usually is, dBFS. */
  readonly callerLevelDb: number | undefined;
  /** The caller's last pauses inside turns, the newest last; bounded. */
  readonly callerPausesMs: readonly number[];
  readonly failures: number;
  /** Turns without words in a row. */
  readonly unheard: number;
  readonly idlePrompts: number;
}

export const MAX_WAITING = 8;

export type TurnEvent = { readonly atMs: number } & (
  | {
      readonly type: 'opened';
      /** Said before the greeting, to its end. */
      readonly notice?: string | undefined;
      readonly greeting: string | undefined;
    }
  | VadEvent
  | {
      readonly type: 'transcript';
      readonly turnId: number;
      readonly text: string;
      readonly speech: boolean;
      /** 0…1: how sure the engine is that the caller is done; undefined: it has no opinion. */
      readonly doneProbability?: number | undefined;
      /** How it was said; undefined: the engine does not tell, and has no reply to sounds without words. */
      readonly how?: HowSaid | undefined;
    }
  | { readonly type: 'answer-text'; readonly turnId: number; readonly delta: string }
  | { readonly type: 'answer-audio'; readonly turnId: number; readonly durationMs: number }
  | { readonly type: 'answer-end'; readonly turnId: number; readonly action: AnswerAction | undefined }
  /** `turnId` undefined: whatever is being answered is lost. */
  | { readonly type: 'engine-failed'; readonly turnId: number | undefined }
  | ({ readonly type: 'listened'; readonly requestId: number } & OverlapHeard)
  | {
      readonly type: 'playout';
      readonly turnId: number;
      readonly state: 'started' | 'finished' | 'flushed' | 'starved' | 'progress';
      readonly playedMs: number;
      readonly heardText: string;
    }
  /** What the tool that turn `turnId` called has told; `text` undefined: it could not. */
  | { readonly type: 'tool-result'; readonly turnId: number; readonly text: string | undefined }
  /** Somebody else speaks with the caller about that call. */
  | { readonly type: 'tool-withdrawn'; readonly turnId: number }
  | { readonly type: 'user-text'; readonly text: string }
  /** `interruptible` false: to its end, whatever the caller does meanwhile. */
  | { readonly type: 'say'; readonly text: string; readonly interruptible?: boolean | undefined }
  | { readonly type: 'dtmf'; readonly digit: string }
  /** Be silent: the current answer ends here. */
  /** `turnId`: only that answer, also before it is spoken: somebody else answers. */
  | { readonly type: 'stop'; readonly turnId?: number }
  | { readonly type: 'hold' }
  | { readonly type: 'resume' }
  | { readonly type: 'hangup'; readonly reason: CloseReason }
  | { readonly type: 'timer'; readonly id: TimerId; readonly token: number }
);

/** What others may want to know. */
export type TurnReport =
  | {
      readonly type: 'user-turn';
      readonly turnId: number;
      readonly text: string;
      readonly source: 'speech' | 'text';
      readonly how: HowSaid | undefined;
      readonly fromSample: number | undefined;
      readonly toSample: number | undefined;
    }
  /** Speech that takes no turn. */
  | { readonly type: 'ignored'; readonly because: 'no-words' | 'backchannel'; readonly text: string }
  | {
      readonly type: 'agent-turn';
      readonly turnId: number;
      readonly kind: AnswerKind;
      readonly userText: string | undefined;
      readonly text: string;
      readonly heardText: string;
      readonly playedMs: number;
      readonly interrupted: boolean;
    }
  | {
      readonly type: 'interrupted';
      readonly turnId: number;
      readonly onsetSample: number | undefined;
      readonly because: string;
    }
  | { readonly type: 'dismissed'; readonly turnId: number; readonly because: string }
  | { readonly type: 'reopened'; readonly turnId: number }
  | { readonly type: 'failure'; readonly turnId: number; readonly because: 'engine' | 'silence' | 'playout' }
  | ToolOver
  | { readonly type: 'handover' };

export type TurnEffect =
  | {
      readonly type: 'answer';
      readonly turnId: number;
      /** `wordless`: no words were understood in it; a reply to how it sounds. */
      readonly input:
        | { readonly kind: 'audio'; readonly fromSample: number; readonly toSample: number; readonly wordless?: true }
        | { readonly kind: 'text'; readonly text: string }
        /** The question again, to be answered from what a tool has told. */
        | { readonly kind: 'tool-result'; readonly question: string; readonly text: string };
      readonly speculative: boolean;
    }
  /** Ask the application. `said`: the caller's words. */
  | {
      readonly type: 'tool-call';
      readonly turnId: number;
      readonly name: string;
      readonly said: string;
      readonly arguments: Readonly<Record<string, unknown>> | undefined;
    }
  /** Say exactly this. */
  | { readonly type: 'prompt'; readonly turnId: number; readonly text: string }
  /** Say this while the answer `turnId` is still being made, before its audio. */
  | { readonly type: 'filler'; readonly turnId: number; readonly text: string }
  | { readonly type: 'promote'; readonly turnId: number }
  /** Its audio, what there is and what comes, may be played. */
  | { readonly type: 'release'; readonly turnId: number }
  /** No more audio will come for it. */
  | { readonly type: 'end-playout'; readonly turnId: number }
  | { readonly type: 'cancel'; readonly turnId: number }
  | { readonly type: 'pause'; readonly turnId: number }
  | { readonly type: 'resume'; readonly turnId: number }
  | { readonly type: 'flush'; readonly turnId: number }
  | { readonly type: 'listen'; readonly requestId: number; readonly fromSample: number; readonly toSample: number }
  | {
      readonly type: 'commit';
      readonly turnId: number;
      readonly userText: string | undefined;
      readonly heardText: string;
      readonly interrupted: boolean;
    }
  | { readonly type: 'timer'; readonly id: TimerId; readonly token: number; readonly afterMs: number }
  | { readonly type: 'clear-timer'; readonly id: TimerId }
  | { readonly type: 'report'; readonly report: TurnReport }
  | { readonly type: 'closed'; readonly reason: CloseReason };

export interface Transition {
  readonly state: TurnState;
  readonly effects: readonly TurnEffect[];
}

export const INITIAL_STATE: TurnState = {
  phase: { name: 'idle' },
  nextTurnId: 1,
  nextToken: 1,
  nextRequestId: 1,
  timers: {},
  voice: { speaking: false, onsetMs: 0, onsetSample: 0, headSample: 0, seenMs: 0 },
  waiting: [],
  droppedWaiting: 0,
  digits: '',
  listening: undefined,
  tool: undefined,
  uncommitted: undefined,
  lastAgent: { text: '', endedMs: Number.NEGATIVE_INFINITY },
  callerLevelDb: undefined,
  callerPausesMs: [],
  failures: 0,
  unheard: 0,
  idlePrompts: 0,
};
