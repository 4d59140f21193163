/** Delivery: order, repetition, bounds; against a real server, and in virtual time where waiting is the point. */
import { type CallEvent, CallEventSequence } from '../../src/core/call-event';
import { ManualClock, SystemClock } from '../../src/core/clock';
import { TrunklineError } from '../../src/core/errors';
import { silentLogger } from '../../src/core/log';
import type { Post, PostResult } from '../../src/webhooks/post-json';
import { type DispatcherOptions, WebhookDispatcher } from '../../src/webhooks/webhook-dispatcher';
import { startReceiver } from './receiver';

let made = 0;
const sources = { newId: () => `evt_${++made}`, now: () => new Date(1_700_000_000_000) };

function eventsOf(callId: string, count: number): CallEvent[] {
  const sequence = new CallEventSequence(callId, sources);
  return Array.from({ length: count }, () => sequence.next('dtmf.received', { digit: '5', durationMs: 80 }));
}

const endpoint = { url: 'https://x.example/hook', secrets: ['s'], events: ['*'] };

function dispatcher(more: Partial<DispatcherOptions>): WebhookDispatcher {
  return new WebhookDispatcher({
    endpoints: [endpoint],
    policy: { allowPrivate: ['localhost'] },
    clock: new SystemClock(),
    now: sources.now,
    random: () => 1,
    logger: silentLogger,
    ...more,
  });
}

const taken: PostResult = { status: 200, json: undefined, retryAfterMs: undefined };

/** Lets every promise that is ready run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

describe('delivery to a real server', () => {
  it('comes in order within each call although the server fails in between', async () => {
    const seen: string[] = [];
    const receiver = await startReceiver(({ body }, count) => {
      // Every third attempt fails.
      if (count % 3 === 0) return { status: 500 };
      const event = JSON.parse(body);
      seen.push(`${event.callId}/${event.sequence}`);
      return { status: 204 };
    });
    const clock = new ManualClock();
    const webhooks = dispatcher({ endpoints: [{ ...endpoint, url: receiver.url }], clock });
    for (const event of [...eventsOf('a', 6), ...eventsOf('b', 6)]) webhooks.publish(event);
    while (webhooks.counts.waiting > 0) {
      clock.advance(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await webhooks.close(0);
    await receiver.close();
    for (const callId of ['a', 'b']) {
      expect(seen.filter((place) => place.startsWith(callId))).toEqual(
        [1, 2, 3, 4, 5, 6].map((place) => `${callId}/${place}`),
      );
    }
    expect(webhooks.counts).toMatchObject({ delivered: 12, dropped: 0 });
    expect(webhooks.counts.attemptsFailed).toBeGreaterThan(0);
  });

  it('hands on what the receiver answers, and counts whether the call took it', async () => {
    const receiver = await startReceiver(() => ({ body: '{"actions":[{"type":"hangup"}]}' }));
    const answers: unknown[] = [];
    const webhooks = dispatcher({
      endpoints: [{ ...endpoint, url: receiver.url }],
      onAnswer: (callId, answer) => {
        answers.push([callId, answer]);
        return callId === 'live' ? 'taken' : 'ignored';
      },
    });
    for (const event of [...eventsOf('live', 1), ...eventsOf('over', 1)]) webhooks.publish(event);
    expect(await webhooks.close(5000)).toBe(0);
    await receiver.close();
    expect(answers).toContainEqual(['live', { actions: [{ type: 'hangup' }] }]);
    expect(webhooks.counts).toMatchObject({ answersTaken: 1, answersIgnored: 1 });
  });
});

describe('repetition', () => {
  function failing(outcome: () => Promise<PostResult>) {
    const clock = new ManualClock();
    const attemptsAtMs: number[] = [];
    const webhooks = dispatcher({
      clock,
      post: (_post: Post) => {
        attemptsAtMs.push(clock.nowMs());
        return outcome();
      },
    });
    return { clock, attemptsAtMs, webhooks };
  }

  it('waits twice as long each time, with the same id, until it is taken', async () => {
    let left = 4;
    const { clock, attemptsAtMs, webhooks } = failing(async () => (left-- > 0 ? { ...taken, status: 500 } : taken));
    webhooks.publish(eventsOf('a', 1)[0]!);
    for (let second = 0; second < 20; second++) {
      await settle();
      clock.advance(1000);
    }
    expect(attemptsAtMs).toEqual([0, 1000, 3000, 7000, 15_000]);
    expect(webhooks.counts).toMatchObject({ delivered: 1, attemptsFailed: 4, waiting: 0 });
  });

  it('waits as long as the receiver asks', async () => {
    let left = 1;
    const { clock, attemptsAtMs, webhooks } = failing(async () =>
      left-- > 0 ? { status: 429, json: undefined, retryAfterMs: 30_000 } : taken,
    );
    webhooks.publish(eventsOf('a', 1)[0]!);
    for (let second = 0; second < 40; second++) {
      await settle();
      clock.advance(1000);
    }
    expect(attemptsAtMs).toEqual([0, 30_000]);
  });

  it('ends after a day, and lets the next event of the call go', async () => {
    const { clock, attemptsAtMs, webhooks } = failing(async () => {
      throw new TrunklineError('webhook.unreachable', 'Nobody.');
    });
    for (const event of eventsOf('a', 2)) webhooks.publish(event);
    for (let hour = 0; hour < 80; hour++) {
      await settle();
      clock.advance(3_600_000);
    }
    await settle();
    expect(webhooks.counts).toMatchObject({ abandoned: 2, delivered: 0, waiting: 0 });
    expect(attemptsAtMs.length).toBeGreaterThan(40);
  });

  it('ends at once when the receiver is gone for good', async () => {
    const { attemptsAtMs, webhooks } = failing(async () => ({ ...taken, status: 410 }));
    webhooks.publish(eventsOf('a', 1)[0]!);
    await settle();
    expect(attemptsAtMs).toEqual([0]);
    expect(webhooks.counts).toMatchObject({ abandoned: 1, waiting: 0 });
  });
});

describe('bounds', () => {
  it('refuses the newest when the queue is full, and counts it', () => {
    const webhooks = dispatcher({ maxWaiting: 3, post: () => new Promise(() => {}) });
    for (const event of eventsOf('a', 5)) webhooks.publish(event);
    expect(webhooks.counts).toMatchObject({ dropped: 2, waiting: 3 });
  });

  it('has no more deliveries under way than it may', async () => {
    let underWay = 0;
    let most = 0;
    const releases: (() => void)[] = [];
    const webhooks = dispatcher({
      maxParallel: 2,
      post: () => {
        most = Math.max(most, ++underWay);
        return new Promise((resolve) => {
          releases.push(() => {
            underWay -= 1;
            resolve(taken);
          });
        });
      },
    });
    for (let call = 0; call < 6; call++) webhooks.publish(eventsOf(`c${call}`, 1)[0]!);
    while (webhooks.counts.delivered < 6) {
      releases.shift()?.();
      await settle();
    }
    expect(most).toBe(2);
  });

  it('sends an endpoint only the types that it asked for', async () => {
    const sent: string[] = [];
    const webhooks = dispatcher({
      endpoints: [{ ...endpoint, events: ['call.*', 'error'] }],
      post: async ({ body }) => {
        sent.push(JSON.parse(body).type);
        return taken;
      },
    });
    const sequence = new CallEventSequence('a', sources);
    webhooks.publish(sequence.next('call.ringing', {}));
    webhooks.publish(sequence.next('turn.user', { turn: 1, text: 'hello' }));
    webhooks.publish(sequence.next('error', { code: 'a.b', message: 'x' }));
    await settle();
    await webhooks.close(1000);
    expect(sent).toEqual(['call.ringing', 'error']);
  });

  it('says on closing how many events were left', async () => {
    const webhooks = dispatcher({ post: () => new Promise(() => {}) });
    for (const event of eventsOf('a', 2)) webhooks.publish(event);
    expect(await webhooks.close(0)).toBe(2);
  });
});
