/** Tools of an OpenAI-compatible endpoint, against a real local HTTP server. */
import fc from 'fast-check';
import type { BrainConversation } from '../../../src/model/brain/conversation-brain';
import { OpenAiBrain } from '../../../src/model/brain/openai-brain';
import { StreamedToolCall } from '../../../src/model/brain/openai-tools';
import { type ChatReply, callDeltas, type OpenAiServer, startOpenAiServer } from '../../support/openai-server';

const parameters = { type: 'object', properties: { order: { type: 'string' } }, required: ['order'] };
const tools = [
  { name: 'order_status', description: 'look up the status of an order', parameters, timeoutMs: 5_000 },
  { name: 'book_table', description: 'book a table', timeoutMs: 5_000 },
];
const persona = { id: 'p', name: 'Pat', instructions: 'You are Pat.', facts: ['The shop opens at nine.'], tools };
const never = new AbortController().signal;
const QUESTION = 'Where is my order 4711?';
const LOOKING = 'One moment, please.';
const looks = (argumentsText = '{"order":"4711"}') => [
  { content: LOOKING },
  ...callDeltas('call_a', 'order_status', argumentsText),
];

let server: OpenAiServer;
beforeAll(async () => {
  server = await startOpenAiServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.seen.length = 0;
});

const open = () => new OpenAiBrain({ baseUrl: server.baseUrl, model: 'm' }).openConversation(persona);

async function ask(conversation: BrainConversation, reply: ChatReply, question = QUESTION, toolResult?: string) {
  server.reply = () => reply;
  let text = '';
  let action: unknown;
  for await (const event of conversation.answer(question, never, toolResult === undefined ? {} : { toolResult })) {
    if (event.type === 'delta') text += event.text;
    else if (event.type === 'action') action = event.action;
  }
  return { text, action, sent: server.seen.at(-1)! };
}

const heard = (userText: string | undefined, heardText: string) => ({ userText, heardText, interrupted: false });

describe('an OpenAI-compatible endpoint with tools', () => {
  it('is told of them, and its streamed call is the action', async () => {
    const { text, action, sent } = await ask(await open(), looks());
    expect(sent.tools).toEqual([
      { type: 'function', function: { name: 'order_status', description: tools[0]!.description, parameters } },
      {
        type: 'function',
        function: { name: 'book_table', description: 'book a table', parameters: { type: 'object', properties: {} } },
      },
    ]);
    expect(sent.tool_choice).toBe('auto');
    expect(text).toBe(LOOKING);
    expect(action).toEqual({ type: 'tool', name: 'order_status', arguments: { order: '4711' } });
  });

  it('hears of no tools where there are none', async () => {
    const brain = new OpenAiBrain({ baseUrl: server.baseUrl, model: 'm' });
    const { sent, action } = await ask(await brain.openConversation({ ...persona, tools: [] }), looks());
    expect(sent).not.toHaveProperty('tools');
    expect(action).toBeUndefined();
  });

  it('gets the result as the tool’s message, and keeps it in the history', async () => {
    const conversation = await open();
    await ask(conversation, looks());
    conversation.commit(heard(QUESTION, LOOKING));
    const { text, action, sent } = await ask(
      conversation,
      [{ content: 'On Friday.' }],
      QUESTION,
      'It ships on Friday.',
    );
    const exchange = [
      { role: 'user', content: QUESTION },
      {
        role: 'assistant',
        content: LOOKING,
        tool_calls: [
          { id: 'call_a', type: 'function', function: { name: 'order_status', arguments: '{"order":"4711"}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'call_a', content: 'It ships on Friday.' },
    ];
    expect(sent.messages.slice(1)).toEqual(exchange);
    expect(sent.tool_choice).toBe('none');
    expect([text, action]).toEqual(['On Friday.', undefined]);
    conversation.commit(heard(QUESTION, 'On Friday.'));
    const { sent: next } = await ask(conversation, [{ content: 'Bye.' }], 'Thank you.');
    expect(next.messages.slice(1)).toEqual([
      ...exchange,
      { role: 'assistant', content: 'On Friday.' },
      { role: 'user', content: 'Thank you.' },
    ]);
  });

  it('may call without a word, and calls nothing a second time', async () => {
    const conversation = await open();
    const { text } = await ask(conversation, looks().slice(1));
    expect(text).toBe('');
    conversation.commit(heard(QUESTION, ''));
    const { sent, action } = await ask(conversation, looks(), QUESTION, 'It ships on Friday.');
    expect(sent.messages.slice(1).map(({ role, content }) => [role, content])).toEqual([
      ['user', QUESTION],
      ['assistant', null],
      ['tool', 'It ships on Friday.'],
    ]);
    expect(action).toBeUndefined();
  });

  it('keeps no call in the history whose result never came', async () => {
    const conversation = await open();
    await ask(conversation, looks());
    conversation.commit(heard(QUESTION, LOOKING));
    conversation.commit(heard(undefined, 'I cannot look that up right now.'));
    const { sent } = await ask(conversation, [{ content: 'At nine.' }], 'When do you open?');
    expect(sent.messages.some(({ role, tool_calls }) => role === 'tool' || tool_calls !== undefined)).toBe(false);
  });

  it('gets a result that comes after another question, with the call that it answers', async () => {
    const conversation = await open();
    await ask(conversation, looks());
    conversation.commit(heard(QUESTION, LOOKING));
    await ask(conversation, [{ content: 'At nine.' }], 'When do you open?');
    conversation.commit(heard('When do you open?', 'At nine.'));
    const { sent } = await ask(conversation, [{ content: 'On Friday.' }], QUESTION, 'x'.repeat(10_000));
    const [call, result] = sent.messages.slice(-2);
    expect(call!.tool_calls![0]!.id).toBe('call_a');
    expect(result).toEqual({ role: 'tool', tool_call_id: 'call_a', content: 'x'.repeat(10_000) });
  });

  it('never sends a result whose call was dropped from a long history', async () => {
    const conversation = await open();
    for (let turn = 0; turn < 30; turn += 1) {
      await ask(conversation, looks());
      conversation.commit(heard(QUESTION, LOOKING));
      const { sent } = await ask(conversation, [{ content: 'On Friday.' }], QUESTION, 'It ships on Friday.');
      sent.messages.forEach(({ role }, at) => {
        if (role === 'tool') expect(sent.messages[at - 1]!.tool_calls).toBeDefined();
      });
      conversation.commit(heard(QUESTION, 'On Friday.'));
    }
  });

  it.each([
    ['no JSON', '{"order": ', undefined],
    ['a list', '[1]', undefined],
    ['nothing', '', undefined],
    ['an empty object', '{}', {}],
  ])('may give %s for arguments: the application has the words', async (_, argumentsText, given) => {
    const conversation = await open();
    const { action } = await ask(conversation, looks(argumentsText));
    expect(action).toEqual({
      type: 'tool',
      name: 'order_status',
      ...(given === undefined ? {} : { arguments: given }),
    });
    conversation.commit(heard(QUESTION, LOOKING));
    const { sent } = await ask(conversation, [{ content: 'Yes.' }], QUESTION, 'Yes.');
    // What goes back must be an object to every endpoint.
    expect(JSON.parse(sent.messages.at(-2)!.tool_calls![0]!.function.arguments)).toEqual({});
  });

  it('calls no tool that it was not told of, and the first of several', async () => {
    const invented = [{ content: 'Let me see.' }, ...callDeltas('call_x', 'launch_rocket', '{}')];
    expect((await ask(await open(), invented)).action).toBeUndefined();
    const second = { tool_calls: [{ index: 1, id: 'call_b', function: { name: 'book_table', arguments: '{}' } }] };
    expect((await ask(await open(), [...looks(), second])).action).toMatchObject({ name: 'order_status' });
  });

  it('puts a call together whatever the stream holds', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.jsonValue(), fc.array(fc.jsonValue())), { maxLength: 6 }), (pieces) => {
        const call = new StreamedToolCall();
        for (const piece of pieces) call.push(piece);
        expect(call.whole(tools)?.action.name ?? 'order_status').toMatch(/order_status|book_table/);
      }),
    );
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.array(fc.nat(200), { maxLength: 5 }),
        (given, cuts) => {
          const text = JSON.stringify(given);
          const call = new StreamedToolCall();
          call.push([{ index: 0, id: 'call_a', function: { name: 'order_status' } }]);
          let from = 0;
          for (const cut of [...cuts, text.length].sort((a, b) => a - b)) {
            const to = Math.min(text.length, Math.max(from, cut));
            call.push([{ index: 0, function: { arguments: text.slice(from, to) } }]);
            from = to;
          }
          expect(call.whole(tools)!.action.arguments).toEqual(JSON.parse(text));
        },
      ),
    );
  });
});
