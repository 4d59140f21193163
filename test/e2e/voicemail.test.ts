/** Callers who leave a message, through the whole agent: SIPp, and our own phone. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CallEvent } from '../../clients/typescript/src/index';
import { Resampler } from '../../src/audio/resampler';
import { readWav, writeWav } from '../../src/audio/wav';
import { muLawFromLinear } from '../../src/codecs/g711';
import { decodeOggOpus } from '../../src/codecs/ogg-opus';
import { SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import type { Phone } from '../../src/phone/phone';
import { PhoneStack } from '../../src/phone/phone-stack';
import { startTestAgent, type TestAgent } from '../support/agent';
import { amplitudeAt, concat } from '../support/signal';
import { runSipp, sippInstalled } from '../support/sipp';

const plan = `routes:
  - match: { number: front }
    action: { type: voicemail, file: silence.wav, mailbox: front desk, silenceSeconds: 2 }
`;

describe('a caller who leaves a message', () => {
  let agent: TestAgent;
  let stack: PhoneStack;
  let folder: string;
  let words: Int16Array;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline-voicemail-'));
    writeFileSync(join(folder, 'plan.yaml'), plan);
    const quiet = writeWav({ sampleRate: 8000, channels: 1, pcm: [new Int16Array(8000)] });
    writeFileSync(join(folder, 'silence.wav'), quiet);
    const { pcm, sampleRate } = await decodeOggOpus(readFileSync(join(__dirname, '../fixtures/questions/demo-01.ogg')));
    words = concat(new Resampler(sampleRate, 8000).push(pcm));
    agent = await startTestAgent({ dialplans: folder as never });
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

  const dial = (): Promise<Phone> =>
    stack.dial({
      to: `sip:front@127.0.0.1:${agent.sipPort}`,
      bindAddress: '127.0.0.1',
      ports: [22_000, 22_999],
      tapePath: join(folder, 'tape.wav'),
    });

  /** Of the newest call, when it has ended. */
  async function lastCall(): Promise<{ readonly id: string; readonly events: readonly CallEvent[] }> {
    for (;;) {
      const { data: page } = await agent.rest.GET('/v1/calls', { params: { query: { limit: 1 } } });
      const id = page?.calls[0]?.id ?? '';
      const { data } = await agent.rest.GET('/v1/calls/{id}/timeline', { params: { path: { id } } });
      const events = data?.events ?? [];
      if (events.at(-1)?.type === 'call.ended') return { id, events };
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  const messageOf = ({ events }: { readonly events: readonly CallEvent[] }) =>
    events.flatMap((event) => (event.type === 'voicemail.received' ? [event.data] : []))[0];
  const fileOf = (id: string): string => join(agent.dataFolder, 'recordings', `${id}.message.wav`);

  (sippInstalled() ? it : it.skip)(
    'S80 and hangs up: what was said is kept, and told of before the end of the call',
    async () => {
      const said = concat([new Int16Array(20_000), words, new Int16Array(40_000)]);
      const result = await runSipp({
        scenario: 'uac-sung-keys.xml',
        target: `127.0.0.1:${agent.sipPort}`,
        service: 'front',
        files: { 'keys.ul': Uint8Array.from(said, (sample) => muLawFromLinear(sample)) },
      });
      expect(result.exitCode).toBe(0);
      const call = await lastCall();
      const message = messageOf(call);
      expect(message).toMatchObject({ mailbox: 'front desk', path: `/v1/calls/${call.id}/voicemail` });
      const response = await fetch(`${agent.httpUrl}${message?.path}`, {
        headers: { authorization: `Bearer ${agent.token}` },
      });
      expect(response.headers.get('content-type')).toContain('audio/wav');
      const { pcm, sampleRate } = readWav(Buffer.from(await response.arrayBuffer()));
      expect(pcm).toHaveLength(1);
      expect(((pcm[0]?.length ?? 0) / sampleRate) * 1_000).toBeCloseTo(message?.durationMs ?? 0, -2);
      const loudest = (some: Int16Array): number => some.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
      expect(loudest(pcm[0] ?? new Int16Array())).toBeGreaterThan(0.5 * loudest(words));
    },
    60_000,
  );

  it('and presses the key that ends it, after the beep', async () => {
    const phone = await dial();
    await phone.pass(2_000);
    await phone.say(words, 8000);
    phone.press('#');
    const call = await lastCall();
    expect(messageOf(call)?.durationMs).toBeGreaterThan(500);
    expect(call.events.at(-1)?.data).toMatchObject({ cause: 'finished' });
    const { pcm, sampleRate } = readWav(readFileSync(join(folder, 'tape.wav')));
    const beep = pcm.map((side) => amplitudeAt(side.subarray(1.1 * sampleRate, 1.3 * sampleRate), 1000, sampleRate));
    expect(Math.max(...beep)).toBeGreaterThan(1_000);
  }, 60_000);

  it('or says nothing, of which nothing is kept', async () => {
    const phone = await dial();
    await phone.pass(2_500);
    phone.press('#');
    const call = await lastCall();
    expect(messageOf(call)).toBeUndefined();
    expect(existsSync(fileOf(call.id))).toBe(false);
    expect(call.events.at(-1)?.data).toMatchObject({ cause: 'finished' });
  }, 60_000);
});
