/** Several lines that the same people serve: the phones that ring are promises, the rest is real. */
import fc from 'fast-check';
import type { BridgeSide } from '../../../src/call/bridge';
import { Queues } from '../../../src/call/queue/queues';
import { ManualClock } from '../../../src/core/clock';
import type { QueueAction } from '../../../src/dialplan/dialplan';

const action = (name: string, ...people: string[]): QueueAction => ({
  type: 'queue',
  name,
  members: people.map((to) => ({ to })),
  ring: 'one-by-one',
  ringSeconds: 20,
  retrySeconds: 5,
  wrapUpSeconds: 2,
  maxLength: 20,
  maxWaitSeconds: 600,
  music: undefined,
  announce: { position: false, wait: false, prompt: undefined, voice: undefined, everySeconds: 30 },
  otherwise: undefined,
});

interface Phone {
  readonly line: string;
  readonly to: string;
  over: boolean;
  readonly answer: () => void;
  readonly refuse: () => void;
  hangUp: () => void;
}

function lines() {
  const clock = new ManualClock();
  /** Every phone that ever rang; `over` as soon as it neither rings nor talks. */
  const phones: Phone[] = [];
  const queues = new Queues((line) => ({
    clock,
    dial: ({ to }, _ringSeconds, signal) =>
      new Promise((resolve, reject) => {
        let left = (): void => undefined;
        const phone: Phone = {
          line,
          to,
          over: false,
          answer: () =>
            resolve({
              onLeft: (tell: () => void) => {
                left = tell;
              },
              leave: () => {
                phone.over = true;
              },
            } as unknown as BridgeSide),
          refuse: () => {
            phone.over = true;
            reject(new Error('nobody there'));
          },
          hangUp: () => {
            phone.over = true;
            left();
          },
        };
        signal.addEventListener('abort', () => {
          phone.over = true;
        });
        phones.push(phone);
      }),
  }));
  const join = (action: QueueAction, callId: string) => queues.lineFor(action).join({ callId, serve: () => undefined });
  const busy = () => phones.filter(({ over }) => !over).map(({ line, to }) => `${to} ${line}`);
  return { clock, phones, queues, join, busy };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('people who serve several lines', () => {
  const sales = action('sales', 'anna', 'bert');
  const support = action('support', 'anna');

  it('are rung by one of them at a time, and by the next when they are free again', async () => {
    const { join, busy, phones, clock } = lines();
    join(sales, 'first');
    join(support, 'second');
    expect(busy()).toEqual(['anna sales']);
    phones[0]!.answer();
    await settled();
    expect(busy()).toEqual(['anna sales']);
    phones[0]!.hangUp();
    expect(busy()).toEqual([]);
    clock.advance(2_000);
    expect(busy()).toEqual(['anna support']);
  });

  it('are not rung by a line that knew them before another needed them', () => {
    const { join, busy, queues } = lines();
    join(support, 'gone');
    queues.lineFor(support).leave('gone');
    join(sales, 'first');
    expect(busy()).toEqual(['anna sales']);
    queues.lineFor(support).join({ callId: 'second', serve: () => undefined });
    expect(busy()).toEqual(['anna sales']);
  });

  it('are not rung by a line that opens while another needs them', async () => {
    const { join, busy, phones, clock } = lines();
    join(support, 'first');
    join(sales, 'second');
    expect(busy()).toEqual(['anna support', 'bert sales']);
    phones[0]!.refuse();
    await settled();
    clock.advance(5_000);
    expect(busy()).toEqual(['bert sales', 'anna support']);
  });

  it('have one phone ringing at most, whatever happens', async () => {
    const people = ['anna', 'bert', 'cora'];
    const names = ['sales', 'support', 'returns'];
    const step = fc.oneof(
      fc.record({
        type: fc.constant('join' as const),
        line: fc.constantFrom(...names),
        who: fc.subarray(people, { minLength: 1 }),
      }),
      fc.record({ type: fc.constant('leave' as const), line: fc.constantFrom(...names), nth: fc.nat(5) }),
      fc.record({ type: fc.constantFrom('answer' as const, 'refuse' as const, 'hangUp' as const), nth: fc.nat(5) }),
      fc.record({ type: fc.constant('wait' as const), ms: fc.constantFrom(500, 2_000, 5_000) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.constantFrom<'one-by-one' | 'all'>('one-by-one', 'all'),
        async (steps, ring) => {
          const { clock, phones, queues, join } = lines();
          // A line whose people stay the same: who is taken out of it while talking is nobody's any more.
          const members = new Map<string, QueueAction>();
          const joined = new Map<string, string[]>();
          for (const [index, one] of steps.entries()) {
            const alive = phones.filter(({ over }) => !over);
            if (one.type === 'join') {
              const line = members.get(one.line) ?? { ...action(one.line, ...one.who), ring };
              members.set(one.line, line);
              join(line, `call${index}`);
              joined.set(one.line, [...(joined.get(one.line) ?? []), `call${index}`]);
            } else if (one.type === 'leave') {
              const line = members.get(one.line);
              const callId = joined.get(one.line)?.[one.nth];
              if (line !== undefined && callId !== undefined) queues.lineFor(line).leave(callId);
            } else if (one.type === 'wait') clock.advance(one.ms);
            else alive[one.nth % Math.max(1, alive.length)]?.[one.type]();
            await settled();
            const taken = phones.filter(({ over }) => !over).map(({ to }) => to);
            expect(taken).toEqual([...new Set(taken)]);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
