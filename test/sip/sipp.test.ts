/** Whole calls with SIPp as the far end, through the user agent and the embedded endpoint, on loopback (docs/sip.md). */
import { createSocket } from 'node:dgram';
import { SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import { type LocalAudio, makeOffer } from '../../src/sip/offer-answer';
import { SrfUserAgent } from '../../src/sip/srf-user-agent';
import type { SipEnd } from '../../src/sip/user-agent';
import { Callee } from '../support/sip-callee';
import {
  type RunningSipp,
  runSipp,
  type SippResult,
  type SippRun,
  sippInstalled,
  startCalledSipp,
} from '../support/sipp';
import { openUdpRelay } from '../support/udp-relay';

const withSipp = sippInstalled() ? describe : describe.skip;

const local: LocalAudio = { address: '127.0.0.1', port: 40_000, codecs: ['PCMU', 'PCMA'] };

let agent: SrfUserAgent;
let callee: Callee;

async function setUp(): Promise<void> {
  callee = new Callee(local);
  agent = new SrfUserAgent({
    listen: { host: '127.0.0.1', port: 0 },
    clock: new SystemClock(),
    log: silentLogger,
    userAgentName: 'Trunkline test',
  });
  await agent.start();
}

function expectClean(result: SippResult): void {
  expect({ exitCode: result.exitCode, errors: result.errors }).toEqual({ exitCode: 0, errors: '' });
}

function embedded(): Record<string, unknown> {
  return agent.dump()['embedded'] as Record<string, unknown>;
}

withSipp.each(['udp', 'tcp'] as const)('SIPp calls the agent over %s', (over) => {
  beforeEach(setUp);
  afterEach(() => agent.stop());

  const call = (scenario: string, { args = [], ...more }: Partial<SippRun> = {}): Promise<SippResult> =>
    runSipp({
      scenario,
      target: `127.0.0.1:${agent.local.find(({ transport }) => transport === over)?.port}`,
      args: [...(over === 'tcp' ? ['-t', 't1'] : []), ...args],
      ...more,
    });

  /** A stream loses nothing. */
  const onDatagrams = over === 'udp' ? it : it.skip;

  const answer = (): void => agent.onInvite((invite) => void callee.take(invite).catch(() => undefined));

  it('S1 answered, confirmed, ended by the caller', async () => {
    answer();
    const result = await call('uac-basic.xml');
    expectClean(result);
    expect(callee.notes.events).toEqual(['invite demo', 'ack']);
    expect(callee.notes.ends).toEqual([expect.objectContaining({ by: 'remote', q850Cause: 16 })]);
    expect(result.messages).toContain('m=audio 40000 RTP/AVP 0');
    expect(embedded()).toMatchObject({ dialogs: 0, awaitingApplication: 0, malformedDropped: 0 });
  });

  it('S1 many at once: 60 calls, every one ended and forgotten', async () => {
    agent.onInvite((invite) => void new Callee(local).take(invite));
    // On a busy machine a BYE may be said twice: SIPp complains of the second answer to it, and counts the call as it should.
    const { exitCode } = await call('uac-basic.xml', { calls: 60, args: ['-r', '60', '-l', '60'] });
    expect(exitCode).toBe(0);
    expect(agent.dump()).toMatchObject({ dialogs: 0, invitesIn: 60 });
    expect(embedded()).toMatchObject({ dialogs: 0, dialogsOpened: 60, dialogsClosed: 60 });
  });

  it('S2 sends two seconds of audio to the port of the answer', async () => {
    const socket = createSocket('udp4');
    await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound));
    let packets = 0;
    const sizes = new Set<number>();
    socket.on('message', (bytes) => {
      packets++;
      sizes.add(bytes.length);
    });
    callee = new Callee({ ...local, port: socket.address().port });
    answer();
    expectClean(await call('uac-media.xml', { files: { 'tone.ul': new Uint8Array(160 * 50).fill(0x55) } }));
    socket.close();
    expect(packets).toBeGreaterThan(20);
    expect([...sizes]).toEqual([172]);
  });

  it('S3 late offer: our offer in the 200, the answer in the ACK', async () => {
    answer();
    expectClean(await call('uac-late-offer.xml'));
    expect(callee.notes.events).toEqual(['invite demo', 'ack agreed']);
  });

  it('S4 cancelled while it rings', async () => {
    const cancelled = new Promise<string>((resolve) => {
      agent.onInvite((invite) => {
        invite.ring();
        invite.onCancelled(() => {
          invite.accept('v=0').catch((error: { code: string }) => resolve(error.code));
        });
      });
    });
    expectClean(await call('uac-cancel.xml'));
    expect(await cancelled).toBe('sip.cancelled');
  });

  it('S5 refused with 404', async () => {
    agent.onInvite((invite) => invite.reject(404));
    expectClean(await call('uac-404.xml', { service: 'nobody' }));
    expect(embedded()).toMatchObject({ dialogs: 0, awaitingApplication: 0 });
  });

  it('S6 held in both styles and resumed on another port', async () => {
    answer();
    expectClean(await call('uac-hold-resume.xml'));
    expect(callee.notes.events).toEqual([
      'invite demo',
      'ack',
      'reinvite',
      'ack',
      'reinvite',
      'ack',
      'reinvite',
      'ack',
    ]);
    // The old hold asked for nothing new in our description.
    expect(callee.state?.version).toBe(3);
  });

  it('S7 a refused re-INVITE leaves the call as it was', async () => {
    answer();
    expectClean(await call('uac-reinvite-refused.xml'));
    expect(callee.notes.events).toEqual(['invite demo', 'ack', 'reinvite refused']);
    expect(callee.notes.ends).toHaveLength(1);
  });

  it('S8 re-INVITE without an offer', async () => {
    answer();
    expectClean(await call('uac-reinvite-late-offer.xml'));
    expect(callee.notes.events).toEqual(['invite demo', 'ack', 'reinvite', 'ack agreed']);
  });

  it('S9 hung up by the agent', async () => {
    agent.onInvite((invite) => {
      void callee.take(invite).then((dialog) => {
        dialog.onAck(() => void dialog.bye({ Reason: 'Q.850;cause=16;text="Normal call clearing"' }));
      });
    });
    expectClean(await call('uac-bye-from-agent.xml'));
    expect(callee.notes.ends).toEqual([expect.objectContaining({ by: 'local', q850Cause: 16 })]);
  });

  /** The same call through a network that loses or doubles what `copies` says. */
  async function callThrough(copies: (text: string) => number): Promise<SippResult> {
    const relay = await openUdpRelay(agent.local[0]?.port ?? 0, copies);
    // Long enough for the copies to arrive before the BYE.
    const result = await call('uac-basic.xml', { target: `127.0.0.1:${relay.port}`, pauseMs: 1500 });
    relay.close();
    return result;
  }

  const isOkToInvite = (text: string): boolean => text.startsWith('SIP/2.0 200') && text.includes('CSeq: 1 INVITE');

  onDatagrams('S10 three copies of the INVITE are one call', async () => {
    agent.onInvite((invite) => setTimeout(() => void callee.take(invite), 100));
    expectClean(await callThrough((text) => (text.startsWith('INVITE') ? 3 : 1)));
    expect(callee.notes.events).toEqual(['invite demo', 'ack']);
    expect(embedded()).toMatchObject({ retransmissionsIn: 2 });
  });

  onDatagrams('S11 two copies of the 200 are lost, the third arrives', async () => {
    answer();
    let seen = 0;
    expectClean(await callThrough((text) => (isOkToInvite(text) && ++seen <= 2 ? 0 : 1)));
    expect(embedded()).toMatchObject({ okRetransmissions: 2, missingAcks: 0 });
    expect(callee.notes.events).toEqual(['invite demo', 'ack']);
  });

  onDatagrams('S12 the first INVITE, the first ACK and the first BYE are lost', async () => {
    answer();
    const lost = new Set<string>();
    const result = await callThrough((text) => {
      const method = text.slice(0, text.indexOf(' '));
      if (method === 'SIP/2.0' || lost.has(method)) return 1;
      lost.add(method);
      return 0;
    });
    expectClean(result);
    expect([...lost]).toEqual(['INVITE', 'ACK', 'BYE']);
    expect(callee.notes.ends).toHaveLength(1);
    expect(embedded()).toMatchObject({ dialogs: 0 });
  });

  it('S13 OPTIONS', async () => expectClean(await call('uac-options.xml')));

  it('S14 REGISTER', async () => expectClean(await call('uac-register.xml')));

  it('S15 INFO with a digit', async () => {
    answer();
    expectClean(await call('uac-info.xml'));
    expect(callee.notes.events).toEqual(['invite demo', 'ack', 'info application/dtmf-relay Signal=5']);
  });

  it('S16 UPDATE', async () => {
    answer();
    expectClean(await call('uac-update.xml'));
    expect(callee.notes.events).toEqual(['invite demo', 'ack', 'reinvite']);
  });

  it('S17 draining', async () => {
    answer();
    agent.drain(120);
    expectClean(await call('uac-drained.xml'));
    expect(callee.notes.events).toEqual([]);
  });

  it('S18 an extension in Require', async () => expectClean(await call('uac-require.xml')));
});

withSipp.each(['udp', 'tcp'] as const)('the agent calls SIPp over %s', (over) => {
  beforeEach(setUp);
  afterEach(() => agent.stop());

  const offer = (): string => makeOffer(local, { sessionId: '9' }).sdp;
  const to = ({ port }: RunningSipp): string => `sip:1000@127.0.0.1:${port};transport=${over}`;

  it('S19 answered, and hung up by us', async () => {
    const far = await startCalledSipp(over, { scenario: 'uas-answer.xml' });
    const provisional: number[] = [];
    const { dialog, answerSdp } = await agent.invite({
      to: to(far),
      from: '4711',
      offerSdp: offer(),
      onProvisional: (status) => provisional.push(status),
    });
    expect(answerSdp).toContain('m=audio');
    await dialog.bye();
    await dialog.bye();
    const result = await far.done;
    expectClean(result);
    expect(provisional).toEqual([180]);
    expect(result.messages).toMatch(/From: <sip:4711@127\.0\.0\.1>;tag=/);
    expect(agent.dump()).toMatchObject({ dialogs: 0 });
  });

  it.each([
    ['S20', 'uas-digest-401.xml'],
    ['S21', 'uas-digest-407-sha256.xml'],
  ])('%s gives its credentials when asked (%s)', async (_id, scenario) => {
    const far = await startCalledSipp(over, { scenario });
    const { dialog } = await agent.invite({
      to: to(far),
      offerSdp: offer(),
      auth: { username: 'alice', password: 'open sesame' },
    });
    await dialog.bye();
    const result = await far.done;
    expectClean(result);
    expect(result.messages).toContain('CSeq: 2 INVITE');
  });

  it('S22 given up while it rings', async () => {
    const far = await startCalledSipp(over, { scenario: 'uas-cancelled.xml' });
    const controller = new AbortController();
    const attempt = agent.invite({
      to: to(far),
      offerSdp: offer(),
      signal: controller.signal,
      onProvisional: () => controller.abort(),
    });
    await expect(attempt).rejects.toMatchObject({ code: 'sip.cancelled' });
    expectClean(await far.done);
  });

  it('S23 busy, with its Q.850 cause', async () => {
    const far = await startCalledSipp(over, { scenario: 'uas-busy.xml' });
    const attempt = agent.invite({ to: to(far), offerSdp: offer() });
    await expect(attempt).rejects.toMatchObject({ code: 'sip.rejected', details: { status: 486, q850Cause: 17 } });
    expectClean(await far.done);
  });

  it('S24 hung up by the far end', async () => {
    const far = await startCalledSipp(over, { scenario: 'uas-hangs-up.xml' });
    const { dialog } = await agent.invite({ to: to(far), offerSdp: offer() });
    const end = await new Promise<SipEnd>((resolve) => dialog.onEnd(resolve));
    expect(end).toMatchObject({ by: 'remote' });
    expectClean(await far.done);
  });

  it('S25 changes the call, is refused once, and changes it again', async () => {
    const far = await startCalledSipp(over, { scenario: 'uas-reinvited.xml' });
    const first = makeOffer(local, { sessionId: '9' });
    const { dialog } = await agent.invite({ to: to(far), offerSdp: first.sdp });
    const hold = makeOffer({ ...local, direction: 'sendonly' }, { sessionId: '9', previous: first.state });
    expect(await dialog.modify(hold.sdp)).toContain('a=recvonly');
    await expect(dialog.modify(hold.sdp)).rejects.toMatchObject({ code: 'sip.rejected', details: { status: 488 } });
    const resume = makeOffer(local, { sessionId: '9', previous: hold.state });
    expect(await dialog.modify(resume.sdp)).toContain('a=sendrecv');
    await dialog.bye();
    expectClean(await far.done);
  });
});
