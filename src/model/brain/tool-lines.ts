/** A persona's tools as the built-in brain reads them: one more line each, after the facts, and found like them. */
import type { Tool } from '../../core/tool';
import type { LanguageModel } from '../parts';

/** Of a tool's result, what the model reads: the beginning, which is more than it can say. */
const MAX_RESULT_TOKENS = 160;

export function toolLine({ description }: Pick<Tool, 'description'>): string {
  return `I can ${description}.`;
}

export class ToolLines {
  private readonly names: ReadonlyMap<string, string>;
  readonly lines: readonly string[];

  constructor(tools: readonly Pick<Tool, 'name' | 'description'>[]) {
    this.lines = tools.map(toolLine);
    this.names = new Map(tools.map((tool) => [toolLine(tool), tool.name]));
  }

  has(line: string): boolean {
    return this.names.has(line);
  }

  /** The tool that a question is about. `related`: the lines beside it, the best one last. */
  offered(related: readonly string[]): string | undefined {
    const best = related.findLast((line) => this.names.has(line));
    return best === undefined ? undefined : this.names.get(best);
  }
}

export function clippedResult(text: string, model: Pick<LanguageModel, 'encode' | 'decode'>): string {
  const tokens = model.encode(text);
  if (tokens.length <= MAX_RESULT_TOKENS) return text;
  // The last word may have been cut, and so may the bytes of its last character.
  return model.decode(tokens.slice(0, MAX_RESULT_TOKENS)).replace(/(\s\S*|\uFFFD+)$/u, '');
}
