/** Calls that are ordered: at the hours at which we may call, and again when nobody answered. */
import { CallQueue, type QueuedOrder } from '../../src/call/call-queue';
import { type RetryPolicy, retryPolicySchema } from '../../src/core/call-order';
import type { CallEndCause } from '../../src/core/call-record';
import { ManualClock } from '../../src/core/clock';
import { TrunklineError } from '../../src/core/errors';
import { timeWindowSchema } from '../../src/dialplan/schema';

const office = timeWindowSchema.parse({ from: '09:00', to: '18:00' });

function rig(startsAt: string, more: { maxWaiting?: number; failing?: boolean } = {}) {
  const clock = new ManualClock();
  const dialled: QueuedOrder[] = [];
  const failed: string[] = [];
  let ids = 0;
  const queue = new CallQueue<QueuedOrder>({
    clock,
    now: () => new Date(Date.parse(startsAt) + clock.nowMs()),
    newId: () => `wait_${++ids}`,
    hours: [office],
    maxWaiting: more.maxWaiting ?? 2,
    dial: (order) => {
      if (more.failing === true && dialled.length > 0) throw new TrunklineError('call.draining', 'No.');
      dialled.push(order);
      return `call_${dialled.length}`;
    },
    onFailed: (waiting) => failed.push(waiting.id),
  });
  const end = (cause: CallEndCause) => queue.ended({ id: `call_${dialled.length}`, cause });
  return { clock, queue, dialled, failed, end };
}

const order = (more: Partial<QueuedOrder> = {}): QueuedOrder => ({ to: 'sip:a@b', whenClosed: 'refuse', ...more });
const retry = (more: Partial<RetryPolicy> = {}): RetryPolicy => ({ ...retryPolicySchema.parse({}), ...more });
const hourMs = 3_600_000;

describe('an order', () => {
  it('is a call at once while the hours are on', () => {
    const { queue, dialled } = rig('2026-03-03T12:00:00Z');
    expect(queue.place(order())).toEqual({ callId: 'call_1' });
    expect(dialled).toEqual([order()]);
  });

  it('is refused outside of them, with the time at which they begin', () => {
    const { queue, dialled } = rig('2026-03-03T20:00:00Z');
    expect(() => queue.place(order())).toThrow(
      expect.objectContaining({ code: 'call.outside-hours', details: { opensAt: '2026-03-04T09:00:00.000Z' } }),
    );
    expect(dialled).toEqual([]);
  });

  it('waits for them where it says so, and can be taken back', () => {
    const { queue, dialled, clock } = rig('2026-03-03T20:00:00Z');
    queue.place(order({ whenClosed: 'wait' }));
    queue.place(order({ to: 'sip:c@d', whenClosed: 'wait' }));
    expect(queue.waiting.map(({ id, at }) => [id, at])).toEqual([
      ['wait_1', '2026-03-04T09:00:00.000Z'],
      ['wait_2', '2026-03-04T09:00:00.000Z'],
    ]);
    expect([queue.cancel('wait_2'), queue.cancel('wait_2')]).toEqual([true, false]);
    clock.advance(12.9 * hourMs);
    expect(dialled).toEqual([]);
    clock.advance(0.2 * hourMs);
    expect(dialled.map(({ to }) => to)).toEqual(['sip:a@b']);
    expect(queue.waiting).toEqual([]);
  });

  it('is refused when as many wait as may', () => {
    const { queue } = rig('2026-03-03T20:00:00Z', { maxWaiting: 1 });
    queue.place(order({ whenClosed: 'wait' }));
    expect(() => queue.place(order({ whenClosed: 'wait' }))).toThrow(
      expect.objectContaining({ code: 'call.too-many-waiting' }),
    );
  });
});

describe('a further attempt', () => {
  it('follows when nobody answered, as often as was asked, and says which one it is', () => {
    const { queue, dialled, clock, end } = rig('2026-03-03T12:00:00Z');
    queue.place(order({ metadata: { order: 7 }, retry: retry({ attempts: 3, afterSeconds: [300, 600] }) }));
    end('busy');
    expect(queue.waiting).toEqual([
      expect.objectContaining({ attempt: 2, at: '2026-03-03T12:05:00.000Z', lastCallId: 'call_1', lastCause: 'busy' }),
    ]);
    clock.advance(300_000);
    end('no-answer');
    clock.advance(600_000);
    expect(dialled.map(({ metadata }) => metadata)).toEqual([
      { order: 7 },
      { order: 7, attempt: 2, retryOf: 'call_1' },
      { order: 7, attempt: 3, retryOf: 'call_2' },
    ]);
    end('busy');
    expect(queue.waiting).toEqual([]);
  });

  it('follows neither an answer nor a refusal, nor a call that nobody ordered so', () => {
    const { queue, end } = rig('2026-03-03T12:00:00Z');
    queue.place(order({ retry: retry() }));
    end('caller-hangup');
    queue.place(order({ retry: retry() }));
    end('rejected');
    queue.place(order());
    end('busy');
    queue.ended({ id: 'somebody-else', cause: 'busy' });
    expect(queue.waiting).toEqual([]);
  });

  it('waits for the next morning when the hours end before it', () => {
    const { queue, end } = rig('2026-03-03T17:58:00Z');
    queue.place(order({ retry: retry({ afterSeconds: [300] }) }));
    end('busy');
    expect(queue.waiting.map(({ at }) => at)).toEqual(['2026-03-04T09:00:00.000Z']);
  });

  it('that finds no room, or cannot be placed, is counted', () => {
    const full = rig('2026-03-03T12:00:00Z', { maxWaiting: 1 });
    full.queue.place(order({ retry: retry() }));
    full.end('busy');
    full.queue.place(order({ retry: retry() }));
    full.end('busy');
    expect(full.queue.counts).toEqual({ waiting: 1, dropped: 1 });

    const failing = rig('2026-03-03T12:00:00Z', { failing: true });
    failing.queue.place(order({ retry: retry() }));
    failing.end('busy');
    failing.clock.advance(hourMs);
    expect([failing.queue.counts, failing.failed]).toEqual([{ waiting: 0, dropped: 1 }, ['wait_1']]);
  });

  it('is not made once the agent is being stopped', () => {
    const { queue, clock, dialled, end } = rig('2026-03-03T12:00:00Z');
    queue.place(order({ retry: retry() }));
    end('busy');
    queue.close();
    clock.advance(24 * hourMs);
    expect([dialled.length, queue.waiting]).toEqual([1, []]);
  });
});
