/** The whole agent behind the Kamailio that we ship: calls come from its trunk, go out by it, and end with a 503 when the agent drains. */
import { SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import { SrfUserAgent } from '../../src/sip/srf-user-agent';
import type { IncomingInvite } from '../../src/sip/user-agent';
import { sdpBody } from '../sip/embedded/endpoint-driver';
import { startTestAgent, type TestAgent } from '../support/agent';
import { kamailioInstalled, type ShippedKamailio, startShippedKamailio } from '../support/kamailio';
import { freePort } from '../support/sipp';

interface Health {
  readonly sip: { readonly trunks: readonly { readonly state: string }[] };
}
interface Calls {
  readonly calls: readonly { readonly direction: string; readonly trunk?: string; readonly state: string }[];
}

(kamailioInstalled() ? describe : describe.skip)('an agent behind Kamailio', () => {
  let agent: TestAgent;
  let kamailio: ShippedKamailio;
  let carrier: SrfUserAgent;

  beforeAll(async () => {
    const port = await freePort();
    agent = await startTestAgent({
      sip: {
        trunks: [{ name: 'kamailio', addresses: ['127.0.0.1'], proxy: `127.0.0.1:${port}`, qualifySeconds: 1 }],
      },
    });
    carrier = new SrfUserAgent({
      listen: { host: '127.0.0.13', port: 0 },
      clock: new SystemClock(),
      log: silentLogger,
      userAgentName: 'carrier',
    });
    await carrier.start();
    kamailio = startShippedKamailio(port, {
      agents: [`127.0.0.1:${agent.sipPort}`],
      carriers: [`127.0.0.13:${carrier.local[0]?.port}`],
    });
  }, 180_000);
  afterAll(async () => {
    await carrier?.stop();
    await agent?.stop();
    await kamailio?.stop();
  }, 60_000);

  const toAgent = () => ({
    to: 'sip:demo@127.0.0.1',
    proxy: `sip:127.0.0.1:${kamailio.port}`,
    offerSdp: sdpBody,
  });

  async function until<Value>(ask: () => Promise<Value>, fits: (value: Value) => boolean): Promise<Value> {
    for (let attempt = 0; ; attempt++) {
      const value = await ask();
      if (fits(value)) return value;
      if (attempt > 600) throw new Error(`it never came to that: ${JSON.stringify(value)} ${kamailio.said()}`);
      await new Promise((done) => setTimeout(done, 100));
    }
  }

  it('finds its trunk there, answers calls that come by it, and records where they came from', async () => {
    await until(
      () => agent.request('GET', '/v1/health') as Promise<Health>,
      ({ sip }) => sip.trunks[0]?.state === 'up',
    );
    const { dialog } = await carrier.invite(toAgent());
    const { calls } = await until(
      () => agent.request('GET', '/v1/calls') as Promise<Calls>,
      (found) => found.calls.some(({ state }) => state !== 'ended'),
    );
    expect(calls[0]).toMatchObject({ direction: 'inbound', trunk: 'kamailio' });
    await dialog.bye();
  }, 120_000);

  it('calls out by it: the carrier is asked for the number', async () => {
    const invited = new Promise<IncomingInvite>((take) => carrier.onInvite(take));
    await agent.request('POST', '/v1/calls', { to: '+4989777', trunk: 'kamailio', dialplan: 'tone' });
    const invite = await invited;
    expect(invite.calledNumber).toBe('+4989777');
    invite.reject(486);
  }, 60_000);

  it('drains: its own call goes on, and the next one is sent back to the carrier with 503', async () => {
    const { dialog } = await carrier.invite(toAgent());
    const ended = new Promise((done) => dialog.onEnd(done));
    const stopped = agent.stop();
    const refused = await until(
      () =>
        carrier.invite(toAgent()).then(
          async (call) => {
            await call.dialog.bye();
            return undefined;
          },
          (error: unknown) => error,
        ),
      (error) => error !== undefined,
    );
    expect(refused).toMatchObject({ code: 'sip.rejected', details: { status: 503 } });
    // drain.seconds of this agent are five: then it says goodbye through the proxy.
    await ended;
    expect(await stopped).toBe(0);
  }, 90_000);
});
