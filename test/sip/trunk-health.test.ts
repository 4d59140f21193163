import { ManualClock, SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import { SipPeers } from '../../src/sip/sip-peers';
import { SrfUserAgent } from '../../src/sip/srf-user-agent';
import { TrunkHealth } from '../../src/sip/trunk-health';
import { isUsable, nextTrunkHealth, type TrunkHealthState } from '../../src/sip/trunk-health-state';
import { freePort, type RunningSipp, sippInstalled, startSipp } from '../support/sipp';

describe('the verdict on a trunk', () => {
  const verdict = (...events: ('answered' | 'missed')[]): TrunkHealthState =>
    events.reduce<TrunkHealthState>((state, event) => nextTrunkHealth(state, event), 'unknown');

  it('changes with the second answer in a row that says otherwise', () => {
    expect(isUsable(verdict())).toBe(true);
    expect(verdict('answered', 'missed')).toBe('falling');
    expect(isUsable(verdict('answered', 'missed'))).toBe(true);
    expect(isUsable(verdict('answered', 'missed', 'missed'))).toBe(false);
    expect(isUsable(verdict('missed', 'missed', 'answered'))).toBe(false);
    expect(verdict('missed', 'missed', 'answered', 'answered')).toBe('up');
  });

  it('does not swing with a line that loses every other datagram', () => {
    const swinging = Array.from({ length: 20 }, (_, at) =>
      at % 2 === 0 ? ('missed' as const) : ('answered' as const),
    );
    expect(isUsable(verdict('answered', ...swinging))).toBe(true);
    expect(isUsable(verdict('missed', 'missed', ...swinging))).toBe(false);
  });
});

describe('a trunk that is asked whether it is there', () => {
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  function asked(answer: () => Promise<{ status: number }>) {
    const clock = new ManualClock();
    const health = new TrunkHealth({
      trunk: { name: 'acme', proxy: 'sbc.example:5070', qualifySeconds: 30 },
      send: answer,
      clock,
      now: () => new Date(clock.nowMs()),
      log: silentLogger,
      random: () => 0.5,
    });
    health.start();
    return { clock, health };
  }

  it('is down after two answers that it cannot serve, and asked more often while the verdict is open', async () => {
    let status = 200;
    const { clock, health } = asked(async () => ({ status }));
    await settled();
    expect(health.status).toMatchObject({ state: 'up', lastStatus: 200, asked: 1, missed: 0 });
    status = 503;
    clock.advance(30_000);
    await settled();
    expect(health.status.state).toBe('falling');
    clock.advance(5_000);
    await settled();
    expect(health.status).toMatchObject({ state: 'down', lastStatus: 503, missed: 2 });
    expect(health.isUsable).toBe(false);
    health.close();
  });

  it('lives when it answers at all: it need not like the question', async () => {
    const { health } = asked(async () => ({ status: 405 }));
    await settled();
    expect(health.status.state).toBe('up');
    health.close();
  });

  it('has five seconds', async () => {
    const { clock, health } = asked(() => new Promise(() => undefined));
    clock.advance(5_000);
    await settled();
    clock.advance(5_000);
    await settled();
    clock.advance(5_000);
    await settled();
    expect(health.status).toMatchObject({ state: 'down', lastStatus: undefined, asked: 2, missed: 2 });
    health.close();
  });
});

(sippInstalled() ? describe : describe.skip)('a trunk that SIPp plays', () => {
  let trunk: RunningSipp | undefined;
  let agent: SrfUserAgent;
  let peers: SipPeers;

  afterEach(async () => {
    trunk?.stop();
    await peers.close();
    await agent.stop();
  });

  async function until(check: () => boolean): Promise<void> {
    for (let attempt = 0; attempt < 600; attempt += 1) {
      if (check()) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`The trunk is ${JSON.stringify(peers.status.trunks)}.`);
  }

  it('S70 goes up, is given up when it answers no more, and is taken back', async () => {
    const port = await freePort();
    const clock = new SystemClock();
    agent = new SrfUserAgent({
      listen: { host: '127.0.0.1', port: 0 },
      clock,
      log: silentLogger,
      userAgentName: 'Trunkline test',
    });
    await agent.start();
    const log = silentLogger;
    const trunks = [{ name: 'acme', proxy: `127.0.0.1:${port}`, addresses: [], qualifySeconds: 0.2 }];
    peers = new SipPeers({
      trunks,
      users: [],
      registrations: [],
      clock,
      now: () => new Date(),
      log,
      random: () => '8000',
    });
    trunk = await startSipp({ scenario: 'uas-options.xml', port, calls: 1000, timeoutSeconds: 60 });
    peers.start(agent);
    await until(() => peers.status.trunks[0]?.state === 'up');
    expect(peers.status.trunks[0]).toMatchObject({ name: 'acme', lastStatus: 200 });
    expect(peers.gauges).toMatchObject({ trunkline_sip_trunks_asked: 1, trunkline_sip_trunks_up: 1 });

    trunk.stop();
    await trunk.done;
    await until(() => !peers.isUsable('acme'));
    expect(peers.gauges).toMatchObject({ trunkline_sip_trunks_up: 0 });

    trunk = await startSipp({ scenario: 'uas-options.xml', port, calls: 1000, timeoutSeconds: 60 });
    await until(() => peers.isUsable('acme'));
    expect(peers.isUsable('another, which nobody asks')).toBe(true);
  }, 60_000);
});
