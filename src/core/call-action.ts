/** What a program may ask of a live call, over HTTP or in its answer to a webhook. */
import { z } from 'zod';

const spoken = z.string().trim().min(1).max(2000);

export const callActionSchema = z.discriminatedUnion('type', [
  /** Said as it is, in the agent's voice, after what it is saying now. */
  z.strictObject({ type: z.literal('say'), text: spoken }),
  /** Taken as if the caller had typed it: the agent answers. */
  z.strictObject({ type: z.literal('user_text'), text: spoken }),
  /** The agent falls silent. */
  z.strictObject({ type: z.literal('stop') }),
  z.strictObject({
    type: z.literal('dtmf'),
    digits: z.string().regex(/^[0-9A-D*#]{1,64}$/i, 'Expected up to 64 of 0-9, A-D, * and #.'),
  }),
  z.strictObject({ type: z.literal('hangup') }),
]);

export type CallAction = z.output<typeof callActionSchema>;

/** A webhook receiver's answer: `{"actions": […]}`. */
export const webhookAnswerSchema = z.object({ actions: z.array(callActionSchema).max(20) });
