/** A call by a trunk that is not there goes by its fallback, in the whole agent; SIPp is the trunk that is left. */
import { startTestAgent, type TestAgent } from '../support/agent';
import { freePort, type RunningSipp, sippInstalled, startSipp } from '../support/sipp';

interface Health {
  readonly sip: { readonly trunks: readonly { readonly name: string; readonly state: string }[] };
}

(sippInstalled() ? describe : describe.skip)('a trunk that is not there', () => {
  let agent: TestAgent;
  let second: RunningSipp;

  beforeAll(async () => {
    const [deadPort, port] = [await freePort(), await freePort()];
    second = await startSipp({ scenario: 'uas-answer.xml', port, pauseMs: 500, timeoutSeconds: 120 });
    agent = await startTestAgent({
      sip: {
        trunks: [
          { name: 'first', proxy: `127.0.0.1:${deadPort}`, qualifySeconds: 1, fallback: 'second' },
          { name: 'second', proxy: `127.0.0.1:${port}`, callerId: '4930123' },
        ],
      },
    });
  }, 150_000);
  afterAll(async () => {
    second?.stop();
    await agent?.stop();
  }, 30_000);

  it('is shown as down, and whoever is called by it is reached by the other', async () => {
    let states: readonly (readonly [string, string])[] = [];
    for (let attempt = 0; attempt < 300 && states[0]?.[1] !== 'down'; attempt += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const { sip } = (await agent.request('GET', '/v1/health')) as Health;
      states = sip.trunks.map(({ name, state }) => [name, state] as const);
    }
    expect(states).toEqual([['first', 'down']]);
    await agent.request('POST', '/v1/calls', { to: '555', trunk: 'first', dialplan: 'tone' });
    const { errors, messages, exitCode } = await second.done;
    expect({ errors, exitCode }).toEqual({ errors: '', exitCode: 0 });
    expect(messages).toMatch(/^INVITE sip:555@127\.0\.0\.1:/m);
    expect(messages).toMatch(/^From: .*sip:4930123@/m);
  }, 90_000);
});
