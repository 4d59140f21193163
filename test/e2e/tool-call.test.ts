/**
 * A caller asks for what only an application knows: our own phone over SIP, the whole agent, an endpoint that streams OpenAI's
 * tool calls, an application that hears of them by webhook, an HTTP service and an MCP server that the agent asks itself. The
 * answers are judged from the recording, or from what was asked and said.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toInt16 } from '../../src/audio/pcm';
import { decodeOggOpus } from '../../src/codecs/ogg-opus';
import type { CallEvent, CallEventOf } from '../../src/core/call-event';
import { SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import type { Phone } from '../../src/phone/phone';
import { PhoneStack } from '../../src/phone/phone-stack';
import { readTapeFile } from '../../src/phone/tape-file';
import { startTestAgent, type TestAgent } from '../support/agent';
import { type McpTestServer, startMcpServer } from '../support/mcp-server';
import { callDeltas, type OpenAiServer, startOpenAiServer } from '../support/openai-server';
import { closeRecogniser, transcribe } from '../support/recogniser';
import { type Receiver, startReceiver } from '../webhooks/receiver';

const questions = join(__dirname, '../fixtures/questions');
/** "How much is a flu shot?": the endpoint calls the tool. The other it answers by itself. */
const NEEDS_TOOL = 'demo-21';
const NEEDS_NONE = 'demo-13';
const RESULT = 'A flu shot costs 25 dollars.';

const plan = `routes:
${[
  ['patient', 20_000],
  ['hasty', 1_500],
]
  .map(
    ([number, timeoutMs]) => `  - match: { number: ${number} }
    action:
      type: agent
      persona: { name: Clinic, instructions: You answer the phone of a clinic. }
      greeting: Hello.
      tools:
        - name: find_price
          description: look up what a treatment costs
          timeoutMs: ${timeoutMs}
          parameters: { type: object, properties: { treatment: { type: string } } }`,
  )
  .join('\n')}
`;
/** Tools that the agent asks itself. */
const ownPlan = (service: string, mcp: string, key: string) => `
  - match: { number: own }
    action:
      type: agent
      persona: { name: Clinic, instructions: You answer the phone of a clinic. }
      tools:
        - name: cancel_booking
          description: cancel a booking
          parameters: { type: object, properties: { number: { type: string, pattern: "^[0-9]{4}$" } }, required: [number] }
          http: { url: "${service}/{number}", method: DELETE, secretHeaders: { Authorization: { file: "${key}" } } }
      mcp:
        - name: weather
          url: ${mcp}
          tools: [{ name: weather, description: look up the weather }]
`;

describe('a call that needs a tool', () => {
  let agent: TestAgent;
  let stack: PhoneStack;
  let folder: string;
  let llm: OpenAiServer;
  let application: Receiver;
  let service: Receiver;
  let mcp: McpTestServer;
  /** What the application answers to `tool.called`; undefined: nothing. */
  let answer: ((event: CallEventOf<'tool.called'>) => unknown) | undefined;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline-tools-'));
    service = await startReceiver(({ headers }) =>
      headers.authorization === 'k3y' ? { body: '{"text":"It is cancelled."}' } : { status: 401 },
    );
    mcp = await startMcpServer();
    writeFileSync(join(folder, 'key'), 'k3y\n');
    writeFileSync(join(folder, 'plan.yaml'), plan + ownPlan(service.url, mcp.url, join(folder, 'key')));
    llm = await startOpenAiServer();
    llm.reply = ({ messages }) => {
      const last = messages.at(-1)!;
      if (last.role === 'tool') return [{ content: `I have found it. ${last.content}` }];
      const own = /^call (\w+) (.*)$/.exec(last.content ?? '');
      if (own !== null) return callDeltas('call_2', own[1]!, own[2]!);
      if (!/flu|shot/i.test(last.content ?? '')) return [{ content: 'Doctor Rossi ' }, { content: 'treats children.' }];
      return [
        { content: 'Let me ' },
        { content: 'look.' },
        ...callDeltas('call_1', 'find_price', '{"treatment":"flu shot"}'),
      ];
    };
    application = await startReceiver(({ body }) => {
      const event: CallEvent = JSON.parse(body);
      const told = event.type === 'tool.called' ? answer?.(event) : undefined;
      return told === undefined ? {} : { body: JSON.stringify(told), headers: { 'content-type': 'application/json' } };
    });
    agent = await startTestAgent({
      dialplans: folder as never,
      // A busy machine may take its time: what the silence of a turn leads to is judged elsewhere.
      engine: { llm: { baseUrl: llm.baseUrl, model: 'scripted' }, silenceSeconds: 10 },
      webhooks: {
        endpoints: [{ url: application.url, secrets: ['a secret'], events: ['tool.called'] }],
        allowPrivate: ['localhost'],
      },
    });
    stack = await PhoneStack.open({
      mediaEntry: join(__dirname, '../../dist/workers/media.js'),
      clock: new SystemClock(),
      log: silentLogger,
      listen: { host: '127.0.0.1', port: 0 },
      codecs: ['PCMU'],
    });
  }, 150_000);
  beforeEach(() => {
    answer = undefined;
  });
  afterAll(async () => {
    await stack?.close();
    await agent?.stop();
    await llm?.close();
    await application?.close();
    await service?.close();
    await mcp?.close();
    await closeRecogniser();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  async function dialAndAsk(number: string, tape: string): Promise<{ phone: Phone; id: string }> {
    const phone = await stack.dial({
      to: `sip:${number}@127.0.0.1:${agent.sipPort}`,
      bindAddress: '127.0.0.1',
      ports: [22_000, 22_999],
      tapePath: join(folder, tape),
    });
    await phone.waitUntilTalking(6_000);
    await phone.waitUntilQuiet(6_000);
    await say(phone, NEEDS_TOOL);
    const { calls } = (await agent.request('GET', '/v1/calls?limit=1')) as { calls: { id: string }[] };
    return { phone, id: calls[0]?.id ?? '' };
  }

  async function say(phone: Phone, question: string): Promise<void> {
    const { pcm, sampleRate } = await decodeOggOpus(readFileSync(join(questions, `${question}.ogg`)));
    await phone.say(pcm, sampleRate);
  }

  async function events(id: string): Promise<readonly CallEvent[]> {
    return ((await agent.request('GET', `/v1/calls/${id}/timeline`)) as { events: CallEvent[] }).events;
  }

  /** Waits for an event of the call that `wanted` takes. */
  async function until<T>(id: string, wanted: (event: CallEvent) => T | undefined): Promise<T> {
    for (let tries = 0; tries < 300; tries += 1) {
      for (const event of await events(id)) {
        const found = wanted(event);
        if (found !== undefined) return found;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`It did not come: ${JSON.stringify(await events(id))}`);
  }

  const called = (id: string) => until(id, (event) => (event.type === 'tool.called' ? event : undefined));
  const said = (id: string, words: RegExp) =>
    until(id, (event) => (event.type === 'turn.agent' && words.test(event.data.text) ? event.data.text : undefined));

  async function sendResult(id: string, toolCallId: string): Promise<[number, string | undefined]> {
    const response = await fetch(`${agent.httpUrl}/v1/calls/${id}/actions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${agent.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'tool_result', toolCallId, text: RESULT }),
    });
    const { code } = (await response.json()) as { code?: string };
    return [response.status, code];
  }

  async function onTape(tape: string): Promise<string> {
    const { agent: samples, sampleRate } = readTapeFile(join(folder, tape));
    return transcribe(toInt16(samples), sampleRate);
  }

  it('waits for a result that is sent later, says something meanwhile, and answers from it', async () => {
    const { phone, id } = await dialAndAsk('patient', 'later.wav');
    const { data } = await called(id);
    expect(data).toMatchObject({ name: 'find_price', arguments: { treatment: 'flu shot' } });
    expect(data.said).toMatch(/flu|shot/i);
    await said(id, /one moment/i);
    expect(await sendResult(id, 'invented')).toEqual([409, 'tool.unknown-call']);
    expect(await sendResult(id, data.toolCallId)).toEqual([202, undefined]);
    await said(id, /25/);
    expect(await sendResult(id, data.toolCallId)).toEqual([409, 'tool.already-answered']);
    await phone.hangUp();
    expect(await onTape('later.wav')).toMatch(/found it[\s\S]*(25|twenty.?five)/i);
    const told = application.received.map(({ body }) => JSON.parse(body) as CallEvent);
    expect(told.filter(({ callId }) => callId === id)).toEqual([
      expect.objectContaining({ type: 'tool.called', data }),
    ]);
    const results = llm.seen.filter(({ messages }) => messages.at(-1)!.role === 'tool');
    expect(results.at(-1)!.messages.slice(-2)).toMatchObject([
      { role: 'assistant', tool_calls: [{ id: 'call_1' }] },
      { role: 'tool', tool_call_id: 'call_1', content: RESULT },
    ]);
    const metrics = await (await fetch(`${agent.httpUrl}/metrics`)).text();
    expect(metrics).toMatch(/^trunkline_tools_called 1$/m);
    expect(metrics).toMatch(/^trunkline_tool_results_refused 2$/m);
  }, 90_000);

  it('takes the result from the answer to the webhook', async () => {
    answer = ({ data }) => ({ actions: [{ type: 'tool_result', toolCallId: data.toolCallId, text: RESULT }] });
    const { phone, id } = await dialAndAsk('patient', 'webhook.wav');
    await said(id, /25/);
    await phone.hangUp();
    expect(await onTape('webhook.wav')).toMatch(/found it[\s\S]*(25|twenty.?five)/i);
  }, 90_000);

  it('says plainly that it cannot look it up when nobody answers, and refuses what comes then', async () => {
    const { phone, id } = await dialAndAsk('hasty', 'timeout.wav');
    const { data } = await called(id);
    expect(await said(id, /cannot look that up/)).toMatch(/colleague/);
    expect(await sendResult(id, data.toolCallId)).toEqual([409, 'tool.too-late']);
    await phone.hangUp();
    expect((await events(id)).filter(({ type }) => type === 'error')).toMatchObject([
      { data: { code: 'tool.too-late' } },
    ]);
    expect(await onTape('timeout.wav')).toMatch(/cannot look[\s\S]*colleague/i);
  }, 90_000);

  it('answers what the caller asks meanwhile, and then what was looked up', async () => {
    const { phone, id } = await dialAndAsk('patient', 'meanwhile.wav');
    const { data } = await called(id);
    await say(phone, NEEDS_NONE);
    expect(await sendResult(id, data.toolCallId)).toEqual([202, undefined]);
    await said(id, /children/);
    await said(id, /25/);
    await phone.hangUp();
    expect(await onTape('meanwhile.wav')).toMatch(/children[\s\S]*(25|twenty.?five)/i);
  }, 90_000);

  it('asks an HTTP service and an MCP server itself, and nothing that the dialplan does not list', async () => {
    const phone = await stack.dial({
      to: `sip:own@127.0.0.1:${agent.sipPort}`,
      bindAddress: '127.0.0.1',
      ports: [22_000, 22_999],
      tapePath: join(folder, 'own.wav'),
    });
    const { calls } = (await agent.request('GET', '/v1/calls?limit=1')) as { calls: { id: string }[] };
    const id = calls[0]?.id ?? '';
    const type = (text: string) => agent.request('POST', `/v1/calls/${id}/actions`, { type: 'user_text', text });
    /** What the agent was to answer from. */
    const results = () =>
      llm.seen.flatMap(({ messages }) => messages.filter(({ role }) => role === 'tool').map(({ content }) => content));
    const told = async (words: RegExp) => {
      for (let tries = 0; tries < 300 && !results().some((text) => words.test(text ?? '')); tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect(results()).toContainEqual(expect.stringMatching(words));
    };
    await type('call cancel_booking {"number":"4711"}');
    await told(/It is cancelled/);
    const [asked] = service.received;
    expect(asked?.headers['idempotency-key']).toBe((await called(id)).data.toolCallId);
    await type('call cancel_booking {"number":"../admin"}');
    await told(/not done, because number must match pattern/);
    await type('call wipe {}');
    await type('call weather {"town":"Bern"}');
    await told(/rains in Bern/);
    expect(service.received).toHaveLength(1);
    expect(mcp.called.map(({ name }) => name)).toEqual(['weather']);
    const all = await events(id);
    expect(all.filter(({ type }) => type === 'tool.called').map(({ data }) => data)).toMatchObject([
      { name: 'cancel_booking', by: 'http' },
      { name: 'cancel_booking', by: 'http' },
      { name: 'weather', by: 'mcp' },
    ]);
    expect(all).toContainEqual(
      expect.objectContaining({ type: 'error', data: expect.objectContaining({ code: 'tool.bad-arguments' }) }),
    );
    await phone.hangUp();
  }, 90_000);

  it('lets nothing come of a result after the caller has hung up', async () => {
    const { phone, id } = await dialAndAsk('patient', 'gone.wav');
    const { data } = await called(id);
    await phone.hangUp();
    await until(id, (event) => (event.type === 'call.ended' ? event : undefined));
    expect(await sendResult(id, data.toolCallId)).toEqual([409, 'call.wrong-state']);
    expect((await events(id)).at(-1)).toMatchObject({ type: 'call.ended', data: { cause: 'caller-hangup' } });
  }, 90_000);
});
