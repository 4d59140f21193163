/** A call by a trunk that is not there goes by its fallback, in the whole agent; SIPp is the trunk that is left. */
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CallEvent } from '../../src/core/call-event';
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

(sippInstalled() ? describe : describe.skip)('a trunk that takes no call', () => {
  let agent: TestAgent;
  let folder: string;
  let refusing: RunningSipp;
  let second: RunningSipp;
  const silent = createSocket('udp4');
  let heardBySilent = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline-failover-'));
    writeFileSync(join(folder, 'plan.yaml'), 'routes:\n  - match: { number: tone }\n    action: { type: tone }\n');
    silent.on('message', () => {
      heardBySilent += 1;
    });
    await new Promise<void>((bound) => silent.bind(0, '127.0.0.1', bound));
    const port = await freePort();
    refusing = await startSipp({ scenario: 'uas-unavailable.xml', timeoutSeconds: 120 });
    second = await startSipp({ scenario: 'uas-answer.xml', port, calls: 3, timeoutSeconds: 120 });
    agent = await startTestAgent({
      dialplans: folder as never,
      sip: {
        trunks: [
          { name: 'refusing', proxy: `127.0.0.1:${refusing.port}`, fallback: 'second' },
          { name: 'silent', proxy: `127.0.0.1:${silent.address().port}`, fallback: 'second' },
          { name: 'second', proxy: `127.0.0.1:${port}`, callerId: '4930123' },
        ],
      },
    });
  }, 150_000);
  afterAll(async () => {
    refusing?.stop();
    second?.stop();
    silent.close();
    await agent?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  /** Rung by that trunk, answered, and hung up on; what was told on the way. */
  async function call(trunk: string, to: string): Promise<readonly CallEvent[]> {
    const order = { to, trunk, dialplan: 'tone', ringSeconds: 60 };
    const { id } = (await agent.request('POST', '/v1/calls', order)) as { id: string };
    for (;;) {
      const { events } = (await agent.request('GET', `/v1/calls/${id}/timeline`)) as { events: CallEvent[] };
      const last = events.at(-1);
      if (last?.type === 'call.ended') return events;
      if (last?.type === 'call.answered') await agent.request('POST', `/v1/calls/${id}/actions`, { type: 'hangup' });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  const carrierOf = (events: readonly CallEvent[]) =>
    events.flatMap((event) => (event.type === 'call.answered' ? [event.data.trunk] : []));
  const toldOf = (events: readonly CallEvent[]) =>
    events.flatMap((event) => (event.type === 'error' ? [[event.data.code, event.data.message]] : []));

  it('S131 is followed by its fallback in the same call, and left alone for as long as it asks', async () => {
    const first = await call('refusing', '501');
    expect(toldOf(first)).toEqual([['sip.trunk-failed', 'The trunk refusing answered 503; the call goes by second.']]);
    expect(carrierOf(first)).toEqual(['second']);
    expect(await agent.request('GET', `/v1/calls/${first[0]?.callId}`)).toMatchObject({ trunk: 'second' });
    const { messages, exitCode } = await refusing.done;
    expect(exitCode).toBe(0);
    expect(messages).toMatch(/^INVITE sip:501@/m);
    // It would be asked in vain: nobody listens there any more, and nothing is sent.
    expect(toldOf(await call('refusing', '502'))).toEqual([]);
    // One that says nothing at all is not waited for to the end.
    expect(toldOf(await call('silent', '503'))).toEqual([
      ['sip.trunk-failed', 'The trunk silent was not reached; the call goes by second.'],
    ]);
    expect(heardBySilent).toBeGreaterThan(1);
    const taken = await second.done;
    expect(taken.exitCode).toBe(0);
    for (const number of ['501', '502', '503'])
      expect(taken.messages).toMatch(new RegExp(`^INVITE sip:${number}@`, 'm'));
    expect(taken.messages).toMatch(/^From: .*sip:4930123@/m);
  }, 120_000);
});
