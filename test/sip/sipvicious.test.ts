/** What the scanners of sipvicious learn from a running endpoint: nothing under their own name, and nothing under another. */
import { randomBytes } from 'node:crypto';
import { SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import { SipGuard } from '../../src/sip/sip-guard';
import { SipPeers } from '../../src/sip/sip-peers';
import { SrfUserAgent } from '../../src/sip/srf-user-agent';
import { type Scanner, scan, sipviciousInstalled } from '../support/sipvicious';
import { sdpBody } from './embedded/endpoint-driver';

const withSipvicious = sipviciousInstalled() ? describe : describe.skip;

const users = ['100', '104', '107'].map((username) => ({ username, password: 'wonderland' }));

interface Scanned {
  readonly guard: SipGuard;
  readonly peers: SipPeers;
  readonly calls: () => number;
  scan(tool: Scanner, args: readonly string[], words?: readonly string[]): Promise<string>;
}

let close: () => Promise<void> = async () => undefined;
afterEach(() => close());

async function open(scanners: readonly string[]): Promise<Scanned> {
  const clock = new SystemClock();
  const guard = new SipGuard({
    scanners,
    sipMessagesPerSourcePerSecond: 10_000,
    callsPerSourcePerSecond: 10_000,
    clock,
  });
  const peers = new SipPeers({
    trunks: [],
    users,
    registrations: [],
    clock,
    now: () => new Date(),
    log: silentLogger,
    random: (bytes) => randomBytes(bytes).toString('hex'),
  });
  const userAgent = new SrfUserAgent({
    listen: { host: '127.0.0.1', port: 0 },
    protocols: ['udp'],
    clock,
    log: silentLogger,
    userAgentName: 'Trunkline test',
    onRegister: peers.onRegister,
    ...guard.hooks,
  });
  let calls = 0;
  userAgent.onInvite((invite) => {
    if (peers.admit(invite) === undefined) return;
    calls++;
    void invite.accept(sdpBody).catch(() => undefined);
  });
  await userAgent.start();
  peers.start(userAgent);
  close = async () => {
    await peers.close();
    await userAgent.stop();
  };
  const port = userAgent.local[0]?.port ?? 0;
  return {
    guard,
    peers,
    calls: () => calls,
    scan: (tool, args, words) => scan(tool, ['-p', String(port), ...args, '127.0.0.1'], words),
  };
}

type Scan = readonly [tool: Scanner, args: readonly string[], words?: readonly string[]];

/** All at once: each waits for answers for seconds. */
const all = (target: Scanned, scans: readonly Scan[]) =>
  Promise.all(scans.map(async ([tool, args, words]) => [tool, ...args, await target.scan(tool, args, words)]));

const nothing = /^(?:.*found nothing\n)$/ms;

withSipvicious('scanners of sipvicious', () => {
  it('hear nothing at all under their own name, and are counted', async () => {
    const target = await open(['friendly-scanner']);
    const said = await all(target, [
      ['svmap', ['-m', 'OPTIONS']],
      ['svwar', ['-e', '100-109', '-m', 'REGISTER', '--maximumtime=2']],
      ['svwar', ['-e', '100-109', '-m', 'INVITE', '--maximumtime=2']],
      ['svcrack', ['-u', '100', '--maximumtime=2'], ['1234', 'admin', 'wonderland']],
    ]);
    for (const words of said) {
      expect(words.at(-1)).toMatch(nothing);
      expect(words.at(-1)).not.toMatch(/SIP\/2\.0|Trunkline/);
    }
    expect(target.guard.gauges['trunkline_sip_scanners_dropped']).toBeGreaterThanOrEqual(said.length);
    expect(target.peers.gauges).toMatchObject({ trunkline_sip_wrong_passwords: 0 });
    expect(target.calls()).toBe(0);
  }, 120_000);

  // As if they had changed their User-Agent: the guard knows none of their words.
  it('cannot tell who there is under another name, and find no password that they try after ten wrong ones', async () => {
    const target = await open([]);
    const guesses = [...Array.from({ length: 12 }, (_, index) => `guess${index}`), 'wonderland'];
    const said = await all(target, [
      ...['REGISTER', 'INVITE', 'OPTIONS'].map(
        (method): Scan => ['svwar', ['-e', '100-109', '-m', method, '--force', '--maximumtime=2']],
      ),
      ['svcrack', ['-u', '100', '--maximumtime=5'], guesses],
    ]);
    for (const words of said) expect(words.at(-1)).toMatch(nothing);
    expect(target.peers.gauges['trunkline_sip_guesses_locked_out']).toBeGreaterThan(0);
    expect(target.calls()).toBe(0);
  }, 120_000);
});
