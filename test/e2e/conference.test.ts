/** Three who talk with each other, through the whole agent: three baresips with a tone each, and two with the agent. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Resampler } from '../../src/audio/resampler';
import { decodeOggOpus } from '../../src/codecs/ogg-opus';
import type { CallEvent } from '../../src/core/call-event';
import { startTestAgent, type TestAgent } from '../support/agent';
import { baresipToTestWith, callWithBaresip } from '../support/baresip';
import { BaresipPhone } from '../support/baresip-phone';
import { closeRecogniser, transcribe } from '../support/recogniser';
import { amplitudeAt, concat, sine } from '../support/signal';
import { freePort } from '../support/sipp';

const planFor = (port: number): string => `routes:
  - match: { number: front }
    action: { type: dial, to: "sip:anna@127.0.0.1:${port}" }
  - match: { number: desk }
    action:
      type: agent
      greeting: Hello, this is the front desk.
      persona: { name: Desk, instructions: You are the front desk of a clinic., facts: [A flu shot costs 25 dollars.] }
`;

interface Shown {
  readonly id: string;
  readonly direction: string;
  readonly to: string;
  readonly state: string;
}

(baresipToTestWith() ? describe : describe.skip)('three who are connected', () => {
  let agent: TestAgent;
  let folder: string;
  let annasPort: number;
  const phones: BaresipPhone[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline-conference-'));
    annasPort = await freePort();
    writeFileSync(join(folder, 'plan.yaml'), planFor(annasPort));
    agent = await startTestAgent({
      dialplans: folder as never,
      sip: { trunks: [{ name: 'carrier', addresses: ['127.0.0.1'] }] },
    });
  }, 150_000);

  afterEach(async () => {
    await Promise.all(phones.splice(0).map((phone) => phone.close()));
  }, 30_000);

  afterAll(async () => {
    await agent?.stop();
    await closeRecogniser();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  /** Picks up by itself. */
  async function colleague(name: string, port: number, microphone: Int16Array): Promise<BaresipPhone> {
    const account = `<sip:${name}@127.0.0.1:${port}>;regint=0;answermode=auto;audio_codecs=PCMU/8000/1`;
    const phone = BaresipPhone.open({ account, port, microphone, controlPort: await freePort(), seconds: 120 });
    phones.push(phone);
    // It has to be there before it is rung.
    await until(() => (phone.output.includes('baresip is ready') ? true : undefined));
    return phone;
  }

  async function until<T>(find: () => Promise<T | undefined> | T | undefined): Promise<T> {
    for (let attempt = 0; attempt < 600; attempt++) {
      const found = await Promise.resolve(find()).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${agent.output()}`);
      });
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`it did not happen\n${agent.output()}\n${phones.map(({ output }) => output).join('\n')}`);
  }

  /** The newest live call to or from there. */
  const callTo = (what: string, state = 'answered'): Promise<string> =>
    until(async () => {
      const { calls } = (await agent.request('GET', '/v1/calls?limit=10')) as { calls: readonly Shown[] };
      return calls.find((call) => call.to.includes(what) && call.state === state)?.id;
    });

  const eventOf = <T extends CallEvent['type']>(
    id: string,
    type: T,
    wanted: (event: Extract<CallEvent, { type: T }>) => boolean = () => true,
  ) =>
    until(async () => {
      const { events } = (await agent.request('GET', `/v1/calls/${id}/timeline`)) as { events: CallEvent[] };
      return events.find(
        (event): event is Extract<CallEvent, { type: T }> => event.type === type && wanted(event as never),
      );
    });

  /** Rings them, has them told, and lets them press 1. */
  async function invite(id: string, name: string, port: number, phone: BaresipPhone): Promise<string> {
    await agent.request('POST', `/v1/calls/${id}/actions`, {
      type: 'transfer',
      mode: 'conference',
      to: `sip:${name}@127.0.0.1:${port}`,
      briefing: 'Please join us.',
    });
    const theirs = await callTo(`${name}@`);
    await phone.press('1');
    const { data } = await eventOf(id, 'transfer.completed', (event) => event.data.way === 'conference');
    expect(data).toMatchObject({ peerCallId: theirs });
    return theirs;
  }

  /** Whether there is half a second in which these tones are heard, and those not. */
  function heardTogether(pcm: Int16Array, sampleRate: number, tones: readonly number[], not: number): boolean {
    const window = sampleRate / 2;
    for (let from = 0; from + window <= pcm.length; from += window / 2) {
      const part = pcm.subarray(from, from + window);
      const strong = tones.every((hz) => amplitudeAt(part, hz, sampleRate) > 2_500);
      if (strong && amplitudeAt(part, not, sampleRate) < 400) return true;
    }
    return false;
  }

  const caller = 400;
  const annas = 900;
  const berts = 1_500;

  it('hear the two others and not themselves, and go on as two when the caller leaves', async () => {
    const bertsPort = await freePort();
    const anna = await colleague('anna', annasPort, sine(annas, 5_000, 8_000, 8_000 * 90));
    const bert = await colleague('bert', bertsPort, sine(berts, 5_000, 8_000, 8_000 * 90));
    const calling = callWithBaresip({
      uri: `sip:front@127.0.0.1:${agent.sipPort}`,
      microphone: sine(caller, 5_000, 8_000, 8_000 * 30),
    });
    const id = await callTo('front', 'answered');
    await eventOf(id, 'transfer.completed');
    const bertsCall = await invite(id, 'bert', bertsPort, bert);
    const { received } = await calling;
    await eventOf(id, 'call.ended');
    // The two who are left hear each other for a while.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await agent.request('POST', `/v1/calls/${bertsCall}/actions`, { type: 'hangup' });
    const annasCall = await callTo('anna@', 'ended');
    expect((await eventOf(annasCall, 'call.ended')).data.cause).toBe('finished');

    expect(heardTogether(received.pcm[0]!, received.sampleRate, [annas, berts], caller)).toBe(true);
    for (const [phone, others, own] of [
      [anna, [caller, berts], annas],
      [bert, [caller, annas], berts],
    ] as const) {
      const { pcm, sampleRate } = await until(() => phone.heard);
      expect(heardTogether(pcm[0]!, sampleRate, others, own)).toBe(true);
      const end = pcm[0]!.subarray(-2 * sampleRate, -sampleRate / 2);
      expect(amplitudeAt(end, others[1], sampleRate)).toBeGreaterThan(2_500);
      expect(amplitudeAt(end, caller, sampleRate)).toBeLessThan(400);
    }
  }, 150_000);

  it('one of them the agent, who hears both and is heard by both', async () => {
    const { pcm, sampleRate } = await decodeOggOpus(readFileSync(join(__dirname, '../fixtures/questions/demo-21.ogg')));
    const question = concat(new Resampler(sampleRate, 8_000).push(pcm));
    // Asked again and again, with time for the answer: once at the least after the briefing.
    const again = concat([new Int16Array(8_000 * 10), question]);
    const bertsPort = await freePort();
    const bert = await colleague('bert', bertsPort, concat(Array.from({ length: 8 }, () => again)));
    const calling = callWithBaresip({
      uri: `sip:desk@127.0.0.1:${agent.sipPort}`,
      microphone: new Int16Array(8_000 * 50),
    });
    const id = await callTo('desk');
    await eventOf(id, 'turn.agent');
    await invite(id, 'bert', bertsPort, bert);
    const { data } = await eventOf(id, 'turn.user', ({ data }) => /flu/i.test(data.text));
    expect(data.text).toMatch(/flu shot/i);
    const { received } = await calling;
    await callTo('bert@', 'ended');
    const heard = await until(() => bert.heard);
    for (const tape of [received, heard]) {
      const rest = tape.pcm[0]!.subarray(-30 * tape.sampleRate);
      expect(await transcribe(rest, tape.sampleRate)).toMatch(/25|twenty.?five/i);
    }
    // Only the caller hears the question: nobody hears themselves.
    const asked = await transcribe(received.pcm[0]!.subarray(-30 * received.sampleRate), received.sampleRate);
    expect(asked).toMatch(/how much|cost/i);
  }, 150_000);
});
