/** REFER, NOTIFY and Replaces with SIPp as the far end (docs/sip.md, RFC 3515, RFC 4488, RFC 3891). */
import { SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import type { LocalAudio } from '../../src/sip/offer-answer';
import { SrfUserAgent } from '../../src/sip/srf-user-agent';
import type { ReferOptions, ReferOutcome, Referral } from '../../src/sip/user-agent';
import { Callee } from '../support/sip-callee';
import { runSipp, type SippResult, sippInstalled } from '../support/sipp';

const withSipp = sippInstalled() ? describe : describe.skip;
const local: LocalAudio = { address: '127.0.0.1', port: 40_000, codecs: ['PCMU', 'PCMA'] };

let agent: SrfUserAgent;
let callee: Callee;

beforeEach(async () => {
  callee = new Callee(local);
  agent = new SrfUserAgent({
    listen: { host: '127.0.0.1', port: 0 },
    clock: new SystemClock(),
    log: silentLogger,
    userAgentName: 'Trunkline test',
  });
  await agent.start();
});

afterEach(() => agent.stop());

let over: 'udp' | 'tcp';

const call = (scenario: string): Promise<SippResult> =>
  runSipp({
    scenario,
    target: `127.0.0.1:${agent.local.find(({ transport }) => transport === over)?.port}`,
    args: over === 'tcp' ? ['-t', 't1'] : [],
  });

function expectClean(result: SippResult): void {
  expect({ exitCode: result.exitCode, errors: result.errors }).toEqual({ exitCode: 0, errors: '' });
}

withSipp.each(['udp', 'tcp'] as const)('a caller that is sent to somebody else over %s', (way) => {
  beforeEach(() => {
    over = way;
  });
  /** What comes of a REFER to whoever calls; then it is hung up. */
  async function referred(scenario: string, more: Partial<ReferOptions> = {}) {
    const progress: number[] = [];
    const outcome = new Promise<ReferOutcome>((resolve) => {
      agent.onInvite((invite) => {
        void callee.take(invite).then((dialog) => {
          dialog.onAck(async () => {
            const result = await dialog.refer({
              target: 'sip:human@192.0.2.44',
              referredBy: '<sip:agent@192.0.2.1>',
              onProgress: (status) => progress.push(status),
              ...more,
            });
            resolve(result);
            await dialog.bye();
          });
        });
      });
    });
    expectClean(await call(scenario));
    return { outcome: await outcome, progress };
  }

  it('S44 tells that the other one rings, and answers', async () => {
    const { outcome, progress } = await referred('uac-refer-completed.xml');
    expect(outcome).toEqual({ kind: 'completed', status: 200 });
    expect(progress).toEqual([100, 180]);
  });

  it('S45 tells that the other one is busy', async () => {
    expect(await referred('uac-refer-busy.xml')).toMatchObject({ outcome: { kind: 'failed', status: 486 } });
  });

  it('S46 refuses', async () => {
    expect(await referred('uac-refer-refused.xml')).toMatchObject({ outcome: { kind: 'refused', status: 603 } });
  });

  it('S47 tells nothing in the time it is given', async () => {
    const { outcome } = await referred('uac-refer-silent.xml', { withinMs: 500 });
    expect(outcome).toEqual({ kind: 'unknown', because: 'no-notify' });
  });

  it('S48 hangs up before it has told', async () => {
    expect(await referred('uac-refer-bye.xml')).toMatchObject({ outcome: { kind: 'unknown', because: 'ended' } });
  });

  it('S49 is not asked to tell', async () => {
    const { outcome } = await referred('uac-refer-norefersub.xml', { wantOutcome: false });
    expect(outcome).toEqual({ kind: 'unknown', because: 'not-subscribed' });
  });

  it('S50 tells before it has even accepted', async () => {
    const { outcome, progress } = await referred('uac-refer-early-notify.xml');
    expect(outcome).toEqual({ kind: 'completed', status: 200 });
    expect(progress).toEqual([100]);
  });
});

withSipp.each(['udp', 'tcp'] as const)('a caller that sends us to somebody else over %s', (way) => {
  beforeEach(() => {
    over = way;
  });
  it('S51 is told how that went, unless it does not want to know', async () => {
    const referrals: Referral[] = [];
    agent.onInvite((invite) => {
      void callee.take(invite).then((dialog) => {
        dialog.onReferral((referral) => {
          referrals.push(referral);
          void referral.accept()(200, 'OK');
        });
      });
    });
    expectClean(await call('uac-refers-us.xml'));
    expect(referrals).toEqual([
      expect.objectContaining({ target: 'sip:human@192.0.2.44', replaces: 'abc@far;to-tag=1;from-tag=2' }),
      expect.objectContaining({ target: 'sip:human@192.0.2.44', replaces: undefined, referredBy: undefined }),
    ]);
    expect(referrals[0]?.referredBy).toContain('sip:caller@');
  });
});
