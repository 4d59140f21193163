/** The form of a dialplan file and of an application's answer: routes, what they match on, and actions. */
import { z } from 'zod';
import { turnSettingsSchema } from '../core/turn-settings';

const oneOrMore = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'Expected a time like "09:30".');

const timeWindowSchema = z.strictObject({
  days: z.array(z.enum(days)).min(1).optional(),
  from: clockTime.optional(),
  to: clockTime.optional().describe('Not included. Earlier than `from`: the window crosses midnight.'),
  timezone: z.string().refine(isTimeZone, { error: 'Expected an IANA time zone like Europe/Berlin.' }).default('UTC'),
});

export const matchSchema = z.strictObject({
  number: oneOrMore.optional().describe('The called number; * stands for any run of characters, ? for one.'),
  caller: oneOrMore.optional(),
  headers: z.record(z.string().min(1), oneOrMore).optional().describe('SIP headers; every one named must match.'),
  trunk: oneOrMore.optional(),
  time: timeWindowSchema.optional(),
  language: oneOrMore.optional().describe('Accept-Language of the caller: en also matches en-GB.'),
});

export const personaSchema = z.strictObject({
  id: z.string().optional().describe('The file name without its ending, if left out.'),
  name: z.string().min(1),
  instructions: z.string().min(1),
  facts: z.array(z.string().min(1)).max(200).default([]),
  greeting: z.string().min(1).optional(),
  voice: z.string().optional(),
  language: z.enum(['en']).optional(),
  turns: turnSettingsSchema.optional(),
});

const agentAction = z.strictObject({
  type: z.literal('agent'),
  persona: z.union([z.string().min(1), personaSchema]).describe('A name in personas/, a path, or the persona itself.'),
  greeting: z.string().min(1).optional(),
  facts: z.array(z.string().min(1)).max(200).optional().describe('More facts, beside those of the persona.'),
  voice: z.string().optional(),
  language: z.enum(['en']).optional(),
});

const playAction = z.strictObject({
  type: z.literal('play'),
  file: z.string().min(1).describe('A WAV or Ogg file, relative to the dialplan.'),
  repeat: z.int().min(1).max(1000).default(1),
});

const echoAction = z.strictObject({ type: z.literal('echo') });

const toneAction = z.strictObject({
  type: z.literal('tone'),
  frequencyHz: z.number().min(20).max(20_000).default(1000),
  levelDbm0: z.number().min(-60).max(0).default(-10),
});

const rejectAction = z.strictObject({
  type: z.literal('reject'),
  status: z
    .int()
    .min(400, 'Expected a SIP status, 400 to 699.')
    .max(699, 'Expected a SIP status, 400 to 699.')
    .default(404),
  reason: z
    .string()
    .regex(/^[\x20-\x7e]*$/, 'Expected plain ASCII: it becomes a SIP reason phrase.')
    .optional(),
});

/** What ends the choice: an application's answer and a fallback must be one of these. */
const directActions = [agentAction, playAction, echoAction, toneAction, rejectAction] as const;

const notYet = ['transfer', 'dial', 'queue', 'voicemail', 'menu'] as const;
export const availableActions = ['agent', 'webhook', 'play', 'echo', 'tone', 'reject'] as const;

export const directActionSchema = z.discriminatedUnion('type', directActions);

const webhookAction = z.strictObject({
  type: z.literal('webhook'),
  url: z.url({ protocol: /^https?$/, error: 'Expected an http or https URL.' }),
  timeoutMs: z.int().min(100).max(30_000).default(3000),
  secret: z.string().min(1).optional().describe('Signs the request (Standard Webhooks).'),
  fallback: directActionSchema.default({ type: 'reject', status: 503 }),
});

/** Words of the design that this version does not act on: known, so that the error can say so. */
const laterAction = z.looseObject({ type: z.enum(notYet) });

export const actionSchema = z.discriminatedUnion('type', [...directActions, webhookAction, laterAction]);

export const routeSchema = z.strictObject({
  name: z.string().min(1).optional(),
  match: matchSchema.default({}),
  action: actionSchema,
});

export const dialplanFileSchema = z.strictObject({
  routes: z.array(routeSchema).min(1, 'Expected at least one route.'),
});

export type MatchRule = z.output<typeof matchSchema>;
export type TimeWindow = z.output<typeof timeWindowSchema>;
export type WrittenAction = z.output<typeof actionSchema>;
export type WrittenDirectAction = z.output<typeof directActionSchema>;
export type WrittenPersona = z.output<typeof personaSchema>;

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
