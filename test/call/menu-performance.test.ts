/** A menu on a call: prompts, keys, what they lead to, and what of them is told to whom. */
import { Call, type Leg } from '../../src/call/call';
import type { EngineMessage, EnginePort } from '../../src/call/engine-port';
import { performMenu } from '../../src/call/menu-performance';
import type { CallEvent } from '../../src/core/call-event';
import { ManualClock } from '../../src/core/clock';
import type { Logger } from '../../src/core/log';
import type { Action, DirectAction, MenuAction } from '../../src/dialplan/dialplan';
import type { ListenerReport } from '../../src/listener/protocol';
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
  spoken: new Map(),
  again: undefined,
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
  const listening: string[] = [];
  let hear: (report: ListenerReport) => void = () => undefined;
  /** A recogniser that has understood what it is told to. */
  let said = '';
  const engine = {
    hear: () => undefined,
    listen: (requestId: number, from: number, to: number) => {
      listening.push(`${from} to ${to}`);
      tellMenu({ type: 'listened', callId: 'c:menu', requestId, text: said, speech: said !== '' });
    },
    onMessage: (take: (message: EngineMessage) => void) => {
      tellMenu = take;
    },
    close: () => void listening.push('closed'),
  } as unknown as EnginePort;
  let tellMenu: (message: EngineMessage) => void = () => undefined;
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
          subscribe: (_sessionId, take) => {
            hear = take;
            return () => void listening.push('stopped');
          },
          openEngine: () => engine,
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
  /** Half a second of speech that the recogniser takes for `text`. */
  const speak = async (text: string): Promise<void> => {
    said = text;
    const facts = { sessionId: 'c', levelDb: -20 };
    hear({ ...facts, type: 'speech-started', sample: 16_000, headSample: 17_000 });
    await settle();
    clock.advance(500);
    hear({ ...facts, type: 'speech-ended', sample: 24_000, headSample: 25_500 });
    await pass(1);
  };
  const plays = () => posted.filter((message) => message.type === 'play').length;
  return { call, posted, events, logged, asked, performed, heardOut, press, pass, plays, settle, speak, listening };
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

describe('a menu that listens', () => {
  const spoken = menu({
    spoken: new Map([
      ['1', ['sales', 'buy something']],
      ['22', ['support']],
    ]),
    again: { say: 'Sales or support?', voice: undefined },
  });

  it('goes where the words say, cut short by them, and stops listening', async () => {
    const { performed, speak, listening, posted, events } = await rig(spoken);
    await speak('Suport, please.');
    expect(performed).toEqual(['menu', 'tone']);
    // With what lay before the onset and after the end.
    expect(listening).toEqual(['11200 to 28800', 'stopped', 'closed']);
    expect(posted.map(({ type }) => type)).toContain('flush');
    expect(events.find(({ type }) => type === 'turn.user')?.data).toEqual({ turn: 1, text: 'Suport, please.' });
  });

  it('asks again when the words fit nothing, and gives up after the last attempt', async () => {
    const { performed, speak, plays, call } = await rig(spoken);
    await speak('The weather, please.');
    expect(plays()).toBe(2);
    await speak('I said the weather.');
    expect(performed).toEqual(['menu']);
    expect(call.snapshot).toMatchObject({ state: 'ended', cause: 'finished' });
  });

  it('takes a cough for no answer, and keys as ever', async () => {
    const { performed, speak, press, plays } = await rig(spoken);
    await speak('');
    expect(plays()).toBe(1);
    await press('1');
    expect(performed).toEqual(['menu', 'echo']);
  });

  it('leaves its time to whoever is speaking', async () => {
    const { plays, heardOut, pass, speak } = await rig(spoken);
    heardOut(1);
    await pass(4);
    await speak('Hm.');
    // No match: asked again at once, not by the time that has passed.
    expect(plays()).toBe(2);
    await pass(4);
    expect(plays()).toBe(2);
  });
});
