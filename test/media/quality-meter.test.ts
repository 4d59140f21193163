/** The quality of each two seconds of a call, by itself. */
import { QualityMeter, type ReceptionCounts } from '../../src/media/quality-meter';

const counts = (more: Partial<ReceptionCounts>): ReceptionCounts => ({
  packetsReceived: 0,
  packetsSent: 0,
  packetsLost: 0,
  packetsLate: 0,
  jitterMs: 1,
  delayMs: 60,
  roundTripMs: undefined,
  ...more,
});

describe('a sample of the quality', () => {
  it('speaks of its own interval', () => {
    const meter = new QualityMeter();
    const bad = meter.sample(2000, counts({ packetsReceived: 80, packetsLost: 20, packetsSent: 100 }));
    const good = meter.sample(4000, counts({ packetsReceived: 180, packetsLost: 20, packetsSent: 200 }));
    expect(bad).toMatchObject({ atMs: 2000, lostShare: 0.2, packetsReceived: 80, packetsSent: 100 });
    expect(good).toMatchObject({ atMs: 4000, lostShare: 0, packetsReceived: 100, packetsSent: 100 });
    expect(good.mos).toBeGreaterThan(4);
    expect(bad.mos).toBeLessThan(3);
  });

  it('counts a packet that came too late like a lost one', () => {
    expect(new QualityMeter().sample(2000, counts({ packetsReceived: 100, packetsLate: 10 })).lostShare).toBe(0.1);
  });

  it('takes back nothing when a lost packet comes after all', () => {
    const meter = new QualityMeter();
    meter.sample(2000, counts({ packetsReceived: 98, packetsLost: 2 }));
    expect(meter.sample(4000, counts({ packetsReceived: 200, packetsLost: 0 })).lostShare).toBe(0);
  });

  it('has no opinion of nothing', () => {
    expect(new QualityMeter().sample(2000, counts({}))).not.toHaveProperty('mos');
  });
});
