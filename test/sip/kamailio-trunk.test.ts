/** The Kamailio configuration that we ship (dialplans/trunks/kamailio), between a carrier and two agents (Debian package kamailio). */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import { SrfUserAgent } from '../../src/sip/srf-user-agent';
import type { SipDialog } from '../../src/sip/user-agent';
import { kamailioInstalled, type ShippedKamailio, startShippedKamailio } from '../support/kamailio';
import { freePort } from '../support/sipp';
import { sdpBody } from './embedded/endpoint-driver';

async function until(condition: () => boolean, what: () => string): Promise<void> {
  for (let turn = 0; turn < 6000 && !condition(); turn++) await new Promise((done) => setTimeout(done, 5));
  if (!condition()) throw new Error(`it never came to that: ${what()}`);
}

/** Somebody at the other end of the proxy, and whom of them it has called. */
interface Peer {
  readonly agent: SrfUserAgent;
  readonly host: string;
  readonly port: number;
  readonly taken: SipDialog[];
  readonly called: string[];
}

(kamailioInstalled() ? describe : describe.skip)('the Kamailio that we ship', () => {
  const opened: SrfUserAgent[] = [];
  let kamailio: ShippedKamailio;
  let first: Peer;
  let second: Peer;
  let carrier: Peer;

  async function peer(host: string): Promise<Peer> {
    const agent = new SrfUserAgent({
      listen: { host, port: 0 },
      clock: new SystemClock(),
      log: silentLogger,
      userAgentName: 'Trunkline test',
    });
    opened.push(agent);
    await agent.start();
    const taken: SipDialog[] = [];
    const called: string[] = [];
    agent.onInvite((invite) => {
      called.push(invite.calledNumber);
      void invite.accept(sdpBody).then((dialog) => taken.push(dialog));
    });
    return { agent, host, port: agent.local[0]?.port ?? 0, taken, called };
  }

  const proxy = () => `sip:127.0.0.1:${kamailio.port}`;
  const toAgents = () => ({ to: 'sip:+4930123@127.0.0.1', proxy: proxy(), offerSdp: sdpBody });

  /** Dials, and hangs up when it has been answered; how many calls each agent took by that. */
  async function callThrough(times: number): Promise<readonly [number, number]> {
    const before = [first.called.length, second.called.length] as const;
    for (let call = 0; call < times; call++) {
      const { dialog } = await carrier.agent.invite(toAgents());
      await dialog.bye();
    }
    return [first.called.length - before[0], second.called.length - before[1]];
  }

  beforeEach(async () => {
    // It knows its peers by their addresses, so each has one of its own.
    first = await peer('127.0.0.11');
    second = await peer('127.0.0.12');
    carrier = await peer('127.0.0.13');
    const place = ({ host, port }: Peer): string => `${host}:${port}`;
    kamailio = startShippedKamailio(await freePort(), {
      agents: [place(first), place(second)],
      carriers: [place(carrier)],
    });
    await ready();
  });

  afterEach(async () => {
    for (const one of opened.splice(0)) await one.stop();
    await kamailio.stop();
  });

  /** It answers a peer's OPTIONS, which is sent again until it has started. */
  async function ready(): Promise<void> {
    const asked = carrier.agent.askOptions({ uri: proxy(), proxy: proxy(), headers: {} });
    const status = await asked.then(
      (answer) => answer.status,
      () => undefined,
    );
    if (status !== 200) throw new Error(`Kamailio does not answer: ${kamailio.said()}`);
  }

  it('spreads calls over the agents, and either side hangs up through it', async () => {
    expect(await callThrough(4)).toEqual([2, 2]);
    const { dialog } = await carrier.agent.invite(toAgents());
    const overThere = new Promise((done) => dialog.onEnd(done));
    await until(
      () => first.taken.length + second.taken.length === 5,
      () => kamailio.said(),
    );
    const last = [...first.taken.slice(2), ...second.taken.slice(2)][0]!;
    await last.bye();
    expect(await overThere).toMatchObject({ by: 'remote' });
  });

  it('goes round an agent that drains, and the call that it has goes on to its end', async () => {
    const { dialog } = await carrier.agent.invite(toAgents());
    await until(
      () => first.taken.length + second.taken.length === 1,
      () => kamailio.said(),
    );
    const [busy, other] = first.taken.length === 1 ? [first, second] : [second, first];
    busy.agent.drain(10);
    const before = other.called.length;
    await callThrough(4);
    expect(busy.called).toHaveLength(1);
    expect(other.called.length - before).toBe(4);
    const overThere = new Promise((done) => busy.taken[0]!.onEnd(done));
    await dialog.bye();
    expect(await overThere).toMatchObject({ by: 'remote' });
  });

  it('goes round an agent that is gone, within one call', async () => {
    await first.agent.stop();
    expect(await callThrough(3)).toEqual([0, 3]);
  });

  it('says 503 when every agent drains', async () => {
    first.agent.drain(10);
    second.agent.drain(10);
    await expect(callThrough(1)).rejects.toMatchObject({ code: 'sip.rejected', details: { status: 503 } });
  });

  it('hands on what the agents refuse as it is: busy is an answer', async () => {
    for (const one of [first, second]) one.agent.onInvite((invite) => invite.reject(486));
    await expect(callThrough(1)).rejects.toMatchObject({ details: { status: 486 } });
  });

  it("carries the agents' own calls to the carrier, with the number that they dial", async () => {
    const { dialog } = await first.agent.invite({
      to: `sip:+4989777@127.0.0.1:${kamailio.port}`,
      proxy: proxy(),
      offerSdp: sdpBody,
    });
    expect(carrier.called).toEqual(['+4989777']);
    await dialog.bye();
  });

  it('gives strangers no answer at all', async () => {
    const stranger = createSocket('udp4');
    const answers: string[] = [];
    stranger.on('message', (answer) => answers.push(answer.toString()));
    stranger.bind(0, '127.0.0.14');
    await once(stranger, 'listening');
    for (const method of ['OPTIONS', 'INVITE', 'REGISTER']) {
      const lines = [
        `${method} sip:100@127.0.0.1 SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.14:${stranger.address().port};branch=z9hG4bK${method}`,
        'Max-Forwards: 70',
        'From: <sip:scan@127.0.0.14>;tag=1',
        'To: <sip:100@127.0.0.1>',
        `Call-ID: ${method}@127.0.0.14`,
        `CSeq: 1 ${method}`,
        'Contact: <sip:scan@127.0.0.14>',
        'Content-Length: 0',
      ];
      stranger.send(`${lines.join('\r\n')}\r\n\r\n`, kamailio.port, '127.0.0.1');
      await until(
        () => kamailio.said().includes(`dropped ${method} of 127.0.0.14`),
        () => kamailio.said(),
      );
    }
    // Who is known is answered afterwards, so an answer to the stranger would have come by now.
    await ready();
    expect(answers).toEqual([]);
    stranger.close();
  });
});
