/** The dialplan's `webhook` action: an application is told of the call and answers with the verbs to run. */
import { pathText } from '../core/described-issues';
import { TrunklineError } from '../core/errors';
import type { Logger } from '../core/log';
import type { ActionSurroundings } from '../dialplan/compile-action';
import type { DirectAction, VerbResult, WebhookAction } from '../dialplan/dialplan';
import type { CallFacts } from '../dialplan/matcher';
import { compileVerbs } from '../dialplan/verbs';
import { type Post, type PostResult, postJson, type TargetPolicy } from './post-json';

export interface AskOptions {
  readonly policy: TargetPolicy;
  readonly surroundings: ActionSurroundings;
  readonly logger: Logger;
  readonly newId: () => string;
  readonly now: () => Date;
  readonly post?: (post: Post, policy: TargetPolicy) => Promise<PostResult>;
}

export type AskedFacts = CallFacts & {
  readonly callId: string;
  /** What the caller typed into a menu. */
  readonly digits?: string | undefined;
  /** What became of the verb whose `action` is asked. */
  readonly result?: VerbResult | undefined;
};

export interface AskedAction {
  readonly action: DirectAction;
  /** Why the fallback was taken; undefined: the application answered well. */
  readonly fallbackBecause: TrunklineError | undefined;
}

/** Never rejects: what goes wrong leads to the fallback. `signal`: the caller hung up meanwhile. */
export async function askApplication(
  webhook: WebhookAction,
  call: AskedFacts,
  options: AskOptions,
  signal?: AbortSignal,
): Promise<AskedAction> {
  try {
    return { action: await ask(webhook, call, options, signal), fallbackBecause: undefined };
  } catch (error) {
    const reason =
      error instanceof TrunklineError
        ? error
        : new TrunklineError('webhook.failed', 'Asking the application failed.', {
            fix: 'Look at the cause; it is a defect of ours.',
            cause: error,
          });
    options.logger.warn('The dialplan falls back.', { callId: call.callId, code: reason.code, detail: reason.message });
    return { action: webhook.fallback, fallbackBecause: reason };
  }
}

async function ask(
  webhook: WebhookAction,
  call: AskedFacts,
  options: AskOptions,
  signal: AbortSignal | undefined,
): Promise<DirectAction> {
  const { callId, number, caller, trunk, language, headers, at, digits, result: told } = call;
  const body = JSON.stringify({
    type: told !== undefined ? 'call.result' : digits === undefined ? 'call.route' : 'call.input',
    callId,
    digits,
    result: told,
    to: number,
    from: caller,
    trunk,
    language,
    headers,
    occurredAt: at.toISOString(),
  });
  const post = options.post ?? postJson;
  const result = await post(
    {
      url: webhook.url,
      messageId: options.newId(),
      body,
      secrets: webhook.secret === undefined ? [] : [webhook.secret],
      timeoutMs: webhook.timeoutMs,
      now: options.now(),
      ...(signal === undefined ? {} : { signal }),
    },
    options.policy,
  );
  if (result.status < 200 || result.status > 299) {
    throw new TrunklineError('webhook.refused', `The application answered with status ${result.status}.`, {
      fix: 'Answer 200 with a verb or a list of them.',
      details: { status: result.status },
    });
  }
  return readAnswer(result.json, options.surroundings, webhook);
}

/** An application's answer, held to the same rules as a dialplan file. */
export function readAnswer(json: unknown, surroundings: ActionSurroundings, webhook: WebhookAction): DirectAction {
  const compiled = compileVerbs(json, surroundings, webhook);
  if (!compiled.ok) throw badAnswer(compiled.faults);
  return compiled.value;
}

function badAnswer(
  faults: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): TrunklineError {
  const told = faults.map(({ path, message }) => `${pathText(path) || 'the answer'}: ${message}`).join(' ');
  return new TrunklineError('webhook.bad-answer', `The application's answer is no list of verbs. ${told}`, {
    fix: 'Answer with a verb or a list of them: [{"type": "say", "text": "Hello."}, {"type": "agent", "persona": "demo"}].',
  });
}
