/** Events reach their receiver although the agent is killed again and again in the middle of calls. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeUdpPort } from '../../src/bench/own-agent';
import { parseJournal } from '../../src/store/call-journal';
import { MortalAgent } from '../support/mortal-agent';
import { type PostgresServer, postgresInstalled, startPostgres } from '../support/postgres-server';
import { sippInstalled, startSipp } from '../support/sipp';
import { type Receiver, startReceiver } from '../webhooks/receiver';

/** As many as `npm test` has time for; a thousand calls and ten kills: KEPT_EVENTS_KILLS=10 KEPT_EVENTS_CALLS=100. */
const kills = Number(process.env['KEPT_EVENTS_KILLS'] ?? 2);
const callsPerLife = Number(process.env['KEPT_EVENTS_CALLS'] ?? 25);

jest.setTimeout(60_000 * (3 + kills * 2));

interface Told {
  readonly id: string;
  readonly callId: string;
  readonly sequence: number;
}

/** Every event that the call records hold. */
function recorded(dataFolder: string): Told[] {
  const calls = join(dataFolder, 'calls');
  return readdirSync(calls).flatMap((day) =>
    readdirSync(join(calls, day)).flatMap((name) =>
      parseJournal(name.slice(0, -'.jsonl'.length), readFileSync(join(calls, day, name), 'utf8')).events.map(
        ({ id, callId, sequence }) => ({ id, callId, sequence }),
      ),
    ),
  );
}

const databases: { name: string; installed: () => boolean; start: () => Promise<PostgresServer | undefined> }[] = [
  { name: 'the embedded database', installed: () => true, start: async () => undefined },
  { name: 'PostgreSQL', installed: postgresInstalled, start: startPostgres },
];

(sippInstalled() ? describe : describe.skip).each(databases.filter(({ installed }) => installed()))(
  'an agent with $name that is killed',
  ({ start }) => {
    let receiver: Receiver;
    let postgres: PostgresServer | undefined;
    let agent: MortalAgent | undefined;
    const data = mkdtempSync(join(tmpdir(), 'mortal-'));
    afterAll(async () => {
      await agent?.die('SIGKILL');
      await receiver?.close();
      postgres?.remove();
      rmSync(data, { recursive: true, force: true });
    });

    it('tells its receiver of every event on record, in order, under one id', async () => {
      // One in five is not taken at first: there is always something on its way.
      receiver = await startReceiver((_, count) => ({ status: count % 5 === 0 ? 503 : 204 }));
      postgres = await start();
      const sipPort = await freeUdpPort();
      const configPath = join(data, 'trunkline.yaml');
      writeFileSync(
        configPath,
        JSON.stringify({
          sip: { host: '127.0.0.1', port: sipPort, transports: ['udp'] },
          http: { port: 0 },
          rtp: { ports: '24000-24999' },
          limits: { callsPerSourcePerSecond: 200 },
          webhooks: { endpoints: [{ url: receiver.url, secrets: ['a secret'] }], allowPrivate: ['localhost'] },
          ...(postgres === undefined ? {} : { database: { url: postgres.url } }),
          data,
        }),
      );
      agent = new MortalAgent(configPath);
      for (let life = 0; life < kills; life += 1) {
        await agent.live();
        const before = receiver.received.length;
        const callers = await startSipp({
          scenario: 'uac-basic.xml',
          target: `127.0.0.1:${sipPort}`,
          service: 'echo',
          calls: callsPerLife,
          args: ['-r', '25'],
        });
        // In the middle of it: some calls are over, some stand, some are still to come.
        for (let attempt = 0; receiver.received.length < before + callsPerLife; attempt += 1) {
          expect(attempt).toBeLessThan(1_200);
          await new Promise((resolve) => setTimeout(resolve, 25));
        }
        await agent.die('SIGKILL');
        callers.stop();
        await callers.done;
      }
      await agent.live();
      const taken = (): Set<string> =>
        new Set(
          receiver.received.flatMap(({ body }, index) =>
            (index + 1) % 5 === 0 ? [] : [(JSON.parse(body) as Told).id],
          ),
        );
      let events = recorded(data);
      for (let attempt = 0; events.some(({ id }) => !taken().has(id)); attempt += 1) {
        expect(attempt).toBeLessThan(600);
        await new Promise((resolve) => setTimeout(resolve, 100));
        events = recorded(data);
      }
      await agent.die('SIGTERM');
      expect(new Set(events.map(({ callId }) => callId)).size).toBeGreaterThan(kills * 3);
      // One event, one id, on record and at the receiver alike.
      const places = new Map(events.map(({ id, callId, sequence }) => [id, `${callId}/${sequence}`]));
      expect(new Set(places.values()).size).toBe(events.length);
      const told = receiver.received.map(({ body }) => JSON.parse(body) as Told);
      for (const { id, callId, sequence } of told) expect(places.get(id)).toBe(`${callId}/${sequence}`);
      // In order: of a call nothing comes before the first time that what precedes it was taken.
      const reached = new Map<string, number>();
      told.forEach(({ callId, sequence }, index) => {
        const last = reached.get(callId) ?? 0;
        expect(sequence).toBeLessThanOrEqual(last + 1);
        if ((index + 1) % 5 !== 0) reached.set(callId, Math.max(last, sequence));
      });
    });
  },
);
