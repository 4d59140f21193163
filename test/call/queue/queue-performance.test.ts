/** Callers in a line, by virtual time: the phones that ring are promises, the rest is real. */
import { BridgeSide } from '../../../src/call/bridge';
import type { Performance, Sound, Stage } from '../../../src/call/call';
import { performQueue } from '../../../src/call/queue/queue-performance';
import { WaitingLine } from '../../../src/call/queue/waiting-line';
import { ManualClock } from '../../../src/core/clock';
import { silentLogger } from '../../../src/core/log';
import type { QueueAction } from '../../../src/dialplan/dialplan';
import type { SessionMessage } from '../../../src/media/media-router';

const base: QueueAction = {
  type: 'queue',
  name: 'support',
  members: [{ to: 'sip:anna@example.com' }],
  ring: 'one-by-one',
  ringSeconds: 20,
  retrySeconds: 5,
  wrapUpSeconds: 2,
  maxLength: 2,
  maxWaitSeconds: 60,
  music: undefined,
  announce: {
    position: true,
    wait: true,
    prompt: { say: 'Thank you.', voice: undefined },
    voice: undefined,
    everySeconds: 30,
  },
  otherwise: undefined,
};
const echo = { type: 'echo' } as const;
const settled = () => new Promise((resolve) => setImmediate(resolve));

interface Ring {
  readonly to: string;
  readonly signal: AbortSignal;
  readonly answer: () => Promise<StageOf>;
  readonly refuse: () => Promise<unknown>;
}
type StageOf = ReturnType<typeof stageOf>;

function stageOf(callId: string) {
  const told: string[] = [];
  const posted: { readonly type: string; readonly [key: string]: unknown }[] = [];
  let performance: Performance | undefined;
  const stage: Stage = {
    callId,
    transport: 'sip',
    link: { sessionId: callId, post: (message: { type: string }) => posted.push({ ...message }) } as never,
    log: silentLogger,
    emit: (type, data) => void told.push(`${type} ${JSON.stringify(data)}`),
    end: (cause) => {
      told.push(`end ${cause}`);
      void performance?.close(cause);
    },
    become: (action) => void told.push(`become ${action.type}`),
    take: async (name, make) => {
      await performance?.close('finished');
      told.push(`take ${name}`);
      performance = make(stage);
      return true;
    },
    secure: () => undefined,
  };
  return {
    stage,
    told,
    posted,
    perform: (make: (stage: Stage) => Performance) => {
      performance = make(stage);
      return performance;
    },
  };
}

function line(changes: Partial<QueueAction> = {}) {
  const action = { ...base, ...changes };
  const clock = new ManualClock();
  const rings: Ring[] = [];
  const said: string[] = [];
  const waiting = new WaitingLine(action, {
    clock,
    dial: ({ to }, _ringSeconds, signal) =>
      new Promise((resolve, reject) => {
        rings.push({
          to,
          signal,
          answer: async () => {
            const phone = stageOf(`phone${rings.length}`);
            phone.perform((stage) => {
              const side = new BridgeSide(stage);
              resolve(side);
              return side;
            });
            await settled();
            return phone;
          },
          refuse: () => {
            reject(new Error('nobody there'));
            return settled();
          },
        });
      }),
  });
  const call = (callId: string, mayDial = true, music?: Sound) => {
    const caller = stageOf(callId);
    const performance = caller.perform((stage) =>
      performQueue(action, stage, {
        clock,
        line: waiting,
        mayDial,
        load: async (prompt) => {
          said.push('say' in prompt ? prompt.say : prompt.path);
          return [{ pcm: new Int16Array(8), sampleRate: 8000 }];
        },
        music: Promise.resolve(music),
      }),
    );
    const heardOut = async () => {
      await settled();
      const turnId = caller.posted.findLast(({ type }) => type === 'play-end')?.['turnId'];
      performance.onMedia({ type: 'playout', sessionId: callId, turnId, state: 'finished' } as SessionMessage);
    };
    return { ...caller, performance, heardOut };
  };
  return { clock, rings, said, call, waiting };
}

describe('a caller in a line', () => {
  it('is told the position, again and again, and is connected with whoever answers', async () => {
    const { call, rings, said, clock } = line();
    const first = call('first');
    const second = call('second');
    expect(second.told).toEqual(['queue.joined {"queue":"support","position":2,"waiting":2}']);
    await second.heardOut();
    expect(said).toEqual(['You are the next in line.', 'Thank you.', 'You are number 2 in line.', 'Thank you.']);
    clock.advance(1_500);
    const phone = await rings[0]!.answer();
    expect(first.told.slice(1)).toEqual([
      'queue.left {"queue":"support","reason":"bridged","waitMs":1500,"position":1,"peerCallId":"phone1"}',
      'take bridge',
    ]);
    expect(first.posted).toContainEqual({ type: 'source', source: { kind: 'bridge', peers: ['phone1'] } });
    expect(phone.posted).toContainEqual({ type: 'source', source: { kind: 'bridge', peers: ['first'] } });
    clock.advance(28_500);
    await settled();
    expect(said.slice(4)).toEqual(['You are the next in line.', 'Thank you.']);
  });

  it('is served after the one before, when the phone has rested', async () => {
    const { call, rings, clock } = line();
    const first = call('first');
    const second = call('second');
    await rings[0]!.answer();
    expect(rings).toHaveLength(1);
    clock.advance(90_000 - 60_000);
    first.stage.end('caller-hangup');
    expect(rings).toHaveLength(1);
    clock.advance(2_000);
    expect(rings).toHaveLength(2);
    await rings[1]!.answer();
    expect(second.told.at(-1)).toBe('take bridge');
  });

  it('is told how long it may take, once that can be known', async () => {
    const { call, rings, clock, said } = line({ maxWaitSeconds: 1_000 });
    const first = call('first');
    await rings[0]!.answer();
    clock.advance(150_000);
    first.stage.end('caller-hangup');
    call('second');
    await settled();
    expect(said.slice(-3)).toEqual(['You are the next in line.', 'It will take about 3 minutes.', 'Thank you.']);
  });

  it('goes on to another phone when the first does not answer, and to the first again when it has rested', async () => {
    const { call, rings, clock } = line({ members: [{ to: 'sip:anna@a' }, { to: 'sip:bert@b' }] });
    call('first');
    await rings[0]!.refuse();
    expect(rings.map(({ to }) => to)).toEqual(['sip:anna@a', 'sip:bert@b']);
    clock.advance(5_000);
    expect(rings).toHaveLength(2);
    await rings[1]!.refuse();
    expect(rings.map(({ to }) => to)).toEqual(['sip:anna@a', 'sip:bert@b', 'sip:anna@a']);
  });

  it('hangs up: the phone stops ringing, and whoever answers just then is let go', async () => {
    const { call, rings, waiting } = line();
    const first = call('first');
    await first.performance.close('caller-hangup');
    expect(first.told.slice(1)).toEqual(['queue.left {"queue":"support","reason":"hangup","waitMs":0,"position":1}']);
    expect(rings[0]!.signal.aborted).toBe(true);
    const phone = await rings[0]!.answer();
    expect(phone.told).toEqual(['end finished']);
    expect(waiting.idle).toBe(true);
  });

  it.each([
    ['has waited too long', undefined, 'end no-answer'],
    ['has waited too long and there is something else', echo, 'become echo'],
  ])('%s', async (_what, otherwise, last) => {
    const { call, clock, rings } = line({ otherwise });
    const first = call('first');
    clock.advance(60_000);
    expect(first.told.slice(1)).toEqual([
      'queue.left {"queue":"support","reason":"timeout","waitMs":60000,"position":1}',
      last,
    ]);
    expect(rings[0]!.signal.aborted).toBe(true);
  });

  it.each([
    ['finds the line full', true, 'full', 'end busy'],
    ['may not make us call anybody', false, 'not-allowed', 'end rejected'],
  ])('%s', async (_what, mayDial, reason, last) => {
    const { call, rings } = line();
    call('first');
    call('second');
    const third = call('third', mayDial);
    await settled();
    expect(third.told).toEqual([`queue.left {"queue":"support","reason":"${reason}","waitMs":0}`, last]);
    expect(rings).toHaveLength(1);
  });

  it('hears music that yields to what is said, and none any more when it is over', async () => {
    const { call } = line();
    const first = call('first', true, { pcm: new Int16Array(80), sampleRate: 8000 });
    await settled();
    expect(first.posted).toContainEqual({
      type: 'music',
      sound: { pcm: new Int16Array(80), sampleRate: 8000 },
      yields: true,
    });
    await first.performance.close('caller-hangup');
    expect(first.posted.filter(({ type }) => type === 'music').at(-1)).toEqual({ type: 'music' });
  });
});
