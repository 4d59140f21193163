/**
 * A persona's prompt on its way into the language model, one run of the model at a time: while nobody needs it, it is read
 * behind whatever is more urgent; a call that needs it reads the rest at once.
 */
import type { LanguageContext } from '../parts';

/** Tokens of one step: as many as the model reads in one run, so that the split changes no figure of the cache. */
const STEP_TOKENS = 32;

export class PersonaPrompt {
  private pending: Promise<unknown> = Promise.resolve();
  private read = 0;

  /** `context`: empty; it belongs to the prompt from here on. */
  constructor(
    private readonly context: LanguageContext,
    readonly tokens: readonly number[],
  ) {}

  /** Reads the next tokens. False: nothing is left. Steps that are asked for at once run one after the other. */
  step(): Promise<boolean> {
    const step = this.pending.then(async () => {
      if (this.read >= this.tokens.length) return false;
      const next = this.tokens.slice(this.read, this.read + STEP_TOKENS);
      await this.context.append(next);
      this.read += next.length;
      return this.read < this.tokens.length;
    });
    this.pending = step.catch(() => undefined);
    return step;
  }

  /** The sequence with all of the prompt, read by whoever waits for it. Fork it; it is shared. */
  async whole(): Promise<LanguageContext> {
    while (await this.step());
    return this.context;
  }

  /** Resolves after the step in progress; whoever waits for the prompt then gets the model's own refusal. */
  dispose(): Promise<void> {
    return this.pending.then(() => this.context.dispose());
  }
}
