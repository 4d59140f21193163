/** A tool that we ask ourselves, from the agent's wish to the text it answers from: arguments checked, the service asked, errors coded. */
import type { RunTool, ToolOutcome, ToolRequest } from '../call/tool-runs';
import { hasCode, TrunklineError } from '../core/errors';
import { checkAgainst, type JsonSchema, schemaFault } from '../core/json-schema';
import type { TargetPolicy } from '../webhooks/post-json';
import { callHttpTool } from './http-tool';
import type { McpServers } from './mcp-servers';
import type { Environment } from './secret-headers';

export interface AskToolParts {
  readonly mcp: McpServers;
  readonly policy: TargetPolicy;
  readonly environment: Environment;
}

/** The conversation gives up first; this ends what it has forgotten. */
const GRACE_MS = 500;

export function toolAsker(parts: AskToolParts): RunTool {
  return async (request) => {
    const timeout = AbortSignal.timeout(request.tool.timeoutMs + GRACE_MS);
    const signal = AbortSignal.any([request.signal, timeout]);
    try {
      return await ask({ ...request, signal }, parts);
    } catch (cause) {
      return { text: undefined, error: coded(cause, request, timeout.aborted) };
    }
  };
}

async function ask(request: ToolRequest, parts: AskToolParts): Promise<ToolOutcome> {
  const { tool, target, toolCallId, signal } = request;
  const given = request.arguments ?? {};
  const schema = tool.parameters ?? (target.kind === 'mcp' ? usable(parts.mcp.schemaOf(target)) : undefined);
  const checked = schema === undefined ? { ok: true as const, value: given } : checkAgainst(schema, given);
  if (!checked.ok) {
    const error = new TrunklineError('tool.bad-arguments', `Its arguments do not fit parameters: ${checked.fault}.`, {
      fix: 'Nothing was sent. Describe the arguments better, or ask for fewer.',
    });
    // A brain that gives arguments can ask for what is missing; the others can only say that it cannot be done.
    const text = `That was not done, because ${checked.fault}. Ask the caller for it.`;
    return { text: request.arguments === undefined ? undefined : text, error };
  }
  const call = { toolCallId, arguments: checked.value, signal, timeoutMs: tool.timeoutMs };
  const { text, refused } =
    target.kind === 'http'
      ? await callHttpTool(target, call, parts.policy, parts.environment)
      : await parts.mcp.call(target, call);
  if (!refused) return { text };
  const error = new TrunklineError('tool.declined', 'The service declined, and said why.', {
    fix: 'Nothing to do: the caller is told what it said.',
  });
  return { text, error };
}

/** A server's own schema may be of a kind that we cannot check; then it checks alone. */
function usable(schema: JsonSchema | undefined): JsonSchema | undefined {
  return schema === undefined || schemaFault(schema) !== undefined ? undefined : schema;
}

function coded(cause: unknown, { tool, signal }: ToolRequest, late: boolean): TrunklineError {
  if (hasCode(cause, 'webhook.private-target')) {
    return new TrunklineError('tool.private-target', 'Its host has no public address.', {
      fix: 'If it is meant to be private, add the host to webhooks.allowPrivate.',
      cause,
    });
  }
  if (cause instanceof TrunklineError) return cause;
  if (late && !signal.aborted) {
    return new TrunklineError('tool.too-late', `It has not answered within ${tool.timeoutMs} ms.`, {
      fix: 'Let the service answer sooner, or raise timeoutMs of the tool.',
    });
  }
  return new TrunklineError('tool.unreachable', 'The service could not be reached.', {
    fix: 'Look whether it runs and whether its name resolves from here.',
    cause,
  });
}
