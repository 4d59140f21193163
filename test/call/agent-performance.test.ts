import { performAgent } from '../../src/call/agent-performance';
import type { Stage } from '../../src/call/call';
import { SpokenPrompts } from '../../src/call/spoken-prompts';
import { noToolCounts } from '../../src/call/tool-calls';
import { type AskAction, callActionSchema } from '../../src/core/call-action';
import { ManualClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import type { AgentAction, HandOver } from '../../src/dialplan/dialplan';
import type { SessionMessage } from '../../src/media/media-router';
import { ScriptedEngine } from './conversation-line';

const summary = 'Caller 100. They said: Can I talk to the doctor?';
const persona = { id: 'desk', name: 'Desk', instructions: 'Answer.', facts: [] };
const doctor: HandOver = { to: 'sip:doctor@example.com', ringSeconds: 20, mode: 'warm' };

/** An agent who is asked for somebody else, says that it connects, and has been heard. */
function asked(handOver: AgentAction['handOver']) {
  const clock = new ManualClock();
  const engine = new ScriptedEngine(clock);
  engine.reply = 'I will connect you.';
  engine.tool = 'handover';
  const events: [string, unknown][] = [];
  const ordered: [string, AgentAction['handOver']][] = [];
  const ended: number[] = [];
  const stage: Stage = {
    callId: 'c',
    transport: 'sip',
    link: {
      sessionId: 'c',
      post: (message: { type: string; turnId?: number }) =>
        void (message.type === 'play-end' && ended.push(message.turnId!)),
    } as never,
    log: silentLogger,
    emit: (type, data) => void events.push([type, data]),
    end: () => undefined,
    become: () => undefined,
    take: async () => false,
    secure: () => undefined,
  };
  const action: AgentAction = { type: 'agent', persona, greeting: undefined, turns: {}, handOver };
  const performance = performAgent(action, stage, {
    openEngine: () => engine,
    subscribe: () => () => undefined,
    prompts: new SpokenPrompts(),
    clock,
    turns: {},
    silenceSeconds: 4,
    toolCounts: noToolCounts(),
    runTool: async () => ({ text: undefined }),
    today: () => '2027-03-01',
    handOver: (callId, to) => ordered.push([callId, to]),
    summaryOf: () => summary,
    stepOut: () => false,
  });
  performance.command({ type: 'user_text', text: 'Can I talk to the doctor?' });
  clock.advance(3_000);
  const playout = (state: 'started' | 'finished') =>
    performance.onMedia({
      type: 'playout',
      sessionId: 'c',
      turnId: ended.at(-1),
      state,
      playedMs: state === 'started' ? 0 : 1_000,
      heardText: state === 'started' ? '' : engine.reply,
      callSample: 0,
    } as unknown as SessionMessage);
  playout('started');
  expect(ordered).toEqual([]);
  playout('finished');
  return { events: events.filter(([type]) => type === 'agent.handover'), ordered };
}

describe('an agent who hands its caller over', () => {
  it('has whom the dialplan names rung once its words are heard, and tells the world', () => {
    expect(asked(doctor)).toEqual({
      events: [['agent.handover', { to: doctor.to, summary }]],
      ordered: [['c', doctor]],
    });
  });

  it('has something else done with the call where the dialplan says so', () => {
    const handOver = { action: { type: 'echo' } } as const;
    expect(asked(handOver)).toEqual({
      events: [['agent.handover', { to: undefined, summary }]],
      ordered: [['c', handOver]],
    });
  });

  it('only tells the world where the dialplan names nobody', () => {
    expect(asked(undefined)).toEqual({ events: [['agent.handover', { to: undefined, summary }]], ordered: [] });
  });
});

describe('an agent that asks for an application', () => {
  function rig() {
    const clock = new ManualClock();
    const engine = new ScriptedEngine(clock);
    engine.reply = 'I think it is blue.';
    const events: [string, unknown][] = [];
    const became: unknown[] = [];
    const ended: number[] = [];
    const stage: Stage = {
      callId: 'c',
      transport: 'sip',
      link: {
        sessionId: 'c',
        post: (message: { type: string; turnId?: number }) =>
          void (message.type === 'play-end' && ended.push(message.turnId!)),
      } as never,
      log: silentLogger,
      emit: (type, data) => void events.push([type, data]),
      end: () => undefined,
      become: (action) => void became.push(action),
      take: async () => false,
      secure: () => undefined,
    };
    const performance = performAgent(
      { type: 'agent', persona, greeting: undefined, turns: {}, handOver: undefined },
      stage,
      {
        openEngine: () => engine,
        subscribe: () => () => undefined,
        prompts: new SpokenPrompts(),
        clock,
        turns: {},
        silenceSeconds: 4,
        toolCounts: noToolCounts(),
        runTool: async () => ({ text: undefined }),
        today: () => '2027-03-01',
        stepOut: () => false,
        summaryOf: () => undefined,
        handOver: () => undefined,
      },
    );
    const command = (action: Record<string, unknown>) =>
      performance.command(callActionSchema.parse(action) as AskAction);
    const playout = (state: 'started' | 'finished' | 'flushed', heardText = '') =>
      performance.onMedia({
        type: 'playout',
        sessionId: 'c',
        turnId: ended.at(-1),
        state,
        playedMs: state === 'finished' ? 1_000 : 0,
        heardText,
        callSample: 0,
      } as unknown as SessionMessage);
    return { clock, engine, events, became, performance, command, playout };
  }

  it('leaves the answer to the application, and goes on with the conversation afterwards', () => {
    const { clock, events, performance, command, playout } = rig();
    command({ type: 'ask', text: 'Which colour?', askId: 'colour' });
    clock.advance(3_000);
    playout('started');
    playout('finished', 'Which colour?');
    performance.command({ type: 'user_text', text: 'Green.' });
    clock.advance(3_000);
    const told = () => events.map(([type]) => type);
    expect(events).toContainEqual(['ask.answered', { askId: 'colour', reason: 'speech', text: 'Green.', attempts: 1 }]);
    expect(told().filter((type) => type === 'turn.agent')).toHaveLength(1);
    expect(performance.interruptions).toBe(0);
    expect(() => command({ type: 'ask', text: 'And which size?' })).not.toThrow();
    expect(() => command({ type: 'ask', text: 'And which size?' })).toThrow(
      expect.objectContaining({ code: 'call.wrong-state' }),
    );
  });

  it('takes keys for the answer while a question is open', () => {
    const { clock, events, performance, command, playout } = rig();
    command({ type: 'ask', text: 'Is that right?', expect: 'yes-no' });
    clock.advance(3_000);
    playout('started');
    performance.onMedia({ type: 'dtmf', sessionId: 'c', digit: '1', durationMs: 100 } as SessionMessage);
    expect(events).toContainEqual([
      'ask.answered',
      { askId: undefined, reason: 'digits', digits: '1', choice: 'yes', attempts: 1 },
    ]);
  });

  it('has secret digits typed into a menu that nobody hears', () => {
    const { became, command } = rig();
    const webhook = { url: 'https://app.example/pin' };
    command({ type: 'ask', text: 'Your PIN, please.', expect: 'digits', maxDigits: 4, secure: true, webhook });
    expect(became).toEqual([
      expect.objectContaining({ type: 'menu', secure: true, maxDigits: 4, webhook: { ...webhook, timeoutMs: 3_000 } }),
    ]);
  });
});
