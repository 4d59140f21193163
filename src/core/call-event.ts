/**
 * Everything that is told about a call, to webhooks, to `/v1/events`, to the store: one union, one schema per type. A
 * call's events are numbered without a gap, so that a receiver sees what it missed.
 */
import { z } from 'zod';
import { answeredBySchema, answerReasonSchema } from './answer-rules';
import { callEndCauseSchema, callIdentitySchema, callQualitySchema } from './call-record';
import { howSaidSchema } from './how-said';
import { citationSchema } from './passage';

/**
 * bridged: connected with whoever was free; hangup: the call ended; timeout, full: the limits of the line; redirected: something
 * else was done with the call; not-allowed: this caller may not make us call others.
 */
export const queueLeftReasonSchema = z.enum(['bridged', 'hangup', 'timeout', 'full', 'redirected', 'not-allowed']);
export type QueueLeftReason = z.output<typeof queueLeftReasonSchema>;

/** `data` of each event type; docs/webhooks.md and the OpenAPI document are made from it. */
export const callEventData = {
  'call.started': z.object({
    direction: z.enum(['inbound', 'outbound']),
    transport: z.enum(['sip', 'webrtc']),
    from: z.string(),
    to: z.string(),
    trunk: z.string().optional(),
    /** The softphone's user, if one of sip.users called. */
    user: z.string().optional(),
    identity: callIdentitySchema.optional(),
    sipCallId: z.string().optional(),
    /** Chosen SIP headers: those that begin with X-, Diversion, P-Asserted-Identity, User-Agent. */
    headers: z.record(z.string(), z.string()).optional(),
    metadata: z.record(z.string(), z.unknown()).optional(),
  }),
  'call.ringing': z.object({}),
  /** `trunk`: the one that carries the call, where it is not the one that it began with. */
  'call.answered': z.object({ action: z.string().optional(), trunk: z.string().optional() }),
  'call.ended': z.object({
    cause: callEndCauseSchema,
    sipStatus: z.int().optional(),
    /** The Reason header as it came, Q.850 cause included. */
    sipReason: z.string().optional(),
    /** From the answer; 0 when there was none. */
    durationMs: z.number(),
    quality: callQualitySchema.optional(),
  }),
  /** `how`: beside the words; from an engine that hears it. */
  'turn.user': z.object({ turn: z.int(), text: z.string(), how: howSaidSchema.optional() }),
  'turn.agent': z.object({
    turn: z.int(),
    /** What the caller heard of it. */
    text: z.string(),
    interrupted: z.boolean(),
    /** Passages of the persona's documents that the answer rests on. */
    citations: z.array(citationSchema).optional(),
    /** Silence between the caller's last word and the agent's first. */
    gapMs: z.number().optional(),
    playedMs: z.number().optional(),
    /** Milliseconds per stage of the answer, by name: the waterfall. */
    stages: z.record(z.string(), z.number()).optional(),
  }),
  /** What became of the action `ask`. */
  'ask.answered': z.object({
    askId: z.string().optional(),
    /** How it was answered; no-match: not with what was expected; call-ended: the call ended, or went another way. */
    reason: z.enum(['speech', 'digits', 'no-input', 'no-match', 'call-ended']),
    /** The caller's words, as they were heard. */
    text: z.string().optional(),
    digits: z.string().optional(),
    /** `value` of the choice; `yes` or `no`. */
    choice: z.string().optional(),
    /** How often it was asked. */
    attempts: z.int(),
  }),
  'turn.interrupted': z.object({ turn: z.int(), heardText: z.string() }),
  /**
   * The agent needs a tool. `by` application: it waits for `tool_result` with this id; else for what the dialplan names.
   * `said`: the caller's words; `arguments`: from a brain that gives some.
   */
  'tool.called': z.object({
    toolCallId: z.string(),
    name: z.string(),
    by: z.enum(['application', 'http', 'mcp']).optional(),
    said: z.string(),
    arguments: z.record(z.string(), z.unknown()).optional(),
  }),
  /** Who answered a call of ours. Comes again when a machine is found out late, and when it records. */
  'amd.result': z.object({
    answeredBy: answeredBySchema,
    because: answerReasonSchema,
    /** From the answer of the call. */
    afterMs: z.number(),
    greetingMs: z.number().optional(),
    /** A machine records from now on, after its beep or because it has fallen silent. */
    records: z.enum(['beep', 'silence']).optional(),
    beepHz: z.number().optional(),
  }),
  /** A message was left with a machine, from its first word to its last. */
  'voicemail.left': z.object({ durationMs: z.number() }),
  /** A caller's message is whole and can be fetched at `path`. */
  'voicemail.received': z.object({ durationMs: z.number(), path: z.string(), mailbox: z.string().optional() }),
  /** The recording is whole and can be fetched at `path`. */
  'recording.ready': z.object({ durationMs: z.number(), path: z.string() }),
  /** What was kept of an ended call is gone: by order, or because it was too old. */
  'call.erased': z.object({
    what: z.enum(['call', 'transcript', 'recording', 'voicemail']),
    by: z.enum(['order', 'age']),
  }),
  'dtmf.received': z.object({ digit: z.string(), durationMs: z.number() }),
  /** The agent wants somebody else to go on; `to`: who is rung, if the dialplan says. */
  'agent.handover': z.object({
    to: z.string().optional(),
    /** Who calls, what they said, what they were answered: words of the call, none made up. */
    summary: z.string().optional(),
  }),
  'transfer.started': z.object({
    /** A SIP URI or number, or the id of the call that the caller is connected with. */
    to: z.string(),
    /** Who asked for it: us, or the far end by REFER or Replaces. */
    by: z.enum(['us', 'far-end']),
  }),
  'transfer.completed': z.object({
    to: z.string(),
    /**
     * refer: the far end calls there itself; bridge: we hold both calls; conference: and whoever was there stays; replaced: this
     * call has a new far end.
     */
    way: z.enum(['refer', 'bridge', 'conference', 'replaced']),
    /** False: the far end tries, and more is not known. */
    confirmed: z.boolean(),
    /** The call that this one is connected with. */
    peerCallId: z.string().optional(),
  }),
  'transfer.failed': z.object({ to: z.string(), sipStatus: z.int().optional(), cause: callEndCauseSchema.optional() }),
  /** The caller waits in a line of the dialplan; `position` 1 is the next. */
  'queue.joined': z.object({ queue: z.string(), position: z.int(), waiting: z.int() }),
  'queue.left': z.object({
    queue: z.string(),
    reason: queueLeftReasonSchema,
    waitMs: z.number(),
    /** Where in the line the caller was; left out where they never stood in it. */
    position: z.int().optional(),
    /** bridged: the call of whoever answered. */
    peerCallId: z.string().optional(),
  }),
  'hold.started': z.object({ by: z.enum(['us', 'far-end']) }),
  'hold.ended': z.object({ by: z.enum(['us', 'far-end']) }),
  error: z.object({ code: z.string(), message: z.string(), fix: z.string().optional() }),
} as const;

export type CallEventType = keyof typeof callEventData;
export type CallEventData<T extends CallEventType> = z.output<(typeof callEventData)[T]>;

export type CallEventOf<T extends CallEventType> = {
  readonly id: string;
  readonly type: T;
  readonly callId: string;
  /** 1, 2, 3 … within the call. */
  readonly sequence: number;
  readonly occurredAt: string;
  readonly data: CallEventData<T>;
};

/** Distributed over the types, so that `switch (event.type)` narrows `event.data`. */
export type CallEvent = { [T in CallEventType]: CallEventOf<T> }[CallEventType];

export const callEventTypes: readonly CallEventType[] = Object.keys(callEventData).filter(isCallEventType);

const envelope = { id: z.string(), callId: z.string(), sequence: z.int().min(1), occurredAt: z.iso.datetime() };

/** Reads one back from disk or checks one in a test. */
export const callEventSchema: z.ZodType<CallEvent> = z.discriminatedUnion('type', [
  eventForm('call.started'),
  eventForm('call.ringing'),
  eventForm('call.answered'),
  eventForm('call.ended'),
  eventForm('turn.user'),
  eventForm('turn.agent'),
  eventForm('turn.interrupted'),
  eventForm('ask.answered'),
  eventForm('tool.called'),
  eventForm('amd.result'),
  eventForm('voicemail.left'),
  eventForm('voicemail.received'),
  eventForm('recording.ready'),
  eventForm('call.erased'),
  eventForm('dtmf.received'),
  eventForm('agent.handover'),
  eventForm('transfer.started'),
  eventForm('transfer.completed'),
  eventForm('transfer.failed'),
  eventForm('queue.joined'),
  eventForm('queue.left'),
  eventForm('hold.started'),
  eventForm('hold.ended'),
  eventForm('error'),
]);

function eventForm<T extends CallEventType>(type: T) {
  return z.object({ ...envelope, type: z.literal(type), data: callEventData[type] });
}

function isCallEventType(text: string): text is CallEventType {
  return text in callEventData;
}

export interface EventSources {
  readonly newId: () => string;
  readonly now: () => Date;
}

/** Numbers the events of one call. */
export class CallEventSequence {
  private last: number;

  constructor(
    private readonly callId: string,
    private readonly sources: EventSources,
    lastSequence = 0,
  ) {
    this.last = lastSequence;
  }

  next<T extends CallEventType>(type: T, data: CallEventData<T>): CallEventOf<T> {
    this.last += 1;
    const { newId, now } = this.sources;
    return { id: newId(), type, callId: this.callId, sequence: this.last, occurredAt: now().toISOString(), data };
  }
}
