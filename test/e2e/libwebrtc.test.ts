/** libwebrtc, the stack of most browsers and of many WebRTC gateways, calls the agent by WHIP and is understood. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Resampler } from '../../src/audio/resampler';
import { decodeOggOpus } from '../../src/codecs/ogg-opus';
import { startTestAgent, type TestAgent } from '../support/agent';
import { LIBWEBRTC_SAMPLE_RATE, LibwebrtcCaller, libwebrtcToTestWith } from '../support/libwebrtc';
import { closeRecogniser, transcribe } from '../support/recogniser';

/** The greeting is over by then. */
const BEFORE_SECONDS = 6;
const describeWithLibwebrtc = libwebrtcToTestWith() ? describe : describe.skip;

async function questionAfterGreeting(id: string): Promise<Int16Array> {
  const { pcm, sampleRate } = await decodeOggOpus(
    readFileSync(path.join(__dirname, `../fixtures/questions/${id}.ogg`)),
  );
  const chunks =
    sampleRate === LIBWEBRTC_SAMPLE_RATE ? [pcm] : new Resampler(sampleRate, LIBWEBRTC_SAMPLE_RATE).push(pcm);
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const microphone = new Int16Array(BEFORE_SECONDS * LIBWEBRTC_SAMPLE_RATE + length);
  let at = BEFORE_SECONDS * LIBWEBRTC_SAMPLE_RATE;
  for (const chunk of chunks) {
    microphone.set(chunk, at);
    at += chunk.length;
  }
  return microphone;
}

describeWithLibwebrtc('a call of libwebrtc', () => {
  let agent: TestAgent;
  let caller: LibwebrtcCaller;

  beforeAll(async () => {
    agent = await startTestAgent();
  }, 150_000);
  afterEach(async () => caller?.close());
  afterAll(async () => {
    await agent?.stop();
    await closeRecogniser();
  }, 30_000);

  test('asks aloud what a flu shot costs and hears the price', async () => {
    caller = new LibwebrtcCaller();
    const pcm = await questionAfterGreeting('demo-21');
    await caller.call({ url: `${agent.httpUrl}/whip/demo`, token: agent.token, pcm });
    const answered = await untilAnswered();
    await caller.hangUp();
    expect(answered).toMatch(/Riverside/i);
    expect(answered).toMatch(/25|twenty.?five/i);
  }, 180_000);

  /** What was heard once the agent listens again after its answer, as the recogniser reads it. */
  async function untilAnswered(): Promise<string> {
    for (let attempt = 0; attempt < 300; attempt += 1) {
      const events = await caller.events();
      const answer = events.findIndex(
        ({ type, role, turnId }) => type === 'caption' && role === 'agent' && turnId !== 0,
      );
      const asked = events.findIndex(({ type, role }) => type === 'caption' && role === 'user');
      const listensAgain = events.slice(asked).some(({ type, state }) => type === 'state' && state === 'listening');
      if (asked >= 0 && answer >= 0 && listensAgain) break;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    const { pcm, sampleRate } = await caller.heard();
    return transcribe(pcm, sampleRate);
  }
});
