/** A whole agent with users: baresip registers over TLS, is rung by the API, and rings; strangers do not get in. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestAgent, type TestAgent } from '../support/agent';
import { baresipToTestWith } from '../support/baresip';
import { BaresipPhone } from '../support/baresip-phone';
import { makeCertificate } from '../support/certificates';
import { runSipp, sippInstalled } from '../support/sipp';

const folder = mkdtempSync(join(tmpdir(), 'trunkline-registered-'));
const authority = makeCertificate({ name: 'Test authority', authority: true });
const server = makeCertificate({ name: '127.0.0.1', issuer: authority, addresses: ['127.0.0.1'] });
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

function freeTcpPort(): Promise<number> {
  const listener = createServer();
  return new Promise((found) => {
    listener.listen(0, '127.0.0.1', () => {
      const { port } = listener.address() as AddressInfo;
      listener.close(() => found(port));
    });
  });
}

interface Health {
  readonly sip: { readonly users: readonly { readonly username: string; readonly contacts: number }[] };
}
interface Calls {
  readonly calls?: readonly { readonly state: string; readonly to: string; readonly user?: string }[];
}

describe('an agent with users', () => {
  let agent: TestAgent;
  let tlsPort: number;

  beforeAll(async () => {
    tlsPort = await freeTcpPort();
    agent = await startTestAgent({
      sip: {
        transports: ['udp', 'tls', 'wss'],
        tlsPort,
        wssPort: await freeTcpPort(),
        tls: { cert: file('server.crt', server.certificate), key: file('server.key', server.key) },
        users: [{ username: 'alice', password: 'wonderland' }],
      },
    });
  }, 150_000);

  afterAll(async () => {
    await agent?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
    for (let turn = 0; turn < 300; turn++) {
      if (await condition()) return;
      await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error(`${what}\n${agent.output()}`);
  }

  const contacts = async (): Promise<number | undefined> =>
    ((await agent.request('GET', '/v1/health')) as Health).sip.users[0]?.contacts;

  (baresipToTestWith() ? it : it.skip)('rings the phone that alice registered over TLS', async () => {
    const phone = BaresipPhone.open({
      account: `<sip:alice@127.0.0.1:${tlsPort};transport=tls>;auth_pass=wonderland;regint=120;answermode=auto`,
      settings: [`sip_cafile ${file('authority.crt', authority.certificate)}`],
    });
    try {
      await until('alice never registered', async () => (await contacts()) === 1);
      const { id } = (await agent.request('POST', '/v1/calls', { to: 'alice', dialplan: 'tone' })) as { id: string };
      await until('the phone was never answered', async () => {
        const call = (await agent.request('GET', `/v1/calls/${id}`)) as { state: string };
        return call.state === 'answered';
      });
      await agent.request('POST', `/v1/calls/${id}/actions`, { type: 'hangup' });
    } finally {
      await phone.close();
    }
    await until('alice is still registered', async () => (await contacts()) === 0);
  });

  (sippInstalled() ? it : it.skip)('takes a call from alice, who proves it, and from nobody else', async () => {
    const target = `127.0.0.1:${agent.sipPort}`;
    const wrong = await runSipp({
      scenario: 'uac-invite-digest.xml',
      target,
      args: ['-au', 'alice', '-ap', 'guess'],
      timeoutSeconds: 3,
    });
    expect(wrong.exitCode).not.toBe(0);
    const right = await runSipp({
      scenario: 'uac-invite-digest.xml',
      target,
      args: ['-au', 'alice', '-ap', 'wonderland'],
    });
    expect(right).toMatchObject({ exitCode: 0, errors: '' });
    const { calls = [] } = (await agent.request('GET', '/v1/calls')) as Calls;
    expect(calls.filter(({ user }) => user === 'alice')).toHaveLength(1);
    expect(calls.filter(({ to, user }) => to.includes('demo') && user === undefined)).toEqual([]);
  });

  it('takes up a new certificate when it is told to', async () => {
    process.kill(agent.pid, 'SIGHUP');
    await until('it was not read anew', async () => agent.output().includes('the SIP certificate was read anew'));
  });
});
