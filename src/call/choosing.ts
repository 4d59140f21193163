/** What is done with a call: the dialplan's action, or what an application says; a fallback is told as an `error` of the call. */
import type { TrunklineError } from '../core/errors';
import type { Action, DirectAction, VerbResult, WebhookAction } from '../dialplan/dialplan';
import type { CallFacts } from '../dialplan/matcher';
import type { Call } from './call';
import type { EnginePlaces } from './engine-places';

/** What an application is told of a call. */
export type AskedOf = CallFacts & {
  readonly callId: string;
  /** What the caller typed into a menu. */
  readonly digits?: string | undefined;
  /** What became of the verb that named the URL. */
  readonly result?: VerbResult | undefined;
};

/** `fallbackBecause`: the application did not answer well; undefined: it did. */
export interface Chosen {
  readonly action: DirectAction;
  readonly fallbackBecause: TrunklineError | undefined;
}

export interface ChoosingParts {
  /** Never rejects: an application that does not answer leads to the fallback. */
  readonly ask: (action: WebhookAction, facts: AskedOf, signal: AbortSignal) => Promise<Chosen>;
  readonly places: EnginePlaces;
  readonly find: (callId: string) => Call | undefined;
}

export class Choosing {
  constructor(private readonly parts: ChoosingParts) {}

  /** For a call that comes in. */
  async first(action: Action, facts: AskedOf, signal: AbortSignal): Promise<DirectAction> {
    if (action.type !== 'webhook') return action;
    const { action: chosen, fallbackBecause } = await this.parts.ask(action, facts, signal);
    // Whoever has hung up meanwhile is no fault of the application.
    if (fallbackBecause !== undefined && !signal.aborted) {
      const { code, message, fix } = fallbackBecause;
      this.parts.find(facts.callId)?.tell('error', { code, message, fix });
    }
    return chosen;
  }

  /** For a call that is under way; its place at the engine is its own for as long as it lasts. */
  async next(action: Action, facts: AskedOf): Promise<DirectAction> {
    const chosen = await this.first(action, facts, new AbortController().signal);
    const full = this.parts.places.take(facts.callId, chosen);
    if (full !== undefined) throw full;
    return chosen;
  }
}
