/** What a call that is ordered may ask for beside the call itself: further attempts, and to wait for the hours at which we may call. */
import { z } from 'zod';
import { callEndCauseSchema } from './call-record';

export const retryPolicySchema = z.strictObject({
  attempts: z.int().min(2).max(10).default(3).describe('In all, the first one too.'),
  afterSeconds: z
    .array(z.int().min(10).max(604_800))
    .min(1)
    .max(9)
    .default([300, 1_800, 7_200])
    .describe('Before the second attempt, the third …; the last one holds for those behind it.'),
  on: z
    .array(z.enum(['busy', 'no-answer', 'unreachable', 'machine']))
    .min(1)
    .default(['busy', 'no-answer', 'unreachable']),
});
export type RetryPolicy = z.output<typeof retryPolicySchema>;

export const whenClosedSchema = z.enum(['refuse', 'wait']);

export const waitingCallSchema = z.object({
  id: z.string(),
  to: z.string(),
  /** The attempt that is waited for: 1, 2 … */
  attempt: z.int().min(1),
  at: z.iso.datetime(),
  metadata: z.record(z.string(), z.unknown()).optional(),
  /** The attempt before, and how it ended. */
  lastCallId: z.string().optional(),
  lastCause: callEndCauseSchema.optional(),
});
export type WaitingCall = z.output<typeof waitingCallSchema>;

/** What became of an order. */
export type Ordered = { readonly callId: string } | { readonly waiting: WaitingCall };
