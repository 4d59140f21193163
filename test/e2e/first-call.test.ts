/**
 * The first call, rung for real: our own phone over SIP and G.711, a recorded question, and the answer judged by the
 * shipped recogniser from the recording.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toInt16 } from '../../src/audio/pcm';
import { decodeOggOpus } from '../../src/codecs/ogg-opus';
import { SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import type { Phone } from '../../src/phone/phone';
import { PhoneStack } from '../../src/phone/phone-stack';
import { POLITE, runScript, type Utterance } from '../../src/phone/script';
import { readBargeIn, readTurnGaps } from '../../src/phone/tape';
import { readTapeFile } from '../../src/phone/tape-file';
import { startTestAgent, type TestAgent } from '../support/agent';
import { closeRecogniser, transcribe } from '../support/recogniser';

const questions = join(__dirname, '../fixtures/questions');

async function question(id: string): Promise<Utterance> {
  return { label: id, ...(await decodeOggOpus(readFileSync(join(questions, `${id}.ogg`)))) };
}

describe('a call over SIP', () => {
  let agent: TestAgent;
  let stack: PhoneStack;
  let folder: string;

  const dial = (number: string, tape: string): Promise<Phone> =>
    stack.dial({
      to: `sip:${number}@127.0.0.1:${agent.sipPort}`,
      bindAddress: '127.0.0.1',
      ports: [22_000, 22_999],
      tapePath: join(folder, tape),
    });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline-tapes-'));
    agent = await startTestAgent();
    stack = await PhoneStack.open({
      mediaEntry: join(__dirname, '../../dist/workers/media.js'),
      clock: new SystemClock(),
      log: silentLogger,
      listen: { host: '127.0.0.1', port: 0 },
      codecs: ['PCMU'],
    });
  }, 120_000);

  afterAll(async () => {
    await stack?.close();
    await agent?.stop();
    await closeRecogniser();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  it('is greeted, asks a question and hears the right answer', async () => {
    const phone = await dial('demo', 'question.wav');
    const report = await runScript(phone, [await question('demo-21')]);
    await phone.hangUp();
    expect(report.greeted).toBe(true);
    expect(report.utterances[0]?.answered).toBe(true);
    const tape = readTapeFile(join(folder, 'question.wav'));
    const after = Math.round(((report.utterances[0]?.span.endMs ?? 0) * tape.sampleRate) / 1_000);
    const said = await transcribe(toInt16(tape.agent.subarray(after)), tape.sampleRate);
    expect(said).toMatch(/25|twenty.?five/i);
    const reading = readTurnGaps(
      tape,
      report.utterances.map(({ span }) => span),
    );
    process.stderr.write(`turn gap ${reading.gaps[0]?.gapMs} ms\n`);
    expect(reading.gaps).toHaveLength(1);
  }, 90_000);

  it('falls silent when the caller talks over it, and listens', async () => {
    const phone = await dial('demo', 'interruption.wav');
    await phone.waitUntilTalking(5_000);
    await phone.pass(600);
    const over = await question('demo-21');
    const span = await phone.say(over.pcm, over.sampleRate);
    await phone.waitUntilQuiet(5_000);
    const answered = await phone.waitUntilTalking(12_000);
    await phone.waitUntilQuiet(20_000);
    await phone.hangUp();
    const tape = readTapeFile(join(folder, 'interruption.wav'));
    const stoppedAfterMs = readBargeIn(tape, span.startMs);
    process.stderr.write(`the agent stopped ${stoppedAfterMs} ms after the onset\n`);
    expect(stoppedAfterMs).toBeDefined();
    expect(answered).toBe(true);
    const after = Math.round((span.endMs * tape.sampleRate) / 1_000);
    expect(await transcribe(toInt16(tape.agent.subarray(after)), tape.sampleRate)).toMatch(/25|twenty.?five/i);
  }, 90_000);

  it('survives hold and resume, and answers afterwards', async () => {
    const phone = await dial('demo', 'hold.wav');
    const report = await runScript(phone, [await question('demo-13'), await question('demo-21')], {
      ...POLITE,
      hold: true,
    });
    await phone.hangUp();
    expect(report.utterances.map(({ answered }) => answered)).toEqual([true, true]);
    const tape = readTapeFile(join(folder, 'hold.wav'));
    const after = Math.round(((report.utterances[1]?.span.endMs ?? 0) * tape.sampleRate) / 1_000);
    expect(await transcribe(toInt16(tape.agent.subarray(after)), tape.sampleRate)).toMatch(/25|twenty.?five/i);
  }, 120_000);

  it('serves two calls at once', async () => {
    const [first, second] = await Promise.all([dial('demo', 'one.wav'), dial('shop', 'two.wav')]);
    const [one, two] = await Promise.all([
      runScript(first, [await question('demo-21')]),
      runScript(second, [await question('shop-11')]),
    ]);
    await Promise.all([first.hangUp(), second.hangUp()]);
    expect([one, two].map((report) => report.utterances[0]?.answered)).toEqual([true, true]);
    for (const [tapeName, report, fact] of [
      ['one.wav', one, /25|twenty.?five/i],
      ['two.wav', two, /30|thirty/i],
    ] as const) {
      const tape = readTapeFile(join(folder, tapeName));
      const after = Math.round(((report.utterances[0]?.span.endMs ?? 0) * tape.sampleRate) / 1_000);
      expect(await transcribe(toInt16(tape.agent.subarray(after)), tape.sampleRate)).toMatch(fact);
    }
  }, 120_000);

  it('keeps a record with the words that were heard', async () => {
    const { calls } = (await agent.request('GET', '/v1/calls')) as {
      calls: { id: string; cause: string; state: string }[];
    };
    expect(calls.length).toBeGreaterThanOrEqual(4);
    expect(calls.every(({ state, cause }) => state === 'ended' && cause === 'caller-hangup')).toBe(true);
    const oldest = calls.at(-1)?.id ?? '';
    const { turns } = (await agent.request('GET', `/v1/calls/${oldest}/transcript`)) as {
      turns: { role: string; text: string }[];
    };
    expect(turns.find(({ role }) => role === 'user')?.text).toMatch(/flu|shot/i);
  });

  it('refuses a number that nobody has with 404', async () => {
    await expect(dial('nobody', 'nobody.wav')).rejects.toMatchObject({
      code: 'sip.rejected',
      details: { status: 404 },
    });
  });
});
