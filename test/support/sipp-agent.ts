/** The user agent under test with SIPp on the other side of loopback, over UDP or TCP: who calls it, and whom it calls. */
import { SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import { TcpTransport } from '../../src/sip/embedded/tcp-transport';
import { UdpTransport } from '../../src/sip/embedded/udp-transport';
import { type LocalAudio, makeOffer } from '../../src/sip/offer-answer';
import { SrfUserAgent, type SrfUserAgentOptions } from '../../src/sip/srf-user-agent';
import type { OutgoingInvite } from '../../src/sip/user-agent';
import { Callee } from './sip-callee';
import { SipCapture } from './sip-capture';
import { type Over, type RunningSipp, runSipp, type SippResult, type SippRun, startCalledSipp } from './sipp';

export type { Over } from './sipp';

const local: LocalAudio = { address: '127.0.0.1', port: 40_000, codecs: ['PCMU', 'PCMA'] };

export class SippAgent {
  callee = new Callee(local);
  /** All that has passed its transports. */
  capture = new SipCapture();

  private constructor(
    readonly userAgent: SrfUserAgent,
    readonly over: Over,
  ) {}

  static async start(over: Over, more: Partial<SrfUserAgentOptions> = {}): Promise<SippAgent> {
    const capture = new SipCapture();
    const at = { host: '127.0.0.1', port: 0 };
    const userAgent = new SrfUserAgent({
      listen: at,
      transports: [capture.around(new UdpTransport(at)), capture.around(new TcpTransport(at))],
      clock: new SystemClock(),
      log: silentLogger,
      userAgentName: 'Trunkline test',
      ...more,
    });
    await userAgent.start();
    const agent = new SippAgent(userAgent, over);
    agent.capture = capture;
    return agent;
  }

  /** Takes calls as the callee does, and refuses what it cannot speak. */
  answer(): void {
    this.userAgent.onInvite((invite) => void this.callee.take(invite).catch(() => undefined));
  }

  /** Runs a scenario in which SIPp calls us, and wants it to go as it says. */
  async called(scenario: string, more: Partial<SippRun> = {}): Promise<SippResult> {
    const { args = [], ...rest } = more;
    const port = this.userAgent.local.find(({ transport }) => transport === this.over)?.port;
    const way = this.over === 'tcp' ? ['-t', 't1'] : [];
    return expectClean(await runSipp({ scenario, target: `127.0.0.1:${port}`, args: [...way, ...args], ...rest }));
  }

  /** Starts a scenario in which SIPp is called; `invite` goes there. */
  async calls(scenario: string, more: Partial<SippRun> = {}): Promise<CalledSipp> {
    const far = await startCalledSipp(this.over, { scenario, ...more });
    const to = `sip:1000@127.0.0.1:${far.port};transport=${this.over}`;
    const offer = makeOffer(local, { sessionId: '9' });
    return {
      far,
      to,
      offer,
      invite: (call = {}) => this.userAgent.invite({ to, offerSdp: offer.sdp, ...call }),
      clean: async () => expectClean(await far.done),
    };
  }

  embedded(): Record<string, unknown> {
    return this.userAgent.dump()['embedded'] as Record<string, unknown>;
  }

  stop(): Promise<void> {
    return this.userAgent.stop();
  }
}

export interface CalledSipp {
  readonly far: RunningSipp;
  readonly to: string;
  readonly offer: ReturnType<typeof makeOffer>;
  invite(call?: Partial<OutgoingInvite>): ReturnType<SrfUserAgent['invite']>;
  clean(): Promise<SippResult>;
}

export function expectClean(result: SippResult): SippResult {
  expect({ exitCode: result.exitCode, errors: result.errors }).toEqual({ exitCode: 0, errors: '' });
  return result;
}
