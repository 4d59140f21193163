/** Whole calls with SIPp as the far end, through the user agent and the embedded endpoint, on loopback. */
import { SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import { SrfUserAgent } from '../../src/sip/srf-user-agent';
import type { SipEnd } from '../../src/sip/user-agent';
import { runSipp, sippInstalled } from '../support/sipp';

const withSipp = sippInstalled() ? describe : describe.skip;

const answerSdp = (port: number): string =>
  `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n`;

withSipp('a SIPp caller', () => {
  let agent: SrfUserAgent;

  beforeEach(async () => {
    agent = new SrfUserAgent({
      listen: { host: '127.0.0.1', port: 0 },
      clock: new SystemClock(),
      log: silentLogger,
      userAgentName: 'Trunkline test',
    });
    await agent.start();
  });

  afterEach(() => agent.stop());

  const target = (): string => `127.0.0.1:${agent.local[0]?.port}`;

  it('S1 is answered with the given SDP and ends the call with BYE', async () => {
    const ends: SipEnd[] = [];
    const called: string[] = [];
    agent.onInvite((invite) => {
      called.push(invite.calledNumber);
      invite.ring();
      void invite.accept(answerSdp(40000)).then((dialog) => dialog.onEnd((end) => ends.push(end)));
    });
    const result = await runSipp({ scenario: 'uac-basic.xml', target: target() });
    expect(result.errors).toBe('');
    expect(result.exitCode).toBe(0);
    expect(called).toEqual(['demo']);
    expect(ends).toEqual([expect.objectContaining({ by: 'remote', q850Cause: 16 })]);
    expect(result.messages).toContain('m=audio 40000 RTP/AVP 0');
  });
});
