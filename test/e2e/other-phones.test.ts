/** Phones that are not ours ring the agent and ask: sipp with a recorded question, baresip and linphone, judged from recordings. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Resampler } from '../../src/audio/resampler';
import { readWav } from '../../src/audio/wav';
import { muLawFromLinear } from '../../src/codecs/g711';
import { decodeOggOpus } from '../../src/codecs/ogg-opus';
import { startTestAgent, type TestAgent } from '../support/agent';
import { baresipToTestWith, callWithBaresip } from '../support/baresip';
import { callWithLinphone, linphoneInstalled } from '../support/linphone';
import { closeRecogniser, transcribe } from '../support/recogniser';
import { runSipp, sippInstalled } from '../support/sipp';

/** The greeting is over by then; afterwards there is time for the answer. */
const BEFORE_MS = 5_500;
const AFTER_MS = 9_000;

async function askAfterGreeting(id: string): Promise<Int16Array> {
  const { pcm, sampleRate } = await decodeOggOpus(readFileSync(join(__dirname, `../fixtures/questions/${id}.ogg`)));
  const narrow = new Resampler(sampleRate, 8_000).push(pcm);
  const length = narrow.reduce((sum, chunk) => sum + chunk.length, 0);
  const whole = new Int16Array(BEFORE_MS * 8 + length + AFTER_MS * 8);
  let at = BEFORE_MS * 8;
  for (const chunk of narrow) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

describe('a phone of somebody else', () => {
  let agent: TestAgent;

  beforeAll(async () => {
    agent = await startTestAgent({ recording: { enabled: true } });
  }, 150_000);

  afterAll(async () => {
    await agent?.stop();
    await closeRecogniser();
  }, 30_000);

  (sippInstalled() ? it : it.skip)(
    'sipp asks what breakfast costs and is told',
    async () => {
      const pcm = await askAfterGreeting('hotel-08');
      const result = await runSipp({
        scenario: 'uac-question.xml',
        target: `127.0.0.1:${agent.sipPort}`,
        service: 'hotel',
        files: { 'question.ul': Buffer.from(Uint8Array.from(pcm, (sample) => muLawFromLinear(sample))) },
        timeoutSeconds: 60,
      });
      expect(result.errors).toBe('');
      expect(result.exitCode).toBe(0);
      const { calls } = (await agent.request('GET', '/v1/calls?limit=1')) as { calls: { id: string }[] };
      const recording = readWav(readFileSync(join(agent.dataFolder, 'recordings', `${calls[0]?.id}.wav`)));
      const [, outbound] = recording.pcm;
      const said = await transcribe(outbound ?? new Int16Array(), recording.sampleRate);
      expect(said).toMatch(/14|fourteen/i);
    },
    120_000,
  );

  (baresipToTestWith() ? it : it.skip)(
    'baresip asks what a flu shot costs and hears the price',
    async () => {
      const { received } = await callWithBaresip({
        uri: `sip:demo@127.0.0.1:${agent.sipPort}`,
        microphone: await askAfterGreeting('demo-21'),
      });
      const said = await transcribe(received.pcm[0] ?? new Int16Array(), received.sampleRate);
      expect(said).toMatch(/Riverside/i);
      expect(said).toMatch(/25|twenty.?five/i);
    },
    120_000,
  );

  (linphoneInstalled() ? it : it.skip)(
    'linphone asks what a flu shot costs and hears the price',
    async () => {
      const heard = await callWithLinphone({
        uri: `sip:demo@127.0.0.1:${agent.sipPort}`,
        microphone: await askAfterGreeting('demo-21'),
      });
      const said = await transcribe(heard.pcm[0] ?? new Int16Array(), heard.sampleRate);
      expect(said).toMatch(/Riverside/i);
      expect(said).toMatch(/25|twenty.?five/i);
    },
    120_000,
  );

  (baresipToTestWith() ? it : it.skip)(
    'baresip rings with A-law and is understood',
    async () => {
      const { received } = await callWithBaresip({
        uri: `sip:shop@127.0.0.1:${agent.sipPort}`,
        microphone: await askAfterGreeting('shop-14'),
        codec: 'PCMA/8000/1',
      });
      const said = await transcribe(received.pcm[0] ?? new Int16Array(), received.sampleRate);
      expect(said).toMatch(/45|forty.?five/i);
    },
    120_000,
  );

  (baresipToTestWith() ? it : it.skip)(
    'baresip rings with Opus and nothing else, and is understood',
    async () => {
      const { received } = await callWithBaresip({
        uri: `sip:demo@127.0.0.1:${agent.sipPort}`,
        microphone: await askAfterGreeting('demo-21'),
        codec: 'opus/48000/2',
      });
      expect(received.sampleRate).toBe(48_000);
      const said = await transcribe(received.pcm[0] ?? new Int16Array(), received.sampleRate);
      expect(said).toMatch(/Riverside/i);
      expect(said).toMatch(/25|twenty.?five/i);
    },
    120_000,
  );
});
