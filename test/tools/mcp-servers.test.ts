import { join } from 'node:path';
import { silentLogger } from '../../src/core/log';
import type { McpServer, McpTarget, Tool } from '../../src/core/tool';
import { toolAsker } from '../../src/tools/ask-tool';
import { McpServers } from '../../src/tools/mcp-servers';
import { type McpTestServer, startMcpServer } from '../support/mcp-server';

const program = join(__dirname, '../support/mcp-program.cjs');
const tool = (name: string): Tool => ({ name, description: `use ${name}`, timeoutMs: 3_000 });
const coded = (code: string, text?: unknown) => ({ text, error: expect.objectContaining({ code }) });

describe('a tool of an MCP server', () => {
  let server: McpTestServer;
  let servers: McpServers;

  beforeAll(async () => {
    server = await startMcpServer();
  });
  afterAll(() => server.close());
  beforeEach(() => {
    servers = new McpServers({
      policy: { allowPrivate: ['localhost'] },
      environment: (name) => (name === 'WEATHER_KEY' ? 's3cret' : undefined),
      log: silentLogger,
      version: '0',
    });
  });
  afterEach(() => servers.close());

  const over = (more: Partial<McpServer> = {}): McpServer => ({
    name: 'weather',
    url: server.url,
    headers: {},
    secretHeaders: {},
    args: [],
    env: [],
    ...more,
  });
  const started = (more: Partial<McpServer> = {}): McpServer =>
    over({ url: undefined, command: process.execPath, args: [program], ...more });

  function run(target: McpTarget, given: Record<string, unknown> | undefined = {}, more: Partial<Tool> = {}) {
    const ask = toolAsker({ policy: { allowPrivate: [] }, environment: () => undefined, mcp: servers });
    const signal = new AbortController().signal;
    return ask({
      toolCallId: 'call_1_tool_3',
      tool: { ...tool(target.tool), ...more },
      target,
      arguments: given,
      said: 'Will it rain?',
      signal,
    });
  }
  const of = (name: string, mcp = over()): McpTarget => ({ kind: 'mcp', server: mcp, tool: name });

  it('is called over Streamable HTTP with its arguments, secret headers and a key, and its text is told', async () => {
    const mcp = over({ secretHeaders: { Authorization: { env: 'WEATHER_KEY', prefix: 'Bearer ' } } });
    expect(await run(of('weather', mcp), { town: 'Bern' })).toEqual({ text: 'It rains in Bern.' });
    expect(server.called.at(-1)).toMatchObject({
      name: 'weather',
      arguments: { town: 'Bern' },
      meta: { 'trunkline/toolCallId': 'call_1_tool_3' },
    });
    expect(server.headers.at(-1)?.authorization).toBe('Bearer s3cret');
  });

  it('is held to the schema of its server where the dialplan has none, and the brain is told that schema', async () => {
    expect(servers.described([tool('weather')], new Map([['weather', of('weather')]]))).toEqual([tool('weather')]);
    await servers.prepare([of('weather')]);
    const before = server.called.length;
    expect(await run(of('weather'), { town: 7 })).toEqual(
      coded('tool.bad-arguments', expect.stringContaining('town must be string')),
    );
    expect(server.called).toHaveLength(before);
    const told = servers.described([tool('weather'), tool('other')], new Map([['weather', of('weather')]]));
    expect(told).toMatchObject([{ parameters: { properties: { town: { type: 'string' } } } }, tool('other')]);
    expect(JSON.stringify(told)).not.toMatch(/wipe|Ignore/);
  });

  it('tells what the server says when it cannot, and fails with a code when it does not answer', async () => {
    expect(await run(of('fail'))).toEqual(coded('tool.declined', 'The station is closed on Sundays.'));
    expect(await run(of('slow'), {}, { timeoutMs: 100 })).toEqual(coded('tool.too-late'));
    expect(await run(of('no_such_tool'))).toEqual(coded('tool.unknown-there'));
    expect(await run(of('weather', over({ url: 'http://localhost:9/mcp' })))).toEqual(coded('tool.unreachable'));
  });

  it('is not reached at a private address that the operator has not allowed', async () => {
    const local = server.url.replace('localhost', '127.0.0.1');
    expect(await run(of('weather', over({ url: local })), { town: 'Bern' })).toEqual(coded('tool.private-target'));
  });

  it('of a program sees the variables that are named and the usual ones, and comes again after it has ended', async () => {
    const mcp = started({ env: ['WEATHER_KEY', 'UNSET'] });
    process.env['TRUNKLINE_TEST_SECRET'] = 'unseen';
    const seen = (await run(of('variables', mcp))).text ?? '';
    delete process.env['TRUNKLINE_TEST_SECRET'];
    expect(seen.split(' ')).toEqual(expect.arrayContaining(['PATH', 'WEATHER_KEY']));
    expect(seen).not.toMatch(/TRUNKLINE_TEST_SECRET|UNSET/);
    expect((await run(of('end', mcp))).error).toBeDefined();
    expect((await run(of('variables', mcp))).text).toMatch(/PATH/);
    expect(await run(of('variables', started({ command: '/no/such/program' })))).toEqual(coded('tool.unreachable'));
  });
});
