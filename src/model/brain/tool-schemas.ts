/** The arguments of a persona's tools, as the built-in brain writes them: out of what the caller said, and held to the tool's JSON schema. */
import type { AnswerAction, Tool } from '../../core/tool';
import { saidValues } from './arguments/said-values';
import { schemaMachine } from './arguments/schema-grammar';
import type { TokenTexts } from './arguments/token-texts';
import { type ArgumentWriter, writeArguments } from './arguments/write-arguments';

export class ToolSchemas {
  private readonly schemas: ReadonlyMap<string, NonNullable<Tool['parameters']>>;

  constructor(
    tools: readonly Tool[],
    private readonly encode: (text: string) => readonly number[],
    private readonly tokens: TokenTexts,
  ) {
    this.schemas = new Map(tools.flatMap(({ name, parameters }) => (parameters ? [[name, parameters]] : [])));
  }

  /** Without any where the tool has no schema, one that has no grammar, or one that nothing said will fill. */
  async withArguments(action: AnswerAction, userText: string, next: ArgumentWriter['next']): Promise<AnswerAction> {
    const schema = typeof action === 'string' ? undefined : this.schemas.get(action.name);
    if (typeof action === 'string' || schema === undefined) return action;
    const compiled = schemaMachine(schema, saidValues(userText));
    if (!compiled.ok) return action;
    const { encode, tokens } = this;
    const written = await writeArguments(compiled.machine, { next, encode, tokens });
    return written === undefined ? action : { ...action, arguments: JSON.parse(written) };
  }
}
