import { createHash } from 'node:crypto';
import { rms } from '../../src/audio/pcm';
import { G722 } from '../../src/codecs/g722';
import { amplitudeAt, decibels, sine } from '../support/signal';

/** Noise soft and loud, a ramp that wraps, a square wave, near silence: 100 ms each, twice. */
function stress(samples: number): Int16Array {
  const random = xorshift();
  return Int16Array.from({ length: samples }, (_, i) => {
    const noise = (random() >>> 16) - 32_768;
    switch (Math.floor(i / 1600) % 5) {
      case 0:
        return Math.floor(noise / 8);
      case 1:
        return Math.floor(noise / 4);
      case 2:
        return Math.floor((((i * 37) % 65_536) - 32_768) / 4);
      case 3:
        return Math.floor(i / 20) % 2 === 1 ? 8000 : -8000;
      default:
        return Math.floor(noise / 256);
    }
  });
}

function xorshift(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const bytesOf = (pcm: Int16Array) => new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);

function roundTrip(pcm: Int16Array): Int16Array {
  const codec = new G722();
  const out = new Int16Array(pcm.length);
  for (let at = 0; at < pcm.length; at += 320) {
    codec.decode(codec.encode(pcm.subarray(at, at + 320)), out.subarray(at, at + 320));
  }
  return out;
}

describe('G.722', () => {
  it('codes and decodes bit for bit as another implementation does', () => {
    // From libspandsp 0.0.6 (g722_encode, g722_decode at 64000), fed with `stress(16_000)`.
    const codec = new G722();
    const pcm = stress(16_000);
    const coded = new Uint8Array(8000);
    const decoded = new Int16Array(16_000);
    for (let at = 0; at < 16_000; at += 800) {
      const bytes = codec.encode(pcm.subarray(at, at + 800));
      coded.set(bytes, at / 2);
      codec.decode(bytes, decoded.subarray(at, at + 800));
    }
    expect(sha256(coded)).toBe('515555c7a578121a4d2533841ec9d7c1bad40a1a38a1e2e4b10f47c00322e969');
    expect(sha256(bytesOf(decoded))).toBe('d3c60d0782e8e48596f186c9fe2df3787b40cca7e887e0c20a02ca8ae8077cdc');
  });

  it('decodes any bytes as that one does', () => {
    const random = xorshift();
    const bytes = Uint8Array.from({ length: 8000 }, () => random() >>> 24);
    const codec = new G722();
    const decoded = new Int16Array(16_000);
    for (let at = 0; at < 8000; at += 160)
      codec.decode(bytes.subarray(at, at + 160), decoded.subarray(2 * at, 2 * at + 320));
    // It overflows in the last filter, where we saturate as the recommendation does (LIMIT).
    const within = decoded.map((sample) => (Math.abs(sample) >= 32_767 ? 0 : sample));
    expect(sha256(bytesOf(within))).toBe('e8d16e0934a845e4d4f0337d270535c5b2971ac67fd1142492402b9c6c9d786f');
  });

  it.each([300, 1000, 3400, 5000, 6500])('carries a tone of %i Hz at its level', (frequencyHz) => {
    const out = roundTrip(sine(frequencyHz, 10_000, 16_000, 16_000)).subarray(4000);
    expect(Math.abs(decibels(amplitudeAt(out, frequencyHz, 16_000) / 10_000))).toBeLessThan(1);
  });

  it('recovers from lost packets', () => {
    const codec = new G722();
    const pcm = sine(700, 8000, 16_000, 32_000);
    const out = new Int16Array(320);
    const levels: number[] = [];
    for (let at = 0; at < pcm.length; at += 320) {
      const bytes = codec.encode(pcm.subarray(at, at + 320));
      const frame = at / 320;
      if (frame >= 20 && frame < 25) continue;
      codec.decode(bytes, out);
      levels.push(rms(out));
    }
    expect(levels.at(-1)).toBeCloseTo(8000 / Math.SQRT2, -2);
    expect(Math.max(...levels)).toBeLessThan(12_000);
  });

  it('takes frames of 10 to 60 ms and counts a payload that is none', () => {
    const codec = new G722();
    for (const ms of [10, 20, 30, 40, 60]) expect(codec.encode(new Int16Array(16 * ms))).toHaveLength(8 * ms);
    expect(() => codec.encode(new Int16Array(321))).toThrow(/even/);
    expect(codec.decode(new Uint8Array(0), new Int16Array(10))).toBe(0);
    expect(codec.durationTicks(new Uint8Array(160))).toBe(160);
    expect(codec.badPayloads).toBe(1);
  });
});
