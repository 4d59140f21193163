/**
 * An application's verbs, one after the other on the same call. What becomes of one leads to the next, or is told to the URL that the
 * verb names (`action`, as in TwiML), whose answer goes on.
 *
 *   verb ──over──▶ next verb ──over──▶ … ──▶ end of the call
 *     └──over, with `action`──▶ the application is asked ──▶ its verbs, or the fallback
 */

import type { CallEventData, CallEventType } from '../core/call-event';
import type { CallEndCause } from '../core/call-record';
import { nameOf, type VerbStep, type VerbsAction } from '../dialplan/dialplan';
import type { MediaLink } from '../media/media-router';
import type { Performance, Stage } from './call';

/** Verbs of one call, over all answers: an application that leads a call in a circle is stopped. */
export const MAX_VERBS_OF_A_CALL = 500;

/** Of all calls; a call's own count goes with its link. */
export class VerbCounts {
  performed = 0;
  /** Calls ended because of MAX_VERBS_OF_A_CALL. */
  refused = 0;
  private readonly verbs = new WeakMap<MediaLink, number>();
  private readonly messages = new WeakMap<MediaLink, number>();

  /** How many verbs that call has had, with this one. */
  verbOf(call: MediaLink): number {
    return counted(this.verbs, call);
  }

  /** Which of the call's messages the next one is: 1, 2 … */
  messageOf(call: MediaLink): number {
    return counted(this.messages, call);
  }
}

function counted(counts: WeakMap<MediaLink, number>, call: MediaLink): number {
  const count = (counts.get(call) ?? 0) + 1;
  counts.set(call, count);
  return count;
}

export interface VerbParts {
  readonly perform: (verb: VerbStep['verb'], stage: Stage) => Performance;
  readonly counts: VerbCounts;
}

/** A verb is over, and the call is not. */
const GOES_ON: ReadonlySet<CallEndCause> = new Set<CallEndCause>([
  'finished',
  'agent-hangup',
  'busy',
  'rejected',
  'no-answer',
  'unreachable',
  'cancelled',
]);

/** What tells the application what became of a verb. */
const TELLING: ReadonlySet<CallEventType> = new Set<CallEventType>([
  'ask.answered',
  'voicemail.received',
  'transfer.completed',
  'transfer.failed',
  'queue.left',
]);

export function performVerbs({ steps }: VerbsAction, stage: Stage, parts: VerbParts): Performance {
  return performStep(steps, stage, parts);
}

function performStep(steps: readonly VerbStep[], stage: Stage, parts: VerbParts): Performance {
  const [step, ...rest] = steps;
  if (step === undefined) throw new Error('an answer has at least one verb');
  if (parts.counts.verbOf(stage.link) > MAX_VERBS_OF_A_CALL) {
    parts.counts.refused += 1;
    const message = `The application has had more than ${MAX_VERBS_OF_A_CALL} verbs done on this call; it is ended.`;
    stage.emit('error', { code: 'webhook.too-many-verbs', message, fix: 'Look for a circle in its answers.' });
    stage.end('finished');
    return nothing;
  }
  parts.counts.performed += 1;
  return parts.perform(step.verb, stageOf(step, rest, stage, parts));
}

/** The call, as one verb sees it: its end is not the call's. */
function stageOf(step: VerbStep, rest: readonly VerbStep[], stage: Stage, parts: VerbParts): Stage {
  const { verb, next } = step;
  const name = nameOf(verb);
  let told: Readonly<Record<string, unknown>> = {};
  const over = (from: Stage, cause: CallEndCause): void => {
    if (!GOES_ON.has(cause)) from.end(cause);
    else if (next !== undefined) from.become(next, { result: { ...told, verb: name, cause } });
    else if (rest.length > 0) void from.take(nameOf(rest[0]!.verb), (after) => performStep(rest, after, parts));
    else from.end(cause);
  };
  const wrapped = (from: Stage): Stage => ({
    ...from,
    emit<T extends CallEventType>(type: T, data: CallEventData<T>): void {
      if (TELLING.has(type)) told = { ...told, ...data };
      from.emit(type, data);
      // The agent wants somebody else to go on, and the dialplan names nobody.
      const leaves = type === 'agent.handover' && next !== undefined && verb.type === 'agent' && !verb.handOver;
      if (leaves) from.become(next, { result: { ...told, verb: name, cause: 'handover' } });
    },
    end: (cause) => over(from, cause),
    become: (action, more) => {
      const isTold = next !== undefined && action.type === 'webhook' && action.url === next.url;
      if (isTold) from.become(next, { ...more, result: { verb: name, cause: 'finished', digits: more?.digits } });
      else from.become(action, more);
    },
    // Connected with somebody: when they have hung up, the verb is over.
    take: (what, make) => from.take(what, (after) => make(wrapped(after))),
  });
  return wrapped(stage);
}

const nothing: Performance = {
  turnGapsMs: [],
  interruptions: 0,
  onMedia() {},
  onHold() {},
  command: () => false,
  close: async () => undefined,
};
