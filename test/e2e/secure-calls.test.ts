/** baresip rings with SRTP, by keys in SDP and by DTLS, and hears itself from the echo; without SRTP it is refused. */
import { rms } from '../../src/audio/pcm';
import type { Wav } from '../../src/audio/wav';
import { startTestAgent, type TestAgent } from '../support/agent';
import { baresipToTestWith, callWithBaresip } from '../support/baresip';
import { frequencyOf } from '../support/rtp-phone';

/** Four seconds of 440 Hz. */
const tone = Int16Array.from({ length: 32_000 }, (_, i) => 8_000 * Math.sin((2 * Math.PI * 440 * i) / 8_000));

/** A second of it in tenths: a busy machine may tear a hole, and half of them must be whole. */
function expectTone({ pcm, sampleRate }: Wav): void {
  const heard = pcm[0] ?? new Int16Array();
  const from = Math.floor(heard.length / 2);
  const tenth = sampleRate / 10;
  const tenths = Array.from({ length: 10 }, (_, i) => heard.subarray(from + tenth * i, from + tenth * (i + 1)));
  const frequencies = tenths.filter((one) => rms(one) > 3_000).map((one) => frequencyOf(one, sampleRate));
  expect(frequencies.filter((hz) => Math.abs(hz - 440) < 2).length).toBeGreaterThanOrEqual(5);
}

(baresipToTestWith() ? describe : describe.skip)('an agent that requires SRTP', () => {
  let agent: TestAgent;

  beforeAll(async () => {
    agent = await startTestAgent({ sip: { srtp: 'require' } });
  }, 150_000);

  afterAll(async () => {
    await agent?.stop();
  }, 30_000);

  it.each(['srtp-mand', 'srtp-mandf', 'dtls_srtp'] as const)(
    'carries both ways with %s',
    async (mediaEncryption) => {
      const { received } = await callWithBaresip({
        uri: `sip:echo@127.0.0.1:${agent.sipPort}`,
        microphone: tone,
        mediaEncryption,
      });
      expectTone(received);
    },
    60_000,
  );

  it('carries G.722 of another maker, protected', async () => {
    const { received } = await callWithBaresip({
      uri: `sip:echo@127.0.0.1:${agent.sipPort}`,
      microphone: tone,
      codec: 'G722/16000/1',
      mediaEncryption: 'srtp-mandf',
    });
    expect(received.sampleRate).toBe(16_000);
    expectTone(received);
  }, 60_000);

  it('refuses who comes without', async () => {
    const call = callWithBaresip({ uri: `sip:echo@127.0.0.1:${agent.sipPort}`, microphone: tone.subarray(0, 8_000) });
    await expect(call).rejects.toThrow(/488/);
  }, 60_000);
});
