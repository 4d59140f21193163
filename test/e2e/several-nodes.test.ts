/** Several agents behind the Kamailio that we ship, on one PostgreSQL: one drains, one is added, one is killed, and calls go on. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeUdpPort } from '../../src/bench/own-agent';
import { postgresDatabase } from '../../src/store/postgres-database';
import { kamailioInstalled, type ShippedKamailio, startShippedKamailio } from '../support/kamailio';
import { MortalAgent } from '../support/mortal-agent';
import { type PostgresServer, postgresInstalled, startPostgres } from '../support/postgres-server';
import { freePort, type RunningSipp, sippInstalled, startSipp } from '../support/sipp';
import { type Receiver, startReceiver } from '../webhooks/receiver';

/** More of it: SEVERAL_NODES_RATE=20 SEVERAL_NODES_CALLS=400 npx jest test/e2e/several-nodes */
const callsPerSecond = Number(process.env['SEVERAL_NODES_RATE'] ?? 4);
const callsPerStage = Number(process.env['SEVERAL_NODES_CALLS'] ?? 8);

jest.setTimeout(600_000);

interface Told {
  readonly id: string;
  readonly callId: string;
  readonly sequence: number;
  readonly type: string;
  readonly data: { readonly cause?: string };
}

interface Node {
  readonly name: string;
  readonly agent: MortalAgent;
  readonly sipAddress: string;
  get(path: string): Promise<unknown>;
}

(kamailioInstalled() && sippInstalled() && postgresInstalled() ? describe : describe.skip)(
  'agents behind Kamailio',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'several-'));
    const agents: MortalAgent[] = [];
    let postgres: PostgresServer;
    let receiver: Receiver;
    let kamailio: ShippedKamailio;
    let callers: RunningSipp | undefined;

    beforeAll(async () => {
      postgres = await startPostgres();
      // One in five is not taken at first: there is always something on its way.
      receiver = await startReceiver((_, count) => ({ status: count % 5 === 0 ? 503 : 204 }));
    });
    afterAll(async () => {
      callers?.stop();
      await Promise.all(agents.map((agent) => agent.die('SIGKILL')));
      await kamailio?.stop();
      await receiver?.close();
      postgres?.remove();
      rmSync(folder, { recursive: true, force: true });
    });

    async function start(name: string, host: string): Promise<Node> {
      const data = join(folder, name);
      mkdirSync(data);
      const [sipPort, httpPort] = [await freeUdpPort(), await freePort()];
      const config = {
        node: { name, leaseSeconds: 10 },
        sip: { host, port: sipPort, transports: ['udp'] },
        http: { port: httpPort },
        limits: { callsPerSourcePerSecond: 500 },
        webhooks: { endpoints: [{ url: receiver.url, secrets: ['a secret'] }], allowPrivate: ['localhost'] },
        database: { url: postgres.url },
        drain: { seconds: 60 },
        data,
      };
      writeFileSync(join(data, 'trunkline.yaml'), JSON.stringify(config));
      const agent = new MortalAgent(join(data, 'trunkline.yaml'));
      agents.push(agent);
      await agent.live();
      const authorization = `Bearer ${readFileSync(join(data, 'token'), 'utf8').trim()}`;
      return {
        name,
        agent,
        sipAddress: `${host}:${sipPort}`,
        get: async (path) =>
          (await fetch(`http://127.0.0.1:${httpPort}${path}`, { headers: { authorization } })).json(),
      };
    }

    async function until<Value>(
      what: string,
      ask: () => Promise<Value> | Value,
      fits: (value: Value) => boolean,
    ): Promise<Value> {
      for (let attempt = 0; ; attempt++) {
        const value = await ask();
        if (fits(value)) return value;
        if (attempt > 1_200)
          throw new Error(`${what}: it never came to that: ${JSON.stringify(value)} ${kamailio.said()}`);
        await new Promise((done) => setTimeout(done, 100));
      }
    }

    /** Of each call that the database knows: who has it, how it stands, how it ended. */
    async function callsKept(): Promise<{ id: string; node: string; cause: string | undefined; startedAt: string }[]> {
      const database = postgresDatabase(postgres.url);
      const rows = await database.query({
        sql: 'select c.record, n.name from trunkline_calls c join trunkline_nodes n on n.node = c.node',
      });
      await database.close();
      return rows.map((row) => ({ ...JSON.parse(String(row['record'])), node: String(row['name']) }));
    }

    const callsOf = async (name: string) => (await callsKept()).filter(({ node }) => node === name);

    /** Until that agent has answered so many calls more. */
    async function busyWith(name: string, more = callsPerStage): Promise<void> {
      const before = (await callsOf(name)).length;
      await until(
        `calls at ${name}`,
        async () => (await callsOf(name)).length,
        (now) => now >= before + more,
      );
    }

    it('lose no call to a drain, and no event to a death', async () => {
      const [first, second] = await Promise.all([start('first', '127.0.0.21'), start('second', '127.0.0.22')]);
      const carriers = ['127.0.0.1:5060'];
      kamailio = startShippedKamailio(await freePort(), { agents: [first.sipAddress, second.sipAddress], carriers });
      callers = await startSipp({
        scenario: 'load-proxied.xml',
        target: `127.0.0.1:${kamailio.port}`,
        service: 'echo',
        calls: 1_000_000,
        pauseMs: 3_000,
        timeoutSeconds: 540,
        args: ['-r', String(callsPerSecond)],
      });
      await Promise.all([busyWith('first'), busyWith('second')]);

      // Drained: its calls end when their callers hang up, and the others take what comes.
      expect(await first.agent.die('SIGTERM')).toBe(0);
      const drained = await callsOf('first');
      expect(drained.length).toBeGreaterThanOrEqual(callsPerStage);
      expect(drained.filter(({ cause = 'lost' }) => cause === 'shutdown' || cause === 'lost')).toEqual([]);
      await busyWith('second');
      expect(await callsOf('first')).toHaveLength(drained.length);

      // Added, while calls go on.
      const third = await start('third', '127.0.0.23');
      kamailio.reload({ agents: [second.sipAddress, third.sipAddress], carriers });
      await Promise.all([busyWith('second'), busyWith('third')]);

      // Killed: what comes goes to the other one, which ends what was left, and tells of it.
      await until(
        'a call at second',
        () => callsOf('second'),
        (calls) => calls.some(({ cause }) => cause === undefined),
      );
      const killedAt = new Date().toISOString();
      await second.agent.die('SIGKILL');
      await busyWith('third');
      const lost = await until(
        'lost calls',
        async () => (await callsOf('third')).filter(({ cause }) => cause === 'lost'),
        (found) => found.length > 0,
      );
      expect(lost.every(({ startedAt }) => startedAt <= killedAt)).toBe(true);
      callers.stop();
      // How many were refused while agents did not answer Kamailio's questions in time says how busy the machine is.
      const { messages } = await callers.done;
      const refused = messages.split('SIP/2.0 503 ').length - 1;

      const took = ({ body }: { body: string }, index: number): Told[] =>
        (index + 1) % 5 === 0 ? [] : [JSON.parse(body)];
      const taken = (): Told[] => receiver.received.flatMap(took);
      const left = async (): Promise<number> => (await callsKept()).filter(({ cause }) => cause === undefined).length;
      await until('all calls are over', left, (count) => count === 0);
      const kept = (await callsKept()).map(({ id }) => id);
      await until(
        'every end is told',
        () => new Set(taken().flatMap(({ type, callId }) => (type === 'call.ended' ? [callId] : []))).size,
        (ended) => ended === kept.length,
      );

      const events = taken();
      // One event, one id; and of each call every number from its beginning to its end.
      const places = new Map(events.map(({ id, callId, sequence }) => [id, `${callId}/${sequence}`]));
      expect(new Set(places.values()).size).toBe(places.size);
      for (const callId of kept) {
        const numbers = new Set(events.flatMap((event) => (event.callId === callId ? [event.sequence] : [])));
        expect([callId, [...numbers].sort((one, other) => one - other)]).toEqual([
          callId,
          Array.from({ length: numbers.size }, (_, index) => index + 1),
        ]);
        const ends = new Set(
          events.flatMap((event) => (event.callId === callId && event.type === 'call.ended' ? [event] : [])),
        );
        expect([...ends].every(({ sequence }) => sequence === numbers.size)).toBe(true);
      }
      // In order: of a call nothing comes before what precedes it was taken.
      const reached = new Map<string, number>();
      receiver.received.forEach(({ body }, index) => {
        const { callId, sequence }: Told = JSON.parse(body);
        const last = reached.get(callId) ?? 0;
        expect(sequence).toBeLessThanOrEqual(last + 1);
        if ((index + 1) % 5 !== 0) reached.set(callId, Math.max(last, sequence));
      });
      // Only what the killed agent had no time to note comes again, under its id.
      const times = new Map<string, number>();
      for (const { id } of events) times.set(id, (times.get(id) ?? 0) + 1);
      const again = events.filter(({ id }) => (times.get(id) ?? 0) > 1);
      const notOfKilled = new Set(
        (await callsKept())
          .filter(({ id, node }) => node === 'third' && !lost.some((one) => one.id === id))
          .map(({ id }) => id),
      );
      expect(again.filter(({ callId }) => notOfKilled.has(callId))).toEqual([]);

      // One agent tells of the calls of the others.
      const [one] = lost;
      expect(await third.get(`/v1/calls/${one?.id}`)).toMatchObject({ state: 'ended', cause: 'lost' });
      const { events: timeline } = (await third.get(`/v1/calls/${drained[0]?.id}/timeline`)) as { events: Told[] };
      expect(timeline.at(-1)).toMatchObject({ type: 'call.ended', data: { cause: drained[0]?.cause } });
      process.stdout.write(
        `${kept.length} calls, ${lost.length} cut off by the kill; ${places.size} events, ${events.length - places.size} told again; ${refused} refused\n`,
      );
      expect(await third.agent.die('SIGTERM')).toBe(0);
    });
  },
);
