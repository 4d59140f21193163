/** The inbound line in virtual time: what real senders and networks do to a stream, and what is heard of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Encoder } from '@evan/opus';
import { rms } from '../../src/audio/pcm';
import { G711, pcmu } from '../../src/codecs/g711';
import { G722 } from '../../src/codecs/g722';
import { decodeOggOpus } from '../../src/codecs/ogg-opus';
import { Opus } from '../../src/codecs/opus';
import { callFrameSamples, Inbound } from '../../src/media/inbound';
import type { MediaFormat, MediaPacket } from '../../src/media/transport';
import { pcmuFormat } from '../support/loopback-transport';
import { amplitudeAt, buzz, decibels, seededRandom, sharpestBend, sine } from '../support/signal';

interface Arrival {
  readonly atMs: number;
  readonly packet: MediaPacket;
}

const g722Format: MediaFormat = { codec: { name: 'G722', payloadType: 9, clockRate: 8000, packetMs: 20 } };

/** Packets of `packetMs` of a signal that a sender puts on the wire as its clock ticks. */
function stream(
  pcm: Int16Array,
  options: {
    packetMs?: number;
    ssrc?: number;
    sequence?: number;
    timestamp?: number;
    fromMs?: number;
    /** Where packet `index` is after the network; undefined: lost. */
    arrives?: (sentMs: number, index: number) => number | undefined;
    /** How much the sender's clock is ahead of ours, in parts per million. */
    fastPpm?: number;
  } = {},
): Arrival[] {
  const { packetMs = 20, ssrc = 7, sequence = 100, timestamp = 5_000, fromMs = 0, fastPpm = 0 } = options;
  const codec = new G711(pcmu);
  const samples = packetMs * 8;
  const arrivals: Arrival[] = [];
  for (let index = 0; (index + 1) * samples <= pcm.length; index++) {
    const sentMs = fromMs + (index * packetMs) / (1 + fastPpm / 1e6);
    const atMs = options.arrives === undefined ? sentMs : options.arrives(sentMs, index);
    if (atMs === undefined) continue;
    const payload = codec.encode(pcm.subarray(index * samples, (index + 1) * samples)).slice();
    arrivals.push({
      atMs,
      packet: {
        payloadType: 0,
        sequenceNumber: (sequence + index) & 0xffff,
        timestampTicks: (timestamp + index * samples) >>> 0,
        ssrc,
        marker: index === 0,
        payload,
      },
    });
  }
  return arrivals;
}

/** Ticks every 20 ms until `untilMs`; returns everything that was heard. */
function listen(line: Inbound, arrivals: readonly Arrival[], untilMs: number): Int16Array {
  const ordered = [...arrivals].sort((a, b) => a.atMs - b.atMs);
  const heard = new Int16Array(Math.floor(untilMs / 20) * callFrameSamples);
  let next = 0;
  for (let frame = 0; frame * callFrameSamples < heard.length; frame++) {
    const nowMs = (frame + 1) * 20;
    for (; next < ordered.length && ordered[next]!.atMs <= nowMs; next++) {
      line.push(ordered[next]!.packet, ordered[next]!.atMs);
    }
    heard.set(line.tick(nowMs), frame * callFrameSamples);
  }
  return heard;
}

const seconds = (from: number, to: number, heard: Int16Array) => heard.subarray(from * 16_000, to * 16_000);
const newLine = (format = pcmuFormat) => new Inbound(format, () => {});
const tone = (lengthMs: number) => sine(440, 8000, 8000, lengthMs * 8);

/** Tenths of a second in which the tone is not there at its level. */
function tornTenths(heard: Int16Array): number {
  let torn = 0;
  for (let at = 0; at + 1600 <= heard.length; at += 1600) {
    const level = amplitudeAt(heard.subarray(at, at + 1600), 440, 16_000);
    if (Math.abs(decibels(level / 8000)) > 1) torn++;
  }
  return torn;
}

describe('the inbound line', () => {
  it.each([10, 20, 30, 40, 60])('plays packets of %i ms without a hole', (packetMs) => {
    const line = newLine();
    const heard = listen(line, stream(tone(4000), { packetMs }), 4000);
    expect(tornTenths(seconds(0.5, 3.9, heard))).toBe(0);
    expect(line.stats.jitterBuffer.lostFrames).toBe(0);
  });

  it('plays G.722 with its seven kilohertz, on a clock of eight', () => {
    const line = newLine(g722Format);
    const codec = new G722();
    const pcm = sine(6000, 8000, 16_000, 48_000);
    const arrivals = Array.from({ length: 150 }, (_, index) => ({
      atMs: index * 20,
      packet: {
        payloadType: 9,
        sequenceNumber: index,
        timestampTicks: index * 160,
        ssrc: 1,
        marker: false,
        payload: codec.encode(pcm.subarray(index * 320, index * 320 + 320)).slice(),
      },
    }));
    const heard = listen(line, arrivals, 3000);
    expect(Math.abs(decibels(amplitudeAt(seconds(1, 2, heard), 6000, 16_000) / 8000))).toBeLessThan(1);
    expect(line.stats.jitterBuffer.lostFrames).toBe(0);
  });

  it('goes on over the wraps of sequence number and timestamp', () => {
    const line = newLine();
    const heard = listen(line, stream(tone(4000), { sequence: 65_450, timestamp: 0xffff_d000 }), 4000);
    expect(tornTenths(seconds(0.5, 3.9, heard))).toBe(0);
    expect(line.stats).toMatchObject({ packetsLost: 0, packetsLate: 0, packetsDropped: 0 });
  });

  it.each([
    ['another SSRC', { ssrc: 9, sequence: 31_000, timestamp: 0x7000_0000 }],
    ['the same SSRC but other numbers', { ssrc: 7, sequence: 9_000, timestamp: 0x2000_0000 }],
  ])('follows a sender that goes on with %s', (_what, numbers) => {
    const line = newLine();
    const first = stream(tone(2000));
    const second = stream(tone(2000), { ...numbers, fromMs: 2000 });
    const heard = listen(line, [...first, ...second], 4000);
    expect(tornTenths(seconds(2.2, 3.9, heard))).toBe(0);
    expect(line.stats.packetsLost).toBe(0);
  });

  it('is silent in a black-out of two seconds and whole a fifth of a second behind it', () => {
    const line = newLine();
    const lost = (sentMs: number) => (sentMs >= 2000 && sentMs < 4000 ? undefined : sentMs);
    const heard = listen(line, stream(tone(7000), { arrives: lost }), 7000);
    expect(rms(seconds(2.2, 3.9, heard))).toBeLessThan(1);
    expect(tornTenths(seconds(4.2, 6.9, heard))).toBe(0);
    expect(line.stats.delayMs).toBeLessThan(120);
  });

  it('keeps no delay when all of a black-out arrives at once behind it', () => {
    const line = newLine();
    const stalled = (sentMs: number) => (sentMs >= 2000 && sentMs < 4000 ? 4000 : sentMs);
    const heard = listen(line, stream(tone(9000), { arrives: stalled }), 9000);
    expect(tornTenths(seconds(5, 8.9, heard))).toBeLessThanOrEqual(8);
    expect(line.stats.delayMs).toBeLessThan(260);
  });

  it('plays bursts of 200 ms without a hole once it knows them', () => {
    const line = newLine();
    const burst = (sentMs: number) => Math.floor(sentMs / 200) * 200 + 200;
    const heard = listen(line, stream(tone(8000), { arrives: burst }), 8000);
    expect(tornTenths(seconds(3, 7.8, heard))).toBe(0);
    expect(line.stats.packetsLost).toBe(0);
  });

  it('plays through 60 ms of jitter, in which packets overtake one another, once it knows it', () => {
    const line = newLine();
    const random = seededRandom(9);
    const heard = listen(line, stream(tone(12_000), { arrives: (sentMs) => sentMs + 60 * random() }), 12_000);
    expect(tornTenths(seconds(4, 11.8, heard))).toBe(0);
    expect(line.stats).toMatchObject({ packetsLost: 0, packetsDropped: 0 });
    expect(line.stats.delayMs).toBeLessThan(140);
  });

  it.each([100, -100])('holds its delay over an hour although the clocks differ by %i ppm', (fastPpm) => {
    const line = newLine();
    // A second of voice, half a second of pause, over and over.
    const phrase = new Int16Array(12_000);
    phrase.set(buzz(130, 6000, 8000, 8000));
    const codec = new G711(pcmu);
    const packets = Array.from({ length: 75 }, (_, i) => codec.encode(phrase.subarray(i * 160, i * 160 + 160)).slice());
    const frames = 180_000;
    let index = 0;
    let longestDelayMs = 0;
    let clicks = 0;
    const sharpest = 2 * sharpestBend(buzz(130, 6000, 16_000, 16_000));
    for (let frame = 1; frame <= frames; frame++) {
      const nowMs = frame * 20;
      for (; (index * 20) / (1 + fastPpm / 1e6) <= nowMs; index++) {
        line.push(
          {
            payloadType: 0,
            sequenceNumber: index & 0xffff,
            timestampTicks: (index * 160) >>> 0,
            ssrc: 7,
            marker: false,
            payload: packets[index % 75]!,
          },
          (index * 20) / (1 + fastPpm / 1e6),
        );
      }
      const heard = line.tick(nowMs);
      if (frame > 100 && frame % 50 === 0) longestDelayMs = Math.max(longestDelayMs, line.stats.delayMs);
      // Of the last minute only: looking closely takes longer than playing.
      if (frame > frames - 3_000 && sharpestBend(heard) > sharpest) clicks++;
    }
    expect(longestDelayMs).toBeLessThan(120);
    expect(line.stats).toMatchObject({ packetsLost: 0, packetsLate: 0 });
    expect(clicks).toBe(0);
  });

  describe('when packets of Opus get lost', () => {
    const opusFormat: MediaFormat = { codec: { name: 'opus', payloadType: 111, clockRate: 48_000, packetMs: 20 } };

    const firstLoss = 100;
    const range = (count: number) => Array.from({ length: count }, (_, i) => i);

    async function question(redundant: boolean): Promise<Uint8Array[]> {
      const { pcm } = await decodeOggOpus(readFileSync(join(__dirname, '../fixtures/questions/hotel-16.ogg')));
      const encoder = new Encoder({ channels: 1, sample_rate: 24_000, application: 'voip' });
      encoder.bitrate = 32_000;
      encoder.inband_fec = redundant;
      encoder.packet_loss = 10;
      const payloads: Uint8Array[] = [];
      // Said three times, for the buffer to learn of the losses.
      for (let at = 0; at + 480 <= 3 * pcm.length; at += 480) {
        const frame = Int16Array.from({ length: 480 }, (_, i) => pcm[(at + i) % pcm.length]!);
        payloads.push(encoder.encode(frame).slice());
      }
      return payloads;
    }

    /** What is heard, and of each tick whether it stands for a lost packet. */
    function hear(payloads: readonly Uint8Array[], isLost: (index: number) => boolean) {
      const line = newLine(opusFormat);
      const packets = payloads.map((payload, index) => ({
        atMs: index * 20,
        packet: {
          payloadType: 111,
          sequenceNumber: index,
          timestampTicks: index * 960,
          ssrc: 7,
          marker: false,
          payload,
        },
      }));
      const heard = listen(
        line,
        packets.filter((_, index) => !isLost(index)),
        payloads.length * 20,
      );
      const { stats } = line;
      line.close();
      return { heard, stats };
    }

    function squaredError(heard: Int16Array, from: number, frame: Int16Array): number {
      let sum = 0;
      for (let at = 0; at < callFrameSamples; at++) sum += (heard[from + at]! - frame[at]!) ** 2;
      return sum;
    }

    /** How far the likest frame that is heard is from what a lost packet held, in dB over all that were lost. */
    function errorOf(payloads: readonly Uint8Array[], isLost: (index: number) => boolean): number {
      const { heard } = hear(payloads, isLost);
      const codec = new Opus();
      const out = new Int16Array(codec.maxDecodedSamples);
      const frames = payloads.map((payload) => out.slice(0, codec.decode(payload, out)));
      // The delay at the beginning is no whole number of frames; from then on time is stretched by whole ones.
      const loudest = frames.slice(0, firstLoss).reduce((a, b) => (rms(b) > rms(a) ? b : a));
      let offset = 0;
      for (let at = 0; at < firstLoss * callFrameSamples; at++) {
        if (squaredError(heard, at, loudest) < squaredError(heard, offset, loudest)) offset = at;
      }
      let [error, energy] = [0, 0];
      for (const [index, frame] of frames.entries()) {
        if (!isLost(index) || index + 14 > frames.length) continue;
        const from = index * callFrameSamples + (offset % callFrameSamples);
        error += Math.min(...range(12).map((delay) => squaredError(heard, from + delay * callFrameSamples, frame)));
        energy += frame.reduce((sum, sample) => sum + sample ** 2, 0);
      }
      return 10 * Math.log10(error / energy);
    }

    it('takes them from the packets behind, and is nearer to what was said than concealment comes', async () => {
      const isLost = (index: number) => index >= firstLoss && index % 7 === 3;
      const [redundant, plain] = [await question(true), await question(false)];
      const lost = redundant.filter((_, index) => isLost(index)).length;
      expect(hear(redundant, isLost).stats.recoveredMs).toBeGreaterThan(0.7 * 20 * lost);
      expect(hear(plain, isLost).stats.recoveredMs).toBe(0);
      expect(errorOf(redundant, isLost)).toBeLessThan(errorOf(plain, isLost) - 4);
    });

    it('plays words whole behind a silence in which the sender sends next to nothing', () => {
      // DTX (RFC 6716 §2.1.9): in silence a packet each 400 ms; numbers go on, timestamps leap (RFC 7587 §3.1.3).
      const encoder = new Encoder({ channels: 1, sample_rate: 24_000, application: 'voip' });
      encoder.bitrate = 32_000;
      encoder.dtx = true;
      const said = buzz(130, 6000, 24_000, 24_000);
      const pcm = new Int16Array(4 * 24_000);
      pcm.set(said);
      pcm.set(said, 3 * 24_000);
      const packets: Arrival[] = [];
      for (let index = 0; (index + 1) * 480 <= pcm.length; index++) {
        const payload = encoder.encode(pcm.subarray(index * 480, (index + 1) * 480)).slice();
        // Nothing to be sent: at most the byte that says how long.
        if (payload.length <= 2) continue;
        const numbers = { payloadType: 111, sequenceNumber: packets.length, timestampTicks: index * 960, ssrc: 7 };
        packets.push({ atMs: index * 20, packet: { ...numbers, marker: false, payload } });
      }
      expect(packets.length).toBeLessThan(150);
      const line = newLine(opusFormat);
      const heard = listen(line, packets, 4200);
      const strengthOf = (from: number) => rms(seconds(from, from + 0.8, heard));
      expect(Math.abs(decibels(strengthOf(3.15) / strengthOf(0.15)))).toBeLessThan(1);
      expect(rms(seconds(1.5, 2.9, heard))).toBeLessThan(30);
      expect(line.stats).toMatchObject({ packetsLost: 0, packetsLate: 0, recoveredMs: 0 });
      expect(sharpestBend(seconds(1.05, 4, heard))).toBeLessThan(1.6 * sharpestBend(seconds(0.1, 0.9, heard)));
      line.close();
    });

    it('clicks in neither case, however many', async () => {
      for (const redundant of [true, false]) {
        const payloads = await question(redundant);
        const usual = sharpestBend(hear(payloads, () => false).heard);
        for (const burst of [1, 2, 5]) {
          const { heard } = hear(payloads, (index) => index > 20 && index % 15 < burst);
          expect(sharpestBend(heard)).toBeLessThan(1.6 * usual);
        }
      }
    });
  });

  describe('when the far end stops sending in silence', () => {
    /** A second of tone, a second without packets, a second of tone; `said`: what it says of its silence. */
    function pausing(said?: Uint8Array): Int16Array {
      const first = stream(tone(1000));
      const second = stream(tone(1000), { fromMs: 2000, sequence: 160, timestamp: 5_000 + 16_000 });
      const packet = { payloadType: 13, sequenceNumber: 150, timestampTicks: 13_000, ssrc: 7, marker: false };
      const noise = said === undefined ? [] : [{ atMs: 1000, packet: { ...packet, payload: said } }];
      return listen(newLine(), [...first, ...noise, ...second], 3000);
    }

    it('plays noise at the level that it names, and its next words whole', () => {
      // -50 dB below overload.
      const heard = pausing(Uint8Array.of(50));
      const level = 20 * Math.log10(rms(seconds(1.3, 1.9, heard)) / 32_768);
      expect(Math.abs(level + 50)).toBeLessThan(2);
      expect(tornTenths(seconds(2.2, 2.9, heard))).toBe(0);
    });

    it('plays silence when it names none', () => {
      expect(rms(seconds(1.3, 1.9, pausing()))).toBeLessThan(1);
      expect(rms(seconds(1.3, 1.9, pausing(new Uint8Array(0))))).toBeLessThan(1);
    });

    it('goes from voice to noise and back without a click', () => {
      const heard = pausing(Uint8Array.of(60));
      const usual = sharpestBend(sine(440, 8000, 16_000, 16_000));
      expect(sharpestBend(seconds(0.8, 2.9, heard))).toBeLessThan(6 * usual);
    });
  });
});
