import fc from 'fast-check';
import { ManualClock } from '../../src/core/clock';
import { SipGuard } from '../../src/sip/sip-guard';

function guardOf(clock: ManualClock, perSecond = 1) {
  return new SipGuard({
    scanners: ['friendly-scanner', 'SIVuS'],
    sipMessagesPerSourcePerSecond: perSecond * 10,
    callsPerSourcePerSecond: perSecond,
    clock,
  });
}

describe('the SIP guard', () => {
  it('shuns by a word anywhere in the User-Agent, in any case, and counts', () => {
    const guard = guardOf(new ManualClock());
    expect(['friendly-scanner', 'sivus 1.2', 'x Friendly-Scanner/3'].map((name) => guard.shuns(name))).toEqual([
      true,
      true,
      true,
    ]);
    expect([undefined, '', 'Linphone/5.2'].map((name) => guard.shuns(name))).toEqual([false, false, false]);
    expect(guard.gauges['trunkline_sip_scanners_dropped']).toBe(3);
  });

  it('lets each source send and call at its rate, four seconds of it at once', () => {
    const clock = new ManualClock();
    const guard = guardOf(clock);
    const calls = Array.from({ length: 6 }, () => guard.admits('192.0.2.1'));
    expect(calls).toEqual([true, true, true, true, false, false]);
    expect(guard.admits('192.0.2.2')).toBe(true);
    const messages = Array.from({ length: 50 }, () => guard.hears('192.0.2.1'));
    expect(messages.filter(Boolean)).toHaveLength(40);
    expect(guard.gauges).toMatchObject({ trunkline_sip_sources_limited: 2, trunkline_sip_messages_limited: 10 });
    clock.advance(1_000);
    expect([guard.admits('192.0.2.1'), guard.admits('192.0.2.1')]).toEqual([true, false]);
  });

  it('lets one through now and then at the slowest of rates', () => {
    const clock = new ManualClock();
    const guard = guardOf(clock, 0.1);
    expect([guard.admits('192.0.2.1'), guard.admits('192.0.2.1')]).toEqual([true, false]);
    clock.advance(10_000);
    expect(guard.admits('192.0.2.1')).toBe(true);
  });

  it('takes any name and any address', () => {
    const guard = guardOf(new ManualClock());
    fc.assert(
      fc.property(fc.string(), fc.string(), (name, address) => {
        expect(typeof guard.shuns(name)).toBe('boolean');
        expect(typeof guard.hears(address)).toBe('boolean');
      }),
    );
  });
});
