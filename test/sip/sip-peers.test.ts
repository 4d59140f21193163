/** Trunks, registrations and softphones with whole agents, SIPp and baresip on loopback. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import type { TransportName } from '../../src/sip/embedded/transport';
import type { Caller } from '../../src/sip/front-door';
import { SipPeers, type SipPeersOptions } from '../../src/sip/sip-peers';
import { SrfUserAgent } from '../../src/sip/srf-user-agent';
import { routeToUser } from '../../src/sip/trunk-route';
import { baresipToTestWith } from '../support/baresip';
import { BaresipPhone } from '../support/baresip-phone';
import { makeCertificate } from '../support/certificates';
import { runSipp, sippInstalled, startSipp } from '../support/sipp';
import { sdpBody } from './embedded/endpoint-driver';

const withSipp = sippInstalled() ? it : it.skip;
const withBaresip = baresipToTestWith() ? it : it.skip;

const folder = mkdtempSync(join(tmpdir(), 'trunkline-peers-'));
const authority = makeCertificate({ name: 'Test authority', authority: true });
const server = makeCertificate({ name: '127.0.0.1', issuer: authority, addresses: ['127.0.0.1'] });
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const tls = { cert: file('server.crt', server.certificate), key: file('server.key', server.key) };
const trust = file('authority.crt', authority.certificate);

interface Agent {
  readonly userAgent: SrfUserAgent;
  readonly peers: SipPeers;
  readonly callers: (Caller & { number?: string })[];
}

const opened: Agent[] = [];
afterEach(async () => {
  for (const { userAgent, peers } of opened.splice(0).reverse()) {
    await peers.close();
    await userAgent.stop();
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function open(
  given: Partial<Pick<SipPeersOptions, 'trunks' | 'users' | 'registrations' | 'digest'>>,
  protocols: readonly TransportName[] = ['udp', 'tcp'],
): Promise<Agent> {
  const clock = new SystemClock();
  const peers = new SipPeers({
    trunks: [],
    users: [],
    registrations: [],
    clock,
    now: () => new Date(),
    log: silentLogger,
    random: (bytes) => randomBytes(bytes).toString('hex'),
    ...given,
  });
  const userAgent = new SrfUserAgent({
    listen: { host: '127.0.0.1', port: 0 },
    protocols,
    tls: { ...tls, trust },
    clock,
    log: silentLogger,
    userAgentName: 'Trunkline test',
    onRegister: peers.onRegister,
  });
  const callers: Agent['callers'] = [];
  userAgent.onInvite((invite) => {
    const caller = peers.admit(invite);
    if (caller === undefined) return;
    callers.push({ ...caller, number: invite.calledNumber });
    void invite.accept(sdpBody).catch(() => undefined);
  });
  await userAgent.start();
  peers.start(userAgent);
  const agent = { userAgent, peers, callers };
  opened.push(agent);
  return agent;
}

function portOf({ userAgent }: Agent, transport: TransportName): number {
  return userAgent.local.find((one) => one.transport === transport)?.port ?? 0;
}

async function until(condition: () => boolean, what: () => string = () => ''): Promise<void> {
  for (let turn = 0; turn < 2000 && !condition(); turn++) await new Promise((done) => setTimeout(done, 5));
  if (!condition()) throw new Error(`it never came to that: ${what()}`);
}

const alice = { username: 'alice', password: 'wonderland' };
const account = { name: 'pbx', username: 'alice', password: 'wonderland', expiresSeconds: 120 };

describe('an agent that registers at another', () => {
  it.each(['udp', 'tcp', 'tls'] as const)(
    'is rung there over %s by its name, and is gone when it closes',
    async (one) => {
      const pbx = await open({ users: [alice] }, [one]);
      const registrar = `sip:127.0.0.1:${portOf(pbx, one)};transport=${one}`;
      const phone = await open({ registrations: [{ ...account, registrar }] }, [one]);
      await until(() => phone.peers.status.registrations[0]?.state === 'registered');
      expect(phone.peers.gauges).toMatchObject({ trunkline_sip_registrations: 1, trunkline_sip_registrations_up: 1 });
      expect(pbx.peers.status.users).toEqual([{ username: 'alice', contacts: 1 }]);

      const route = routeToUser(pbx.peers, 'alice');
      const { dialog } = await pbx.userAgent.invite({ ...route!, offerSdp: sdpBody });
      expect(phone.callers).toEqual([{ kind: 'trunk', name: 'pbx', number: 'alice' }]);
      await dialog.bye();

      await phone.peers.close();
      expect(pbx.peers.status.users).toEqual([{ username: 'alice', contacts: 0 }]);
      expect(() => routeToUser(pbx.peers, 'alice')).toThrow(expect.objectContaining({ code: 'sip.no-contact' }));
    },
  );

  it('proves itself in SHA-256 where that is asked for', async () => {
    const pbx = await open({ users: [alice], digest: ['SHA-256', 'MD5'] });
    const phone = await open({ registrations: [{ ...account, registrar: `127.0.0.1:${portOf(pbx, 'udp')}` }] });
    await until(() => phone.peers.status.registrations[0]?.state === 'registered');
  });

  it('says so when the password is wrong', async () => {
    const pbx = await open({ users: [alice] });
    const registrar = `127.0.0.1:${portOf(pbx, 'udp')}`;
    const phone = await open({ registrations: [{ ...account, registrar, password: 'guess' }] });
    await until(() => phone.peers.status.registrations[0]?.state === 'waiting');
    expect(phone.peers.status.registrations[0]).toMatchObject({
      lastStatus: 401,
      lastError: 'sip.registration-refused',
    });
  });

  it('takes calls from nobody else', async () => {
    const pbx = await open({ users: [alice] });
    const registrar = `127.0.0.1:${portOf(pbx, 'udp')}`;
    const phone = await open({ registrations: [{ ...account, registrar, password: 'guess' }] });
    const stranger = await open({});
    const call = stranger.userAgent.invite({ to: `sip:demo@127.0.0.1:${portOf(phone, 'udp')}`, offerSdp: sdpBody });
    await expect(call).rejects.toMatchObject({ details: { status: 403 } });
  });
});

describe('who calls', () => {
  it('is a trunk by its address, without being asked', async () => {
    const agent = await open({ trunks: [{ name: 'carrier', addresses: ['127.0.0.0/8'] }] });
    const caller = await open({});
    await caller.userAgent.invite({ to: `sip:100@127.0.0.1:${portOf(agent, 'udp')}`, offerSdp: sdpBody });
    expect(agent.callers).toEqual([{ kind: 'trunk', name: 'carrier', number: '100' }]);
  });

  it('is a trunk or a user by digest, told apart by name and password', async () => {
    const trunk = { name: 'carrier', addresses: ['192.0.2.1'], username: 'acme', password: 'hush' };
    const agent = await open({ trunks: [trunk], users: [alice] });
    const caller = await open({});
    const to = `sip:100@127.0.0.1:${portOf(agent, 'udp')}`;
    const call = (auth?: { username: string; password: string }) =>
      caller.userAgent.invite({ to, offerSdp: sdpBody, ...(auth === undefined ? {} : { auth }) });
    await call({ username: 'acme', password: 'hush' });
    await call(alice);
    await expect(call({ username: 'acme', password: 'wonderland' })).rejects.toMatchObject({
      details: { status: 401 },
    });
    await expect(call()).rejects.toMatchObject({ details: { status: 401 } });
    expect(agent.callers).toEqual([
      { kind: 'trunk', name: 'carrier', number: '100' },
      { kind: 'user', username: 'alice', number: '100' },
    ]);
  });

  it('is anyone as long as nobody is configured', async () => {
    const agent = await open({});
    const caller = await open({});
    await caller.userAgent.invite({ to: `sip:100@127.0.0.1:${portOf(agent, 'udp')}`, offerSdp: sdpBody });
    expect(agent.callers).toEqual([{ kind: 'anyone', number: '100' }]);
  });
});

describe('several phones of one user', () => {
  it('ring at once; the first to answer has the call, the others are cancelled', async () => {
    const pbx = await open({ users: [alice] });
    const registrar = `127.0.0.1:${portOf(pbx, 'udp')}`;
    const one = await open({ registrations: [{ ...account, registrar }] });
    const other = await open({ registrations: [{ ...account, registrar }] });
    let cancelled = false;
    other.userAgent.onInvite((invite) => {
      invite.ring();
      invite.onCancelled(() => {
        cancelled = true;
      });
    });
    await until(() => pbx.peers.contactsOf('alice').length === 2);
    const { dialog } = await pbx.userAgent.invite({ ...routeToUser(pbx.peers, 'alice')!, offerSdp: sdpBody });
    await until(() => cancelled);
    expect(one.callers).toHaveLength(1);
    await dialog.bye();
  });
});

describe('SIPp', () => {
  const target = (agent: Agent, transport: 'udp' | 'tcp') => ({
    target: `127.0.0.1:${portOf(agent, transport)}`,
    args: ['-au', 'alice', '-ap', 'wonderland', ...(transport === 'tcp' ? ['-t', 't1'] : [])],
  });

  for (const transport of ['udp', 'tcp'] as const) {
    withSipp(`S40 registers over ${transport}, and S41 does not with a wrong password`, async () => {
      const agent = await open({ users: [alice] });
      const run = { ...target(agent, transport), service: 'alice' };
      expect(await runSipp({ scenario: 'uac-register-digest.xml', ...run })).toMatchObject({ exitCode: 0, errors: '' });
      expect(agent.peers.contactsOf('alice')).toHaveLength(1);
      const wrong = { ...run, args: run.args.map((one) => (one === 'wonderland' ? 'guess' : one)) };
      expect(await runSipp({ scenario: 'uac-register-wrong.xml', ...wrong })).toMatchObject({
        exitCode: 0,
        errors: '',
      });
      expect(agent.peers.contactsOf('alice')).toHaveLength(1);
    });

    withSipp(`S42 calls over ${transport} as a trunk that is known by its password`, async () => {
      const agent = await open({ trunks: [{ name: 'carrier', addresses: [], ...alice }] });
      const result = await runSipp({ scenario: 'uac-invite-digest.xml', ...target(agent, transport) });
      expect(result).toMatchObject({ exitCode: 0, errors: '' });
      expect(agent.callers).toEqual([{ kind: 'trunk', name: 'carrier', number: 'demo' }]);
    });
  }

  for (const transport of ['udp', 'tcp'] as const) {
    const registering = async (scenario: string) => {
      const agent = await open({ users: [alice, { username: 'bob', password: 'builder' }] });
      const result = await runSipp({ scenario, ...target(agent, transport), service: 'alice' });
      expect(result).toMatchObject({ exitCode: 0, errors: '' });
      return agent.peers;
    };

    withSipp(`S100 refreshes over ${transport} with the nonce that it has`, async () => {
      expect((await registering('uac-register-again.xml')).contactsOf('alice')).toHaveLength(1);
    });

    withSipp(`S101 takes itself out over ${transport} by an asterisk`, async () => {
      expect((await registering('uac-register-removed.xml')).contactsOf('alice')).toEqual([]);
    });

    withSipp(`S102 would register over ${transport} for too short a time`, async () => {
      expect((await registering('uac-register-brief.xml')).contactsOf('alice')).toEqual([]);
    });

    withSipp(`S103 would register another over ${transport}`, async () => {
      expect((await registering('uac-register-other.xml')).contactsOf('bob')).toEqual([]);
    });
  }

  withSipp('S43 is rung as a softphone that it registered', async () => {
    const agent = await open({ users: [alice] });
    const phone = await startSipp({ scenario: 'uas-answer.xml' });
    const registered = await runSipp({
      scenario: 'uac-register-digest.xml',
      ...target(agent, 'udp'),
      service: 'alice',
      args: [...target(agent, 'udp').args],
    });
    expect(registered.exitCode).toBe(0);
    const route = routeToUser(agent.peers, 'sip:alice@localhost');
    const places = route?.places?.map(() => ({ to: `sip:alice@127.0.0.1:${phone.port}` })) ?? [];
    const { dialog } = await agent.userAgent.invite({ ...route!, places, offerSdp: sdpBody });
    await dialog.bye();
    expect((await phone.done).exitCode).toBe(0);
  });
});

describe('baresip', () => {
  for (const transport of ['udp', 'tcp', 'tls'] as const) {
    withBaresip(`registers over ${transport}, is rung and answers, and takes itself out at its end`, async () => {
      const agent = await open({ users: [alice] }, [transport]);
      const at = `127.0.0.1:${portOf(agent, transport)};transport=${transport}`;
      const phone = BaresipPhone.open({
        account: `<sip:alice@${at}>;auth_pass=wonderland;regint=120;answermode=auto`,
        settings: [`sip_cafile ${trust}`],
      });
      try {
        await until(
          () => agent.peers.contactsOf('alice').length === 1,
          () => phone.output,
        );
        const { dialog, answerSdp } = await agent.userAgent.invite({
          ...routeToUser(agent.peers, 'alice')!,
          offerSdp: sdpBody,
        });
        expect(answerSdp).toContain('m=audio');
        await dialog.bye();
      } finally {
        await phone.close();
      }
      await until(() => agent.peers.contactsOf('alice').length === 0);
    });
  }
});
