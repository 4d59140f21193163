/**
 * The order in which a conversation stands before the model, after the ChatML of SmolLM2-Instruct. Roles and turn ends
 * are control tokens that only this file writes; whatever a person said or wrote is ordinary text.
 *
 *   ⟨start⟩system\n instructions \nFacts:\n fact \n fact … ⟨end⟩\n      the persona, shared by its calls; a tool is one more fact
 *   ⟨start⟩assistant\n greeting ⟨end⟩\n
 *   ⟨start⟩user\n what the caller said ⟨end⟩\n                           one turn
 *   ⟨start⟩system\n the facts most related to it ⟨end⟩\n                (left out when there are none)
 *   ⟨start⟩assistant\n answer ⟨end⟩\n                                   ends with ⟨handover⟩, ⟨hangup⟩ or ⟨tool⟩ instead, to act
 */
import type { ContextItem } from '../parts';

export interface ControlTokens {
  readonly turnStart: number;
  readonly turnEnd: number;
  readonly handover: number;
  readonly hangup: number;
  /** Left out: a model that calls no tools. */
  readonly tool?: number | undefined;
}

/** Words of one turn that are read; of a longer monologue the end counts. */
const MAX_TURN_TOKENS = 160;

export class ChatLayout {
  private readonly newline: readonly number[];
  private readonly heads: Readonly<Record<'system' | 'user' | 'assistant', readonly number[]>>;

  constructor(
    private readonly encode: (text: string) => number[],
    readonly control: ControlTokens,
  ) {
    this.newline = encode('\n');
    const head = (role: string) => [control.turnStart, ...encode(`${role}\n`)];
    this.heads = { system: head('system'), user: head('user'), assistant: head('assistant') };
  }

  /** Facts that would take the prompt beyond `mostTokens` are not listed; they are still found by relevance. */
  persona(instructions: string, facts: readonly string[], mostTokens: number): number[] {
    let text = oneLine(instructions);
    let tokens = this.block('system', text);
    if (tokens.length > mostTokens) tokens = this.block('system', text.slice(0, mostTokens * 2));
    let heading = '\nFacts:\n';
    for (const fact of facts) {
      const longer = `${text}${heading}${oneLine(fact)}`;
      const block = this.block('system', longer);
      if (block.length > mostTokens) break;
      [text, tokens, heading] = [longer, block, '\n'];
    }
    return tokens;
  }

  /** What comes before anything that the caller may say, and so can be computed while the caller speaks. */
  get userHead(): readonly number[] {
    return this.heads.user;
  }

  question(userText: string, related: readonly string[]): number[];
  /** `heard`: the caller's words as vectors, which stand where their text would. */
  question(userText: string, related: readonly string[], heard: readonly Float32Array[] | undefined): ContextItem[];
  question(userText: string, related: readonly string[], heard?: readonly Float32Array[]): ContextItem[] {
    const said = (heard ?? this.encode(oneLine(userText))).slice(-MAX_TURN_TOKENS);
    return [
      ...this.heads.user,
      ...said,
      this.control.turnEnd,
      ...this.newline,
      ...(related.length === 0 ? [] : this.block('system', related.map(oneLine).join('\n'))),
      ...this.heads.assistant,
    ];
  }

  /** The rest of an assistant turn after its head: what was said, and how it ended. */
  answer(tokenIds: readonly number[], end: number): number[] {
    return [...tokenIds, end, ...this.newline];
  }

  /** Words that the agent spoke unasked, such as the greeting. */
  spoken(text: string): number[] {
    return this.block('assistant', oneLine(text));
  }

  encodeLine(text: string): number[] {
    return this.encode(oneLine(text)).slice(0, MAX_TURN_TOKENS);
  }

  private block(role: 'system' | 'user' | 'assistant', text: string): number[] {
    return [...this.heads[role], ...this.encode(text), this.control.turnEnd, ...this.newline];
  }
}

/** Line breaks separate facts from one another, so none may come from outside. */
function oneLine(text: string): string {
  return text.replace(/\s+/gu, ' ').trim();
}
