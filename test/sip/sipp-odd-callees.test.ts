/** What whom we call does that a plain call does not, with SIPp as the callee, over UDP and TCP (docs/sip-scenarios.md). */
import { makeOffer } from '../../src/sip/offer-answer';
import type { SipEnd } from '../../src/sip/user-agent';
import { Callee } from '../support/sip-callee';
import { sippInstalled } from '../support/sipp';
import { SippAgent } from '../support/sipp-agent';

const local = { address: '127.0.0.1', port: 40_000, codecs: ['PCMU', 'PCMA'] } as const;
const auth = { username: 'alice', password: 'open sesame' };

(sippInstalled() ? describe : describe.skip).each(['udp', 'tcp'] as const)('an odd callee over %s', (over) => {
  let agent: SippAgent;
  beforeEach(async () => {
    agent = await SippAgent.start(over);
  });
  afterEach(() => agent.stop());

  const nothingLeft = () => expect(agent.embedded()).toMatchObject({ dialogs: 0, awaitingNetwork: 0 });

  it('S104 answers at two phones, and one has the call', async () => {
    const sipp = await agent.calls('uas-two-answers.xml');
    const { dialog } = await sipp.invite();
    while (agent.embedded()['forkedAnswers'] !== 1) await new Promise((next) => setTimeout(next, 10));
    // The copy has its BYE before we send ours.
    await new Promise((next) => setTimeout(next, 100));
    await dialog.bye();
    await sipp.clean();
    nothingLeft();
  });

  it('S105 rings at two phones, and the one without early media answers', async () => {
    const sipp = await agent.calls('uas-early-fork.xml');
    const heard: number[] = [];
    const { dialog } = await sipp.invite({ onProvisional: (status) => heard.push(status) });
    expect(heard).toEqual([183, 180]);
    await dialog.bye();
    await sipp.clean();
    nothingLeft();
  });

  it('S106 answers while we give up', async () => {
    const sipp = await agent.calls('uas-answer-beats-cancel.xml');
    const controller = new AbortController();
    const attempt = sipp.invite({ signal: controller.signal, onProvisional: () => controller.abort() });
    await expect(attempt).rejects.toMatchObject({ code: 'sip.cancelled' });
    await sipp.clean();
    nothingLeft();
  });

  it('S108 declines for everybody', async () => {
    const sipp = await agent.calls('uas-declines-everywhere.xml');
    await expect(sipp.invite()).rejects.toMatchObject({ code: 'sip.rejected', details: { status: 603 } });
    await sipp.clean();
  });

  it('S109 does not take our password', async () => {
    const sipp = await agent.calls('uas-password-refused.xml');
    await expect(sipp.invite({ auth })).rejects.toMatchObject({ code: 'sip.rejected', details: { status: 401 } });
    await sipp.clean();
  });

  it('S110 finds our nonce stale', async () => {
    const sipp = await agent.calls('uas-nonce-stale.xml');
    const { dialog } = await sipp.invite({ auth });
    await dialog.bye();
    await sipp.clean();
  });

  it.each([404, 480, 488, 503, 305, 420, 606])('S111 refuses with %i, and is not asked again', async (status) => {
    const sipp = await agent.calls(`uas-refuses-${status}.xml`);
    await expect(sipp.invite()).rejects.toMatchObject({ code: 'sip.rejected', details: { status } });
    const { messages } = await sipp.clean();
    expect(messages.match(/^INVITE /gm)).toHaveLength(1);
    nothingLeft();
  });

  it('S112 is reached through two proxies', async () => {
    const sipp = await agent.calls('uas-route-set.xml');
    const { dialog } = await sipp.invite();
    await dialog.bye();
    const { messages } = await sipp.clean();
    expect(messages).toMatch(/^BYE [\s\S]*?^Route: <sip:near@[^\n]*?(,|\r?\nRoute:) *<sip:far@/m);
  });

  it('S113 has forgotten the call when we hang up', async () => {
    const sipp = await agent.calls('uas-bye-unknown.xml');
    const { dialog } = await sipp.invite();
    await dialog.bye();
    await sipp.clean();
    nothingLeft();
  });

  it('S114 has forgotten the call when we change it', async () => {
    const sipp = await agent.calls('uas-reinvite-unknown.xml');
    const { dialog } = await sipp.invite();
    const ended = new Promise<SipEnd>((resolve) => dialog.onEnd(resolve));
    const hold = makeOffer({ ...local, direction: 'sendonly' }, { sessionId: '9', previous: sipp.offer.state });
    await expect(dialog.modify(hold.sdp)).rejects.toMatchObject({ code: 'sip.rejected', details: { status: 481 } });
    await sipp.clean();
    await ended;
  });

  // Over UDP SIPp answers the copy of an ACK with another 200, and so on for ever.
  (over === 'tcp' ? it : it.skip)('S115 answers again, and is acknowledged again', async () => {
    const sipp = await agent.calls('uas-answers-again.xml');
    const { dialog } = await sipp.invite();
    // The second answer comes 300 ms after the first has been acknowledged, the BYE must come after both.
    await new Promise((next) => setTimeout(next, 1_000));
    await dialog.bye();
    const { messages } = await sipp.clean();
    expect(messages.match(/^ACK /gm)).toHaveLength(2);
  });

  it('S118 sends us to a telephone number and a mailbox', async () => {
    const sipp = await agent.calls('uas-redirects-elsewhere.xml');
    await expect(sipp.invite()).rejects.toMatchObject({ code: 'sip.rejected', details: { status: 302 } });
    await sipp.clean();
  });

  /** A call of ours that is wired as one of theirs would be. */
  async function wired(scenario: string) {
    const sipp = await agent.calls(scenario);
    const callee = new Callee(local);
    callee.state = sipp.offer.state;
    const { dialog } = await sipp.invite();
    callee.wire(dialog);
    return { sipp, callee, dialog };
  }

  it('S121 changes the call by UPDATE', async () => {
    const { sipp, callee, dialog } = await wired('uas-updates.xml');
    while (!callee.notes.events.includes('reinvite')) await new Promise((next) => setTimeout(next, 10));
    await dialog.bye();
    await sipp.clean();
  });

  it('S122 moves, and is hung up where it went', async () => {
    const { sipp, callee, dialog } = await wired('uas-moves.xml');
    while (!callee.notes.events.includes('ack')) await new Promise((next) => setTimeout(next, 10));
    await dialog.bye();
    await sipp.clean();
  });
});

(sippInstalled() ? describe : describe.skip)('a callee over udp that says nothing', () => {
  it('S107 is asked again, and given up', async () => {
    const agent = await SippAgent.start('udp', { timers: { t1Ms: 60, t2Ms: 480, t4Ms: 600 } });
    try {
      const sipp = await agent.calls('uas-silent.xml');
      await expect(sipp.invite()).rejects.toMatchObject({ code: 'sip.unreachable' });
      const { messages } = await sipp.clean();
      // At 0, 1, 3, 7, 15, 31 and 63 times T1; SIPp may not be there for the first.
      expect(messages.match(/^INVITE /gm)?.length).toBeGreaterThan(4);
    } finally {
      await agent.stop();
    }
  });
});
