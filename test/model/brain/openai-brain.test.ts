/** An OpenAI-compatible endpoint as the brain, against a real local HTTP server. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { OpenAiBrain } from '../../../src/model/brain/openai-brain';

const persona = { id: 'p', name: 'Pat', instructions: 'You are Pat.', facts: ['The shop opens at nine.'] };

interface Seen {
  body: { messages: { role: string; content: string }[]; model: string; stream: boolean };
  authorization: string | undefined;
}

describe('an OpenAI-compatible endpoint', () => {
  let server: Server;
  let respond: (response: ServerResponse, request: IncomingMessage) => void;
  const seen: Seen[] = [];

  const brainOf = (options: { apiKey?: string } = {}) =>
    new OpenAiBrain({
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
      model: 'm',
      ...options,
    });

  beforeAll(async () => {
    server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => {
        seen.push({ body: JSON.parse(text), authorization: request.headers.authorization });
        respond(response, request);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  beforeEach(() => {
    seen.length = 0;
  });

  const delta = (content: string) => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`;
  const collect = async (events: AsyncIterable<{ type: string; text?: string }>) => {
    let text = '';
    for await (const event of events) if (event.type === 'delta') text += event.text ?? '';
    return text;
  };

  it('asks again on another connection when the server has closed the one that it kept', async () => {
    const connections = new Map<unknown, number>();
    respond = (response, { socket }) => {
      const before = connections.get(socket) ?? 0;
      connections.set(socket, before + 1);
      // As if it had been closed while nobody looked: the second request on it is never answered.
      if (before > 0) socket.destroy();
      else response.end(`${delta('We open at nine.')}data: [DONE]\n\n`);
    };
    const conversation = await brainOf().openConversation(persona);
    for (let turn = 0; turn < 3; turn += 1)
      expect(await collect(conversation.answer('When do you open?', new AbortController().signal))).toBe(
        'We open at nine.',
      );
    expect(connections.size).toBeGreaterThan(1);
    expect([...connections.values()]).toContain(2);
  });

  it('gives up on a server that closes every connection', async () => {
    respond = (_response, { socket }) => socket.destroy();
    const conversation = await brainOf().openConversation(persona);
    await expect(collect(conversation.answer('Hello?', new AbortController().signal))).rejects.toMatchObject({
      code: 'llm.unreachable',
    });
    expect(seen).toHaveLength(2);
  });

  it('streams the deltas, whatever the borders of the chunks', async () => {
    const whole = Buffer.from(`: keep-alive\n\n${delta('We open ')}${delta('at nine – né?')}data: [DONE]\n\n`);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: whole.length - 1 }), { maxLength: 6 }), async (cuts) => {
        respond = (response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          let from = 0;
          for (const cut of [...cuts].sort((a, b) => a - b)) {
            response.write(whole.subarray(from, Math.max(from, cut)));
            from = Math.max(from, cut);
          }
          response.end(whole.subarray(from));
        };
        const conversation = await brainOf().openConversation(persona);
        expect(await collect(conversation.answer('When do you open?', new AbortController().signal))).toBe(
          'We open at nine – né?',
        );
      }),
      { numRuns: 20 },
    );
  });

  it('sends the persona, the facts and only the history that was heard', async () => {
    respond = (response) => response.end(`${delta('Yes.')}data: [DONE]\n\n`);
    const conversation = await brainOf({ apiKey: 'k' }).openConversation(persona);
    conversation.commit({ userText: 'Hello', heardText: 'Good mor', interrupted: true });
    await collect(conversation.answer('Are you open?', new AbortController().signal));
    expect(seen[0]?.authorization).toBe('Bearer k');
    const messages = seen[0]?.body.messages ?? [];
    expect(messages[0]?.content).toContain('The shop opens at nine.');
    expect(messages.slice(1)).toEqual([
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Good mor …' },
      { role: 'user', content: 'Are you open?' },
    ]);
  });

  it('is told in words how a sound without words was', async () => {
    respond = (response) => response.end('data: [DONE]\n\n');
    const conversation = await brainOf().openConversation(persona);
    const { signal } = new AbortController();
    await collect(conversation.answer('', signal, { wordless: { sound: 'cough' } }));
    const hurried = { sound: 'speech', intonation: 'question', manner: 'hurried' } as const;
    await collect(conversation.answer('', signal, { wordless: hurried }));
    await collect(conversation.answer('', signal, { wordless: { sound: 'speech', manner: 'calm' } }));
    expect(seen.map(({ body }) => body.messages.at(-1))).toEqual([
      { role: 'user', content: '[no words, only cough]' },
      { role: 'user', content: '[words that could not be understood, hurried, question]' },
      { role: 'user', content: '[words that could not be understood]' },
    ]);
  });

  it('hangs up on the server when the caller barges in', async () => {
    let closed: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    respond = (response) => {
      response.on('close', closed);
      response.write(delta('This goes on '));
    };
    const conversation = await brainOf().openConversation(persona);
    const abort = new AbortController();
    const events = conversation.answer('Hi', abort.signal)[Symbol.asyncIterator]();
    expect((await events.next()).value).toEqual({ type: 'delta', text: 'This goes on ' });
    abort.abort();
    await expect(events.next()).rejects.toMatchObject({ name: 'AbortError' });
    await gone;
  });

  it('reports a refusal and an unreachable server with a code', async () => {
    respond = (response) => {
      response.statusCode = 401;
      response.end('no');
    };
    const conversation = await brainOf().openConversation(persona);
    await expect(collect(conversation.answer('Hi', new AbortController().signal))).rejects.toMatchObject({
      code: 'llm.refused',
    });
    const nowhere = await new OpenAiBrain({ baseUrl: 'http://127.0.0.1:9/v1', model: 'm' }).openConversation(persona);
    await expect(collect(nowhere.answer('Hi', new AbortController().signal))).rejects.toMatchObject({
      code: 'llm.unreachable',
    });
  });

  it('survives whatever a server sends', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.string(),
            fc.json().map((json) => `data: ${json}\n`),
          ),
          { maxLength: 5 },
        ),
        async (lines) => {
          respond = (response) => response.end(lines.join('\n'));
          const conversation = await brainOf().openConversation(persona);
          expect(typeof (await collect(conversation.answer('Hi', new AbortController().signal)))).toBe('string');
        },
      ),
      { numRuns: 30 },
    );
  });
});
