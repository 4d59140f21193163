/**
 * A call to the end-to-end model: the trunk reads what the ear made of the caller's speech, the voice follows the trunk.
 * Our own phone over SIP and G.711; the answer is judged by the shipped recogniser from the recording.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toInt16 } from '../../src/audio/pcm';
import { decodeOggOpus } from '../../src/codecs/ogg-opus';
import { SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import { PhoneStack } from '../../src/phone/phone-stack';
import { POLITE, runScript } from '../../src/phone/script';
import { readTapeFile } from '../../src/phone/tape-file';
import { startTestAgent, type TestAgent } from '../support/agent';
import { closeRecogniser, transcribe } from '../support/recogniser';

const question = join(__dirname, '../fixtures/questions/demo-21.ogg');

describe('a call to the engine omni', () => {
  let agent: TestAgent;
  let stack: PhoneStack;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline-tapes-'));
    agent = await startTestAgent({ engine: { name: 'omni' } });
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

  it('is greeted, asks a question and hears the right answer in the voice of the talker', async () => {
    expect(agent.output()).toMatch(/engine omni/);
    const tapePath = join(folder, 'omni.wav');
    const phone = await stack.dial({
      to: `sip:demo@127.0.0.1:${agent.sipPort}`,
      bindAddress: '127.0.0.1',
      ports: [22_000, 22_999],
      tapePath,
    });
    const utterance = { label: 'demo-21', ...(await decodeOggOpus(readFileSync(question))) };
    const report = await runScript(phone, [utterance], POLITE);
    await phone.hangUp();
    expect(report.utterances[0]?.answered).toBe(true);
    const tape = readTapeFile(tapePath);
    const after = Math.round(((report.utterances[0]?.span.endMs ?? 0) * tape.sampleRate) / 1_000);
    const said = await transcribe(toInt16(tape.agent.subarray(after)), tape.sampleRate);
    expect(said).toMatch(/25|twenty.?five/i);
  }, 90_000);
});
