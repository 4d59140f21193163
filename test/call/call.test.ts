/** A call's life: its states, its events without a gap, and the one way in which it ends. */

import { Call, type Leg, type Performance, type Stage } from '../../src/call/call';
import { type CallStep, nextCallState } from '../../src/call/call-state';
import type { CallEvent } from '../../src/core/call-event';
import type { CallEndCause } from '../../src/core/call-record';
import { ManualClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import { MediaRouter } from '../../src/media/media-router';
import type { MediaStats, ToMedia } from '../../src/media/protocol';

const STATS: MediaStats = {
  packetsSent: 1,
  packetsReceived: 2,
  packetsLost: 0,
  packetsLate: 0,
  packetsDropped: 0,
  jitterMs: 0,
  concealedMs: 0,
  paceP99Ms: 0.1,
};

function rig(options: { byeHangs?: boolean; endsWithin?: boolean; mediaHangs?: boolean; recordedMs?: number } = {}) {
  const clock = new ManualClock();
  const stats = { ...STATS, recordedMs: options.recordedMs };
  const order: string[] = [];
  const events: CallEvent[] = [];
  const router = new MediaRouter({
    post(message: ToMedia) {
      if (message.type !== 'close') return;
      order.push('media');
      if (options.mediaHangs !== true) {
        queueMicrotask(() => router.receive({ type: 'closed', sessionId: message.sessionId, stats }));
      }
    },
  });
  const leg: Leg = {
    async hangUp() {
      order.push('bye');
      if (options.byeHangs === true) await new Promise(() => undefined);
    },
  };
  let stage: Stage | undefined;
  const performance: Performance = {
    turnGapsMs: [700],
    interruptions: 1,
    onMedia() {},
    onHold: (held) => order.push(held ? 'held' : 'resumed'),
    command: () => true,
    async close(cause: CallEndCause) {
      order.push('performance');
      if (options.endsWithin === true) stage?.end(cause);
    },
  };
  let ids = 0;
  const call = new Call({
    record: { id: 'c', direction: 'inbound', transport: 'sip', from: 'a', to: 'b', headers: {} },
    link: router.open('c'),
    leg,
    clock,
    log: silentLogger,
    events: {
      newId: () => {
        ids += 1;
        return `e${ids}`;
      },
      now: () => new Date(0),
    },
    publish: (event) => events.push(event),
    perform: (_action, given) => {
      stage = given;
      return performance;
    },
    choose: async (action) => (action.type === 'webhook' ? action.fallback : action),
    maxSeconds: 60,
  });
  const settle = async (advanceMs = 0) => {
    for (let turn = 0; turn < 20; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(advanceMs / 20);
    }
  };
  return { call, clock, events, order, router, settle };
}

describe('a call', () => {
  it('goes on with what takes it over, although what ran before says in closing that it has ended', async () => {
    const { call, settle, order } = rig({ endsWithin: true });
    call.ringing();
    call.answered({ type: 'echo' });
    const next: Performance = {
      turnGapsMs: [],
      interruptions: 0,
      onMedia() {},
      onHold() {},
      command: () => false,
      close: async () => undefined,
    };
    await call.take('bridge', () => next);
    await settle();
    expect(order).toEqual(['performance']);
    expect(call.snapshot).toMatchObject({ state: 'answered', action: 'bridge' });
    await call.close('caller-hangup');
  });

  it.each(['end', 'become', 'take'] as const)('is left by what is only being begun: %s', async (how) => {
    const { call, settle, events } = rig();
    const hasEnded = { turnGapsMs: [], interruptions: 0, onMedia() {}, onHold() {}, command: () => false };
    const brief: Performance = { ...hasEnded, close: async () => undefined };
    call.answeredWith('brief', (stage) => {
      if (how === 'end') stage.end('finished');
      else if (how === 'become') stage.become({ type: 'echo' });
      else void stage.take('echo', () => brief);
      return brief;
    });
    await settle();
    if (how === 'end') expect(events.at(-1)).toMatchObject({ type: 'call.ended', data: { cause: 'finished' } });
    else expect(call.snapshot).toMatchObject({ state: 'answered', action: 'echo' });
  });

  it('tells its life in events without a gap', async () => {
    const { call, events } = rig();
    call.ringing();
    call.answered({ type: 'echo' });
    await call.close('caller-hangup', { status: 200 });
    expect(events.map(({ type }) => type)).toEqual(['call.started', 'call.ringing', 'call.answered', 'call.ended']);
    expect(events.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
    expect(events.at(-1)?.data).toMatchObject({
      cause: 'caller-hangup',
      quality: { turnGapsMs: [700], interruptions: 1 },
    });
  });

  it('tells where its recording is, when that is whole', async () => {
    const { call, events } = rig({ recordedMs: 1240 });
    call.answered({ type: 'echo' });
    await call.close('caller-hangup');
    expect(events.slice(-2).map(({ type }) => type)).toEqual(['recording.ready', 'call.ended']);
    expect(events.at(-2)?.data).toEqual({ durationMs: 1240, path: '/v1/calls/c/recording' });
  });

  it('goes on when it cannot be recorded, and ends when its media fail', async () => {
    const { call, events, router, settle } = rig();
    call.answered({ type: 'echo' });
    router.receive({ type: 'failed', sessionId: 'c', code: 'audio.recording-failed', message: 'full' });
    await settle();
    expect(events.map(({ type }) => type)).toEqual(['call.started', 'call.answered', 'error']);
    router.receive({ type: 'failed', sessionId: 'c', code: 'media.internal', message: 'broken' });
    await settle();
    expect(events.at(-1)).toMatchObject({ type: 'call.ended', data: { cause: 'media-failed' } });
  });

  it('ends in the order that ARCHITECTURE.md writes down', async () => {
    const { call, order } = rig();
    call.answered({ type: 'echo' });
    await call.close('shutdown');
    expect(order).toEqual(['performance', 'bye', 'media']);
  });

  it('ends once, although its performance says so while it is being closed', async () => {
    const { call, events } = rig({ endsWithin: true });
    call.answered({ type: 'echo' });
    await Promise.all([call.close('caller-hangup'), call.close('shutdown')]);
    expect(events.filter(({ type }) => type === 'call.ended')).toHaveLength(1);
    expect(call.snapshot).toMatchObject({ state: 'ended', cause: 'caller-hangup' });
  });

  it('goes on when an agent that is taken off the line says that it has ended', async () => {
    const { call } = rig({ endsWithin: true });
    call.answered({ type: 'echo' });
    const next: Performance = {
      turnGapsMs: [],
      interruptions: 0,
      onMedia() {},
      onHold() {},
      command: () => true,
      close: async () => undefined,
    };
    await call.take('bridge', () => next);
    expect(call.snapshot).toMatchObject({ state: 'answered', action: 'bridge' });
  });

  it('ends within two seconds although neither BYE nor media answer', async () => {
    const { call, settle } = rig({ byeHangs: true, mediaHangs: true });
    call.answered({ type: 'echo' });
    let ended = false;
    void call.close('caller-hangup').then(() => {
      ended = true;
    });
    await settle(2_000);
    await settle();
    expect(ended).toBe(true);
  });

  it('ends when media stops, when the peer is gone and when its time is over', async () => {
    for (const [happen, cause] of [
      [(r: ReturnType<typeof rig>) => r.router.receive({ type: 'media-timeout', sessionId: 'c' }), 'media-timeout'],
      [
        (r: ReturnType<typeof rig>) => r.router.receive({ type: 'webrtc-state', sessionId: 'c', state: 'closed' }),
        'caller-hangup',
      ],
      [(r: ReturnType<typeof rig>) => r.clock.advance(60_000), 'time-limit'],
    ] as const) {
      const made = rig();
      made.call.answered({ type: 'echo' });
      happen(made);
      await made.settle();
      expect(made.call.snapshot.cause).toBe(cause);
    }
  });

  it('does nothing on an answer that comes too late', async () => {
    const { call, order } = rig();
    await call.close('cancelled');
    call.answered({ type: 'echo' });
    expect(call.snapshot.state).toBe('ended');
    expect(order).toEqual(['bye', 'media']);
  });

  it('passes hold on, also one that came before the answer', () => {
    const { call, order } = rig();
    call.hold(true);
    call.answered({ type: 'echo' });
    call.hold(false);
    expect(order).toEqual(['held', 'resumed']);
  });
});

describe('a key that the caller pressed', () => {
  const pressed = (events: readonly CallEvent[]) =>
    events.filter(({ type }) => type === 'dtmf.received').map(({ data }) => (data as { digit: string }).digit);
  const byRtp = (made: ReturnType<typeof rig>, digit: string, durationMs = 100) =>
    made.router.receive({ type: 'dtmf', sessionId: 'c', digit, durationMs });

  it('is told once when it comes by RTP and by INFO', () => {
    const made = rig();
    made.call.answered({ type: 'echo' });
    made.call.key('info', '5', 0);
    made.clock.advance(2_000);
    byRtp(made, '5', 1_900);
    byRtp(made, '6');
    made.call.key('info', '6', 100);
    expect(pressed(made.events)).toEqual(['5', '6']);
  });

  it('is told as often as it was pressed', () => {
    const made = rig();
    made.call.answered({ type: 'echo' });
    for (let times = 0; times < 2; times += 1) {
      byRtp(made, '1');
      made.call.key('info', '1', 100);
      made.clock.advance(150);
    }
    made.call.key('info', '2', 100);
    made.call.key('info', '2', 100);
    expect(pressed(made.events)).toEqual(['1', '1', '2', '2']);
  });
});

describe('the table of call states', () => {
  it('has no way out of ended and none back from ending', () => {
    const steps: CallStep[] = ['ring', 'answer', 'close', 'released'];
    expect(steps.map((step) => nextCallState('ended', step))).toEqual([undefined, undefined, undefined, undefined]);
    expect(steps.map((step) => nextCallState('ending', step))).toEqual([undefined, undefined, undefined, 'ended']);
  });
});
