/** The form of a dialplan file and of an application's answer: routes, what they match on, and actions. */
import { z } from 'zod';
import { turnSettingsSchema } from '../core/turn-settings';
import { lexiconSchema } from './lexicon-schema';
import { mcpSchema, toolsSchema } from './tool-schema';

const oneOrMore = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'Expected a time like "09:30".');

export const timeWindowSchema = z.strictObject({
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

/** What must be heard, such as that the call is recorded. */
const noticeSchema = z
  .string()
  .min(1)
  .max(600)
  .optional()
  .describe('Said before the greeting, to its end: what the caller says or presses meanwhile waits.');

const knowledgeSchema = z
  .string()
  .min(1)
  .optional()
  .describe('A folder of .md, .txt and .pdf files to look things up in, relative to the dialplan.');

export const personaSchema = z.strictObject({
  id: z.string().optional().describe('The file name without its ending, if left out.'),
  name: z.string().min(1),
  instructions: z.string().min(1),
  facts: z.array(z.string().min(1)).max(200).default([]),
  knowledge: knowledgeSchema,
  tools: toolsSchema.optional().describe('What it may look up or do.'),
  mcp: mcpSchema.optional().describe('Servers of the Model Context Protocol, and the tools of theirs that it may use.'),
  notice: noticeSchema,
  greeting: z.string().min(1).optional(),
  voice: z.string().optional(),
  lexicon: lexiconSchema.optional(),
  language: z.enum(['en']).optional(),
  turns: turnSettingsSchema.optional(),
});

/** An action within an action. */
const nested: z.ZodType<WrittenAction> = z.lazy(() => actionSchema as unknown as z.ZodType<WrittenAction>);

const handOverSchema = z
  .strictObject({
    to: z.string().trim().min(1).max(256).optional().describe('A SIP URI, or a number that the trunk knows.'),
    trunk: z.string().min(1).max(100).optional(),
    from: z.string().min(1).max(256).optional(),
    ringSeconds: z.int().min(1).max(300).default(30),
    mode: z
      .enum(['auto', 'refer', 'bridge', 'warm', 'conference'])
      .default('warm')
      .describe('As of transfer; conference: as warm, and the agent stays on the line.'),
    summaryHeader: z
      .boolean()
      .default(false)
      .describe('Their telephone gets the summary in X-Trunkline-Summary: words of the caller, on the way to them.'),
    action: nested.optional().describe('What is done instead of ringing `to`: a queue, a menu.'),
  })
  .refine(({ to, action }) => (to === undefined) !== (action === undefined), {
    error: 'Expected either to or action.',
    path: ['to'],
  });

export const agentAction = z.strictObject({
  type: z.literal('agent'),
  persona: z.union([z.string().min(1), personaSchema]).describe('A name in personas/, a path, or the persona itself.'),
  notice: noticeSchema,
  greeting: z.string().min(1).optional(),
  facts: z.array(z.string().min(1)).max(200).optional().describe('More facts, beside those of the persona.'),
  knowledge: knowledgeSchema,
  tools: toolsSchema.optional().describe('More tools, beside those of the persona.'),
  mcp: mcpSchema.optional().describe('More servers, beside those of the persona.'),
  handOver: handOverSchema.optional().describe('Who is rung when the agent says that it connects the caller.'),
  voice: z.string().optional(),
  language: z.enum(['en']).optional(),
});

export const playAction = z.strictObject({
  type: z.literal('play'),
  file: z.string().min(1).describe('A WAV or Ogg file, relative to the dialplan.'),
  repeat: z.int().min(1).max(1000).default(1),
});

export const echoAction = z.strictObject({ type: z.literal('echo') });

export const toneAction = z.strictObject({
  type: z.literal('tone'),
  frequencyHz: z.number().min(20).max(20_000).default(1000),
  levelDbm0: z.number().min(-60).max(0).default(-10),
});

export const rejectAction = z.strictObject({
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

const application = {
  url: z.url({ protocol: /^https?$/, error: 'Expected an http or https URL.' }),
  timeoutMs: z.int().min(100).max(30_000).default(3000),
  secret: z.string().min(1).optional().describe('Signs the request (Standard Webhooks).'),
};

const keys = /^[0-9A-D*#]{1,32}$/;

export const menuAction = z
  .strictObject({
    type: z.literal('menu'),
    say: z.string().trim().min(1).max(2000).optional().describe('Spoken by the engine.'),
    file: z.string().min(1).optional().describe('A WAV or Ogg file, relative to the dialplan, in place of `say`.'),
    voice: z.string().optional(),
    options: z.record(z.string().regex(keys, 'Expected keys: up to 32 of 0-9, A-D, * and #.'), nested).default({}),
    spoken: z
      .record(
        z.string().regex(keys, 'Expected the keys of an option.'),
        z.array(z.string().trim().min(1).max(100)).min(1).max(30),
      )
      .default({})
      .describe('What may be said instead of an option’s keys: words or phrases, by those keys.'),
    again: z
      .string()
      .trim()
      .min(1)
      .max(2000)
      .optional()
      .describe('Spoken instead of the prompt from the second time on.'),
    webhook: z
      .strictObject(application)
      .optional()
      .describe('Asked with the keys that are no option; answers an action.'),
    maxDigits: z.int().min(1).max(32).optional().describe('As many as the longest option; 32 with a webhook.'),
    endKey: z
      .string()
      .regex(/^[0-9A-D*#]?$/, 'Expected one key.')
      .default('#'),
    timeoutSeconds: z.number().min(1).max(120).default(5).describe('From the end of the prompt, and between keys.'),
    attempts: z.int().min(1).max(10).default(3),
    secure: z.boolean().default(false).describe('What is pressed reaches no log, event, recording, listener or model.'),
    otherwise: nested.optional().describe('After the last attempt; the call is ended if left out.'),
  })
  .refine((menu) => (menu.say === undefined) !== (menu.file === undefined), {
    error: 'Expected either say or file.',
    path: ['say'],
  })
  // An application's own menu has its `action` in place of a webhook.
  .refine((menu) => Object.keys(menu.options).length > 0 || menu.webhook !== undefined || 'action' in menu, {
    error: 'Expected at least one option, or a webhook.',
    path: ['options'],
  })
  .refine((menu) => Object.keys(menu.spoken).every((key) => menu.options[key] !== undefined), {
    error: 'Expected only keys that options has.',
    path: ['spoken'],
  })
  .refine((menu) => !menu.secure || Object.keys(menu.spoken).length === 0, {
    error: 'Expected nothing to be said in a secure menu: nobody hears it.',
    path: ['spoken'],
  });

const target = z.string().trim().min(1).max(256).describe('A SIP URI, or a number that the trunk knows.');
const outgoing = {
  to: target,
  trunk: z.string().min(1).max(100).optional(),
  from: z.string().min(1).max(256).optional(),
  ringSeconds: z.int().min(1).max(300).default(30),
  otherwise: nested.optional().describe('When nobody answers; the call is ended if left out.'),
};

export const transferAction = z.strictObject({
  type: z.literal('transfer'),
  ...outgoing,
  mode: z
    .enum(['auto', 'refer', 'bridge', 'warm'])
    .default('auto')
    .describe(
      'refer: the caller is asked to call there; bridge: we call, and connect; auto: the first, else the second; warm: we call, tell whoever answers about the caller, and connect when they press 1.',
    ),
});

export const dialAction = z.strictObject({ type: z.literal('dial'), ...outgoing });

export const voicemailAction = z
  .strictObject({
    type: z.literal('voicemail'),
    say: z.string().trim().min(1).max(2000).optional().describe('The greeting, spoken by the engine.'),
    file: z.string().min(1).optional().describe('A WAV or Ogg file, relative to the dialplan, in place of `say`.'),
    voice: z.string().optional(),
    mailbox: z.string().min(1).max(100).optional().describe('Told in the event: whose message it is.'),
    maxSeconds: z.int().min(2).max(600).default(120),
    silenceSeconds: z.number().min(1).max(30).default(4).describe('Silence that ends the message.'),
    endKey: z
      .string()
      .regex(/^[0-9A-D*#]?$/, 'Expected one key.')
      .default('#'),
  })
  .refine((voicemail) => (voicemail.say === undefined) !== (voicemail.file === undefined), {
    error: 'Expected either say or file.',
    path: ['say'],
  });

const memberSchema = z.strictObject({
  to: target,
  trunk: z.string().min(1).max(100).optional(),
  from: z.string().min(1).max(256).optional(),
});

const announceSchema = z
  .strictObject({
    position: z.boolean().default(true).describe('You are number 3 in line.'),
    wait: z.boolean().default(false).describe('How long it may take, once somebody has been served.'),
    say: z.string().trim().min(1).max(2000).optional().describe('Said after these, by the engine.'),
    file: z.string().min(1).optional().describe('A WAV or Ogg file, relative to the dialplan, in place of `say`.'),
    voice: z.string().optional(),
    everySeconds: z.number().min(5).max(3600).default(30).describe('From the end of one to the next.'),
  })
  .refine(({ say, file }) => say === undefined || file === undefined, {
    error: 'Expected say or file, not both.',
    path: ['say'],
  });

export const queueAction = z.strictObject({
  type: z.literal('queue'),
  name: z
    .string()
    .regex(/^[\w .-]{1,100}$/, 'Expected up to 100 letters, digits, spaces, ".", "_" and "-".')
    .describe('Callers of all routes that name it wait in one line.'),
  members: z
    .array(z.union([target, memberSchema]))
    .min(1, 'Expected at least one phone.')
    .max(50)
    .describe('Whose phones are rung: SIP URIs, numbers or users, or {to, trunk?, from?}.'),
  ring: z
    .enum(['one-by-one', 'all'])
    .default('one-by-one')
    .describe('As many as there are callers, in the order of the list; or every free phone at once.'),
  ringSeconds: z.int().min(1).max(300).default(20),
  retrySeconds: z.number().min(1).max(600).default(5).describe('How long a phone rests that was not answered.'),
  wrapUpSeconds: z.number().min(0).max(3600).default(2).describe('How long it rests after a call.'),
  maxLength: z.int().min(1).max(1000).default(50).describe('Callers that may wait.'),
  maxWaitSeconds: z.int().min(1).max(36_000).default(600),
  music: z.string().min(1).optional().describe('A WAV or Ogg file; hold.music, or a quiet line, if left out.'),
  announce: announceSchema.prefault({}),
  otherwise: nested.optional().describe('When the line is full or the wait too long; the call is ended if left out.'),
});

/** What ends the choice: an application's answer and a fallback must be one of these. */
const directActions = [
  agentAction,
  playAction,
  echoAction,
  toneAction,
  rejectAction,
  menuAction,
  transferAction,
  dialAction,
  voicemailAction,
  queueAction,
] as const;

export const directActionSchema = z.discriminatedUnion('type', directActions);

const webhookAction = z.strictObject({
  type: z.literal('webhook'),
  ...application,
  fallback: directActionSchema.default({ type: 'reject', status: 503 }),
});

export const actionSchema = z.discriminatedUnion('type', [...directActions, webhookAction]);

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
export type WrittenPersona = z.output<typeof personaSchema>;
type WrittenApplication = { readonly url: string; readonly timeoutMs: number; readonly secret?: string | undefined };

/** These are written out, because an action may hold actions. */
export interface WrittenMenu {
  readonly type: 'menu';
  readonly say?: string | undefined;
  readonly file?: string | undefined;
  readonly voice?: string | undefined;
  readonly options: Readonly<Record<string, WrittenAction>>;
  readonly spoken: Readonly<Record<string, readonly string[]>>;
  readonly again?: string | undefined;
  readonly webhook?: WrittenApplication | undefined;
  readonly maxDigits?: number | undefined;
  readonly endKey: string;
  readonly timeoutSeconds: number;
  readonly attempts: number;
  readonly secure: boolean;
  readonly otherwise?: WrittenAction | undefined;
}

interface WrittenOutgoing {
  readonly to: string;
  readonly trunk?: string | undefined;
  readonly from?: string | undefined;
  readonly ringSeconds: number;
  readonly otherwise?: WrittenAction | undefined;
}

export interface WrittenTransfer extends WrittenOutgoing {
  readonly type: 'transfer';
  readonly mode: 'auto' | 'refer' | 'bridge' | 'warm';
}

export interface WrittenDial extends WrittenOutgoing {
  readonly type: 'dial';
}

export interface WrittenAgent extends Omit<z.output<typeof agentAction>, 'handOver'> {
  readonly handOver?:
    | (Omit<z.output<typeof handOverSchema>, 'action'> & { readonly action?: WrittenAction | undefined })
    | undefined;
}

export interface WrittenQueue extends Omit<z.output<typeof queueAction>, 'otherwise'> {
  readonly otherwise?: WrittenAction | undefined;
}

export type WrittenDirectAction =
  | WrittenAgent
  | z.output<typeof playAction>
  | z.output<typeof echoAction>
  | z.output<typeof toneAction>
  | z.output<typeof rejectAction>
  | z.output<typeof voicemailAction>
  | WrittenMenu
  | WrittenTransfer
  | WrittenDial
  | WrittenQueue;
export type WrittenWebhook = WrittenApplication & { readonly type: 'webhook'; readonly fallback: WrittenDirectAction };
export type WrittenAction = WrittenDirectAction | WrittenWebhook;

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
