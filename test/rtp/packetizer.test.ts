import { DurationHistogram } from '../../src/rtp/histogram';
import { Packetizer } from '../../src/rtp/packetizer';
import { ReceptionStatistics } from '../../src/rtp/reception';

const payload = new Uint8Array(160);

describe('the packetizer', () => {
  it('numbers packets without a gap across both wraps', () => {
    const packetizer = new Packetizer(() => 0.999_999_99);
    let before = packetizer.packet(0, payload);
    for (let i = 0; i < 200; i++) {
      packetizer.advance(160);
      const next = packetizer.packet(0, payload);
      expect(next.sequenceNumber).toBe((before.sequenceNumber + 1) & 0xffff);
      expect(next.timestampTicks).toBe((before.timestampTicks + 160) >>> 0);
      before = next;
    }
    expect(packetizer.sentPackets).toBe(201);
    expect(packetizer.sentBytes).toBe(201 * 160);
  });

  it('marks the first packet of a talkspurt only, while time runs on in the pause', () => {
    const packetizer = new Packetizer(() => 0);
    const markers = [packetizer.packet(0, payload).marker, packetizer.packet(0, payload).marker];
    packetizer.pause();
    packetizer.advance(1600);
    const next = packetizer.packet(0, payload);
    expect([...markers, next.marker]).toEqual([true, false, true]);
    expect(next).toMatchObject({ sequenceNumber: 2, timestampTicks: 1600 });
  });
});

describe('reception statistics', () => {
  const packet = (n: number, ssrc = 5) => ({
    ssrc,
    sequenceNumber: n & 0xffff,
    timestampTicks: (n * 160) >>> 0,
  });

  it('count loss across the wrap, and a late packet as received', () => {
    const reception = new ReceptionStatistics(8000);
    for (const n of [65_533, 65_534, 65_536, 65_535, 65_539]) reception.push(packet(n), n * 20);
    expect(reception.lost).toBe(2);
    expect(reception.report()).toMatchObject({ cumulativeLost: 2, fractionLost: Math.floor((2 / 7) * 256) });
    expect(reception.report()).toMatchObject({ cumulativeLost: 2, fractionLost: 0 });
  });

  it('know no jitter in an even stream and most of it in an uneven one', () => {
    const even = new ReceptionStatistics(8000);
    const uneven = new ReceptionStatistics(8000);
    for (let n = 0; n < 200; n++) {
      even.push(packet(n), 1000 + n * 20);
      uneven.push(packet(n), 1000 + n * 20 + (n & 1) * 10);
    }
    expect(even.jitterMs).toBeLessThan(0.2);
    expect(uneven.jitterMs).toBeCloseTo(10, 0);
  });

  it('begin anew with another source and keep what was lost', () => {
    const reception = new ReceptionStatistics(8000);
    for (const n of [1, 4]) reception.push(packet(n), n * 20);
    for (const n of [60_000, 60_001, 60_003]) reception.push(packet(n, 6), n * 20);
    expect(reception.lost).toBe(3);
    expect(reception.report()).toMatchObject({ ssrc: 6, cumulativeLost: 1 });
  });

  it('have nothing to report before the first packet', () => {
    expect(new ReceptionStatistics(8000).report()).toBeUndefined();
  });
});

describe('the duration histogram', () => {
  it('gives quantiles within its step, and the maximum beyond its range', () => {
    const histogram = new DurationHistogram();
    for (let i = 1; i <= 1000; i++) histogram.record(i / 100);
    expect(histogram.quantileMs(0.5)).toBeCloseTo(5, 0);
    expect(histogram.quantileMs(0.99)).toBeCloseTo(9.9, 0);
    histogram.record(5000);
    expect(histogram.quantileMs(1)).toBeLessThanOrEqual(histogram.maxMs);
    expect(histogram.maxMs).toBe(5000);
    expect(new DurationHistogram().quantileMs(0.99)).toBe(0);
  });
});
