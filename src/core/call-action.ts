/** What a program may ask of a live call, over HTTP or in its answer to a webhook. */
import { z } from 'zod';

const spoken = z.string().trim().min(1).max(2000);

export const askSchema = z
  .strictObject({
    type: z.literal('ask'),
    text: spoken,
    /** Comes back in `ask.answered`. */
    askId: z.string().min(1).max(200).optional(),
    expect: z.enum(['anything', 'yes-no', 'choice', 'digits']).default('anything'),
    /** choice: what may be answered, besides `value` by other words, and by a key. */
    choices: z
      .array(
        z.strictObject({
          value: z.string().trim().min(1).max(100),
          phrases: z.array(z.string().trim().min(1).max(100)).max(20).default([]),
          key: z
            .string()
            .regex(/^[0-9A-D*#]{1,8}$/i, 'Expected up to 8 keys.')
            .optional(),
        }),
      )
      .min(2)
      .max(50)
      .optional(),
    minDigits: z.int().min(1).max(32).default(1),
    maxDigits: z.int().min(1).max(32).default(32),
    endKey: z
      .string()
      .regex(/^[0-9A-D*#]?$/i, 'Expected one key, or none.')
      .default('#'),
    /** Of quiet, before it is asked again; and between two keys. */
    timeoutSeconds: z.number().min(1).max(60).default(6),
    attempts: z.int().min(1).max(5).default(2),
    /** Said instead of `text` from the second time on. */
    again: spoken.optional(),
    /** False: the caller is not heard before the question has been said. */
    bargeIn: z.boolean().default(true),
    /** The answer is typed, and told to nobody but `webhook`, whose answer is what is done next. */
    secure: z.boolean().default(false),
    webhook: z
      .strictObject({
        url: z.url({ protocol: /^https?$/ }),
        timeoutMs: z.int().min(100).max(30_000).default(3_000),
        secret: z.string().min(1).optional(),
      })
      .optional(),
  })
  .refine(({ expect, choices }) => (expect === 'choice') === (choices !== undefined), {
    error: 'Expected choices with expect: choice, and only then.',
    path: ['choices'],
  })
  .refine(({ minDigits, maxDigits }) => minDigits <= maxDigits, {
    error: 'Expected no more than maxDigits.',
    path: ['minDigits'],
  })
  .refine(({ secure, webhook, expect }) => secure === (webhook !== undefined) && (!secure || expect === 'digits'), {
    error: 'Expected a webhook and expect: digits with secure, and a webhook only then.',
    path: ['secure'],
  });

export type AskAction = z.output<typeof askSchema>;

export const callActionSchema = z.discriminatedUnion('type', [
  /** Said as it is, in the agent's voice, after what it is saying now; to its end with `interruptible` false. */
  z.strictObject({ type: z.literal('say'), text: spoken, interruptible: z.boolean().optional() }),
  /** Said like `say`; what the caller answers is told by `ask.answered`, and the agent leaves it to the application. */
  askSchema,
  /** Taken as if the caller had typed it: the agent answers. */
  z.strictObject({ type: z.literal('user_text'), text: spoken }),
  /** The agent falls silent. */
  z.strictObject({ type: z.literal('stop') }),
  z.strictObject({
    type: z.literal('dtmf'),
    digits: z.string().regex(/^[0-9A-D*#]{1,64}$/i, 'Expected up to 64 of 0-9, A-D, * and #.'),
  }),
  /** The caller is heard by nobody, neither the agent nor whom they are connected with, until `on: false`; recorded all the same. */
  z.strictObject({ type: z.literal('mute'), on: z.boolean().default(true) }),
  /** The far end hears music, or silence where none is configured, until `resume`. */
  z.strictObject({ type: z.literal('hold') }),
  z.strictObject({ type: z.literal('resume') }),
  /** To a SIP URI or number, or to whom another live call is with (attended). */
  z
    .strictObject({
      type: z.literal('transfer'),
      to: z.string().trim().min(1).max(256).optional(),
      callId: z.string().min(1).max(100).optional(),
      trunk: z.string().min(1).max(100).optional(),
      from: z.string().min(1).max(256).optional(),
      /** conference: as warm, and whoever is on the call stays: the agent, or somebody with whom it is connected. */
      mode: z.enum(['auto', 'refer', 'bridge', 'warm', 'conference']).default('auto'),
      /** warm, conference: told to whoever answers instead of a summary of the conversation. */
      briefing: z.string().trim().min(1).max(600).optional(),
      ringSeconds: z.int().min(1).max(300).default(30),
    })
    .refine((transfer) => (transfer.to === undefined) !== (transfer.callId === undefined), {
      error: 'Expected either to or callId.',
    })
    .meta({ oneOf: [{ required: ['to'] }, { required: ['callId'] }] })
    .refine(({ briefing, mode }) => briefing === undefined || mode === 'warm' || mode === 'conference', {
      error: 'Only a warm transfer and a conference have a briefing.',
      path: ['briefing'],
    })
    .refine(({ callId, mode }) => callId === undefined || mode !== 'conference', {
      error: 'Expected to: a conference rings somebody.',
      path: ['mode'],
    }),
  /** What a tool told, for the `tool.called` of that id: the agent answers from `text`, or says that it cannot look it up. */
  z
    .strictObject({
      type: z.literal('tool_result'),
      toolCallId: z.string().min(1).max(200),
      text: z.string().trim().min(1).max(10_000).optional(),
      error: z.string().max(2000).optional(),
    })
    .refine((result) => (result.text === undefined) !== (result.error === undefined), {
      error: 'Expected either text or error.',
    })
    .meta({ oneOf: [{ required: ['text'] }, { required: ['error'] }] }),
  z.strictObject({ type: z.literal('hangup') }),
]);

export type CallAction = z.output<typeof callActionSchema>;

/** A webhook receiver's answer: `{"actions": […]}`. */
export const webhookAnswerSchema = z.object({ actions: z.array(callActionSchema).max(20) });
