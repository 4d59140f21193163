/** A call that an application leads by webhook, verb by verb: our own phone and SIPp, the whole agent, a real HTTP server. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { Resampler } from '../../src/audio/resampler';
import { writeWav } from '../../src/audio/wav';
import { decodeOggOpus } from '../../src/codecs/ogg-opus';
import { SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import type { Phone } from '../../src/phone/phone';
import { PhoneStack } from '../../src/phone/phone-stack';
import { startTestAgent, type TestAgent } from '../support/agent';
import { concat } from '../support/signal';
import { freePort, sippInstalled, startSipp } from '../support/sipp';
import { type Receiver, startReceiver } from '../webhooks/receiver';

interface Told {
  readonly type: string;
  readonly callId: string;
  readonly result?: { readonly verb: string } & Readonly<Record<string, unknown>>;
}

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

describe('a call that an application leads', () => {
  let agent: TestAgent;
  let stack: PhoneStack;
  let folder: string;
  let application: Receiver;
  let human: number;
  let words: Int16Array;
  let told: Told[];

  /** What the application does with the number "office", step by step. */
  const answers: Readonly<Record<string, unknown>> = {
    start: [
      { type: 'say', text: 'Welcome.' },
      {
        type: 'ask',
        text: 'Your order number, please?',
        askId: 'order',
        expect: 'digits',
        minDigits: 4,
        attempts: 5,
        action: '/a',
      },
    ],
    ask: { type: 'menu', file: 'quiet.wav', options: { 1: { type: 'echo' } }, attempts: 10, action: '/b' },
    menu: [
      { type: 'play', file: 'quiet.wav' },
      { type: 'record', silenceSeconds: 20, mailbox: 'orders', action: '/c' },
    ],
    record: () => [{ type: 'dial', to: `sip:human@127.0.0.1:${human}`, action: '/d' }],
    dial: [{ type: 'say', text: 'Goodbye.' }, { type: 'hangup' }],
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline-webhook-'));
    human = await freePort();
    const { pcm, sampleRate } = await decodeOggOpus(readFileSync(join(__dirname, '../fixtures/questions/demo-01.ogg')));
    words = concat(new Resampler(sampleRate, 8000).push(pcm));
    application = await startReceiver(({ headers, body }) => {
      const flat = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
      const request = new Webhook(secret).verify(body, flat) as Told & { readonly to: string };
      told.push(request);
      if (request.to === 'broken')
        return { body: JSON.stringify([{ type: 'say', text: 'Hello.' }, { type: 'dance' }]) };
      const answer = answers[request.result?.verb ?? 'start'];
      return { body: JSON.stringify(typeof answer === 'function' ? answer() : answer) };
    });
    writeFileSync(
      join(folder, 'plan.yaml'),
      JSON.stringify({
        routes: [{ action: { type: 'webhook', url: application.url, secret, fallback: { type: 'echo' } } }],
      }),
    );
    const quiet = writeWav({ sampleRate: 8000, channels: 1, pcm: [new Int16Array(1600)] });
    writeFileSync(join(folder, 'quiet.wav'), quiet);
    agent = await startTestAgent({
      dialplans: folder as never,
      sip: { trunks: [{ name: 'carrier', addresses: ['127.0.0.1'] }] },
      webhooks: { allowPrivate: ['localhost'] },
    });
    stack = await PhoneStack.open({
      mediaEntry: join(__dirname, '../../dist/workers/media.js'),
      clock: new SystemClock(),
      log: silentLogger,
      listen: { host: '127.0.0.1', port: 0 },
      codecs: ['PCMU'],
    });
  }, 150_000);
  beforeEach(() => {
    told = [];
  });
  afterAll(async () => {
    await stack?.close();
    await agent?.stop();
    await application?.close();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  const dial = (number: string): Promise<Phone> =>
    stack.dial({
      to: `sip:${number}@127.0.0.1:${agent.sipPort}`,
      bindAddress: '127.0.0.1',
      ports: [22_000, 22_999],
      tapePath: join(folder, 'tape.wav'),
    });

  async function until<T>(find: () => Promise<T | undefined> | T | undefined): Promise<T> {
    for (let attempt = 0; attempt < 600; attempt++) {
      const found = await find();
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`it did not happen; the application was told ${JSON.stringify(told)}`);
  }
  const resultOf = (verb: string) => until(() => told.find(({ result }) => result?.verb === verb)?.result);
  /** Presses them again and again: at first the verb may not have begun. */
  async function pressUntilTold(phone: Phone, keys: string, verb: string) {
    const pressing = setInterval(() => phone.press(keys), 3_000);
    phone.press(keys);
    return resultOf(verb).finally(() => clearInterval(pressing));
  }
  const ofCall = () => ({ params: { path: { id: told[0]?.callId ?? '' } } });
  const answeredWith = (verb: string) =>
    until(async () => {
      const { data } = await agent.rest.GET('/v1/calls/{id}', ofCall());
      return data?.action === verb ? verb : undefined;
    });
  const ended = () =>
    until(async () => {
      const { data } = await agent.rest.GET('/v1/calls/{id}/timeline', ofCall());
      return data?.events.at(-1)?.type === 'call.ended' ? data.events : undefined;
    });

  (sippInstalled() ? it : it.skip)(
    'says, asks, offers a menu, records, connects and hangs up, and tells what became of each',
    async () => {
      const picksUp = await startSipp({
        scenario: 'uas-hangs-up.xml',
        port: human,
        pauseMs: 1_000,
        timeoutSeconds: 100,
      });
      const phone = await dial('office');
      await until(() => told[0]);
      expect(told[0]).toMatchObject({ type: 'call.route', to: 'office' });

      const answered = { askId: 'order', reason: 'digits', digits: '4711' };
      expect(await pressUntilTold(phone, '4711#', 'ask')).toMatchObject(answered);

      expect(await pressUntilTold(phone, '5#', 'menu')).toMatchObject({ digits: '5' });
      expect(told.at(-1)).toMatchObject({ type: 'call.result', digits: '5' });

      await phone.pass(3_000);
      await phone.say(words, 8000);
      expect(await pressUntilTold(phone, '#', 'record')).toMatchObject({
        cause: 'finished',
        path: `/v1/calls/${told[0]?.callId}/voicemail`,
        durationMs: expect.any(Number),
      });

      expect(await resultOf('dial')).toMatchObject({ way: 'bridge', confirmed: true, cause: 'finished' });
      expect(await picksUp.done).toMatchObject({ exitCode: 0 });

      const events = await ended();
      expect(events.at(-1)?.data).toMatchObject({ cause: 'hangup-requested' });
      expect(events.filter(({ type }) => type === 'error')).toEqual([]);
      expect(await (await fetch(`${agent.httpUrl}/metrics`)).text()).toMatch(/^trunkline_webhook_verbs 8$/m);
    },
    120_000,
  );

  it('runs the fallback when the answer is no list of verbs, and says so in an event', async () => {
    const phone = await dial('broken');
    await answeredWith('echo');
    await phone.hangUp();
    const error = (await ended()).find(({ type }) => type === 'error');
    expect(error?.data).toMatchObject({
      code: 'webhook.bad-answer',
      message: expect.stringContaining('[1].type: Expected one of'),
    });
  }, 60_000);
});
