import fc from 'fast-check';
import { JitterBuffer, type Pulled } from '../../src/rtp/jitter-buffer';
import type { RtpPacket } from '../../src/rtp/packet';
import { seededRandom } from '../support/signal';

const frameTicks = 160;

/** Packet `n` of a stream; its payload carries `n`, so that the order of play can be told. */
function packet(n: number, more: Partial<RtpPacket> = {}, base = 0): RtpPacket {
  const payload = new Uint8Array(frameTicks);
  new DataView(payload.buffer).setUint32(0, n);
  return {
    payloadType: 0,
    sequenceNumber: (base + n) & 0xffff,
    timestampTicks: (base * frameTicks + n * frameTicks) >>> 0,
    ssrc: 1,
    marker: n === 0,
    payload,
    ...more,
  };
}

function numberOf(played: RtpPacket): number {
  return new DataView(played.payload.buffer, played.payload.byteOffset).getUint32(0);
}

function makeBuffer(): JitterBuffer {
  return new JitterBuffer({ clockRate: 8000, durationTicks: (payload) => payload.length });
}

interface Arrival {
  readonly atMs: number;
  readonly packet: RtpPacket;
}

/** Feeds arrivals and pulls every 20 ms from 7 ms on; returns what each pull gave. */
function run(buffer: JitterBuffer, arrivals: readonly Arrival[], untilMs: number, quiet = false): Pulled[] {
  const queue = [...arrivals].sort((a, b) => a.atMs - b.atMs);
  const pulls: Pulled[] = [];
  for (let nowMs = 7; nowMs < untilMs; nowMs += 20) {
    while (queue.length > 0 && queue[0]!.atMs <= nowMs) {
      const arrival = queue.shift()!;
      buffer.put(arrival.packet, arrival.atMs);
    }
    pulls.push(buffer.pull(nowMs, quiet));
  }
  return pulls;
}

function playedNumbers(pulls: readonly Pulled[]): number[] {
  return pulls.flatMap((pull) => {
    if (pull.kind === 'packet') return [numberOf(pull.packet)];
    return pull.kind === 'merge' ? [numberOf(pull.from), numberOf(pull.packet)] : [];
  });
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const steady = (count: number, delayMs: (n: number) => number = () => 0, base = 0): Arrival[] =>
  range(0, count).map((n) => ({ atMs: n * 20 + delayMs(n), packet: packet(n, {}, base) }));

describe('the jitter buffer', () => {
  it('plays an even stream whole, in order, and without a hole once begun', () => {
    const pulls = run(makeBuffer(), steady(100), 2000);
    const first = pulls.findIndex((pull) => pull.kind === 'packet');
    expect(first).toBeLessThanOrEqual(3);
    expect(playedNumbers(pulls)).toEqual(range(0, pulls.length - first));
  });

  it.each([65_530, 0, 26_843_540])('does so across the wraps of both counters, beginning at %d', (base) => {
    // 26,843,545 * 160 is 2^32.
    const pulls = run(makeBuffer(), steady(60, undefined, base), 1000);
    expect(playedNumbers(pulls)).toEqual(range(0, playedNumbers(pulls).length));
    expect(playedNumbers(pulls).length).toBeGreaterThan(45);
  });

  it('puts reordered packets right', () => {
    const arrivals = steady(50, (n) => (n % 4 === 1 ? 25 : 0));
    const buffer = makeBuffer();
    const played = playedNumbers(run(buffer, arrivals, 1100));
    expect(played).toEqual([...played].sort((a, b) => a - b));
    expect(played.length).toBeGreaterThanOrEqual(49);
  });

  it('plays a duplicate once', () => {
    const arrivals = steady(30).flatMap((arrival) => [arrival, { ...arrival, atMs: arrival.atMs + 11 }]);
    const buffer = makeBuffer();
    const played = playedNumbers(run(buffer, arrivals, 700));
    expect(played).toEqual(range(0, played.length));
    expect(buffer.counts.duplicate).toBe(30);
  });

  it('answers a lost packet with one gap of its length and keeps its time', () => {
    const arrivals = steady(40).filter((_, n) => n !== 20);
    const pulls = run(makeBuffer(), arrivals, 800);
    const gaps = pulls.filter((pull) => pull.kind === 'gap' && pull.reason === 'lost');
    expect(gaps).toMatchObject([{ kind: 'gap', ticks: frameTicks, reason: 'lost' }]);
    expect(playedNumbers(pulls)).toEqual(playedNumbers(pulls).filter((n) => n !== 20));
  });

  it('shows with the end of a loss what is played behind it, and only there', () => {
    const arrivals = steady(60).filter((_, n) => n !== 20 && (n < 40 || n > 42));
    const patient = new JitterBuffer({ clockRate: 8000, durationTicks: ({ length }) => length, initialDelayMs: 120 });
    const gaps = run(patient, arrivals, 1200).flatMap((pull) =>
      pull.kind === 'gap' && pull.reason === 'lost' ? [pull.next && numberOf(pull.next)] : [],
    );
    expect(gaps).toEqual([21, undefined, undefined, 43]);
  });

  it('has the next packet in hand while packets get lost that it repeats, and gives that delay back', () => {
    const makeRedundant = (redundant: boolean) =>
      new JitterBuffer({ clockRate: 8000, durationTicks: (payload) => payload.length, initialDelayMs: 0, redundant });
    const isLost = (n: number) => n > 20 && n < 500 && n % 10 === 0;
    const arrivals = steady(1500).filter((_, n) => !isLost(n));
    const [plain, redundant] = [makeRedundant(false), makeRedundant(true)];
    const repairable = (pulls: Pulled[]) =>
      pulls.filter((pull) => pull.kind === 'gap' && pull.reason === 'lost' && pull.next !== undefined).length;
    // At the least delay a lost packet is due before the next one is there.
    expect(repairable(run(plain, arrivals, 10_000))).toBe(0);
    expect(repairable(run(redundant, arrivals, 10_000))).toBeGreaterThanOrEqual(45);
    expect(redundant.targetDelayMs).toBe(40);
    const later = arrivals.filter(({ atMs }) => atMs > 10_000);
    for (let nowMs = 10_007; nowMs < 30_000; nowMs += 20) {
      while (later.length > 0 && later[0]!.atMs <= nowMs) redundant.put(later[0]!.packet, later.shift()!.atMs);
      redundant.pull(nowMs, true);
    }
    expect(redundant.targetDelayMs).toBe(20);
    expect(redundant.delayMs).toBeLessThan(45);
  });

  it('plays a late packet still when nothing newer was played, and waits longer from then on', () => {
    const buffer = makeBuffer();
    // From packet 30 on the network is 60 ms slower.
    const pulls = run(
      buffer,
      steady(100, (n) => (n >= 30 ? 60 : 0)),
      2000,
    );
    expect(playedNumbers(pulls)).toEqual(range(0, playedNumbers(pulls).length));
    expect(buffer.delayMs).toBeGreaterThanOrEqual(60);
    expect(buffer.counts.late).toBe(0);
  });

  it('grows with the jitter it measures and loses next to nothing then', () => {
    const random = seededRandom(5);
    const buffer = makeBuffer();
    run(
      buffer,
      steady(500, () => random() * 80),
      9_900,
    );
    expect(buffer.targetDelayMs).toBeGreaterThan(60);
    expect(buffer.targetDelayMs).toBeLessThanOrEqual(200);
    expect(buffer.counts.late).toBeLessThan(15);
  });

  it('shrinks again in pauses when the network calms down', () => {
    const random = seededRandom(5);
    const buffer = makeBuffer();
    const arrivals = steady(2500, (n) => (n < 300 ? random() * 100 : 0));
    run(buffer, arrivals, 49_900, true);
    expect(buffer.targetDelayMs).toBe(20);
    expect(buffer.delayMs).toBeLessThanOrEqual(45);
    expect(buffer.counts.merged).toBeGreaterThan(0);
  });

  it('does not shrink within speech for a little delay too much', () => {
    const random = seededRandom(5);
    const buffer = makeBuffer();
    run(
      buffer,
      steady(1500, (n) => (n < 100 ? random() * 90 : 0)),
      29_900,
      false,
    );
    expect(buffer.counts.merged).toBe(0);
  });

  it('begins each talkspurt with its target delay although the sender was silent for long', () => {
    const buffer = makeBuffer();
    const arrivals = [
      ...steady(20),
      // Timestamps run on in silence (RFC 3551 §4.1).
      ...range(0, 20).map((n) => ({ atMs: 3000 + n * 20, packet: packet(150 + n) })),
    ];
    const pulls = run(buffer, arrivals, 3500);
    expect(playedNumbers(pulls).length).toBe(20 + 20);
    expect(buffer.counts.late).toBe(0);
    expect(pulls.filter((pull) => pull.kind === 'gap' && pull.reason === 'lost')).toHaveLength(0);
  });

  it('begins a talkspurt whole although the timestamps stood still in silence', () => {
    const arrivals = [
      ...steady(20),
      ...range(0, 20).map((n) => ({ atMs: 900 + n * 20, packet: packet(20 + n, { marker: n === 0 }) })),
    ];
    expect(playedNumbers(run(makeBuffer(), arrivals, 1500))).toEqual(range(0, 40));
  });

  it('lets a burst after a stall through without keeping all of its delay', () => {
    const buffer = makeBuffer();
    const pulls = run(
      buffer,
      steady(150, (n) => (n >= 50 && n < 75 ? (75 - n) * 20 : 0)),
      2900,
    );
    const played = playedNumbers(pulls);
    expect(played).toEqual([...played].sort((a, b) => a - b));
    expect(buffer.delayMs).toBeLessThanOrEqual(220);
    expect(played.at(-1)!).toBeGreaterThan(130);
  });

  it('follows a stream that moves for good to a slower path', () => {
    const buffer = makeBuffer();
    const pulls = run(
      buffer,
      steady(200, (n) => (n >= 50 ? 600 : 0)),
      4500,
    );
    expect(playedNumbers(pulls).filter((n) => n >= 60).length).toBeGreaterThan(120);
  });

  it('ignores one packet from nowhere and follows a second one that agrees with it', () => {
    const buffer = makeBuffer();
    run(buffer, steady(20), 400);
    expect(buffer.put(packet(1, { ssrc: 99, timestampTicks: 5 }), 401)).toBe('probation');
    expect(buffer.put(packet(20), 402)).toBe('queued');
    expect(buffer.put(packet(7, { ssrc: 99 }), 420)).toBe('probation');
    expect(buffer.put(packet(8, { ssrc: 99 }), 440)).toBe('queued');
    expect(buffer.counts.resync).toBe(1);
    const pulls = [460, 480, 500, 520, 540].map((nowMs) => buffer.pull(nowMs));
    expect(playedNumbers(pulls)).toEqual([7, 8]);
  });

  it('holds a bounded number of packets', () => {
    const buffer = makeBuffer();
    for (let n = 0; n < 30; n++) buffer.put(packet(n, { payload: new Uint8Array(80), timestampTicks: n * 80 }), 0);
    for (let n = 30; n < 100; n++) buffer.put(packet(n, { payload: new Uint8Array(80), timestampTicks: n * 80 }), 1);
    expect(buffer.length).toBe(64);
    expect(buffer.counts.overflow).toBe(36);
  });

  it('plays packets of 10 and 60 ms', () => {
    for (const ticks of [80, 480]) {
      const buffer = makeBuffer();
      const arrivals = range(0, 40).map((n) => ({
        atMs: (n * ticks) / 8,
        packet: packet(n, { payload: packet(n).payload.slice(0, ticks), timestampTicks: n * ticks }),
      }));
      if (ticks === 480) {
        for (const arrival of arrivals) {
          const payload = new Uint8Array(480);
          payload.set(arrival.packet.payload.subarray(0, 160));
          Object.assign(arrival.packet, { payload });
        }
      }
      const queue = [...arrivals];
      const played: number[] = [];
      let samples = 0;
      for (let nowMs = 5; nowMs < (40 * ticks) / 8; nowMs += 20) {
        while (queue.length > 0 && queue[0]!.atMs <= nowMs) buffer.put(queue.shift()!.packet, nowMs);
        while (samples < frameTicks) {
          const pulled = buffer.pull(nowMs);
          if (pulled.kind === 'gap') samples += pulled.ticks;
          else {
            samples += pulled.packet.payload.length;
            played.push(...playedNumbers([pulled]));
          }
        }
        samples -= frameTicks;
      }
      expect(played).toEqual(range(0, played.length));
      expect(played.length).toBeGreaterThan(34);
    }
  });

  it('never plays backwards, never stops answering, whatever arrives', () => {
    const arrival = fc.record({
      atMs: fc.integer({ min: 0, max: 3000 }),
      n: fc.integer({ min: 0, max: 150 }),
      ssrc: fc.constantFrom(1, 1, 1, 1, 2),
      leap: fc.constantFrom(0, 0, 0, 0, 0x7000_0000),
    });
    fc.assert(
      fc.property(fc.array(arrival, { maxLength: 200 }), fc.boolean(), (list, quiet) => {
        const buffer = makeBuffer();
        const arrivals = list.map(({ atMs, n, ssrc, leap }) => ({
          atMs,
          packet: packet(n, { ssrc, timestampTicks: (n * frameTicks + leap) >>> 0 }),
        }));
        const pulls = run(buffer, arrivals, 3500, quiet);
        expect(pulls.every((pull) => pull.kind !== 'gap' || pull.ticks > 0)).toBe(true);
        if (buffer.counts.resync === 0) {
          const played = playedNumbers(pulls);
          expect(played).toEqual([...new Set(played)].sort((a, b) => a - b));
        }
        expect(buffer.length).toBeLessThanOrEqual(64);
      }),
      { numRuns: 150 },
    );
  });
});
