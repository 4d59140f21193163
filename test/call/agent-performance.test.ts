import { performAgent } from '../../src/call/agent-performance';
import type { Stage } from '../../src/call/call';
import { SpokenPrompts } from '../../src/call/spoken-prompts';
import { noToolCounts } from '../../src/call/tool-calls';
import { ManualClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import type { AgentAction, HandOver } from '../../src/dialplan/dialplan';
import type { SessionMessage } from '../../src/media/media-router';
import { ScriptedEngine } from './conversation-line';

const persona = { id: 'desk', name: 'Desk', instructions: 'Answer.', facts: [] };
const doctor: HandOver = { to: 'sip:doctor@example.com', ringSeconds: 20, mode: 'warm' };

/** An agent who is asked for somebody else, says that it connects, and has been heard. */
function asked(handOver: HandOver | undefined) {
  const clock = new ManualClock();
  const engine = new ScriptedEngine(clock);
  engine.reply = 'I will connect you.';
  engine.tool = 'handover';
  const events: [string, unknown][] = [];
  const ordered: [string, HandOver][] = [];
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
    take: () => undefined,
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
    handOver: (callId, to) => ordered.push([callId, to]),
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
      events: [['agent.handover', { to: doctor.to }]],
      ordered: [['c', doctor]],
    });
  });

  it('only tells the world where the dialplan names nobody', () => {
    expect(asked(undefined)).toEqual({ events: [['agent.handover', { to: undefined }]], ordered: [] });
  });
});
