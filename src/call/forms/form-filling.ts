/**
 * A form on a call: what a tool needs is asked for and read back over the conversation, the tool is called with it, and what it tells is
 * said word for word.
 */
import type { Tool } from '../../core/tool';
import { type Form, type FormState, formOf, hear, openForm, question, type Values } from './form';

/** While the tool is asked. */
const PATIENCE = 'One moment, please.';

export interface FormFillingParts {
  readonly say: (text: string) => void;
  /** Calls the tool; its answer comes by `told`. */
  readonly call: (values: Values) => void;
  /** `2027-03-01`, where the caller is. */
  readonly today: () => string;
  readonly failedText: string;
}

export class FormFilling {
  private state: FormState;
  private awaited = true;

  private constructor(
    private readonly form: Form,
    given: Readonly<Record<string, unknown>> | undefined,
    private readonly parts: FormFillingParts,
  ) {
    const { state, say } = openForm(form, parts.today(), given);
    this.state = state;
    this.follow(say);
  }

  /** undefined: the tool asks for nothing. */
  static open(
    tool: Tool,
    given: Readonly<Record<string, unknown>> | undefined,
    parts: FormFillingParts,
  ): FormFilling | undefined {
    const form = formOf(tool);
    return form === undefined ? undefined : new FormFilling(form, given, parts);
  }

  /** The caller's words are no longer its business. */
  get over(): boolean {
    return this.state.name === 'filled' || this.state.name === 'given-up';
  }

  /** False: the model is to answer them. */
  heard(text: string): boolean {
    const before = this.state;
    const { state, say } = hear(this.form, before, text, this.parts.today());
    this.state = state;
    if (say === undefined && state === before) return false;
    this.follow(say);
    return true;
  }

  /** The model has answered a question in between. */
  answered(): void {
    const again = question(this.form, this.state);
    if (again !== undefined) this.parts.say(again);
  }

  /** What the tool has told; undefined: it cannot be had. */
  told(text: string | undefined): void {
    if (!this.awaited) return;
    this.awaited = false;
    this.parts.say(text === undefined || text === '' ? this.parts.failedText : text);
  }

  private follow(say: string | undefined): void {
    if (say !== undefined) this.parts.say(say);
    if (this.state.name !== 'filled') return;
    this.parts.say(PATIENCE);
    this.parts.call(this.state.values);
  }
}
