import fc from 'fast-check';
import { nextToolCallState, noToolCounts, ToolCalls } from '../../src/call/tool-calls';
import { TrunklineError } from '../../src/core/errors';
import { Line } from './conversation-line';

const coded = (code: string) => expect.objectContaining({ code });
const LOOKING = 'One moment, please.';

describe('the tool calls of a conversation', () => {
  it('take one result each, and refuse another with a code', () => {
    const counts = noToolCounts();
    const calls = new ToolCalls('call_1', counts);
    const id = calls.open(3, 'order_status');
    expect(calls.answer(id)).toBe(3);
    expect(() => calls.answer(id)).toThrow(coded('tool.already-answered'));
    expect(counts).toEqual({ called: 1, timedOut: 0, overtaken: 0, cancelled: 0, failed: 0, resultsRefused: 1 });
  });

  it.each([
    ['timed-out', 'tool.too-late'],
    ['overtaken', 'tool.overtaken'],
    ['cancelled', 'tool.cancelled'],
  ] as const)('refuse the result of one that is %s', (because, code) => {
    const counts = noToolCounts();
    const calls = new ToolCalls('call_1', counts);
    const id = calls.open(3, 'order_status');
    expect(calls.giveUp(3, because)).toEqual({ toolCallId: id, name: 'order_status' });
    expect(() => calls.answer(id)).toThrow(coded(code));
    expect(counts.resultsRefused).toBe(1);
    expect(counts.timedOut + counts.overtaken + counts.cancelled).toBe(1);
  });

  it('know neither those of another call nor invented ones', () => {
    const one = new ToolCalls('call_1', noToolCounts());
    const other = new ToolCalls('call_2', noToolCounts());
    const id = one.open(1, 'order_status');
    expect(() => other.answer(id)).toThrow(coded('tool.unknown-call'));
    fc.assert(
      fc.property(fc.string(), (invented) => {
        fc.pre(invented !== id);
        expect(() => one.answer(invented)).toThrow(coded('tool.unknown-call'));
      }),
    );
    expect(one.answer(id)).toBe(1);
  });

  it('are in one of four states, whatever happens in whatever order, and remembered up to a bound', () => {
    const deed = fc.record({
      turnId: fc.integer({ min: 1, max: 100 }),
      do: fc.constantFrom('open', 'answer', 'timed-out', 'overtaken'),
    });
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 300 }), (deeds) => {
        const counts = noToolCounts();
        const calls = new ToolCalls('c', counts);
        const taken = new Set<number>();
        for (const { turnId, do: what } of deeds) {
          if (what === 'open') {
            if (taken.has(turnId)) continue;
            calls.open(turnId, 'tool');
          } else if (what === 'answer') {
            try {
              expect(calls.answer(`c_tool_${turnId}`)).toBe(turnId);
              expect(taken.has(turnId)).toBe(false);
              taken.add(turnId);
            } catch (error) {
              expect(error).toBeInstanceOf(TrunklineError);
            }
          } else calls.giveUp(turnId, what === 'timed-out' ? 'timed-out' : 'overtaken');
        }
        expect(counts.called).toBeGreaterThanOrEqual(taken.size);
      }),
    );
  });

  it('follow a table in which nothing follows the end', () => {
    expect(nextToolCallState('waiting', 'answer')).toBe('answered');
    for (const step of ['answer', 'time-out', 'overtake'] as const) {
      expect(nextToolCallState('timed-out', step)).toBeUndefined();
      expect(nextToolCallState('overtaken', step)).toBeUndefined();
    }
  });
});

describe('a conversation with a tool', () => {
  function asked(): Line {
    const line = new Line();
    line.engine.question = 'Where is my order?';
    line.engine.reply = LOOKING;
    line.engine.tool = { type: 'tool', name: 'order_status', arguments: { order: '17' } };
    line.advance(500);
    line.speak(1_000);
    for (let ms = 0; ms < 8_000 && line.ofType('tool-called').length === 0; ms += 20) line.advance(20);
    return line;
  }

  it('tells the application what was said, and speaks from its result', () => {
    const line = asked();
    const [call] = line.ofType('tool-called');
    expect(call).toMatchObject({ name: 'order_status', said: 'Where is my order?', arguments: { order: '17' } });
    expect(line.conversation.toolResult(call!.toolCallId, 'Your order ships on Friday.')).toBe(true);
    line.advance(10_000);
    expect(line.engine.orders.at(-1)!.input).toEqual({
      kind: 'tool-result',
      question: 'Where is my order?',
      text: 'Your order ships on Friday.',
    });
    expect(line.engine.commits).toEqual([
      { turnId: 1, userText: 'Where is my order?', heardText: LOOKING, interrupted: false },
      { turnId: 2, userText: 'Where is my order?', heardText: 'Your order ships on Friday.', interrupted: false },
    ]);
    expect(line.ofType('user-turn')).toHaveLength(1);
    expect(() => line.conversation.toolResult(call!.toolCallId, 'Again.')).toThrow(coded('tool.already-answered'));
  });

  it('says that it cannot look it up when the result does not come, and refuses it afterwards', () => {
    const line = asked();
    const [call] = line.ofType('tool-called');
    line.advance(20_000);
    expect(line.ofType('tool-late')).toEqual([{ type: 'tool-late', name: 'order_status' }]);
    expect(line.engine.commits.at(-1)).toMatchObject({
      userText: undefined,
      heardText: expect.stringMatching(/cannot look that up.*colleague/),
    });
    expect(() => line.conversation.toolResult(call!.toolCallId, 'Late.')).toThrow(coded('tool.too-late'));
    expect(line.toolCounts).toEqual({
      called: 1,
      timedOut: 1,
      overtaken: 0,
      cancelled: 0,
      failed: 0,
      resultsRefused: 1,
    });
  });

  it('says so at once when the application tells an error', () => {
    const line = asked();
    line.conversation.toolResult(line.ofType('tool-called')[0]!.toolCallId, undefined);
    line.advance(10_000);
    expect(line.ofType('tool-late')).toEqual([]);
    expect(line.engine.commits.at(-1)!.heardText).toMatch(/cannot look that up/);
  });

  it('takes nothing more when the caller has hung up', async () => {
    const line = asked();
    const [call] = line.ofType('tool-called');
    const closing = line.conversation.close('caller-hangup');
    expect(line.conversation.toolResult(call!.toolCallId, 'Your order ships on Friday.')).toBe(false);
    line.advance(1_000);
    await closing;
    expect(line.conversation.toolResult(call!.toolCallId, 'Your order ships on Friday.')).toBe(false);
    expect(line.engine.orders).toHaveLength(1);
  });

  it('answers a caller who barges in, and then tells what was looked up', () => {
    const line = asked();
    const [call] = line.ofType('tool-called');
    line.advance(1_500);
    line.engine.tool = undefined;
    line.engine.question = 'When are you open?';
    line.engine.reply = 'From nine to five.';
    line.speak(900);
    line.conversation.toolResult(call!.toolCallId, 'Your order ships on Friday.');
    line.advance(15_000);
    expect(line.engine.commits.map(({ heardText }) => heardText)).toEqual([
      LOOKING,
      'From nine to five.',
      'Your order ships on Friday.',
    ]);
  });
});
