/**
 * How many conversations the engine serves at a time (`engine.maxCalls`): each call that speaks with it has a place, taken
 * before the call is answered, so that who comes when all are taken hears "busy" instead of silence.
 */
import { TrunklineError } from '../core/errors';
import type { Action, VerbStep } from '../dialplan/dialplan';

export class EnginePlaces {
  private readonly taken = new Set<string>();

  constructor(
    private readonly most: number,
    private readonly retryAfterSeconds: number,
  ) {}

  get full(): boolean {
    return this.taken.size >= this.most;
  }

  /** The refusal when `action` needs a place and all are taken. What an application will choose is not known yet. */
  check(action: Action): TrunklineError | undefined {
    if (!needsEngine(action) || !this.full) return undefined;
    return new TrunklineError('engine.full', `All ${this.most} places of the speech engine are taken.`, {
      fix: 'Try again later; raise engine.maxCalls if the machine can carry more, or add a machine.',
      details: { retryAfterSeconds: this.retryAfterSeconds },
    });
  }

  /** As `check`; without a refusal the call has its place until `release`. Whoever has one keeps it. */
  take(callId: string, action: Action): TrunklineError | undefined {
    if (!needsEngine(action) || this.taken.has(callId)) return undefined;
    const refusal = this.check(action);
    if (refusal === undefined) this.taken.add(callId);
    return refusal;
  }

  release(callId: string): void {
    this.taken.delete(callId);
  }
}

/** It speaks with whoever calls, or listens to what they choose. */
function needsEngine(action: Action | VerbStep['verb']): boolean {
  if (action.type === 'verbs') return action.steps.some(({ verb }) => needsEngine(verb));
  if (action.type === 'menu') return action.spoken.size > 0;
  return action.type === 'agent' || action.type === 'ask';
}
