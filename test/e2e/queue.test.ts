/** Two callers and one person who serves them, through the whole agent: SIPp and baresip wait, SIPp picks up. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeWav } from '../../src/audio/wav';
import type { CallEvent } from '../../src/core/call-event';
import { startTestAgent, type TestAgent } from '../support/agent';
import { baresipToTestWith, callWithBaresip } from '../support/baresip';
import { closeRecogniser, transcribe } from '../support/recogniser';
import { amplitudeAt, sine } from '../support/signal';
import { freePort, sippInstalled, startSipp } from '../support/sipp';

const planFor = (port: number): string => `routes:
  - match: { number: support }
    action:
      type: queue
      name: support
      members: ["sip:human@127.0.0.1:${port}"]
      music: music.wav
      wrapUpSeconds: 1
`;

interface Shown {
  readonly id: string;
  readonly direction: string;
  readonly state: string;
}

(sippInstalled() && baresipToTestWith() ? describe : describe.skip)('a line with one person behind it', () => {
  let agent: TestAgent;
  let folder: string;
  let port: number;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline-queue-'));
    port = await freePort();
    writeFileSync(join(folder, 'plan.yaml'), planFor(port));
    const music = writeWav({ sampleRate: 8000, channels: 1, pcm: [sine(440, 8000, 8000, 8000)] });
    writeFileSync(join(folder, 'music.wav'), music);
    agent = await startTestAgent({
      dialplans: folder as never,
      sip: { trunks: [{ name: 'carrier', addresses: ['127.0.0.1'] }] },
    });
  }, 150_000);

  afterAll(async () => {
    await agent?.stop();
    await closeRecogniser();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  async function incoming(): Promise<readonly Shown[]> {
    const { calls } = (await agent.request('GET', '/v1/calls?limit=50')) as { calls: readonly Shown[] };
    return calls.filter(({ direction }) => direction === 'inbound');
  }

  async function eventsOf(id: string): Promise<readonly CallEvent[]> {
    const { events } = (await agent.request('GET', `/v1/calls/${id}/timeline`)) as { events: CallEvent[] };
    return events;
  }

  async function until<T>(find: () => Promise<T | undefined>): Promise<T> {
    for (let attempt = 0; attempt < 600; attempt++) {
      const found = await find();
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('it did not happen');
  }

  const event = <T extends CallEvent['type']>(events: readonly CallEvent[], type: T) =>
    events.find((one): one is Extract<CallEvent, { type: T }> => one.type === type);
  const joined = (calls: number) =>
    until(async () => {
      const all = await incoming();
      const told = await Promise.all(all.map(({ id }) => eventsOf(id)));
      return told.filter((events) => event(events, 'queue.joined') !== undefined).length === calls ? all : undefined;
    });

  it('S130 tells the second where they stand, and serves them when the first is done', async () => {
    const human = await startSipp({
      scenario: 'uas-rings.xml',
      port,
      calls: 2,
      pauseMs: 9_000,
      timeoutSeconds: 150,
      args: ['-rtp_echo', '-mp', String((await freePort()) & ~1)],
    });
    const target = `127.0.0.1:${agent.sipPort}`;
    const first = await startSipp({
      scenario: 'uac-basic.xml',
      target,
      service: 'support',
      pauseMs: 14_000,
      timeoutSeconds: 120,
    });
    const [firstCall] = await joined(1);
    // What it says is sent back by the phone that answers, and by nobody else.
    const second = callWithBaresip({ uri: `sip:support@${target}`, microphone: sine(700, 6000, 8000, 8000 * 40) });
    const secondCall = (await joined(2)).find(({ id }) => id !== firstCall?.id);

    expect(await first.done).toMatchObject({ exitCode: 0 });
    const { received } = await second;
    expect(await human.done).toMatchObject({ exitCode: 0 });

    const [ofFirst, ofSecond] = await Promise.all([firstCall, secondCall].map((call) => eventsOf(call?.id ?? '')));
    expect(event(ofFirst!, 'queue.joined')?.data).toEqual({ queue: 'support', position: 1, waiting: 1 });
    expect(event(ofSecond!, 'queue.joined')?.data).toEqual({ queue: 'support', position: 2, waiting: 2 });
    for (const events of [ofFirst!, ofSecond!]) {
      expect(event(events, 'queue.left')?.data).toMatchObject({ reason: 'bridged', position: 1 });
    }
    const firstOver = event(ofFirst!, 'call.ended')?.occurredAt ?? '';
    expect(event(ofSecond!, 'queue.left')!.occurredAt >= firstOver).toBe(true);

    const { sampleRate } = received;
    const heard = received.pcm[0] ?? new Int16Array();
    const told = await transcribe(heard.subarray(0, 8 * sampleRate), sampleRate);
    expect(told).toMatch(/number (2|two)/i);
    const music = heard.subarray(6 * sampleRate, 8 * sampleRate);
    // It was made quieter, to the loudness of the voice: about 4,000.
    expect(amplitudeAt(music, 440, sampleRate)).toBeGreaterThan(1500);
    expect(amplitudeAt(music, 700, sampleRate)).toBeLessThan(500);
    const served = heard.subarray(-2 * sampleRate);
    expect(amplitudeAt(served, 700, sampleRate)).toBeGreaterThan(3000);
    expect(amplitudeAt(served, 440, sampleRate)).toBeLessThan(500);
  }, 180_000);
});
