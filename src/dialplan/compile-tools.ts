/** From the tools of a persona and of an action to one list for the brain, and to who answers each. */
import type { ErrorCode } from '../core/errors';
import { schemaFault } from '../core/json-schema';
import type { Tool, ToolTarget } from '../core/tool';
import type { WrittenMcpServer, WrittenTool } from './tool-schema';

export interface ToolFault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly code: ErrorCode;
}

export interface CompiledTools {
  readonly tools: readonly Tool[];
  readonly targets: ReadonlyMap<string, ToolTarget>;
}

interface WrittenTools {
  readonly tools?: readonly WrittenTool[] | undefined;
  readonly mcp?: readonly WrittenMcpServer[] | undefined;
}

/** Who wrote them: the operator, or an application in its answer. */
export interface ToolSource {
  readonly written: WrittenTools;
  readonly trusted: boolean;
}

/** `sources`: the persona, then the action. */
export function compileTools(
  sources: readonly ToolSource[],
):
  | { readonly ok: true; readonly value: CompiledTools }
  | { readonly ok: false; readonly faults: readonly ToolFault[] } {
  const tools: Tool[] = [];
  const targets = new Map<string, ToolTarget>();
  const written = sources.map((source) => source.written);
  for (const { http, ...tool } of written.flatMap(({ tools: some = [] }) => some)) {
    tools.push(tool);
    if (http !== undefined) targets.set(tool.name, { kind: 'http', ...http });
  }
  for (const { tools: some, ...server } of written.flatMap(({ mcp = [] }) => mcp)) {
    for (const tool of some) {
      tools.push(tool);
      targets.set(tool.name, { kind: 'mcp', server, tool: tool.name });
    }
  }
  const foreign = sources.filter(({ trusted }) => !trusted).map((source) => source.written);
  const faults = [...doubles(tools), ...schemaFaults(tools), ...foreign.flatMap(liberties)];
  return faults.length > 0 ? { ok: false, faults } : { ok: true, value: { tools, targets } };
}

function doubles(tools: readonly Tool[]): ToolFault[] {
  const twice = tools.find(({ name, description }, at) =>
    tools.slice(0, at).some((other) => other.name === name || other.description === description),
  );
  if (twice === undefined) return [];
  const message = `Expected each tool once; another one has the name or the description of "${twice.name}".`;
  return [{ path: ['tools'], message, code: 'dialplan.duplicate-tool' }];
}

function schemaFaults(tools: readonly Tool[]): ToolFault[] {
  return tools.flatMap(({ name, parameters }) => {
    const fault = parameters === undefined ? undefined : schemaFault(parameters);
    return fault === undefined
      ? []
      : [{ path: ['tools'], message: `The parameters of "${name}": ${fault}`, code: 'dialplan.invalid' as const }];
  });
}

/** An application's answer may name services, but start no program here, and read no secret of ours. */
function liberties({ tools = [], mcp = [] }: WrittenTools): ToolFault[] {
  const asked = [...tools.flatMap(({ http }) => (http === undefined ? [] : [http])), ...mcp];
  const secret = asked.some(({ secretHeaders }) => Object.keys(secretHeaders).length > 0);
  const program = mcp.some(({ command }) => command !== undefined);
  const fault = (path: string, message: string): ToolFault => ({ path: [path], message, code: 'dialplan.invalid' });
  return [
    ...(secret ? [fault('tools', 'Expected no secretHeaders: only dialplan files may read secrets.')] : []),
    ...(program ? [fault('mcp', 'Expected no command: only dialplan files may start programs.')] : []),
  ];
}
