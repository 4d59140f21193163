/** A caller who is led on: by keys through menus, open and secure, and to others who are rung, and told, for them. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dtmfFrequencies, Tone } from '../../src/audio/tone';
import { readWav } from '../../src/audio/wav';
import { linearFromMuLaw, muLawFromLinear } from '../../src/codecs/g711';
import type { CallEvent } from '../../src/core/call-event';
import { SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import type { Phone } from '../../src/phone/phone';
import { PhoneStack } from '../../src/phone/phone-stack';
import { makeOffer } from '../../src/sip/offer-answer';
import { SrfUserAgent } from '../../src/sip/srf-user-agent';
import { startTestAgent, type TestAgent } from '../support/agent';
import { closeRecogniser, transcribe } from '../support/recogniser';
import { RtpPhone } from '../support/rtp-phone';
import { amplitudeAt, concat, sine } from '../support/signal';
import { freePort, runSipp, sippInstalled, startSipp } from '../support/sipp';

const plan = `routes:
  - match: { number: front }
    action:
      type: menu
      file: silence.wav
      options: { "25": { type: tone }, "3": { type: echo } }
  - match: { number: words }
    action:
      type: menu
      file: silence.wav
      options: { "1": { type: echo }, "2": { type: tone } }
      spoken: { "1": [sales], "2": [support, something is broken] }
  - match: { number: pin }
    action: { type: menu, file: silence.wav, secure: true, options: { "9876": { type: echo } } }
  - match: { number: echo }
    action: { type: echo }
  - match: { number: desk }
    action:
      type: agent
      greeting: Hello, this is the front desk.
      persona: { name: Desk, instructions: You are the front desk of a clinic., facts: [The clinic opens at eight.] }
`;

/** A second of silence, as WAV. */
function silence(): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + 16_000, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(8000, 24);
  header.writeUInt32LE(16_000, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(16_000, 40);
  return Buffer.concat([header, Buffer.alloc(16_000)]);
}

/** Two seconds of silence, each key for 100 ms, silence. */
function sung(digits: string): Buffer {
  const pcm = new Int16Array(8000 * 6);
  for (const [index, digit] of [...digits].entries()) {
    const from = 16_000 + index * 2_400;
    new Tone(dtmfFrequencies(digit) ?? [], -12, 8000).fill(pcm.subarray(from, from + 800));
  }
  return Buffer.from(Uint8Array.from(pcm, (sample) => muLawFromLinear(sample)));
}

/** What somebody says to a menu: G.711 µ-law at 8 kHz, a second of silence before it. */
function spoken(text: string): Buffer {
  const folder = join(__dirname, '../fixtures/menu-words');
  const clips = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as {
    voice: string;
    text: string;
    from: number;
    to: number;
  }[];
  const { voice, from, to } = clips.find((clip) => clip.text === text)!;
  const clip = readFileSync(join(folder, `${voice}.ul`)).subarray(from, to);
  return Buffer.concat([Buffer.alloc(8_000, 0xff), clip, Buffer.alloc(16_000, 0xff)]);
}

describe('a caller who is led on', () => {
  let agent: TestAgent;
  let stack: PhoneStack;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline-led-on-'));
    writeFileSync(join(folder, 'plan.yaml'), plan);
    writeFileSync(join(folder, 'silence.wav'), silence());
    agent = await startTestAgent({
      dialplans: folder as never,
      recording: { enabled: true },
      rtp: { timeoutSeconds: 120 },
    });
    stack = await PhoneStack.open({
      mediaEntry: join(__dirname, '../../dist/workers/media.js'),
      clock: new SystemClock(),
      log: silentLogger,
      listen: { host: '127.0.0.1', port: 0 },
      codecs: ['PCMU'],
    });
  }, 150_000);

  afterAll(async () => {
    await stack?.close();
    await agent?.stop();
    await closeRecogniser();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  const dial = (number: string): Promise<Phone> =>
    stack.dial({
      to: `sip:${number}@127.0.0.1:${agent.sipPort}`,
      bindAddress: '127.0.0.1',
      ports: [22_000, 22_999],
      tapePath: join(folder, `${number}.wav`),
    });

  async function lastCall(): Promise<{ readonly id: string; readonly events: readonly CallEvent[] }> {
    const { calls } = (await agent.request('GET', '/v1/calls?limit=1')) as { calls: { id: string }[] };
    const id = calls[0]?.id ?? '';
    const { events } = (await agent.request('GET', `/v1/calls/${id}/timeline`)) as { events: CallEvent[] };
    return { id, events };
  }

  (sippInstalled() ? it : it.skip)(
    'S52 sings keys to a menu and hears where they lead',
    async () => {
      const result = await runSipp({
        scenario: 'uac-sung-keys.xml',
        target: `127.0.0.1:${agent.sipPort}`,
        service: 'front',
        files: { 'keys.ul': sung('25') },
      });
      expect({ exitCode: result.exitCode, errors: result.errors }).toEqual({ exitCode: 0, errors: '' });
      const { id, events } = await lastCall();
      expect(events.flatMap((event) => (event.type === 'dtmf.received' ? [event.data.digit] : []))).toEqual(['2', '5']);
      const { pcm, sampleRate } = readWav(readFileSync(join(agent.dataFolder, 'recordings', `${id}.wav`)));
      const end = pcm[1]?.subarray(-sampleRate) ?? new Int16Array();
      expect(amplitudeAt(end, 1000, sampleRate)).toBeGreaterThan(3000);
    },
    60_000,
  );

  (sippInstalled() ? it : it.skip)(
    'S123 says what a menu offers and hears where it leads',
    async () => {
      const result = await runSipp({
        scenario: 'uac-says.xml',
        target: `127.0.0.1:${agent.sipPort}`,
        service: 'words',
        pauseMs: 15_000,
        timeoutSeconds: 40,
        files: { 'words.ul': spoken('Something is broken.') },
      });
      expect({ exitCode: result.exitCode, errors: result.errors }).toEqual({ exitCode: 0, errors: '' });
      const { id, events } = await lastCall();
      expect(events.flatMap((event) => (event.type === 'turn.user' ? [event.data.text] : []))).toEqual([
        expect.stringMatching(/broken/i),
      ]);
      const { pcm, sampleRate } = readWav(readFileSync(join(agent.dataFolder, 'recordings', `${id}.wav`)));
      const end = pcm[1]?.subarray(-sampleRate) ?? new Int16Array();
      expect(amplitudeAt(end, 1000, sampleRate)).toBeGreaterThan(3000);
    },
    90_000,
  );

  it('types a number that nobody may know, and it is nowhere', async () => {
    const phone = await dial('pin');
    await phone.pass(1_500);
    phone.press('9876');
    await phone.pass(2_500);
    await phone.hangUp();
    const { events } = await lastCall();
    expect(events.map(({ type }) => type)).not.toContain('dtmf.received');
    expect(agent.output()).not.toContain('9876');
    expect(JSON.stringify(events)).not.toContain('9876');
  }, 60_000);

  (sippInstalled() ? it : it.skip)(
    'is connected with another phone by us, because its own will not call there, and hears it',
    async () => {
      const port = await freePort();
      const media = await freePort();
      const far = spawn(
        'sipp',
        [
          '-sn',
          'uas',
          '-i',
          '127.0.0.1',
          '-mi',
          '127.0.0.1',
          '-mp',
          String(media & ~1),
          '-p',
          String(port),
          '-rtp_echo',
          '-m',
          '1',
          '-nostdin',
        ],
        { cwd: folder, stdio: 'ignore' },
      );
      const phone = await dial('echo');
      await phone.pass(500);
      const { id } = await lastCall();
      await agent.request('POST', `/v1/calls/${id}/actions`, {
        type: 'transfer',
        to: `sip:far@127.0.0.1:${port}`,
        ringSeconds: 10,
      });
      await phone.pass(1_000);
      await phone.say(sine(700, 8000, 8000, 8000), 8000);
      await phone.pass(500);
      await phone.hangUp();
      far.kill();
      const { events } = await lastCall().then(async () => {
        const timeline = await agent.request('GET', `/v1/calls/${id}/timeline`);
        return timeline as { events: CallEvent[] };
      });
      expect(events).toContainEqual(
        expect.objectContaining({ type: 'transfer.completed', data: expect.objectContaining({ way: 'bridge' }) }),
      );
      const { pcm, sampleRate } = readWav(readFileSync(join(folder, 'echo.wav')));
      const back = pcm[0]?.subarray(-2 * sampleRate) ?? new Int16Array();
      // SIPp sends back what it gets: the tone has been to the far phone and returned.
      expect(amplitudeAt(back, 700, sampleRate)).toBeGreaterThan(1000);
    },
    60_000,
  );

  it('is asked by the agent for an application, which alone answers', async () => {
    const phone = await dial('desk');
    expect(await phone.waitUntilTalking(15_000)).toBe(true);
    await phone.waitUntilQuiet(15_000);
    const { id } = await lastCall();
    await agent.request('POST', `/v1/calls/${id}/actions`, {
      type: 'ask',
      askId: 'department',
      text: 'Which department would you like?',
      expect: 'choice',
      choices: [{ value: 'sales' }, { value: 'support', phrases: ['something is broken'] }],
      timeoutSeconds: 30,
    });
    expect(await phone.waitUntilTalking(15_000)).toBe(true);
    await phone.waitUntilQuiet(15_000);
    const words = Int16Array.from(spoken('Something is broken.'), linearFromMuLaw);
    await phone.say(words, 8000);
    let events: readonly CallEvent[] = [];
    const answer = () => events.find(({ type }) => type === 'ask.answered');
    for (let turn = 0; turn < 300 && answer() === undefined; turn++) {
      await new Promise((next) => setTimeout(next, 100));
      ({ events } = (await agent.request('GET', `/v1/calls/${id}/timeline`)) as { events: CallEvent[] });
    }
    expect(answer()?.data).toEqual({
      askId: 'department',
      reason: 'speech',
      choice: 'support',
      text: expect.stringMatching(/broken/i),
      attempts: 1,
    });
    await phone.pass(2_000);
    await phone.hangUp();
    ({ events } = await lastCall());
    // The greeting and the question: what the caller said is left to the application.
    expect(events.flatMap((event) => (event.type === 'turn.agent' ? [event.data.text] : []))).toEqual([
      'Hello, this is the front desk.',
      'Which department would you like?',
    ]);
  }, 120_000);

  describe('to a colleague who is told about them first', () => {
    /** At the desk, greeted, with a question asked by keyboard. */
    async function atTheDesk(): Promise<{ readonly phone: Phone; readonly id: string }> {
      const phone = await dial('desk');
      expect(await phone.waitUntilTalking(15_000)).toBe(true);
      await phone.waitUntilQuiet(15_000);
      const { id } = await lastCall();
      await agent.request('POST', `/v1/calls/${id}/actions`, {
        type: 'user_text',
        text: 'Could I please talk to the doctor about my prescription?',
      });
      await until(async () => (await eventsOf(id)).some(({ type }) => type === 'turn.agent'));
      return { phone, id };
    }

    async function eventsOf(id: string): Promise<readonly CallEvent[]> {
      const timeline = await agent.request('GET', `/v1/calls/${id}/timeline`);
      return (timeline as { events: CallEvent[] }).events;
    }

    async function until(happened: () => Promise<boolean>): Promise<void> {
      for (let turn = 0; turn < 300 && !(await happened()); turn++) await new Promise((next) => setTimeout(next, 100));
      expect(await happened()).toBe(true);
    }

    const handOver = (id: string, port: number) =>
      agent.request('POST', `/v1/calls/${id}/actions`, {
        type: 'transfer',
        mode: 'warm',
        to: `sip:colleague@127.0.0.1:${port}`,
        ringSeconds: 10,
      });

    (sippInstalled() ? it : it.skip)(
      'S57 is connected when they press 1, and not before',
      async () => {
        const media = (await freePort()) & ~1;
        const colleague = await startSipp({
          scenario: 'uas-briefed.xml',
          keys: { digit: '1' },
          pauseMs: 2_000,
          timeoutSeconds: 60,
          args: ['-rtp_echo', '-mp', String(media)],
        });
        const { phone, id } = await atTheDesk();
        await handOver(id, colleague.port);
        await until(async () => (await eventsOf(id)).some(({ type }) => type === 'transfer.completed'));
        await phone.pass(300);
        await phone.say(sine(700, 8000, 8000, 8000), 8000);
        await phone.pass(500);
        await phone.hangUp();
        expect((await colleague.done).exitCode).toBe(0);
        const { pcm, sampleRate } = readWav(readFileSync(join(folder, 'desk.wav')));
        // SIPp sends back what it gets: the caller's tone has been there.
        expect(amplitudeAt(pcm[0]?.subarray(-2 * sampleRate) ?? new Int16Array(), 700, sampleRate)).toBeGreaterThan(
          1000,
        );
      },
      90_000,
    );

    (sippInstalled() ? it : it.skip).each([
      ['S58 when they press 2', 'uas-briefed.xml', 'rejected', 'nobody there can take your call'],
      ['S59 when they are busy', 'uas-busy.xml', 'busy', 'the line there is busy'],
    ])(
      '%s, is taken back by the agent, who says why',
      async (_what, scenario, cause, words) => {
        const colleague = await startSipp({ scenario, keys: { digit: '2' }, pauseMs: 2_000, timeoutSeconds: 60 });
        const { phone, id } = await atTheDesk();
        await handOver(id, colleague.port);
        const said = (events: readonly CallEvent[]) =>
          events.flatMap((event) => (event.type === 'turn.agent' ? [event.data.text] : [])).at(-1) ?? '';
        await until(async () => said(await eventsOf(id)).includes(words));
        const events = await eventsOf(id);
        expect(events).toContainEqual(
          expect.objectContaining({ type: 'transfer.failed', data: expect.objectContaining({ cause }) }),
        );
        expect(phone.howItEnded).toBeUndefined();
        await phone.hangUp();
        expect((await colleague.done).exitCode).toBe(0);
      },
      90_000,
    );

    it('who hears what the caller has said, while the caller does not', async () => {
      const line = await RtpPhone.open();
      const userAgent = new SrfUserAgent({
        listen: { host: '127.0.0.1', port: 0 },
        clock: new SystemClock(),
        log: silentLogger,
        userAgentName: 'Colleague',
      });
      await userAgent.start();
      const offered = makeOffer({ ...line.address, codecs: ['PCMU'] }, { sessionId: '1' });
      userAgent.onInvite((invite) => void invite.accept(offered.sdp));
      try {
        const { phone, id } = await atTheDesk();
        await handOver(id, userAgent.local[0]?.port ?? 0);
        const speech = () => concat(line.heard.map(({ packet }) => Int16Array.from(packet.payload, linearFromMuLaw)));
        let told = '';
        await until(async () => {
          // Half a minute at most: by then it has been told from its beginning to its end.
          if (line.heard.length < 50 * 16) return false;
          told = (await transcribe(speech(), 8000)).toLowerCase();
          return told.includes('press');
        });
        expect(told).toContain('on the line for you');
        expect(told).toMatch(/doctor|prescription/);
        await phone.hangUp();
        const { pcm, sampleRate } = readWav(readFileSync(join(folder, 'desk.wav')));
        const heard = await transcribe(pcm[0]!, sampleRate);
        expect(heard.toLowerCase()).not.toContain('on the line for you');
      } finally {
        await userAgent.stop();
        line.close();
      }
    }, 120_000);
  });
});
