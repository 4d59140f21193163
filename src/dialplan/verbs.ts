/**
 * What an application answers when it is asked what to do with a call: one verb or a list of them, done in order, as in TwiML or in a
 * jambonz application. Every action of a dialplan is a verb; `say`, `ask`, `record` and `hangup` are verbs alone.
 */
import { z } from 'zod';
import { type AskAction, askSchema } from '../core/call-action';
import { describeIssues } from '../core/described-issues';
import { type ActionFault, type ActionSurroundings, type Compiled, compileDirectAction } from './compile-action';
import type { DirectAction, VerbStep, WebhookAction } from './dialplan';
import {
  agentAction,
  dialAction,
  echoAction,
  menuAction,
  playAction,
  queueAction,
  rejectAction,
  toneAction,
  transferAction,
  voicemailAction,
  type WrittenDirectAction,
} from './schema';

/** Verbs of one answer. */
const MAX_VERBS = 50;

const action = z
  .string()
  .trim()
  .min(1)
  .max(2000)
  .optional()
  .describe('URL, relative to the one that was asked: told what became of it, it answers with further verbs.');
const voice = z.string().optional();

const sayVerb = z.strictObject({ type: z.literal('say'), text: z.string().trim().min(1).max(2000), voice });
const hangupVerb = z.strictObject({ type: z.literal('hangup') });
const recordVerb = z.strictObject({
  type: z.literal('record'),
  mailbox: z.string().min(1).max(100).optional().describe('Told in the event.'),
  maxSeconds: z.int().min(2).max(600).default(120),
  silenceSeconds: z.number().min(1).max(30).default(4).describe('Silence that ends it.'),
  endKey: z
    .string()
    .regex(/^[0-9A-D*#]?$/, 'Expected one key.')
    .default('#'),
  action,
});

const verbSchema = z.discriminatedUnion('type', [
  sayVerb,
  askSchema.safeExtend({ voice, action }),
  playAction,
  transferAction.extend({ action }),
  dialAction.extend({ action }),
  menuAction.safeExtend({ action }),
  recordVerb,
  hangupVerb,
  agentAction.extend({ action }),
  queueAction,
  voicemailAction,
  echoAction,
  toneAction,
  rejectAction,
]);

const listSchema = z
  .array(verbSchema)
  .min(1, 'Expected at least one verb.')
  .max(MAX_VERBS, `Expected at most ${MAX_VERBS} verbs.`);

type WrittenVerb = z.output<typeof verbSchema>;

/** An application's answer to `webhook`: a single action as it is, anything more as a list of verbs. */
export function compileVerbs(
  json: unknown,
  around: ActionSurroundings,
  webhook: WebhookAction,
): { readonly ok: true; readonly value: DirectAction } | { readonly ok: false; readonly faults: readonly Fault[] } {
  const isList = Array.isArray(json);
  const input = isList ? json : [json];
  const parsed = listSchema.safeParse(input);
  // The place of a verb that stands alone is the answer itself.
  const placed = (path: readonly PropertyKey[]) => (isList ? path : path.slice(1));
  if (!parsed.success) {
    const faults = describeIssues(listSchema, parsed.error.issues, input);
    return { ok: false, faults: faults.map((fault) => ({ ...fault, path: placed(fault.path) })) };
  }
  const steps: VerbStep[] = [];
  for (const [at, written] of parsed.data.entries()) {
    const step = compileStep(written, around, webhook);
    if (!step.ok)
      return { ok: false, faults: step.faults.map((fault) => ({ ...fault, path: placed([at, ...fault.path]) })) };
    steps.push(step.value);
  }
  const [only] = steps;
  const isAction = (step: VerbStep): step is VerbStep & { readonly verb: DirectAction } =>
    step.next === undefined && !['say', 'ask', 'hangup'].includes(step.verb.type);
  if (steps.length === 1 && only !== undefined && isAction(only)) return { ok: true, value: only.verb };
  return { ok: true, value: { type: 'verbs', steps } };
}

interface Fault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function compileStep(written: WrittenVerb, around: ActionSurroundings, webhook: WebhookAction): Compiled<VerbStep> {
  const next = 'action' in written ? following(written.action, webhook) : undefined;
  if (next === 'no-url') return { ok: false, faults: [badUrl] };
  const step = (verb: VerbStep['verb']): Compiled<VerbStep> => ({ ok: true, value: { verb, next } });
  switch (written.type) {
    case 'say':
      return step({ type: 'say', text: written.text, voice: written.voice });
    case 'hangup':
      return step({ type: 'hangup' });
    case 'ask': {
      const { voice, action: _next, ...ask } = written;
      return step({ type: 'ask', ask: ask satisfies AskAction, voice });
    }
    case 'record': {
      const { mailbox, maxSeconds, silenceSeconds, endKey } = written;
      return step({ type: 'voicemail', prompt: undefined, mailbox, maxSeconds, silenceSeconds, endKey });
    }
    default: {
      // An action of the dialplan, but for the URL.
      const { action: _next, ...direct } = { action: undefined, ...written };
      const compiled = compileDirectAction(toldTo(direct as WrittenDirectAction, next), around);
      return compiled.ok ? step(compiled.value as VerbStep['verb']) : compiled;
    }
  }
}

/** What is typed into a menu and is no option goes to the application, too. */
function toldTo(action: WrittenDirectAction, next: WebhookAction | undefined): WrittenDirectAction {
  if (action.type !== 'menu' || action.webhook !== undefined || next === undefined) return action;
  const { url, timeoutMs, secret } = next;
  return { ...action, webhook: { url, timeoutMs, secret } };
}

const badUrl: ActionFault = {
  path: ['action'],
  message: 'Expected an http or https URL, or one relative to the URL that was asked.',
  code: 'webhook.bad-url',
};

/** Asked as the first one was: signed with the same secret, as long waited for, and with the same fallback. */
function following(url: string | undefined, webhook: WebhookAction): WebhookAction | undefined | 'no-url' {
  if (url === undefined) return undefined;
  const target = URL.canParse(url, webhook.url) ? new URL(url, webhook.url) : undefined;
  if (target === undefined || !/^https?:$/.test(target.protocol)) return 'no-url';
  return { ...webhook, url: target.href };
}
