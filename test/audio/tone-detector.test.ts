/** Single tones on a telephone line: every beep of an answering machine is heard, and none in speech. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { Resampler } from '../../src/audio/resampler';
import { type HeardTone, ToneDetector } from '../../src/audio/tone-detector';
import { decodeOggOpus } from '../../src/codecs/ogg-opus';
import { createCodec } from '../../src/codecs/preference';
import { concat, seededRandom, sine } from '../support/signal';

const quiet = (ms: number, rate = 8000): Int16Array => new Int16Array((ms * rate) / 1000);
const beep = (frequencyHz: number, ms: number, amplitude = 6000, rate = 8000): Int16Array =>
  sine(frequencyHz, amplitude, rate, (ms * rate) / 1000);

function heard(pcm: Int16Array, rate: 8000 | 16_000 = 8000): HeardTone[] {
  const detector = new ToneDetector(rate);
  const found: HeardTone[] = [];
  for (let at = 0; at < pcm.length; at += rate / 50) found.push(...detector.push(pcm.subarray(at, at + rate / 50)));
  return [...found, ...detector.push(quiet(200, rate))];
}

const framed = (...parts: Int16Array[]): Int16Array => concat([quiet(300), ...parts, quiet(300)]);

describe('a beep', () => {
  it.each([400, 425, 440, 500, 620, 800, 950, 1000, 1209, 1400])('of %i Hz is heard with its frequency', (hz) => {
    const [found, ...more] = heard(framed(beep(hz, 300)));
    expect(more).toEqual([]);
    expect(Math.abs((found?.frequencyHz ?? 0) - hz)).toBeLessThan(8);
    expect(found?.state).toBe('ended');
  });

  it.each([120, 150, 300, 900])('of %i ms is heard with its length and its end', (ms) => {
    const [found] = heard(framed(beep(1000, ms)));
    expect(Math.abs((found?.durationMs ?? 0) - ms)).toBeLessThan(30);
    expect(Math.abs((found?.endSample ?? 0) / 8 - (300 + ms))).toBeLessThan(30);
  });

  it('is heard at either rate, softly, and over the noise of a line', () => {
    const random = seededRandom(4);
    const noise = (pcm: Int16Array): Int16Array => pcm.map((sample) => sample + (random() - 0.5) * 150);
    const found = heard(noise(framed(beep(700, 300, 900))));
    expect(found.map(({ frequencyHz }) => Math.round(frequencyHz / 10))).toEqual([70]);
    const wide = concat([quiet(300, 16_000), beep(700, 300, 900, 16_000), quiet(300, 16_000)]);
    const [twice] = heard(wide, 16_000);
    expect(Math.abs((twice?.endSample ?? 0) / 16 - 600)).toBeLessThan(30);
  });

  it.each(['PCMU', 'PCMA', 'G722'] as const)('survives %s', (name) => {
    const codec = createCodec(name);
    const rate = name === 'G722' ? 16_000 : 8000;
    const pcm = concat([quiet(200, rate), beep(880, 250, 5000, rate), quiet(200, rate)]);
    const frame = new Int16Array(codec.maxDecodedSamples);
    const out: Int16Array[] = [];
    for (let at = 0; at + rate / 50 <= pcm.length; at += rate / 50) {
      const length = codec.decode(codec.encode(pcm.subarray(at, at + rate / 50)), frame);
      out.push(frame.slice(0, length));
    }
    expect(heard(concat(out), rate)).toHaveLength(1);
  });

  it('is told apart from a tone that lasts: ringing, or a fax', () => {
    const found = heard(framed(beep(2100, 2600)));
    expect(found.map(({ state }) => state)).toEqual(['lasting', 'ended']);
    expect(Math.abs((found[0]?.frequencyHz ?? 0) - 2100)).toBeLessThan(8);
  });

  it('is three when an exchange sends three without a gap', () => {
    const found = heard(framed(beep(950, 330), beep(1400, 330), beep(1800, 330)));
    expect(found.map(({ frequencyHz }) => Math.round(frequencyHz / 50) * 50)).toEqual([950, 1400, 1800]);
  });
});

describe('no beep', () => {
  it('is a key, a chord, noise, or a click', () => {
    const key = beep(770, 300).map((sample, i) => sample + 6000 * Math.sin((2 * Math.PI * 1336 * i) / 8000));
    expect(heard(framed(key))).toEqual([]);
    const random = seededRandom(9);
    expect(heard(quiet(2000).map(() => (random() - 0.5) * 20_000))).toEqual([]);
    expect(heard(framed(beep(1000, 60)))).toEqual([]);
  });

  it('is in recorded speech, coughs, keyboards and babble', async () => {
    const folders = ['questions', 'overlaps'].map((name) => join(__dirname, '../fixtures', name));
    const files = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
    const found: [string, HeardTone][] = [];
    for (const file of files.filter((name) => name.endsWith('.ogg'))) {
      const { pcm, sampleRate } = await decodeOggOpus(readFileSync(file));
      for (const chunk of new Resampler(sampleRate, 8000).push(pcm)) {
        found.push(...heard(chunk).map((tone): [string, HeardTone] => [file, tone]));
      }
    }
    expect(found).toEqual([]);
  }, 120_000);

  it('comes of anything but a tone, and nothing makes it stumble', () => {
    fc.assert(
      fc.property(fc.int16Array({ maxLength: 4000 }), (pcm) => {
        for (const tone of heard(pcm)) expect(tone.durationMs).toBeGreaterThan(0);
      }),
      { numRuns: 30 },
    );
  });
});
