/** A call from a browser's stack that reaches a telephone, through the whole agent: libwebrtc here, baresip or SIPp there. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CallEvent } from '../../src/core/call-event';
import { startTestAgent, type TestAgent } from '../support/agent';
import { baresipToTestWith } from '../support/baresip';
import { BaresipPhone } from '../support/baresip-phone';
import { LIBWEBRTC_SAMPLE_RATE, LibwebrtcCaller, libwebrtcToTestWith } from '../support/libwebrtc';
import { amplitudeAt, sine } from '../support/signal';
import { freePort, sippInstalled, startSipp } from '../support/sipp';

const planFor = (port: number): string => `routes:
  - match: { number: front }
    action: { type: dial, to: "sip:anna@127.0.0.1:${port}" }
  - match: { number: desk }
    action:
      type: agent
      greeting: Hello, this is the front desk.
      persona: { name: Desk, instructions: You are the front desk of a clinic., facts: [The clinic opens at eight.] }
`;

const ready = libwebrtcToTestWith() && baresipToTestWith() && sippInstalled();

(ready ? describe : describe.skip)('a browser that is connected with a telephone', () => {
  let agent: TestAgent;
  let folder: string;
  let port: number;
  let caller: LibwebrtcCaller;
  const microphone = sine(400, 8_000, LIBWEBRTC_SAMPLE_RATE, LIBWEBRTC_SAMPLE_RATE * 60);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline-browser-'));
    port = await freePort();
    writeFileSync(join(folder, 'plan.yaml'), planFor(port));
    agent = await startTestAgent({ dialplans: folder as never });
  }, 150_000);

  beforeEach(() => {
    caller = new LibwebrtcCaller();
  });
  afterEach(() => caller.close());
  afterAll(async () => {
    await agent?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  async function until<T>(find: () => Promise<T | undefined> | T | undefined): Promise<T> {
    for (let attempt = 0; attempt < 400; attempt++) {
      const found = await find();
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`it did not happen\n${agent.output()}`);
  }

  const webCall = (): Promise<string> =>
    until(async () => {
      const { calls } = (await agent.request('GET', '/v1/calls?limit=5')) as {
        calls: { id: string; transport: string; state: string }[];
      };
      return calls.find(({ transport, state }) => transport === 'webrtc' && state === 'answered')?.id;
    });

  const eventOf = <T extends CallEvent['type']>(id: string, type: T) =>
    until(async () => {
      const { events } = (await agent.request('GET', `/v1/calls/${id}/timeline`)) as { events: CallEvent[] };
      return events.find((event): event is Extract<CallEvent, { type: T }> => event.type === type);
    });

  /** Once a second of it is heard at the browser. */
  const untilHeard = (hz: number) =>
    until(async () => {
      const { pcm, sampleRate } = await caller.heard();
      const last = pcm.subarray(-sampleRate);
      return amplitudeAt(last, hz, sampleRate) > 2_500 ? true : undefined;
    });

  it('hears it and is heard, and is told when the telephone hangs up', async () => {
    const phone = BaresipPhone.open({
      account: `<sip:anna@127.0.0.1:${port}>;regint=0;answermode=auto;audio_codecs=PCMU/8000/1`,
      port,
      microphone: sine(900, 6_000, 8_000, 8_000 * 90),
      controlPort: await freePort(),
      seconds: 90,
    });
    try {
      // It has to be there before it is rung.
      await until(() => (phone.output.includes('baresip is ready') ? true : undefined));
      await caller.call({ url: `${agent.httpUrl}/whip/front`, token: agent.token, pcm: microphone });
      const id = await webCall();
      expect((await eventOf(id, 'transfer.completed')).data).toMatchObject({ way: 'bridge' });
      await untilHeard(900);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      await phone.order('hangup');
      expect((await eventOf(id, 'call.ended')).data.cause).toBe('finished');
      await until(async () => {
        const told = await caller.events();
        return told.some(({ type, state }) => type === 'state' && state === 'ended') ? true : undefined;
      });
      const { pcm, sampleRate } = await until(() => phone.heard);
      const end = pcm[0]!.subarray(-1.5 * sampleRate, -0.5 * sampleRate);
      expect(amplitudeAt(end, 400, sampleRate)).toBeGreaterThan(2_500);
      expect(amplitudeAt(end, 900, sampleRate)).toBeLessThan(400);
    } finally {
      await phone.close();
    }
  }, 120_000);

  it('is handed over to it by the agent, and hangs up', async () => {
    const colleague = await startSipp({
      scenario: 'uas-rings.xml',
      pauseMs: 500,
      timeoutSeconds: 90,
      args: ['-rtp_echo', '-mp', String((await freePort()) & ~1)],
    });
    await caller.call({ url: `${agent.httpUrl}/whip/desk`, token: agent.token, pcm: microphone });
    const id = await webCall();
    await agent.request('POST', `/v1/calls/${id}/actions`, {
      type: 'transfer',
      to: `sip:colleague@127.0.0.1:${colleague.port}`,
      ringSeconds: 20,
    });
    expect((await eventOf(id, 'transfer.completed')).data).toMatchObject({ way: 'bridge' });
    // SIPp sends back what it gets: the browser's tone has been to the telephone and returned.
    await untilHeard(400);
    await caller.hangUp();
    expect(await colleague.done).toMatchObject({ exitCode: 0 });
    expect((await eventOf(id, 'call.ended')).data.cause).toBe('caller-hangup');
  }, 120_000);
});
