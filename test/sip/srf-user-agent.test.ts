/** Two user agents on virtual time with a memory network between them; drachtio-srf and its control connection are real. */
import { createSocket } from 'node:dgram';
import type { OverheardSip } from '../../src/core/call-trace';
import { ManualClock, SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import { ControlLiveness, pingEveryMs } from '../../src/sip/control-liveness';
import { openEmbeddedEndpoint } from '../../src/sip/embedded/embedded-endpoint';
import type { SrfAgent, SrfSocket } from '../../src/sip/srf-types';
import { parseHostPorts, SrfUserAgent } from '../../src/sip/srf-user-agent';
import type { IncomingInvite, SipDialog, SipEnd } from '../../src/sip/user-agent';
import { connect, MemoryTransport } from './embedded/memory-transport';

const sdp = (port: number, direction = 'sendrecv'): string =>
  `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\na=${direction}\r\n`;

describe('two user agents', () => {
  let clock: ManualClock;
  /** What both say of the room that they have. */
  let retryAfterSeconds: number | undefined;
  let near: SrfUserAgent;
  let far: SrfUserAgent;
  let overheard: OverheardSip[];
  let network: { readonly near: MemoryTransport; readonly far: MemoryTransport };

  beforeEach(async () => {
    clock = new ManualClock();
    retryAfterSeconds = undefined;
    network = {
      near: new MemoryTransport({ address: '127.0.0.1', port: 5060 }),
      far: new MemoryTransport({ address: '127.0.0.2', port: 5060 }),
    };
    connect(network.near, network.far);
    overheard = [];
    const open = async (transport: MemoryTransport): Promise<SrfUserAgent> => {
      const agent = new SrfUserAgent({
        listen: { host: transport.local.address, port: 5060 },
        clock,
        log: silentLogger,
        userAgentName: 'Trunkline test',
        transports: [transport],
        full: () => retryAfterSeconds,
        overhear: (message) => transport === network.near && overheard.push(message),
      });
      await agent.start();
      return agent;
    };
    near = await open(network.near);
    far = await open(network.far);
  });

  afterEach(async () => {
    await near.stop();
    await far.stop();
  });

  /** Lets the loopback connections run, and time if asked for. */
  async function pump<T>(promise: Promise<T>, stepMs = 0): Promise<T> {
    let settled = false;
    void promise.then(
      () => {
        settled = true;
      },
      () => {
        settled = true;
      },
    );
    for (let turn = 0; turn < 2000 && !settled; turn++) {
      clock.advance(stepMs);
      await new Promise((done) => setTimeout(done, 1));
    }
    return promise;
  }

  const dial = (extra: Partial<Parameters<SrfUserAgent['invite']>[0]> = {}): ReturnType<SrfUserAgent['invite']> =>
    near.invite({ to: 'sip:demo@127.0.0.2', offerSdp: sdp(4000), ...extra });

  /** An answered call: our dialog and theirs. */
  async function call(): Promise<{ readonly ours: SipDialog; readonly theirs: SipDialog }> {
    const theirs = new Promise<SipDialog>((resolve) => {
      far.onInvite((invite) => void invite.accept(sdp(5000)).then(resolve));
    });
    const { dialog } = await pump(dial());
    return { ours: dialog, theirs: await pump(theirs) };
  }

  it('tell of every message as it passes, and by which Call-ID a call goes', async () => {
    far.onInvite((invite) => void invite.accept(sdp(5000)));
    const sent: string[] = [];
    const { dialog } = await pump(dial({ onSent: (sipCallId) => sent.push(sipCallId) }));
    await pump(dialog.bye());
    const passed = overheard.map((message) => {
      const text = Buffer.from(message.bytes).toString();
      return `${message.sent ? 'out' : 'in'} ${text.split(/ sip:|\r\n/, 1)[0]}`;
    });
    expect(passed).toEqual([
      'out INVITE',
      'in SIP/2.0 100 Trying',
      'in SIP/2.0 200 OK',
      'out ACK',
      'out BYE',
      'in SIP/2.0 200 OK',
    ]);
    expect(sent).toEqual([dialog.sipCallId]);
    expect(overheard[0]).toMatchObject({
      transport: 'udp',
      local: { address: '127.0.0.1', port: 5060 },
      remote: { address: '127.0.0.2', port: 5060 },
    });
  });

  it('agree on a call, its parties and its end', async () => {
    const seen: IncomingInvite[] = [];
    const ends: [string, SipEnd][] = [];
    let acks = 0;
    far.onInvite((invite) => {
      seen.push(invite);
      void invite.accept(sdp(5000)).then((dialog) => {
        dialog.onAck(() => acks++);
        dialog.onEnd((end) => ends.push(['far', end]));
      });
    });
    const { dialog, answerSdp } = await pump(
      dial({ from: '"Ann \\"A\\" O\'Hara" <sip:+49%2030@localhost>', headers: { 'X-Trunk': 'blue, green' } }),
    );
    expect(answerSdp).toBe(sdp(5000));
    dialog.onEnd((end) => ends.push(['near', end]));
    await pump(dialog.bye({ Reason: 'Q.850;cause=31' }));
    expect(seen[0]).toMatchObject({
      calledNumber: 'demo',
      from: { user: '+49 30', displayName: 'Ann "A" O\'Hara', uri: 'sip:+49%2030@127.0.0.1' },
      source: { transport: 'udp', address: '127.0.0.1', port: 5060 },
      offerSdp: sdp(4000),
    });
    expect(seen[0]?.header('x-trunk')).toBe('blue, green');
    expect(seen[0]?.sipCallId).toBe(dialog.sipCallId);
    expect(acks).toBe(1);
    expect(ends).toEqual([
      ['near', expect.objectContaining({ by: 'local', q850Cause: 31 })],
      ['far', expect.objectContaining({ by: 'remote', q850Cause: 31, reason: 'Q.850;cause=31' })],
    ]);
    expect([near.dump()['dialogs'], far.dump()['dialogs']]).toEqual([0, 0]);
  });

  it('tell who asks late that the call was confirmed and that it is over', async () => {
    const { ours, theirs } = await call();
    await pump(ours.bye());
    const order: string[] = [];
    theirs.onAck(() => order.push('ack'));
    theirs.onEnd((end) => order.push(end.by));
    expect(order).toEqual(['ack', 'remote']);
  });

  it('hold, resume, and go on after a refusal', async () => {
    const { ours, theirs } = await call();
    theirs.onReinvite(async (offer) => (offer?.includes('a=inactive') ? { status: 488 } : sdp(5002, 'recvonly')));
    expect(await pump(ours.modify(sdp(4000, 'sendonly')))).toContain('a=recvonly');
    await expect(pump(ours.modify(sdp(4000, 'inactive')))).rejects.toMatchObject({
      code: 'sip.rejected',
      details: { status: 488 },
    });
    expect(await pump(ours.modify(sdp(4000)))).toContain('m=audio 5002');
    await pump(theirs.bye());
    await expect(ours.modify(sdp(4000))).rejects.toMatchObject({ code: 'sip.rejected', details: { status: 481 } });
  });

  it('refuse a re-INVITE that nobody handles, and answer 500 when its handler fails', async () => {
    const { ours, theirs } = await call();
    await expect(pump(ours.modify(sdp(1)))).rejects.toMatchObject({ details: { status: 488 } });
    theirs.onReinvite(() => Promise.reject(new Error('broken')));
    await expect(pump(ours.modify(sdp(1)))).rejects.toMatchObject({ details: { status: 500 } });
  });

  it('both get their re-INVITE through when they collide', async () => {
    const { ours, theirs } = await call();
    ours.onReinvite(async () => sdp(4444));
    theirs.onReinvite(async () => sdp(5555));
    const [a, b] = await pump(Promise.all([ours.modify(sdp(4001)), theirs.modify(sdp(5001))]), 20);
    expect(a).toContain('m=audio 5555');
    expect(b).toContain('m=audio 4444');
    const refusals = [...network.near.lines, ...network.far.lines].filter(
      (line) => line === 'SIP/2.0 491 Request Pending',
    );
    expect(refusals.length).toBeGreaterThan(0);
  });

  it('give up a call that rings', async () => {
    const cancelled = new Promise<void>((resolve) => {
      far.onInvite((invite) => {
        invite.ring(183, sdp(5000));
        invite.onCancelled(resolve);
      });
    });
    const controller = new AbortController();
    const early: [number, boolean][] = [];
    const attempt = dial({
      signal: controller.signal,
      onProvisional: (status, body) => {
        early.push([status, body === sdp(5000)]);
        controller.abort();
      },
    });
    await expect(pump(attempt)).rejects.toMatchObject({ code: 'sip.cancelled' });
    await pump(cancelled);
    expect(early).toEqual([[183, true]]);
    expect(far.dump()).toMatchObject({ dialogs: 0, embedded: { dialogs: 0 } });
  });

  it('do not even dial when told to stop before', async () => {
    await expect(dial({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'sip.cancelled' });
    expect(network.near.sent).toEqual([]);
  });

  it('hang up an answer that was faster than the CANCEL', async () => {
    const controller = new AbortController();
    far.onInvite((invite) => void invite.accept(sdp(5000)));
    // The CANCEL is lost for ever, so only the 200 arrives.
    network.near.lose = (text) => text.startsWith('CANCEL');
    network.far.lose = (text) => {
      if (text.startsWith('SIP/2.0 200')) controller.abort();
      return false;
    };
    await expect(pump(dial({ signal: controller.signal }))).rejects.toMatchObject({ code: 'sip.cancelled' });
    await pump(new Promise((done) => setTimeout(done, 50)));
    expect(network.near.lines.some((line) => line.startsWith('BYE'))).toBe(true);
    expect(far.dump()).toMatchObject({ dialogs: 0 });
  });

  it('tell silence from refusal', async () => {
    network.near.lose = () => true;
    await expect(pump(dial(), 100)).rejects.toMatchObject({ code: 'sip.unreachable' });
    network.near.lose = () => false;
    far.onInvite((invite) => invite.reject(408));
    await expect(pump(dial())).rejects.toMatchObject({ code: 'sip.rejected', details: { status: 408 } });
  });

  it('end a call whose ACK never comes', async () => {
    network.near.lose = (text) => text.startsWith('ACK');
    const { theirs } = await call();
    const end = new Promise<SipEnd>((resolve) => theirs.onEnd(resolve));
    expect(await pump(end, 100)).toMatchObject({ by: 'timeout', status: 408 });
  });

  it('answer once, and never with what cannot be sent', async () => {
    const codes: string[] = [];
    const note = (error: { readonly code: string }): void => void codes.push(error.code);
    far.onInvite((invite) => {
      void (async () => {
        await invite.accept(sdp(5000), { 'X-Bad': 'a\r\nVia: evil' }).catch(note);
        await invite.accept(sdp(5000), { 'X-Long': 'x'.repeat(11_000) }).catch(note);
        await invite.accept(sdp(5000));
        await invite.accept(sdp(5000)).catch(note);
        invite.reject(486);
      })();
    });
    await pump(dial());
    expect(codes).toEqual(['sip.bad-header', 'sip.message-too-large', 'sip.already-answered']);
    await expect(dial({ to: 'tel:+1555' })).rejects.toMatchObject({ code: 'sip.bad-uri' });
  });

  it('give up what calls they still have, and their session timers, when they stop', async () => {
    const { ours, theirs } = await call();
    const ends: SipEnd[] = [];
    for (const dialog of [ours, theirs]) dialog.onEnd((end) => ends.push(end));
    await near.stop();
    await far.stop();
    expect(ends).toEqual([expect.objectContaining({ by: 'timeout' }), expect.objectContaining({ by: 'timeout' })]);
  });

  it('say in their answer to OPTIONS whether a call would be taken', async () => {
    const ask = () => pump(near.askOptions({ uri: 'sip:127.0.0.2:5060', proxy: 'sip:127.0.0.2:5060', headers: {} }));
    expect(await ask()).toMatchObject({ status: 200 });
    retryAfterSeconds = 30;
    expect(await ask()).toMatchObject({ status: 503 });
    retryAfterSeconds = undefined;
    expect(await ask()).toMatchObject({ status: 200 });
    far.drain(30);
    expect(await ask()).toMatchObject({ status: 503 });
  });

  it('refuse new calls while draining and keep the old ones', async () => {
    const { ours, theirs } = await call();
    far.drain(30);
    await expect(pump(dial())).rejects.toMatchObject({ details: { status: 503 } });
    theirs.onReinvite(async () => sdp(5002));
    expect(await pump(ours.modify(sdp(4000)))).toContain('5002');
    await pump(ours.bye());
  });
});

describe('a user agent and its server', () => {
  const clock = new SystemClock();

  async function server(): ReturnType<typeof openEmbeddedEndpoint> {
    const transports = [new MemoryTransport({ address: '127.0.0.1', port: 5060 })];
    return openEmbeddedEndpoint({ transports, clock, log: silentLogger });
  }

  it('connects to a drachtio-server that is named, and loses its calls with it', async () => {
    const drachtio = await server();
    const agent = new SrfUserAgent({
      listen: { host: '127.0.0.1', port: 5060 },
      drachtio: drachtio.control,
      clock,
      log: silentLogger,
      userAgentName: 'Trunkline test',
    });
    await agent.start();
    expect(agent.local).toEqual([{ transport: 'udp', address: '127.0.0.1', port: 5060 }]);
    await drachtio.stop();
    for (let turn = 0; turn < 400 && agent.dump()['controlConnectionsLost'] === 0; turn++)
      await new Promise((done) => setTimeout(done, 5));
    expect(agent.dump()).toMatchObject({ controlConnectionsLost: 1, embedded: undefined });
    await agent.stop();
  });

  it('says that the secret is wrong', async () => {
    const drachtio = await server();
    const agent = new SrfUserAgent({
      listen: { host: '127.0.0.1', port: 5060 },
      drachtio: { ...drachtio.control, secret: 'guess' },
      clock,
      log: silentLogger,
      userAgentName: 'Trunkline test',
    });
    await expect(agent.start()).rejects.toMatchObject({ code: 'sip.drachtio-refused' });
    await drachtio.stop();
  });

  it("listens on every address when told '*', and answers an IPv4 peer by its address", async () => {
    const agent = new SrfUserAgent({
      listen: { host: '*', port: 0 },
      clock,
      log: silentLogger,
      userAgentName: 'Trunkline test',
    });
    await agent.start();
    const socket = createSocket('udp4');
    await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound));
    const heard = new Promise<string>((resolve) => socket.on('message', (bytes) => resolve(bytes.toString())));
    const { port } = socket.address();
    socket.send(
      `OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bKstar\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@b>\r\nCall-ID: star\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n`,
      agent.local[0]?.port ?? 0,
      '127.0.0.1',
    );
    expect(await heard).toMatch(/^SIP\/2\.0 200 OK/);
    expect(agent.localAddressFor('127.0.0.1')).toBe('127.0.0.1');
    socket.close();
    await agent.stop();
  });

  it('says plainly that its port is taken', async () => {
    const options = { clock, log: silentLogger, userAgentName: 'Trunkline test' };
    const first = new SrfUserAgent({ listen: { host: '127.0.0.1', port: 0 }, ...options });
    await first.start();
    const second = new SrfUserAgent({ listen: { host: '127.0.0.1', port: first.local[0]?.port ?? 0 }, ...options });
    await expect(second.start()).rejects.toMatchObject({ code: 'sip.listen-failed' });
    await first.stop();
  });

  it('reads the addresses a server announces', () => {
    expect(parseHostPorts('udp/192.0.2.1:5060,tls/[2001:db8::1]:5061, 192.0.2.1:5070,nonsense')).toEqual([
      { transport: 'udp', address: '192.0.2.1', port: 5060 },
      { transport: 'tls', address: '2001:db8::1', port: 5061 },
      { transport: 'udp', address: '192.0.2.1', port: 5070 },
    ]);
  });
});

describe('ControlLiveness', () => {
  it('closes a connection after three pings without an answer, and leaves one that answers alone', () => {
    const clock = new ManualClock();
    let destroyed = 0;
    let answering = true;
    const socket: SrfSocket = { destroyed: false, destroy: () => destroyed++ };
    const pendingRequests = new Map<string, (token: readonly string[]) => void>();
    let sent = 0;
    const agent: SrfAgent = {
      mapServer: new Map([[socket, { authenticated: true, pendingRequests }]]),
      wp: { send: () => `ping${++sent}` },
    };
    const liveness = new ControlLiveness(() => agent, clock);
    liveness.start();
    for (let round = 0; round < 10; round++) {
      clock.advance(pingEveryMs);
      if (answering) for (const run of pendingRequests.values()) run(['OK', 'pong']);
      pendingRequests.clear();
    }
    expect([sent, destroyed]).toEqual([10, 0]);
    answering = false;
    clock.advance(pingEveryMs * 4);
    expect(destroyed).toBe(1);
    liveness.stop();
    clock.advance(pingEveryMs * 10);
    expect(destroyed).toBe(1);
  });
});
