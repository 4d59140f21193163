/** Calls that are ordered on the command line and over HTTP: their hours, and a second attempt at somebody who was busy. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { CallRecord } from '../../src/core/call-record';
import { startTestAgent, type TestAgent } from '../support/agent';
import { freePort, runSipp, sippInstalled } from '../support/sipp';

const root = join(__dirname, '../..');

function trunkline(agent: TestAgent, ...words: string[]) {
  const config = join(agent.dataFolder, 'trunkline.yaml');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/trunkline.mjs', ...words, '--config', config], {
    cwd: root,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('an ordered call', () => {
  let agent: TestAgent;
  afterEach(() => agent.stop(), 30_000);

  it('is refused outside of the hours at which we may call, or waits for them', async () => {
    // Twelve hours from now: closed for as long as the test takes.
    const from = `${String((new Date().getUTCHours() + 12) % 24).padStart(2, '0')}:00`;
    const to = `${from.slice(0, 2)}:55`;
    agent = await startTestAgent({ outbound: { hours: [{ from, to }] } });
    const refused = trunkline(agent, 'dial', 'sip:nobody@127.0.0.1:9', '--dialplan', 'tone');
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('call.outside-hours');
    const waits = trunkline(agent, 'dial', 'sip:nobody@127.0.0.1:9', '--dialplan', 'tone', '--wait');
    expect(waits.stdout).toMatch(/^wait_\S+ waits until /);
    const id = waits.stdout.split(' ')[0] ?? '';
    expect(trunkline(agent, 'calls', 'waiting').stdout).toContain(`${id}  sip:nobody@127.0.0.1:9  attempt 1`);
    expect(trunkline(agent, 'calls', 'waiting', '--cancel', id).status).toBe(0);
    expect(await agent.request('GET', '/v1/waiting')).toEqual({ waiting: [] });
    expect(await agent.request('GET', '/v1/calls')).toMatchObject({ calls: [] });
  }, 180_000);

  (sippInstalled() ? it : it.skip)(
    'S81 rings somebody who was busy again, later',
    async () => {
      agent = await startTestAgent({});
      const port = await freePort();
      const busy = runSipp({ scenario: 'uas-busy.xml', port });
      const order = ['dial', `sip:far@127.0.0.1:${port}`, '--dialplan', 'tone', '--attempts', '2', '--after', '10'];
      const first = trunkline(agent, ...order).stdout.split(' ')[0];
      expect((await busy).exitCode).toBe(0);
      const answering = runSipp({ scenario: 'uas-answer.xml', port, timeoutSeconds: 40 });
      for (;;) {
        const { calls } = (await agent.request('GET', '/v1/calls?state=answered')) as { calls: CallRecord[] };
        const second = calls[0];
        if (second === undefined) {
          await new Promise((resolve) => setTimeout(resolve, 200));
          continue;
        }
        expect(second.metadata).toEqual({ attempt: 2, retryOf: first });
        await agent.request('POST', `/v1/calls/${second.id}/actions`, { type: 'hangup' });
        break;
      }
      expect((await answering).exitCode).toBe(0);
      expect(await agent.request('GET', `/v1/calls/${first}`)).toMatchObject({ cause: 'busy' });
    },
    180_000,
  );

  (sippInstalled() ? it : it.skip)(
    'S116 is ended when the answer describes no media, and S89 nobody takes over a call that is not there',
    async () => {
      agent = await startTestAgent({});
      const port = await freePort();
      const silent = runSipp({ scenario: 'uas-answers-nothing.xml', port });
      const { id } = (await agent.request('POST', '/v1/calls', {
        to: `sip:far@127.0.0.1:${port}`,
        dialplan: 'tone',
      })) as CallRecord;
      expect(await silent).toMatchObject({ exitCode: 0, errors: '' });
      for (;;) {
        const call = (await agent.request('GET', `/v1/calls/${id}`)) as CallRecord;
        if (call.state !== 'ended') continue;
        expect(call).not.toHaveProperty('answeredAt');
        break;
      }
      const target = `127.0.0.1:${agent.sipPort}`;
      const taking = await runSipp({ scenario: 'uac-replaces-nothing.xml', target, service: 'tone' });
      expect(taking).toMatchObject({ exitCode: 0, errors: '' });
    },
    180_000,
  );
});
