/** Calls of ours that are answered by people and by machines, through the whole agent; SIPp plays what they say. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Resampler } from '../../src/audio/resampler';
import { readWav } from '../../src/audio/wav';
import { muLawFromLinear } from '../../src/codecs/g711';
import { decodeOggOpus } from '../../src/codecs/ogg-opus';
import type { CallEvent } from '../../src/core/call-event';
import type { CallRecord } from '../../src/core/call-record';
import { startTestAgent, type TestAgent } from '../support/agent';
import { concat, sine } from '../support/signal';
import { sippInstalled, startSipp } from '../support/sipp';

const plan = `routes:
  - match: { number: tone }
    action: { type: tone, levelDbm0: -20 }
  - match: { number: demo }
    action: { type: agent, persona: { name: Ann, instructions: Be brief., greeting: Good day. } }
`;
const message = 'You have reached Bob. Please leave a message after the tone.';

const quiet = (ms: number): Int16Array => new Int16Array(ms * 8);
const beep = sine(1000, 5000, 8000, 3200);

function narrow(pcm: Int16Array, sampleRate: number): Int16Array {
  return concat(new Resampler(sampleRate, 8000).push(pcm));
}

async function spoken(id: string): Promise<Int16Array> {
  const { pcm, sampleRate } = await decodeOggOpus(readFileSync(join(__dirname, '../fixtures/questions', `${id}.ogg`)));
  return narrow(pcm, sampleRate);
}

(sippInstalled() ? describe : describe.skip)('a call of ours', () => {
  let agent: TestAgent;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline-answered-'));
    writeFileSync(join(folder, 'plan.yaml'), plan);
    agent = await startTestAgent({ dialplans: folder as never, recording: { enabled: true } });
  }, 150_000);

  afterAll(async () => {
    await agent?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  /** Until the call has ended; `steer` may end it. */
  async function call(greeting: Int16Array, order: object, steer?: (events: readonly CallEvent[]) => boolean) {
    const bytes = Uint8Array.from(concat([greeting, quiet(20_000)]), (sample) => muLawFromLinear(sample));
    const far = await startSipp({ scenario: 'uas-greets.xml', files: { 'greeting.ul': bytes }, timeoutSeconds: 40 });
    const placed = (await agent.request('POST', '/v1/calls', {
      to: `sip:callee@127.0.0.1:${far.port}`,
      ...order,
    })) as CallRecord;
    const path = `/v1/calls/${placed.id}`;
    for (;;) {
      const { events } = (await agent.request('GET', `${path}/timeline`)) as { events: CallEvent[] };
      if (events.at(-1)?.type === 'call.ended') {
        expect((await far.done).exitCode).toBe(0);
        const { pcm } = readWav(readFileSync(join(agent.dataFolder, 'recordings', `${placed.id}.wav`)));
        const record = (await agent.request('GET', path)) as CallRecord;
        const results = events.flatMap((event) => (event.type === 'amd.result' ? [event.data] : []));
        return { record, events, results, theirs: pcm[0] ?? quiet(0), ours: pcm[1] ?? quiet(0) };
      }
      if (steer?.(events) === true) await agent.request('POST', `${path}/actions`, { type: 'hangup' });
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** Of 16 kHz samples: milliseconds before the first that is loud, and after the last. */
  const beginMs = (pcm: Int16Array): number => pcm.findIndex((sample) => Math.abs(sample) > 300) / 16;
  const endMs = (pcm: Int16Array): number => pcm.findLastIndex((sample) => Math.abs(sample) > 300) / 16;
  const answered = (type: CallEvent['type'], afterMs = 1_500) => {
    let sinceMs: number | undefined;
    return (events: readonly CallEvent[]): boolean => {
      if (events.some((event) => event.type === type)) sinceMs ??= performance.now();
      return sinceMs !== undefined && performance.now() - sinceMs > afterMs;
    };
  };

  it('S53 waits for a person to have said hello, and then does what it is for', async () => {
    const hello = concat([quiet(600), (await spoken('demo-01')).subarray(0, 9_600)]);
    const { record, results, theirs, ours } = await call(
      hello,
      { dialplan: 'tone', amd: true },
      answered('amd.result'),
    );
    expect(results).toEqual([expect.objectContaining({ answeredBy: 'human', because: 'short-greeting' })]);
    expect(record).toMatchObject({ answeredBy: 'human', action: 'tone', cause: 'hangup-requested' });
    expect(beginMs(ours)).toBeGreaterThan(endMs(theirs));
  }, 60_000);

  it('S54 leaves its message when the machine has beeped, and hangs up', async () => {
    const sentences = await Promise.all(['demo-01', 'demo-02', 'demo-03', 'demo-04', 'demo-05'].map(spoken));
    const greeting = concat([quiet(500), ...sentences.flatMap((pcm) => [pcm, quiet(250)]), quiet(400), beep]);
    const { record, events, results, theirs, ours } = await call(greeting, { dialplan: 'tone', amd: { message } });
    expect(results).toEqual([
      expect.objectContaining({ answeredBy: 'machine', because: 'long-greeting' }),
      expect.objectContaining({ answeredBy: 'machine', because: 'beep', records: 'beep' }),
    ]);
    expect(record).toMatchObject({ answeredBy: 'machine', cause: 'finished' });
    expect(events.map(({ type }) => type)).toContain('voicemail.left');
    expect(beginMs(ours)).toBeGreaterThan(endMs(theirs));
    writeFileSync(join(folder, 'message.pcm'), ours);
  }, 90_000);

  it('S55 is ended when what it took for a person beeps', async () => {
    const hello = (await spoken('demo-01')).subarray(0, 8_000);
    const { record, results } = await call(concat([quiet(500), hello, quiet(3_000), beep]), {
      dialplan: 'tone',
      amd: { onMachine: 'hangup' },
    });
    expect(results.map(({ answeredBy }) => answeredBy)).toEqual(['human', 'machine', 'machine']);
    expect(record).toMatchObject({ answeredBy: 'machine', cause: 'machine' });
  }, 60_000);

  it('S56 knows a machine by its words, long before its beep', async () => {
    // What our own voice said to the machine before is now what the machine says.
    const bytes = readFileSync(join(folder, 'message.pcm'));
    const said = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
    const greeting = concat([quiet(500), narrow(said.subarray(beginMs(said) * 16), 16_000)]);
    const { record, results } = await call(greeting, { dialplan: 'demo', amd: { onMachine: 'hangup' } });
    expect(results).toEqual([expect.objectContaining({ answeredBy: 'machine', because: 'words' })]);
    expect(record).toMatchObject({ cause: 'machine' });
  }, 60_000);
});
