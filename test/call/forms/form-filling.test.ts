/** A form on a call: the whole conversation but for engine and line, and the service that is called at its end. */
import { performAgent } from '../../../src/call/agent-performance';
import type { Stage } from '../../../src/call/call';
import { SpokenPrompts } from '../../../src/call/spoken-prompts';
import { noToolCounts } from '../../../src/call/tool-calls';
import type { ToolOutcome, ToolRequest } from '../../../src/call/tool-runs';
import { ManualClock } from '../../../src/core/clock';
import { silentLogger } from '../../../src/core/log';
import type { Tool, ToolTarget } from '../../../src/core/tool';
import type { SessionMessage } from '../../../src/media/media-router';
import { ScriptedEngine } from '../conversation-line';

const tool: Tool = {
  name: 'book',
  description: 'book an appointment',
  timeoutMs: 5_000,
  confirm: true,
  parameters: {
    type: 'object',
    properties: {
      name: { type: 'string', title: 'name', 'x-say': 'spelled', 'x-ask': 'What is your name?' },
      at: { type: 'string', title: 'time', 'x-say': 'date-time', 'x-ask': 'When would you like to come?' },
    },
    required: ['name', 'at'],
  },
};
const target: ToolTarget = { kind: 'http', url: 'https://x.example', method: 'POST', headers: {}, secretHeaders: {} };

function rig() {
  const clock = new ManualClock();
  const engine = new ScriptedEngine(clock);
  const events: [string, Record<string, unknown>][] = [];
  const requests: (ToolRequest & { done: (outcome: ToolOutcome) => void })[] = [];
  /** What the agent said, said from memory or not. */
  const captions: string[] = [];
  let ended = 0;
  const stage = {
    callId: 'c',
    transport: 'sip',
    link: {
      sessionId: 'c',
      post: (message: { type: string; turnId?: number; json?: string }) => {
        if (message.type === 'play-end') ended = message.turnId ?? 0;
        const caption = message.json === undefined ? undefined : JSON.parse(message.json);
        if (caption?.type === 'caption' && caption.role === 'agent' && caption.final) captions.push(caption.text);
      },
    },
    log: silentLogger,
    emit: (type: string, data: Record<string, unknown>) => void events.push([type, data]),
    end: () => undefined,
    become: () => undefined,
    take: async () => false,
    secure: () => undefined,
  } as unknown as Stage;
  const persona = { id: 'desk', name: 'Desk', instructions: 'Answer.', facts: [], tools: [tool] };
  const targets = new Map([['book', target]]);
  const action = { type: 'agent', persona, greeting: undefined, turns: { idle: { afterMs: 0 } }, targets } as const;
  const performance = performAgent(action, stage, {
    openEngine: () => engine,
    subscribe: () => () => undefined,
    prompts: new SpokenPrompts(),
    clock,
    turns: {},
    silenceSeconds: 4,
    toolCounts: noToolCounts(),
    runTool: (request) => new Promise((done) => requests.push({ ...request, done })),
    today: () => '2027-03-01',
    stepOut: () => false,
    summaryOf: () => undefined,
    handOver: () => undefined,
  });
  /** Everything that is being said is heard to its end. */
  const listen = () => {
    for (let ms = 0, last = 0; ms < 6_000; ms += 100) {
      clock.advance(100);
      if (ended === last || ended === 0) continue;
      last = ended;
      for (const state of ['started', 'finished'] as const) {
        const heardText = state === 'started' ? '' : 'heard';
        const playout = {
          type: 'playout',
          sessionId: 'c',
          turnId: ended,
          state,
          playedMs: 1_000,
          heardText,
          callSample: 0,
        };
        performance.onMedia(playout as unknown as SessionMessage);
      }
    }
  };
  const say = (text: string) => {
    performance.command({ type: 'user_text', text });
    listen();
  };
  const spoken = () => engine.orders.flatMap(({ input }) => (input.kind === 'say' ? [input.text] : []));
  return { engine, events, requests, captions, say, spoken, listen };
}

function upToReadBack() {
  const call = rig();
  call.engine.reply = 'Gladly.';
  call.engine.tool = { type: 'tool', name: 'book' };
  call.say('I would like an appointment.');
  call.engine.tool = undefined;
  call.say('B R O W N');
  call.say('Tomorrow at half past two');
  return call;
}

describe('a tool that asks the caller for what it needs', () => {
  it('is called once the caller agrees to what is read back, and what it tells is said word for word', async () => {
    const { events, requests, say, spoken, listen } = upToReadBack();
    expect(spoken()).toEqual([
      'What is your name?',
      'When would you like to come?',
      'I have name: Brown, B, R, O, W, N. time: Tuesday the 2nd of March at 2:30 pm. Is that right?',
    ]);
    expect(requests).toEqual([]);
    expect(events.filter(([type]) => type === 'tool.called')).toEqual([]);
    say('Yes.');
    expect(requests).toMatchObject([{ arguments: { name: 'Brown', at: '2027-03-02T14:30' }, target }]);
    expect(events.filter(([type]) => type === 'tool.called')).toMatchObject([
      ['tool.called', { name: 'book', by: 'http' }],
    ]);
    requests[0]!.done({ text: 'You are booked, Mrs. Brown.' });
    await new Promise((resolve) => setImmediate(resolve));
    listen();
    expect(spoken().slice(3)).toEqual(['One moment, please.', 'You are booked, Mrs. Brown.']);
  });

  it('is not called when the caller gives it up, and the conversation goes on', () => {
    const { requests, say, spoken, engine } = upToReadBack();
    say('Never mind.');
    expect(spoken().at(-1)).toMatch(/leave it at that/);
    say('When are you open?');
    expect(requests).toEqual([]);
    expect(engine.orders.at(-1)?.input).toMatchObject({ kind: 'text', text: 'When are you open?' });
  });

  it('has a question in between answered by the model, and asks again after that', () => {
    const { engine, say, captions, requests } = upToReadBack();
    engine.reply = 'It costs nothing.';
    say('How much does it cost?');
    expect(engine.orders.some(({ input }) => input.kind === 'text' && input.text === 'How much does it cost?')).toBe(
      true,
    );
    expect(captions.slice(-3)).toEqual([
      expect.stringMatching(/^I have name: Brown/),
      'It costs nothing.',
      expect.stringMatching(/^I have name: Brown/),
    ]);
    say('Yes.');
    expect(requests).toHaveLength(1);
  });

  it('tells plainly that it cannot be had, and once', async () => {
    const { requests, say, spoken, listen } = upToReadBack();
    say('Yes.');
    requests[0]!.done({ text: undefined });
    await new Promise((resolve) => setImmediate(resolve));
    listen();
    expect(spoken().at(-1)).toMatch(/cannot look that up/);
  });
});
