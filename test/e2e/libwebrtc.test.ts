/** libwebrtc, the stack of most browsers and of many WebRTC gateways, calls the agent by WHIP and is understood. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Resampler } from '../../src/audio/resampler';
import { decodeOggOpus } from '../../src/codecs/ogg-opus';
import { startTestAgent, type TestAgent } from '../support/agent';
import { LIBWEBRTC_SAMPLE_RATE, LibwebrtcCaller, libwebrtcToTestWith } from '../support/libwebrtc';
import { rootMeanSquare, tonePart } from '../support/pitch';
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

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

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

  test('begins ICE anew on the live call, three times, and misses nothing of the tone', async () => {
    caller = new LibwebrtcCaller();
    await caller.call({ url: `${agent.httpUrl}/whip/tone`, token: agent.token, pcm: new Int16Array(0) });
    await pause(1_500);
    for (let round = 0; round < 3; round += 1) {
      expect(await caller.restart()).toBe(true);
      await pause(1_500);
    }
    const { pcm, sampleRate } = await caller.heard();
    await caller.hangUp();
    // The first second belongs to the jitter buffer.
    const heard = Float32Array.from(pcm.subarray(sampleRate), (sample) => sample / 32_768);
    expect(heard.length).toBeGreaterThan(4 * sampleRate);
    expect(tonePart(heard, sampleRate, 1_000)).toBeGreaterThan(0.9);
    const window = sampleRate / 10;
    const windows = Array.from({ length: Math.floor(heard.length / window) }, (_, index) =>
      rootMeanSquare(heard.subarray(index * window, (index + 1) * window)),
    );
    const usual = [...windows].sort((a, b) => a - b)[windows.length >> 1] ?? 0;
    expect(windows.filter((level) => level < usual / 2)).toEqual([]);
    const { calls } = (await agent.request('GET', '/v1/calls?limit=1')) as { calls: { state: string }[] };
    expect(calls[0]?.state).toBe('ended');
  }, 60_000);

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
      await pause(200);
    }
    const { pcm, sampleRate } = await caller.heard();
    return transcribe(pcm, sampleRate);
  }
});
