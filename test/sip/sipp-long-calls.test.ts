/** Long and odd calls with SIPp as the far end: timers, reliable ringing, glare, redirects, proxies in between (docs/sip.md). */
import { SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import { type LocalAudio, makeOffer } from '../../src/sip/offer-answer';
import { SrfUserAgent, type SrfUserAgentOptions } from '../../src/sip/srf-user-agent';
import type { SipEnd } from '../../src/sip/user-agent';
import { Callee } from '../support/sip-callee';
import { runSipp, type SippResult, type SippRun, sippInstalled, startCalledSipp } from '../support/sipp';

const withSipp = sippInstalled() ? describe : describe.skip;
const local: LocalAudio = { address: '127.0.0.1', port: 40_000, codecs: ['PCMU', 'PCMA'] };

let agent: SrfUserAgent;
let callee: Callee;

async function setUp(more: Partial<SrfUserAgentOptions> = {}): Promise<void> {
  callee = new Callee(local);
  agent = new SrfUserAgent({
    listen: { host: '127.0.0.1', port: 0 },
    clock: new SystemClock(),
    log: silentLogger,
    userAgentName: 'Trunkline test',
    ...more,
  });
  await agent.start();
}

afterEach(() => agent.stop());

function expectClean(result: SippResult): void {
  expect({ exitCode: result.exitCode, errors: result.errors }).toEqual({ exitCode: 0, errors: '' });
}

function embedded(): Record<string, unknown> {
  return agent.dump()['embedded'] as Record<string, unknown>;
}

let over: 'udp' | 'tcp';

const call = (scenario: string, more: Partial<SippRun> = {}): Promise<SippResult> =>
  runSipp({
    scenario,
    target: `127.0.0.1:${agent.local.find(({ transport }) => transport === over)?.port}`,
    args: over === 'tcp' ? ['-t', 't1'] : [],
    ...more,
  });

/** What SIPp cannot do, or does not bear, on a stream. */
const onDatagrams = (way: typeof over) => (way === 'udp' ? it : it.skip);

const answer = (): void => agent.onInvite((invite) => void callee.take(invite).catch(() => undefined));

const dial = (port: number) =>
  agent.invite({
    to: `sip:1000@127.0.0.1:${port};transport=${over}`,
    offerSdp: makeOffer(local, { sessionId: '9' }).sdp,
  });

withSipp.each(['udp', 'tcp'] as const)('a call that lasts over %s', (way) => {
  beforeEach(() => {
    over = way;
  });
  // The RFC's 90 seconds would make these tests last as long.
  beforeEach(() => setUp({ sessionTimer: { expiresSeconds: 8, minSeconds: 2 } }));

  it('S26 is refreshed by the agent when the caller leaves it to us', async () => {
    answer();
    expectClean(await call('uac-timer-agent-refreshes.xml'));
    expect(callee.notes.ends).toEqual([expect.objectContaining({ by: 'remote' })]);
  });

  it('S27 is refreshed by the caller, and ended when the caller stops doing so', async () => {
    answer();
    expectClean(await call('uac-timer-caller-refreshes.xml'));
    expect(callee.notes.ends).toEqual([expect.objectContaining({ by: 'timeout', status: 408 })]);
    expect(agent.dump()).toMatchObject({ dialogs: 0 });
  });

  it('S28 begins only with an interval that is long enough', async () => {
    answer();
    expectClean(await call('uac-timer-too-small.xml'));
    expect(callee.notes.events).toEqual(['invite demo', 'ack']);
  });

  it('S29 is refreshed by re-INVITE when the caller takes no UPDATE', async () => {
    answer();
    expectClean(await call('uac-timer-by-reinvite.xml'));
    expect(callee.notes.events).toEqual(['invite demo', 'ack', 'reinvite', 'ack agreed']);
  });

  it('S30 of our own gets the interval that the far end wants', async () => {
    const far = await startCalledSipp(over, { scenario: 'uas-timer.xml' });
    const { dialog } = await dial(far.port);
    const ended = new Promise<SipEnd>((resolve) => dialog.onEnd(resolve));
    expectClean(await far.done);
    expect(await ended).toMatchObject({ by: 'remote' });
  });
});

withSipp.each(['udp', 'tcp'] as const)('ringing that must not be lost over %s', (way) => {
  beforeEach(() => {
    over = way;
  });
  it('S31 is acknowledged by PRACK', async () => {
    await setUp();
    callee = new Callee(local, (invite, sdp) => invite.ring(180, sdp()));
    answer();
    expectClean(await call('uac-prack.xml'));
    expect(callee.notes.events).toEqual(['invite demo', 'ack']);
  });

  onDatagrams(way)('S32 comes again until it is, and the answer waits', async () => {
    await setUp({ timers: { t1Ms: 100, t2Ms: 800, t4Ms: 1_000 } });
    callee = new Callee(local, (invite, sdp) => invite.ring(183, sdp()));
    answer();
    const result = await call('uac-prack-early-media.xml');
    expectClean(result);
    expect(result.messages.match(/^SIP\/2.0 183/gm)?.length).toBeGreaterThan(1);
    expect(callee.notes.events).toEqual(['invite demo', 'ack']);
  });

  onDatagrams(way)('S33 ends the attempt when nobody acknowledges it', async () => {
    await setUp({ timers: { t1Ms: 60, t2Ms: 480, t4Ms: 600 } });
    const cancelled = new Promise<void>((resolve) => {
      agent.onInvite((invite) => {
        invite.onCancelled(resolve);
        invite.ring();
      });
    });
    expectClean(await call('uac-prack-missing.xml'));
    await cancelled;
    expect(embedded()).toMatchObject({ missingPracks: 1, dialogs: 0, awaitingApplication: 0 });
  });

  it('S34 is acknowledged by us, each once', async () => {
    await setUp();
    const far = await startCalledSipp(over, { scenario: 'uas-prack.xml' });
    const heard: string[] = [];
    const answered = agent.invite({
      to: `sip:1000@127.0.0.1:${far.port};transport=${over}`,
      offerSdp: makeOffer(local, { sessionId: '9' }).sdp,
      onProvisional: (status, sdp) => heard.push(`${status}${sdp === undefined ? '' : ' with media'}`),
    });
    // SIPp that gives up says why.
    await Promise.race([answered, far.done.then(expectClean)]);
    await (await answered).dialog.bye();
    expectClean(await far.done);
    expect(heard).toEqual(['183 with media', '180']);
    expect(embedded()).toMatchObject({ dialogs: 0 });
  });
});

withSipp.each(['udp', 'tcp'] as const)('an odd call over %s', (way) => {
  beforeEach(() => {
    over = way;
  });
  beforeEach(() => setUp());

  it('S35 is asked by OPTIONS whether it lives', async () => {
    answer();
    expectClean(await call('uac-options-in-dialog.xml'));
  });

  it('S36 that both sides change at once is changed by one after the other', async () => {
    const far = await startCalledSipp(over, { scenario: 'uas-glare.xml' });
    const first = makeOffer(local, { sessionId: '9' });
    const { dialog } = await agent.invite({
      to: `sip:1000@127.0.0.1:${far.port};transport=${over}`,
      offerSdp: first.sdp,
    });
    dialog.onReinvite(async () => ({ status: 488 }));
    const hold = makeOffer({ ...local, direction: 'sendonly' }, { sessionId: '9', previous: first.state });
    expect(await dialog.modify(hold.sdp)).toContain('a=recvonly');
    await dialog.bye();
    expectClean(await far.done);
  });

  it('S37 that is sent elsewhere goes there, the better place first', async () => {
    const far = await startCalledSipp(over, { scenario: 'uas-redirects.xml' });
    const { dialog } = await dial(far.port);
    await dialog.bye();
    expectClean(await far.done);
  });

  it('S38 that is sent in a circle ends', async () => {
    const far = await startCalledSipp(over, { scenario: 'uas-redirect-loop.xml' });
    await expect(dial(far.port)).rejects.toMatchObject({ code: 'sip.rejected', details: { status: 301 } });
    expectClean(await far.done);
  });

  it('S39 that came through three proxies is hung up through all of them', async () => {
    const ended = new Promise<SipEnd>((resolve) => {
      agent.onInvite((invite) => {
        void callee.take(invite).then((dialog) => {
          dialog.onEnd(resolve);
          dialog.onAck(() => void dialog.bye());
        });
      });
    });
    expectClean(await call('uac-record-route.xml'));
    expect(await ended).toMatchObject({ by: 'local' });
  });
});
