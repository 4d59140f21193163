/**
 * Servers of the Model Context Protocol (revision 2025-11-25, by its own SDK): one connection each, over Streamable HTTP or the
 * standard streams of a program that is started, opened when it is needed and opened anew when it was lost. Nothing that a server
 * says of itself reaches a prompt but the schema of a tool that the dialplan lists; it may ask nothing of us.
 */
import { TrunklineError } from '../core/errors';
import type { JsonSchema } from '../core/json-schema';
import type { Logger } from '../core/log';
import type { McpServer, McpTarget, Tool, ToolTarget } from '../core/tool';
import { fetchPinned } from '../webhooks/pinned-fetch';
import type { TargetPolicy } from '../webhooks/post-json';
import { bounded } from './result-text';
import { type Environment, secretHeaders } from './secret-headers';

export interface McpServersParts {
  readonly policy: TargetPolicy;
  readonly environment: Environment;
  readonly log: Logger;
  readonly version: string;
}

export interface McpCall {
  readonly toolCallId: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

const CONNECT_WITHIN_MS = 10_000;
/** Of one response or message. */
const MOST_BYTES = 1_048_576;
/** Beyond it the connection that was opened first is closed: an application may name new servers with every call. */
const MOST_CONNECTIONS = 16;
const MOST_PAGES = 10;

/** Half a second of loading that nobody pays who has no such server; `import()` would be a second copy, in the other format. */
function loadSdk() {
  const {
    Client,
  }: typeof import('@modelcontextprotocol/sdk/client/index.js') = require('@modelcontextprotocol/sdk/client/index.js');
  const stdio: typeof import('@modelcontextprotocol/sdk/client/stdio.js') = require('@modelcontextprotocol/sdk/client/stdio.js');
  const http: typeof import('@modelcontextprotocol/sdk/client/streamableHttp.js') = require('@modelcontextprotocol/sdk/client/streamableHttp.js');
  return { Client, ...stdio, ...http };
}
type Sdk = ReturnType<typeof loadSdk>;

interface Connection {
  readonly client: InstanceType<Sdk['Client']>;
  readonly schemas: ReadonlyMap<string, JsonSchema>;
}

export class McpServers {
  private readonly connections = new Map<string, Promise<Connection>>();
  private readonly schemas = new Map<string, ReadonlyMap<string, JsonSchema>>();
  private closed = false;

  constructor(private readonly parts: McpServersParts) {}

  /** Opens what calls will need; a server that is not there is tried again when it is called. */
  async prepare(targets: Iterable<ToolTarget>): Promise<void> {
    const servers = new Map<string, McpServer>();
    for (const target of targets) if (target.kind === 'mcp') servers.set(keyOf(target.server), target.server);
    await Promise.all(
      [...servers.values()].map(async (server) => {
        try {
          await this.connection(server);
        } catch (cause) {
          const detail = cause instanceof Error ? cause.message : String(cause);
          this.parts.log.warn('an MCP server is not there', { name: server.name, code: 'tool.unreachable', detail });
        }
      }),
    );
  }

  /** The schema that the server itself has for a tool, once it is known. */
  schemaOf({ server, tool }: McpTarget): JsonSchema | undefined {
    return this.schemas.get(keyOf(server))?.get(tool);
  }

  /** The same tools, with the servers' schemas where the dialplan has none. */
  described(tools: readonly Tool[] | undefined, targets: ReadonlyMap<string, ToolTarget> = new Map()) {
    return tools?.map((tool) => {
      const target = targets.get(tool.name);
      const parameters = tool.parameters ?? (target?.kind === 'mcp' ? this.schemaOf(target) : undefined);
      return parameters === undefined ? tool : { ...tool, parameters };
    });
  }

  /** `refused`: the server says that it could not, and why. Rejects with `tool.…` or what the SDK says. */
  async call(target: McpTarget, call: McpCall): Promise<{ readonly text: string; readonly refused: boolean }> {
    const { client, schemas } = await orAborted(this.connection(target.server), call.signal);
    if (!schemas.has(target.tool)) {
      throw new TrunklineError(
        'tool.unknown-there',
        `The MCP server ${target.server.name} has no tool ${target.tool}.`,
        {
          fix: 'Correct the name in the dialplan.',
        },
      );
    }
    const result = await client.callTool(
      // The tool call's own id, so that a server may know repetitions.
      { name: target.tool, arguments: { ...call.arguments }, _meta: { 'trunkline/toolCallId': call.toolCallId } },
      undefined,
      { signal: call.signal, timeout: call.timeoutMs + CONNECT_WITHIN_MS },
    );
    return { text: textOf(result), refused: result.isError === true };
  }

  async close(): Promise<void> {
    this.closed = true;
    const open = [...this.connections.values()];
    this.connections.clear();
    await Promise.all(open.map(shut));
  }

  private connection(server: McpServer): Promise<Connection> {
    const key = keyOf(server);
    const known = this.connections.get(key);
    if (known !== undefined) return known;
    if (this.closed) return Promise.reject(new TrunklineError('tool.unreachable', 'The agent is being stopped.'));
    const opening = this.open(server, key);
    this.connections.set(key, opening);
    opening.catch(() => this.forget(key, opening));
    const [oldest] = this.connections;
    if (this.connections.size > MOST_CONNECTIONS && oldest !== undefined) {
      this.connections.delete(oldest[0]);
      this.schemas.delete(oldest[0]);
      void shut(oldest[1]);
    }
    return opening;
  }

  private async open(server: McpServer, key: string): Promise<Connection> {
    const sdk = loadSdk();
    const client = new sdk.Client({ name: 'trunkline', version: this.parts.version });
    const transport =
      server.url === undefined ? this.program(sdk, server) : await this.address(sdk, server, server.url);
    const timeout = { timeout: CONNECT_WITHIN_MS };
    try {
      await client.connect(transport, timeout);
      const schemas = new Map<string, JsonSchema>();
      let cursor: string | undefined;
      for (let page = 0; page === 0 || (cursor !== undefined && page < MOST_PAGES); page += 1) {
        const listed = await client.listTools({ cursor }, timeout);
        for (const { name, inputSchema } of listed.tools) schemas.set(name, inputSchema);
        cursor = listed.nextCursor;
      }
      this.schemas.set(key, schemas);
      client.onclose = () => this.forget(key);
      return { client, schemas };
    } catch (cause) {
      await client.close().catch(() => undefined);
      throw cause;
    }
  }

  private program(sdk: Sdk, { command = '', args, env }: McpServer) {
    const named = env.map((name) => [name, this.parts.environment(name)] as const);
    const given = Object.fromEntries(named.filter((pair): pair is readonly [string, string] => pair[1] !== undefined));
    return new sdk.StdioClientTransport({
      command,
      args: [...args],
      env: { ...sdk.getDefaultEnvironment(), ...given },
      // It may say there what callers have said.
      stderr: 'ignore',
      maxBufferSize: MOST_BYTES,
    });
  }

  private async address(sdk: Sdk, server: McpServer, url: string) {
    const headers = { ...server.headers, ...(await secretHeaders(server.secretHeaders, this.parts.environment)) };
    return new sdk.StreamableHTTPClientTransport(new URL(url), {
      requestInit: { headers },
      fetch: (input, init) => fetchPinned(input, init, this.parts.policy, MOST_BYTES),
    });
  }

  private forget(key: string, which = this.connections.get(key)): void {
    if (this.connections.get(key) === which) this.connections.delete(key);
  }
}

function keyOf(server: McpServer): string {
  return JSON.stringify(server);
}

async function shut(connection: Promise<Connection>): Promise<void> {
  await connection.then(({ client }) => client.close()).catch(() => undefined);
}

/** The words of a result; what is structured alone is told as JSON, pictures and sounds not at all. */
function textOf(result: Readonly<Record<string, unknown>>): string {
  const content = Array.isArray(result['content']) ? result['content'] : [];
  const texts = content.flatMap((part: unknown) => {
    const text: unknown = typeof part === 'object' && part !== null ? Reflect.get(part, 'text') : undefined;
    return typeof text === 'string' ? [text] : [];
  });
  const structured = result['structuredContent'];
  return bounded(texts.length > 0 || structured === undefined ? texts.join('\n') : JSON.stringify(structured));
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
