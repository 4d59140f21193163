/**
 * The shipped example: a caller who speaks books an appointment with the built-in brain, through the example's HTTP service, in a real
 * PostgreSQL. The caller answers what the agent asks, as people do; judged by the table alone.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { localDay } from '../../src/call/forms/spoken-date';
import type { CallEvent } from '../../src/core/call-event';
import { SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import { openVoice } from '../../src/model/load-model';
import type { Phone } from '../../src/phone/phone';
import { PhoneStack } from '../../src/phone/phone-stack';
import { startTestAgent, type TestAgent } from '../support/agent';
import { type PostgresServer, postgresInstalled, startPostgres } from '../support/postgres-server';

const root = join(__dirname, '../..');
const when = postgresInstalled() ? describe : describe.skip;

when('the example that books appointments', () => {
  let folder: string;
  let postgres: PostgresServer;
  let service: ChildProcess;
  let database: Client;
  let agent: TestAgent;
  let stack: PhoneStack;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline-appointments-'));
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, 't0ken\n');
    postgres = await startPostgres();
    service = spawn(process.execPath, [join(root, 'examples/appointments/service.mjs')], {
      env: { ...process.env, DATABASE_URL: postgres.url, PORT: '0', TOKEN_FILE: tokenFile },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const address = await new Promise<string>((resolve, reject) => {
      service.stdout?.once('data', (line: Buffer) => resolve(line.toString().trim()));
      service.once('exit', () => reject(new Error('the service ended')));
    });
    const plan = readFileSync(join(root, 'dialplans/examples/appointments.yaml'), 'utf8')
      .replaceAll('http://localhost:3000', address)
      .replaceAll('/run/secrets/appointments', tokenFile);
    writeFileSync(join(folder, 'plan.yaml'), plan);
    database = new Client({ connectionString: postgres.url });
    await database.connect();
    agent = await startTestAgent({
      dialplans: folder as never,
      engine: { silenceSeconds: 10 },
      webhooks: { allowPrivate: ['localhost'] },
    });
    stack = await PhoneStack.open({
      mediaEntry: join(root, 'dist/workers/media.js'),
      clock: new SystemClock(),
      log: silentLogger,
      listen: { host: '127.0.0.1', port: 0 },
      codecs: ['PCMU'],
    });
  }, 180_000);
  afterAll(async () => {
    await stack?.close();
    await agent?.stop();
    await database?.end();
    service?.kill('SIGTERM');
    postgres?.remove();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  const rows = async () =>
    (
      await database.query<{ name: string; at: string }>(
        "SELECT name, to_char(at, 'YYYY-MM-DD HH24:MI') AS at FROM appointments",
      )
    ).rows;

  it('writes what was said, read back and agreed to', async () => {
    const tomorrow = localDay(new Date(Date.now() + 86_400_000));
    const voice = await openVoice(join(root, 'models'), 1);
    const pcmOf = async (text: string) => {
      const chunks: number[] = [];
      for await (const { pcm } of voice.synthesise(text, new AbortController().signal))
        for (const one of pcm) chunks.push(one);
      return Int16Array.from(chunks, (value) => Math.round(Math.max(-1, Math.min(1, value)) * 32_767));
    };
    const lines = {
      wish: await pcmOf('I would like to book an appointment with a doctor, please.'),
      name: await pcmOf('Miller.'),
      spelled: await pcmOf('The last name is: M, I, L, L, E, R.'),
      time: await pcmOf('Tomorrow at half past two.'),
      newTime: await pcmOf('No, the time is tomorrow at half past two.'),
      yes: await pcmOf('Yes, that is right.'),
    };
    const { sampleRate } = voice;
    await voice.close();
    const phone: Phone = await stack.dial({
      to: `sip:appointments@127.0.0.1:${agent.sipPort}`,
      bindAddress: '127.0.0.1',
      ports: [22_000, 22_999],
      tapePath: join(folder, 'call.wav'),
    });
    const { calls } = (await agent.request('GET', '/v1/calls?limit=1')) as { calls: { id: string }[] };
    const path = `/v1/calls/${calls[0]?.id}/timeline`;
    const answerTo = (said: string): keyof typeof lines | undefined => {
      if (/booked for/.test(said)) return undefined;
      if (/Is that right/.test(said)) {
        if (!/Miller/.test(said)) return 'spelled';
        return /at 2:30 pm/.test(said) ? 'yes' : 'newTime';
      }
      if (/last name/.test(said)) return 'name';
      return /which day/.test(said) ? 'time' : 'wish';
    };
    let heard = 0;
    const transcript: string[] = [];
    const until = Date.now() + 200_000;
    while ((await rows()).length === 0 && Date.now() < until) {
      const { events } = (await agent.request('GET', path)) as { events: CallEvent[] };
      const said = events.flatMap((event) => (event.type === 'turn.agent' ? [event.data.text] : []));
      transcript.splice(
        0,
        transcript.length,
        ...events.flatMap(({ type, data }) => ('text' in data ? [`${type}: ${data.text}`] : [type])),
      );
      const last = said.at(-1);
      if (said.length === heard || last === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        continue;
      }
      heard = said.length;
      // Of what is no question, more is to come.
      const line = /\?\W*$/.test(last) ? answerTo(last) : undefined;
      if (line !== undefined) await phone.say(lines[line], sampleRate);
    }
    const booked = await rows();
    if (booked.length === 0) throw new Error(`Nothing was booked:\n${transcript.join('\n')}`);
    expect(booked).toEqual([{ name: 'Miller', at: `${tomorrow} 14:30` }]);
    await phone.hangUp();
  }, 240_000);
});
