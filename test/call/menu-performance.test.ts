/** A menu on a call: prompts, keys, what they lead to, and what of them is told to whom. */
import { Call, type Leg } from '../../src/call/call';
import { performMenu } from '../../src/call/menu-performance';
import type { CallEvent } from '../../src/core/call-event';
import { ManualClock } from '../../src/core/clock';
import type { Logger } from '../../src/core/log';
import type { Action, DirectAction, MenuAction } from '../../src/dialplan/dialplan';
import { MediaRouter } from '../../src/media/media-router';
import type { ToMedia } from '../../src/media/protocol';

const tone: Action = { type: 'tone', frequencyHz: 1000, levelDbm0: -10 };
const menu = (more: Partial<MenuAction> = {}): MenuAction => ({
  type: 'menu',
  prompt: { say: 'One or two?', voice: undefined },
  options: new Map<string, Action>([
    ['1', { type: 'echo' }],
    ['22', tone],
  ]),
  webhook: undefined,
  maxDigits: 2,
  endKey: '#',
  timeoutSeconds: 5,
  attempts: 2,
  secure: false,
  otherwise: undefined,
  ...more,
});

async function rig(action: MenuAction, answer: DirectAction = { type: 'echo' }) {
  const clock = new ManualClock();
  const posted: ToMedia[] = [];
  const logged: unknown[] = [];
  const asked: (string | undefined)[] = [];
  const performed: string[] = [];
  const events: CallEvent[] = [];
  const router: MediaRouter = new MediaRouter({
    post(message: ToMedia) {
      posted.push(message);
      const { sessionId } = message as { sessionId: string };
      if (message.type === 'close')
        queueMicrotask(() => router.receive({ type: 'closed', sessionId, stats: {} as never }));
    },
  });
  const note = (...line: unknown[]): void => void logged.push(...line);
  const log = { debug: note, info: note, warn: note, error: note, child: () => log } as unknown as Logger;
  const leg: Leg = { hangUp: async () => undefined };
  const call: Call = new Call({
    record: { id: 'c', direction: 'inbound', transport: 'sip', from: 'a', to: 'b', headers: {} },
    link: router.open('c'),
    leg,
    clock,
    log,
    events: { newId: () => `e${events.length}`, now: () => new Date(0) },
    publish: (event) => events.push(event),
    perform: (next, stage) => {
      performed.push(next.type);
      if (next.type === 'menu') {
        return performMenu(next, stage, {
          clock,
          load: async () => [{ pcm: new Int16Array(160), sampleRate: 8000 }],
        });
      }
      return {
        turnGapsMs: [],
        interruptions: 0,
        onMedia() {},
        onHold() {},
        command: () => false,
        close: async () => undefined,
      };
    },
    choose: async (next, digits) => {
      if (next.type !== 'webhook') return next;
      asked.push(digits);
      return answer;
    },
    maxSeconds: 600,
  });
  call.ringing();
  call.answered(action);
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  await settle();
  const heardOut = (turnId: number): void => {
    router.receive({
      type: 'playout',
      sessionId: 'c',
      turnId,
      state: 'finished',
      playedMs: 20,
      heardText: '',
      callSample: 0,
    });
  };
  const press = async (digits: string): Promise<void> => {
    for (const digit of digits) router.receive({ type: 'dtmf', sessionId: 'c', digit, durationMs: 100 });
    await settle();
  };
  const pass = async (seconds: number): Promise<void> => {
    clock.advance(seconds * 1000);
    await settle();
  };
  const plays = () => posted.filter((message) => message.type === 'play').length;
  return { call, posted, events, logged, asked, performed, heardOut, press, pass, plays, settle };
}

const types = (events: readonly CallEvent[]): string[] => events.map(({ type }) => type);

describe('a menu', () => {
  it('asks, is cut short by a key, and hands the call to what the key means', async () => {
    const { performed, press, posted, call, events } = await rig(menu());
    await press('1');
    expect(performed).toEqual(['menu', 'echo']);
    expect(posted.map(({ type }) => type)).toEqual([
      'source',
      'play',
      'play-end',
      'flush',
      'flush',
      'next-performance',
    ]);
    expect(call.snapshot.action).toBe('echo');
    expect(types(events)).toContain('dtmf.received');
  });

  it('waits for the rest of a longer option, and asks again when it does not come', async () => {
    const { performed, press, pass, plays, heardOut } = await rig(menu());
    heardOut(1);
    await press('2');
    expect(performed).toEqual(['menu']);
    await pass(5);
    expect(plays()).toBe(2);
    await press('22');
    expect(performed).toEqual(['menu', 'tone']);
  });

  it('gives the time to answer from the end of the prompt, and ends the call after the last attempt', async () => {
    const { pass, plays, heardOut, call } = await rig(menu());
    await pass(60);
    expect(plays()).toBe(1);
    heardOut(1);
    await pass(5);
    expect(plays()).toBe(2);
    heardOut(2);
    await pass(5);
    expect(call.snapshot).toMatchObject({ state: 'ended', cause: 'finished' });
  });

  it('does something else after the last attempt, if the dialplan says so', async () => {
    const { performed, press } = await rig(menu({ attempts: 1, otherwise: tone }));
    await press('9');
    expect(performed).toEqual(['menu', 'tone']);
  });

  it('waits as long as the call is on hold', async () => {
    const { call, pass, heardOut, plays } = await rig(menu());
    heardOut(1);
    call.hold(true);
    await pass(60);
    expect(plays()).toBe(1);
    call.hold(false);
    await pass(5);
    expect(plays()).toBe(2);
  });

  it('leads to another menu whose turns are its own', async () => {
    const inner = menu({ options: new Map([['7', tone]]), maxDigits: 1 });
    const { performed, press, heardOut, pass, plays } = await rig(
      menu({ options: new Map([['1', inner]]), maxDigits: 1 }),
    );
    await press('1');
    // What is still said of the first menu's prompt is not the second one's.
    heardOut(1);
    await pass(60);
    expect(plays()).toBe(2);
    await press('7');
    expect(performed).toEqual(['menu', 'menu', 'tone']);
  });

  it('asks the application about keys that are no option', async () => {
    const application = { url: 'https://example.com/', timeoutMs: 1000, secret: undefined };
    const { asked, performed, press } = await rig(
      menu({ options: new Map(), webhook: application, maxDigits: 32 }),
      tone as DirectAction,
    );
    await press('4711#');
    expect(asked).toEqual(['4711']);
    expect(performed).toEqual(['menu', 'tone']);
  });

  it('that is secure tells its keys to the application alone: no event, no log line, no sound', async () => {
    const application = { url: 'https://example.com/', timeoutMs: 1000, secret: undefined };
    const secret = menu({ options: new Map(), webhook: application, maxDigits: 32, secure: true });
    const { asked, events, logged, press, posted, call } = await rig(secret);
    await press('90');
    call.key('info', '7', 100);
    await press('5#');
    expect(asked).toEqual(['9075']);
    expect(types(events)).toEqual(['call.started', 'call.ringing', 'call.answered']);
    expect(JSON.stringify([events, logged, posted, call.snapshot])).not.toMatch(/9075|"digit"/);
    expect(posted.filter(({ type }) => type === 'secure')).toEqual([
      { type: 'secure', sessionId: 'c', on: true },
      { type: 'secure', sessionId: 'c', on: false },
    ]);
    await press('3');
    expect(types(events)).toContain('dtmf.received');
  });
});
