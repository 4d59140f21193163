/** TLS, WebSocket, IPv6 and the way from UDP to TCP and back, with whole agents and foreign clients on real sockets. */
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import WebSocket from 'ws';
import { SystemClock } from '../../../src/core/clock';
import { silentLogger } from '../../../src/core/log';
import { namesFrom } from '../../../src/sip/embedded/resolver';
import type { TransportName } from '../../../src/sip/embedded/transport';
import { SrfUserAgent, type SrfUserAgentOptions } from '../../../src/sip/srf-user-agent';
import type { SipDialog } from '../../../src/sip/user-agent';
import { type Identity, makeCertificate } from '../../support/certificates';
import { DnsServer } from '../../support/dns-server';
import { headerOf, sdpBody, tagOfTo, wire } from './endpoint-driver';

const withIpv6 = Object.values(networkInterfaces()).some((list) => list?.some((one) => one.address === '::1'));
const withOpenssl = spawnSync('openssl', ['version']).error === undefined;
if (!withOpenssl) process.stderr.write('skipped: openssl s_client as a TLS peer, because openssl is not installed\n');

const authority = makeCertificate({ name: 'Test authority', authority: true });
const stranger = makeCertificate({ name: 'Stranger', authority: true });
const server = makeCertificate({
  name: 'sip.example',
  issuer: authority,
  dnsNames: ['sip.example', 'localhost'],
  addresses: ['127.0.0.1', '::1'],
});

const folder = mkdtempSync(join(tmpdir(), 'trunkline-tls-'));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const files = (of: Identity, name = of.name) => ({
  cert: file(`${name}.crt`, of.certificate),
  key: file(`${name}.key`, of.key),
});
const trust = file('authority.crt', authority.certificate);

const opened: SrfUserAgent[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.stop();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function agent(protocols: readonly TransportName[], more: Partial<SrfUserAgentOptions> = {}) {
  const made = new SrfUserAgent({
    listen: { host: '127.0.0.1', port: 0 },
    protocols,
    tls: { ...files(server), trust },
    clock: new SystemClock(),
    log: silentLogger,
    userAgentName: 'Trunkline test',
    ...more,
  });
  opened.push(made);
  await made.start();
  return made;
}

function portOf(of: SrfUserAgent, transport: TransportName): number {
  return of.local.find((one) => one.transport === transport)?.port ?? 0;
}

/** Answers every call; resolves `ended` with who hung up. */
function answering(callee: SrfUserAgent): { dialogs: SipDialog[]; ended: Promise<string>; transport: () => string } {
  const dialogs: SipDialog[] = [];
  let transport = '';
  const ended = new Promise<string>((resolve) => {
    callee.onInvite((invite) => {
      transport = invite.source.transport;
      void invite.accept(sdpBody).then((dialog) => {
        dialogs.push(dialog);
        dialog.onEnd(({ by }) => resolve(by));
      });
    });
  });
  return { dialogs, ended, transport: () => transport };
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000 && !condition(); turn++) await new Promise((done) => setTimeout(done, 5));
  expect(condition()).toBe(true);
}

describe('SIP over TLS', () => {
  it('carries a call between two agents that trust each other, hung up by either side', async () => {
    const callee = await agent(['tls']);
    const caller = await agent(['tls', 'udp']);
    const { ended, transport } = answering(callee);
    const { dialog } = await caller.invite({
      to: `sip:demo@127.0.0.1:${portOf(callee, 'tls')};transport=tls`,
      offerSdp: sdpBody,
    });
    expect(transport()).toBe('tls');
    await dialog.bye();
    expect(await ended).toBe('remote');

    const second = answering(callee);
    const again = await caller.invite({ to: `sips:demo@127.0.0.1:${portOf(callee, 'tls')}`, offerSdp: sdpBody });
    const over = new Promise((resolve) => again.dialog.onEnd(resolve));
    await until(() => second.dialogs.length === 1);
    await second.dialogs[0]!.bye();
    expect(await over).toMatchObject({ by: 'remote' });
  });

  it.each([
    ['an authority that nobody told us of', { issuer: stranger, addresses: ['127.0.0.1'] }],
    ['another name', { issuer: authority, dnsNames: ['other.example'] }],
    ['a time that is over', { issuer: authority, addresses: ['127.0.0.1'], to: new Date(Date.now() - 3_600_000) }],
  ])('does not call a server whose certificate is of %s, and says why', async (_what, of) => {
    const callee = await agent(['tls'], { tls: files(makeCertificate({ name: 'odd', ...of })) });
    const caller = await agent(['tls']);
    const call = caller.invite({
      to: `sip:demo@127.0.0.1:${portOf(callee, 'tls')};transport=tls`,
      offerSdp: sdpBody,
    });
    await expect(call).rejects.toMatchObject({ code: 'sip.unreachable', details: { because: 'sip.tls-untrusted' } });
  });

  it('checks the name that was looked up, not the address that was found', async () => {
    const callee = await agent(['tls']);
    const dns = await DnsServer.open({
      '_sips._tcp.sip.example': [
        { type: 'SRV', priority: 1, weight: 1, port: portOf(callee, 'tls'), target: 'machine.example' },
      ],
      '_sips._tcp.other.example': [
        { type: 'SRV', priority: 1, weight: 1, port: portOf(callee, 'tls'), target: 'machine.example' },
      ],
      'machine.example': [{ type: 'A', address: '127.0.0.1' }],
    });
    const caller = await agent(['tls'], { names: namesFrom([dns.address]) });
    answering(callee);
    await expect(caller.invite({ to: 'sips:demo@other.example', offerSdp: sdpBody })).rejects.toMatchObject({
      details: { because: 'sip.tls-untrusted' },
    });
    const { dialog } = await caller.invite({ to: 'sips:demo@sip.example', offerSdp: sdpBody });
    await dialog.bye();
    await dns.close();
  });

  it('refuses TLS 1.1', async () => {
    const callee = await agent(['tls']);
    const old = connectTls({
      port: portOf(callee, 'tls'),
      host: '127.0.0.1',
      rejectUnauthorized: false,
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    const outcome = await new Promise((resolve) => {
      old.once('error', () => resolve('refused'));
      old.once('secureConnect', () => resolve('connected'));
    });
    expect(outcome).toBe('refused');
    old.destroy();
  });

  it('asks clients for a certificate when an authority for them is named', async () => {
    const callee = await agent(['tls'], { tls: { ...files(server), ca: trust } });
    const client = makeCertificate({ name: 'client', issuer: authority });
    const answers = async (identity: Identity | undefined): Promise<string> => {
      const socket = connectTls({
        port: portOf(callee, 'tls'),
        host: '127.0.0.1',
        ca: authority.certificate,
        ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.key }),
      });
      socket.on('error', () => {});
      socket.write(wire({ method: 'OPTIONS', via: 'Via: SIP/2.0/TLS 127.0.0.1;branch=z9hG4bKmutual' }));
      const text = await firstData(socket);
      socket.destroy();
      return text.slice(0, 14);
    };
    expect(await answers(client)).toBe('SIP/2.0 200 OK');
    expect(await answers(makeCertificate({ name: 'client', issuer: stranger }))).toBe('');
    expect(await answers(undefined)).toBe('');
  });

  it('takes up a renewed certificate without a restart, and keeps the old one when the new one is broken', async () => {
    const renewed = makeCertificate({ name: 'renewed.example', issuer: authority, dnsNames: ['renewed.example'] });
    const own = { ...files(server, 'changing') };
    const callee = await agent(['tls', 'wss'], { tls: own });
    const shown = async (transport: TransportName): Promise<string> => {
      const socket = connectTls({ port: portOf(callee, transport), host: '127.0.0.1', rejectUnauthorized: false });
      await new Promise((ready) => socket.once('secureConnect', ready));
      const { subject } = socket.getPeerCertificate();
      socket.destroy();
      return String(subject.CN);
    };
    expect(await shown('tls')).toBe('sip.example');
    writeFileSync(own.cert, renewed.certificate);
    // The key is still the old one: the pair does not fit.
    expect(callee.reloadCertificates()).toBe(false);
    expect(await shown('tls')).toBe('sip.example');
    writeFileSync(own.key, renewed.key);
    expect(callee.reloadCertificates()).toBe(true);
    expect(await shown('tls')).toBe('renewed.example');
    expect(await shown('wss')).toBe('renewed.example');
  });

  it('does not start with files that are no certificate', async () => {
    const bad = { cert: file('bad.crt', 'hello'), key: file('bad.key', 'hello') };
    await expect(agent(['tls'], { tls: bad })).rejects.toMatchObject({ code: 'sip.bad-certificate' });
  });

  (withOpenssl ? it : it.skip)('answers openssl s_client, which checks our certificate', async () => {
    const callee = await agent(['tls']);
    const client = spawn('openssl', [
      's_client',
      '-connect',
      `127.0.0.1:${portOf(callee, 'tls')}`,
      '-CAfile',
      trust,
      '-verify_return_error',
      '-verify_ip',
      '127.0.0.1',
      '-quiet',
      '-no_ign_eof',
    ]);
    let heard = '';
    client.stdout.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
    });
    client.stdin.write(wire({ method: 'OPTIONS', via: 'Via: SIP/2.0/TLS 127.0.0.1;branch=z9hG4bKopenssl' }));
    await until(() => heard.includes('\r\n\r\n'));
    expect(heard).toMatch(/^SIP\/2\.0 200 OK\r\n/);
    client.kill();
  });
});

describe('SIP over WebSocket', () => {
  it.each(['ws', 'wss'] as const)('%s carries a call; our BYE goes down the connection it came by', async (scheme) => {
    const callee = await agent([scheme]);
    const { dialogs } = answering(callee);
    const { socket, heard } = await webSocket(`${scheme}://127.0.0.1:${portOf(callee, scheme)}`);
    const via = `Via: SIP/2.0/${scheme.toUpperCase()} df7jal23ls0d.invalid;branch=z9hG4bKws`;
    const invite = wire({ method: 'INVITE', via, body: sdpBody }).replace(
      '<sip:far@192.0.2.1:5060>',
      `<sip:far@df7jal23ls0d.invalid;transport=ws>`,
    );
    socket.send(invite);
    await until(() => heard.some((text) => text.startsWith('SIP/2.0 200')));
    const ok = heard.find((text) => text.startsWith('SIP/2.0 200')) ?? '';
    expect(headerOf(ok, 'Contact')).toContain(`;transport=${scheme}`);
    socket.send(wire({ method: 'ACK', via: via.replace('Kws', 'Kack'), toTag: tagOfTo(ok) }));
    await until(() => dialogs.length === 1);
    void dialogs[0]!.bye();
    await until(() => heard.some((text) => text.startsWith('BYE sip:far@df7jal23ls0d.invalid;transport=ws SIP')));
    const bye = heard.find((text) => text.startsWith('BYE')) ?? '';
    expect(headerOf(bye, 'Via')).toContain(`SIP/2.0/${scheme.toUpperCase()} `);
    socket.close();
  });

  it('turns away whoever does not speak the sub-protocol sip', async () => {
    const callee = await agent(['ws']);
    const url = `ws://127.0.0.1:${portOf(callee, 'ws')}`;
    const refused = (socket: WebSocket) =>
      new Promise((resolve) => {
        socket.once('error', () => resolve('refused'));
        socket.once('open', () => resolve('open'));
      });
    expect(await refused(new WebSocket(url))).toBe('refused');
    expect(await refused(new WebSocket(url, 'chat'))).toBe('refused');
    const response = await fetch(url.replace('ws', 'http'));
    expect(response.status).toBe(426);
  });

  it('closes a connection whose message is larger than any SIP message', async () => {
    const callee = await agent(['ws']);
    const { socket } = await webSocket(`ws://127.0.0.1:${portOf(callee, 'ws')}`);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.send('x'.repeat(20_000));
    expect(await closed).toBe(1009);
  });
});

(withIpv6 ? describe : describe.skip)('IPv6', () => {
  it.each(['udp', 'tcp', 'tls'] as const)(
    '%s carries a call to [::1], with brackets where they belong',
    async (one) => {
      const callee = await agent([one], { listen: { host: '::1', port: 0 } });
      const caller = await agent([one], { listen: { host: '::1', port: 0 } });
      const sources: string[] = [];
      callee.onInvite((invite) => {
        sources.push(invite.source.address, invite.header('via') ?? '', invite.header('contact') ?? '');
        void invite.accept(sdpBody);
      });
      const to = `sip:demo@[::1]:${portOf(callee, one)};transport=${one}`;
      const { dialog } = await caller.invite({ to, offerSdp: sdpBody });
      expect(sources[0]).toBe('::1');
      expect(sources[1]).toContain(' [::1]:');
      expect(sources[2]).toContain('@[::1]:');
      await dialog.bye();
    },
  );
});

describe('a request too long for a datagram', () => {
  const long = { 'X-Long': 'a'.repeat(1400) };

  it('goes by TCP, and one that is short by UDP', async () => {
    const port = await freePort();
    const callee = await agent(['udp', 'tcp'], { listen: { host: '127.0.0.1', port } });
    const caller = await agent(['udp', 'tcp']);
    const { transport } = answering(callee);
    const call = { to: `sip:demo@127.0.0.1:${port}`, offerSdp: sdpBody };
    const short = await caller.invite(call);
    expect(transport()).toBe('udp');
    await short.dialog.bye();
    const second = await caller.invite({ ...call, headers: long });
    expect(transport()).toBe('tcp');
    await second.dialog.bye();
  });

  it('goes by UDP after all when the far end has no TCP, and is not tried again soon', async () => {
    const callee = await agent(['udp']);
    const caller = await agent(['udp', 'tcp']);
    const { transport } = answering(callee);
    const call = { to: `sip:demo@127.0.0.1:${portOf(callee, 'udp')}`, offerSdp: sdpBody, headers: long };
    for (let attempt = 0; attempt < 2; attempt++) {
      const { dialog } = await caller.invite(call);
      expect(transport()).toBe('udp');
      await dialog.bye();
    }
    expect(caller.dump()['embedded']).toMatchObject({ sentByTcpForSize: 1, failovers: 1 });
  });
});

describe('another place when one fails', () => {
  it.each([
    ['cannot be reached', 'closed'],
    ['says 503', 'busy'],
    ['stays silent', 'silent'],
  ])('is called when the first one %s, and comes first the next time', async (_what, kind) => {
    const callee = await agent(['udp', 'tcp']);
    const bad = await badPlace(kind);
    const dns = await DnsServer.open({
      'pbx.example': [],
      '_sip._tcp.pbx.example': [
        { type: 'SRV', priority: 1, weight: 1, port: bad.port, target: 'bad.example' },
        { type: 'SRV', priority: 2, weight: 1, port: portOf(callee, 'tcp'), target: 'good.example' },
      ],
      'bad.example': [{ type: 'A', address: '127.0.0.1' }],
      'good.example': [{ type: 'A', address: '127.0.0.1' }],
    });
    const caller = await agent(['udp', 'tcp'], {
      names: namesFrom([dns.address]),
      timers: { t1Ms: 50, t2Ms: 400, t4Ms: 500 },
    });
    answering(callee);
    for (let attempt = 0; attempt < 2; attempt++) {
      const { dialog } = await caller.invite({ to: 'sip:demo@pbx.example;transport=tcp', offerSdp: sdpBody });
      await dialog.bye();
    }
    expect(caller.dump()['embedded']).toMatchObject({ failovers: 1 });
    bad.close();
    await dns.close();
  });

  it('tells the application of a 503 when there is no other place', async () => {
    const bad = await badPlace('busy');
    const caller = await agent(['tcp']);
    const call = caller.invite({ to: `sip:demo@127.0.0.1:${bad.port};transport=tcp`, offerSdp: sdpBody });
    await expect(call).rejects.toMatchObject({ code: 'sip.rejected', details: { status: 503 } });
    bad.close();
  });
});

describe('a connection that is closed', () => {
  it('is opened anew for a response, to the port of the Via', async () => {
    const callee = await agent(['tcp']);
    let accept = (): void => {};
    callee.onInvite((invite) => {
      accept = () => void invite.accept(sdpBody).catch(() => undefined);
    });
    let heard = '';
    const listener = createServer((socket) => socket.on('data', (chunk) => (heard += chunk.toString())));
    await new Promise<void>((ready) => listener.listen(0, '127.0.0.1', ready));
    const { port } = listener.address() as AddressInfo;
    const client = connect(portOf(callee, 'tcp'), '127.0.0.1');
    client.write(
      wire({ method: 'INVITE', via: `Via: SIP/2.0/TCP 127.0.0.1:${port};branch=z9hG4bKgone`, body: sdpBody }),
    );
    await firstData(client);
    client.destroy();
    await until(() => transportCount(callee, 'tcp', 'connections') === 0);
    accept();
    await until(() => heard.includes('SIP/2.0 200 OK'));
    listener.close();
  });

  it('is opened anew for a request in a call, to the place of the Contact', async () => {
    const callee = await agent(['tcp']);
    const { dialogs } = answering(callee);
    let heard = '';
    const listener = createServer((socket) => socket.on('data', (chunk) => (heard += chunk.toString())));
    await new Promise<void>((ready) => listener.listen(0, '127.0.0.1', ready));
    const { port } = listener.address() as AddressInfo;
    const client = connect(portOf(callee, 'tcp'), '127.0.0.1');
    let ok = '';
    client.on('data', (chunk) => (ok += chunk.toString()));
    const via = `Via: SIP/2.0/TCP 127.0.0.1:${port};branch=z9hG4bKcall`;
    client.write(wire({ method: 'INVITE', via, body: sdpBody }).replace('192.0.2.1:5060>', `127.0.0.1:${port}>`));
    await until(() => ok.includes('SIP/2.0 200 OK'));
    const toTag = tagOfTo(ok.slice(ok.indexOf('SIP/2.0 200')));
    client.write(wire({ method: 'ACK', via: via.replace('Kcall', 'Kack'), toTag }));
    await until(() => dialogs.length === 1);
    client.destroy();
    await until(() => transportCount(callee, 'tcp', 'connections') === 0);
    void dialogs[0]!.bye();
    await until(() => heard.startsWith('BYE sip:far@127.0.0.1'));
    listener.close();
  });
});

function transportCount(of: SrfUserAgent, transport: TransportName, name: string): number | undefined {
  const embedded = of.dump()['embedded'] as { transports: Record<string, Record<string, number>> };
  return embedded.transports[transport]?.[name];
}

function firstData(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('data', (chunk) => resolve(chunk.toString()));
    socket.once('close', () => resolve(''));
  });
}

async function webSocket(url: string): Promise<{ socket: WebSocket; heard: string[] }> {
  const socket = new WebSocket(url, 'sip', { ca: authority.certificate });
  const heard: string[] = [];
  socket.on('message', (data) => heard.push(data.toString()));
  await new Promise((ready, failed) => socket.once('open', ready).once('error', failed));
  return { socket, heard };
}

/** Free for UDP and, as far as one can tell, for TCP. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound));
  const { port } = socket.address();
  await new Promise<void>((closed) => socket.close(() => closed()));
  return port;
}

async function badPlace(kind: string): Promise<{ port: number; close: () => void }> {
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      if (kind !== 'busy' || !chunk.toString().startsWith('INVITE')) return;
      const lines = chunk.toString().split('\r\n');
      const copied = lines.filter((line) => /^(via|from|to|call-id|cseq):/i.test(line));
      socket.write(
        `SIP/2.0 503 Service Unavailable\r\n${copied.join('\r\n').replace(/^(To:.*)$/m, '$1;tag=busy')}\r\nContent-Length: 0\r\n\r\n`,
      );
    });
  });
  await new Promise<void>((ready) => listener.listen(0, '127.0.0.1', ready));
  const { port } = listener.address() as AddressInfo;
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  };
  if (kind === 'closed') close();
  return { port, close };
}
