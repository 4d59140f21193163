/** What is kept of a call: the record, its turns, and the words for why it ended. */
import { z } from 'zod';
import { answeredBySchema } from './answer-rules';
import { howSaidSchema } from './how-said';
import { citationSchema } from './passage';

export const callStateSchema = z.enum(['trying', 'ringing', 'answered', 'ending', 'ended']);
export type CallState = z.output<typeof callStateSchema>;

/** Our own taxonomy: SIP statuses and Q.850 causes are kept beside it, never in its place. */
export const callEndCauseSchema = z.enum([
  'caller-hangup',
  'agent-hangup',
  'hangup-requested',
  'finished',
  /** The caller was handed to somebody else and is gone from here. */
  'transferred',
  'cancelled',
  'rejected',
  'busy',
  'no-answer',
  'unreachable',
  'media-timeout',
  'media-failed',
  'engine-failed',
  'idle',
  'time-limit',
  /** A machine answered, and nothing was to be said to it. */
  'machine',
  'shutdown',
  'internal',
  /** The process died during the call; found at the next start. */
  'lost',
]);
export type CallEndCause = z.output<typeof callEndCauseSchema>;

export const callQualitySchema = z.object({
  packetsSent: z.number(),
  packetsReceived: z.number(),
  packetsLost: z.number(),
  packetsLate: z.number(),
  jitterMs: z.number(),
  concealedMs: z.number(),
  /** How far sent packets were from their deadline, 99th percentile. */
  paceP99Ms: z.number().optional(),
  /** Silences between the caller's last word and the agent's first, in order. */
  turnGapsMs: z.array(z.number()),
  interruptions: z.number(),
  /** Lost or too late to be played, 0 to 1. */
  lostShare: z.number().optional(),
  /** By RTCP, where the far end reports. */
  roundTripMs: z.number().optional(),
  /** Mean opinion score by the E-model of ITU-T G.107, 1 to 4.5, narrow-band scale, from loss and delay. */
  mos: z.number().optional(),
  codec: z.string().optional(),
  /** How media was protected: keys in SDP, by DTLS, or not at all. */
  protection: z.enum(['none', 'sdes', 'dtls']).optional(),
  /** What the far end last reported of our stream. */
  remote: z.object({ packetsLost: z.number(), lostShare: z.number(), jitterMs: z.number() }).optional(),
});
export type CallQuality = z.output<typeof callQualitySchema>;

/** STIR/SHAKEN, where incoming calls are checked (RFC 8224, RFC 8588). */
export const callIdentitySchema = z.object({
  status: z.enum(['valid', 'invalid', 'absent']),
  /** A, B or C; only of a statement that holds. */
  attestation: z.enum(['A', 'B', 'C']).optional(),
  originId: z.string().optional(),
  /** Why it does not hold. */
  reason: z.string().optional(),
});
export type CallIdentityRecord = z.output<typeof callIdentitySchema>;

export const callRecordSchema = z.object({
  id: z.string(),
  direction: z.enum(['inbound', 'outbound']),
  transport: z.enum(['sip', 'webrtc']),
  from: z.string(),
  to: z.string(),
  trunk: z.string().optional(),
  user: z.string().optional(),
  identity: callIdentitySchema.optional(),
  sipCallId: z.string().optional(),
  /** The agent that has it, where several share a database. */
  node: z.string().optional(),
  /** What the dialplan chose. */
  action: z.string().optional(),
  /** Of a call of ours that was placed with `amd`. */
  answeredBy: answeredBySchema.optional(),
  state: callStateSchema,
  startedAt: z.iso.datetime(),
  answeredAt: z.iso.datetime().optional(),
  endedAt: z.iso.datetime().optional(),
  cause: callEndCauseSchema.optional(),
  sipStatus: z.int().optional(),
  sipReason: z.string().optional(),
  quality: callQualitySchema.optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
});
export type CallRecord = z.output<typeof callRecordSchema>;

export const turnRecordSchema = z.object({
  turn: z.int(),
  role: z.enum(['user', 'agent']),
  /** The agent's: what the caller heard, never more. */
  text: z.string(),
  at: z.iso.datetime(),
  interrupted: z.boolean().optional(),
  /** The agent's: what it rests on, where the persona has documents. */
  citations: z.array(citationSchema).optional(),
  /** The caller's: how it was said, where the engine hears that. */
  how: howSaidSchema.optional(),
});
export type TurnRecord = z.output<typeof turnRecordSchema>;
