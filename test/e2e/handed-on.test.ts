/** A caller who is led on: by keys through menus, open and secure, and to another phone that is rung for them. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dtmfFrequencies, Tone } from '../../src/audio/tone';
import { readWav } from '../../src/audio/wav';
import { muLawFromLinear } from '../../src/codecs/g711';
import type { CallEvent } from '../../src/core/call-event';
import { SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import type { Phone } from '../../src/phone/phone';
import { PhoneStack } from '../../src/phone/phone-stack';
import { startTestAgent, type TestAgent } from '../support/agent';
import { amplitudeAt, sine } from '../support/signal';
import { freePort, runSipp, sippInstalled } from '../support/sipp';

const plan = `routes:
  - match: { number: front }
    action:
      type: menu
      file: silence.wav
      options: { "25": { type: tone }, "3": { type: echo } }
  - match: { number: pin }
    action: { type: menu, file: silence.wav, secure: true, options: { "9876": { type: echo } } }
  - match: { number: echo }
    action: { type: echo }
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

describe('a caller who is led on', () => {
  let agent: TestAgent;
  let stack: PhoneStack;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline-led-on-'));
    writeFileSync(join(folder, 'plan.yaml'), plan);
    writeFileSync(join(folder, 'silence.wav'), silence());
    agent = await startTestAgent({ dialplans: folder as never, recording: { enabled: true } });
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
});
