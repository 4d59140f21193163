import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { ToolRequest } from '../../src/call/tool-runs';
import { silentLogger } from '../../src/core/log';
import type { HttpTarget, Tool } from '../../src/core/tool';
import { toolAsker } from '../../src/tools/ask-tool';
import { addressOf } from '../../src/tools/http-tool';
import { McpServers } from '../../src/tools/mcp-servers';
import { type Answer, type Received, type Receiver, startReceiver } from '../webhooks/receiver';

const tool: Tool = {
  name: 'order_status',
  description: 'look up the status of an order',
  timeoutMs: 2_000,
  parameters: {
    type: 'object',
    properties: { order: { type: 'string', pattern: '^[0-9]{4}$' }, express: { type: 'boolean', default: false } },
    required: ['order'],
    additionalProperties: false,
  },
};

const servers = new McpServers({
  policy: { allowPrivate: [] },
  environment: () => undefined,
  log: silentLogger,
  version: '0',
});

describe('a tool that an HTTP service answers', () => {
  let service: Receiver;
  let answer: (received: Received) => Answer = () => ({});
  const seen: string[] = [];

  beforeAll(async () => {
    service = await startReceiver((received) => answer(received));
  });
  afterAll(() => service.close());
  beforeEach(() => {
    service.received.length = 0;
    seen.length = 0;
    answer = () => ({ body: JSON.stringify({ text: 'It ships on Friday.' }) });
  });

  const target = (more: Partial<HttpTarget> = {}): HttpTarget => ({
    kind: 'http',
    url: service.url,
    method: 'POST',
    headers: {},
    secretHeaders: {},
    ...more,
  });
  function run(more: Partial<ToolRequest> = {}, allowPrivate = ['localhost']) {
    const ask = toolAsker({
      policy: { allowPrivate },
      environment: (name) => (name === 'ORDERS_TOKEN' ? 's3cret\n' : undefined),
      mcp: servers,
    });
    return ask({
      toolCallId: 'call_1_tool_3',
      tool,
      target: target(),
      arguments: { order: '4711' },
      said: 'Where is my order?',
      signal: new AbortController().signal,
      ...more,
    });
  }
  const coded = (code: string, text?: unknown) => ({ text, error: expect.objectContaining({ code }) });

  it('is sent its arguments with their defaults and a key by which it knows repetitions, and its text is told', async () => {
    expect(await run()).toEqual({ text: 'It ships on Friday.' });
    const [{ headers, body }] = service.received as [Received];
    expect(JSON.parse(body)).toEqual({ order: '4711', express: false });
    expect(headers).toMatchObject({ 'idempotency-key': 'call_1_tool_3', 'content-type': 'application/json' });
  });

  it.each([
    ['plain text', 'It ships.', 'It ships.'],
    ['a JSON string', '"It ships."', 'It ships.'],
    ['any other JSON', '{"ships":"Friday"}', '{"ships":"Friday"}'],
  ])('may answer with %s', async (_, body, text) => {
    answer = () => ({ body });
    expect(await run()).toEqual({ text });
  });

  it('is sent nothing when the arguments do not fit, and the brain that gave them is told why', async () => {
    expect(await run({ arguments: { order: 'drop table' } })).toEqual(
      coded('tool.bad-arguments', expect.stringContaining('order must match pattern')),
    );
    expect(await run({ arguments: undefined })).toEqual(coded('tool.bad-arguments'));
    expect(service.received).toEqual([]);
  });

  it('gets headers from the environment and from files, and no call without them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-secret-'));
    const file = join(folder, 'key');
    writeFileSync(file, 'from-file\n');
    const secretHeaders = { Authorization: { env: 'ORDERS_TOKEN', prefix: 'Bearer ' }, 'X-Key': { file } };
    await run({ target: target({ headers: { 'X-Shop': 'north' }, secretHeaders }) });
    expect(service.received[0]?.headers).toMatchObject({
      authorization: 'Bearer s3cret',
      'x-key': 'from-file',
      'x-shop': 'north',
    });
    rmSync(folder, { recursive: true });
    const missing = await run({ target: target({ secretHeaders }) });
    expect(missing).toEqual(coded('tool.no-secret'));
    expect(service.received).toHaveLength(1);
  });

  it('is not reached at a private address that the operator has not allowed', async () => {
    expect(await run({}, [])).toEqual(coded('tool.private-target'));
    const local = service.url.replace('localhost', '127.0.0.1');
    expect(await run({ target: target({ url: local }) })).toEqual(coded('tool.private-target'));
    expect(service.received).toEqual([]);
  });

  it('may decline with a sentence, which is told; any other refusal is a failure', async () => {
    answer = () => ({
      status: 409,
      body: JSON.stringify({ title: 'Conflict', detail: 'Doctor Rossi is not free then.' }),
    });
    expect(await run()).toEqual(coded('tool.declined', 'Doctor Rossi is not free then.'));
    answer = () => ({ status: 404, body: '<html>' });
    expect(await run()).toEqual(coded('tool.refused'));
    answer = () => ({ status: 500, body: JSON.stringify({ detail: 'stack trace' }) });
    expect(await run()).toEqual(coded('tool.refused'));
    answer = () => ({ status: 302, headers: { location: 'http://169.254.169.254/' } });
    expect(await run()).toEqual(coded('tool.refused'));
  });

  it('that floods, hangs or is not there fails with a code', async () => {
    answer = () => ({ body: 'x'.repeat(100_000) });
    expect(await run()).toEqual(coded('tool.answer-too-large'));
    answer = () => ({ body: 'x'.repeat(60_000) });
    expect((await run()).text).toHaveLength(10_000);
    answer = () => ({ silent: true });
    expect(await run({ tool: { ...tool, timeoutMs: 100 } })).toEqual(coded('tool.too-late'));
    expect(await run({ target: target({ url: 'http://localhost:9/' }) })).toEqual(coded('tool.unreachable'));
  });

  it('is broken off when nobody waits for it', async () => {
    answer = () => ({ silent: true });
    const abort = new AbortController();
    const outcome = run({ signal: abort.signal });
    while (service.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    abort.abort();
    expect(await outcome).toEqual(coded('tool.unreachable'));
  });

  it('takes arguments in the path and the query', async () => {
    const url = `${service.url}/{order}`;
    expect(addressOf('https://x.example/orders/{order}?shop=1', { order: '4711', a: 1 })).toEqual({
      url: new URL('https://x.example/orders/4711?shop=1'),
      rest: { a: 1 },
    });
    expect(await run({ target: target({ url, method: 'GET' }) })).toEqual({ text: 'It ships on Friday.' });
    expect(service.received[0]?.body).toBe('');
  });

  it('stays on the host and under the path of its address, whatever an argument is', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('..', '.', '../../admin', '//evil/', '%2e%2e')),
        (order) => {
          try {
            const { url } = addressOf('https://shop.example/orders/{order}/status', { order });
            expect(url.host).toBe('shop.example');
            expect(url.pathname).toMatch(/^\/orders\/[^/]+\/status$/);
          } catch (error) {
            expect(error).toMatchObject({ code: 'tool.bad-arguments' });
          }
        },
      ),
    );
  });
});
