/** Keys in the voice band: every one that ITU-T Q.24 wants heard is, and none is heard in speech. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { type DetectedKey, DtmfDetector } from '../../src/audio/dtmf-detector';
import { Resampler } from '../../src/audio/resampler';
import { dtmfFrequencies } from '../../src/audio/tone';
import { decodeOggOpus } from '../../src/codecs/ogg-opus';
import { createCodec } from '../../src/codecs/preference';

const keys = '0123456789*#ABCD';

interface Press {
  readonly digit: string;
  readonly toneMs?: number;
  readonly pauseMs?: number;
  readonly rowDbm0?: number;
  readonly columnDbm0?: number;
  /** Factor on both frequencies. */
  readonly detune?: number;
}

/** 0 dBm0 is a sine 3.14 dB below full scale of G.711. */
const amplitude = (dbm0: number): number => 32_635 * 10 ** ((dbm0 - 3.14) / 20);

function sung(presses: readonly Press[], sampleRate: 8000 | 16_000 = 8000, noiseDbm0?: number): Int16Array {
  const samples: number[] = Array.from({ length: sampleRate / 20 }, () => 0);
  for (const { digit, toneMs = 60, pauseMs = 60, rowDbm0 = -10, columnDbm0 = -10, detune = 1 } of presses) {
    const [row, column] = dtmfFrequencies(digit)!;
    for (let i = 0; i < (toneMs * sampleRate) / 1000; i++) {
      const at = (2 * Math.PI * detune * i) / sampleRate;
      samples.push(amplitude(rowDbm0) * Math.sin(row * at) + amplitude(columnDbm0) * Math.sin(column * at + 1));
    }
    for (let i = 0; i < (pauseMs * sampleRate) / 1000; i++) samples.push(0);
  }
  let seed = 7;
  const uniform = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return (seed + 1) / 2 ** 32;
  };
  // White noise of that power; a sine's power is half the square of its amplitude.
  const sigma = noiseDbm0 === undefined ? 0 : amplitude(noiseDbm0) / Math.SQRT2;
  const gauss = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  return Int16Array.from(samples, (value) => Math.max(-32_768, Math.min(32_767, value + sigma * gauss())));
}

function heard(pcm: Int16Array, sampleRate: 8000 | 16_000 = 8000): DetectedKey[] {
  const detector = new DtmfDetector(sampleRate);
  const found: DetectedKey[] = [];
  for (let at = 0; at < pcm.length; at += sampleRate / 50)
    found.push(...detector.push(pcm.subarray(at, at + sampleRate / 50)));
  found.push(...detector.push(new Int16Array(sampleRate / 10)));
  return found;
}

const digitsIn = (pcm: Int16Array, sampleRate: 8000 | 16_000 = 8000): string =>
  heard(pcm, sampleRate)
    .map(({ digit }) => digit)
    .join('');

const all = (more: Partial<Press>): Press[] => [...keys].map((digit) => ({ digit, ...more }));

describe('keys in the voice band', () => {
  it.each([
    ['as a phone sings them', {}],
    ['as short as Q.24 allows, 40 ms with 40 ms between', { toneMs: 40, pauseMs: 40 }],
    ['at 0 dBm0 each', { rowDbm0: 0, columnDbm0: 0 }],
    ['at -25 dBm0 each', { rowDbm0: -25, columnDbm0: -25 }],
    ['at -36 dBm0 each', { rowDbm0: -36, columnDbm0: -36 }],
    ['with the column 4 dB louder', { rowDbm0: -12, columnDbm0: -8 }],
    ['with the column 8 dB softer', { rowDbm0: -8, columnDbm0: -16 }],
    ['1.5 % too high', { detune: 1.015 }],
    ['1.5 % too low', { detune: 0.985 }],
  ])('are heard %s', (_what, more) => {
    expect(digitsIn(sung(all(more)))).toBe(keys);
    expect(digitsIn(sung(all(more), 16_000), 16_000)).toBe(keys);
  });

  it.each([
    ['shorter than 23 ms', { toneMs: 22 }],
    ['3.5 % too high', { detune: 1.035 }],
    ['3.5 % too low', { detune: 0.965 }],
    ['below -55 dBm0', { rowDbm0: -55, columnDbm0: -55 }],
    ['with one tone 14 dB below the other', { rowDbm0: -6, columnDbm0: -20 }],
    ['with the row 14 dB below the column', { rowDbm0: -20, columnDbm0: -6 }],
  ])('are not heard %s', (_what, more) => {
    expect(digitsIn(sung(all(more)))).toBe('');
  });

  it.each([24, 18, 15, 12])('are heard in white noise %i dB below them', (belowDb) => {
    // Both tones together are 3 dB above each.
    expect(digitsIn(sung(all({ toneMs: 80 }), 8000, -7 - belowDb))).toBe(keys);
  });

  it('are told once each with their length, however long they are held', () => {
    const found = heard(
      sung([
        { digit: '5', toneMs: 100 },
        { digit: '5', toneMs: 1000 },
        { digit: '6', toneMs: 60, pauseMs: 0 },
        { digit: '7' },
      ]),
    );
    expect(found.map(({ digit }) => digit).join('')).toBe('5567');
    for (const [index, toneMs] of [100, 1000, 60, 60].entries()) {
      expect(Math.abs((found[index]?.durationMs ?? 0) - toneMs)).toBeLessThan(25);
    }
  });

  it('are told apart when the same one is pressed again after 40 ms', () => {
    expect(digitsIn(sung(Array.from({ length: 20 }, () => ({ digit: '4', toneMs: 40, pauseMs: 40 }))))).toBe(
      '4'.repeat(20),
    );
  });

  it('are not doubled by a gap of 10 ms in the tone', () => {
    const pcm = sung([{ digit: '8', toneMs: 200 }]);
    pcm.fill(0, 8000 * 0.15, 8000 * 0.16);
    expect(digitsIn(pcm)).toBe('8');
  });

  it.each(['PCMU', 'PCMA'] as const)('survive %s', (name) => {
    const codec = createCodec(name);
    const pcm = sung(all({ rowDbm0: -20, columnDbm0: -18 }));
    const out = new Int16Array(pcm.length);
    const frame = new Int16Array(codec.maxDecodedSamples);
    for (let at = 0; at + 160 <= pcm.length; at += 160) {
      codec.decode(codec.encode(pcm.subarray(at, at + 160)), frame);
      out.set(frame.subarray(0, 160), at);
    }
    expect(digitsIn(out)).toBe(keys);
  });

  it('are not heard in one tone, in a chord, in noise, or in whatever else comes', () => {
    const single = sung(all({ columnDbm0: -90 }));
    expect(digitsIn(single)).toBe('');
    const chord = Int16Array.from(
      sung(all({})),
      (sample, i) => sample + 7000 * Math.sin((2 * Math.PI * 1100 * i) / 8000),
    );
    expect(digitsIn(chord)).toBe('');
    expect(digitsIn(sung([], 8000, -10))).toBe('');
    fc.assert(
      fc.property(fc.int16Array({ maxLength: 2000 }), (pcm) => {
        heard(pcm);
      }),
    );
  });
});

describe('recordings', () => {
  const folders = ['questions', 'overlaps'].map((name) => join(__dirname, '../fixtures', name));
  const files = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.ogg'))
      .map((name) => join(folder, name)),
  );
  const isKey = (file: string): boolean => file.includes('key-tone');

  async function narrowband(file: string): Promise<Int16Array> {
    const { pcm, sampleRate } = await decodeOggOpus(readFileSync(file));
    const resampler = new Resampler(sampleRate, 8000);
    const narrow = new Int16Array(resampler.maxOutput(pcm.length));
    return narrow.subarray(0, resampler.process(pcm, narrow));
  }

  it('of keys are heard as one key each', async () => {
    const found = await Promise.all(files.filter(isKey).map(async (file) => digitsIn(await narrowband(file))));
    expect(found).toEqual(['3', '5', '6', '5', '3', '#']);
  });

  // Talk-off: questions, words, backchannels, coughs, keyboards, babble.
  it('of speech and noises are never heard as a key, at any level', async () => {
    let seconds = 0;
    for (const file of files.filter((name) => !isKey(name))) {
      const speech = await narrowband(file);
      seconds += speech.length / 8000;
      for (const gain of [0.25, 1, 4]) {
        const louder = Int16Array.from(speech, (sample) => Math.max(-32_768, Math.min(32_767, sample * gain)));
        expect([file, gain, digitsIn(louder)]).toEqual([file, gain, '']);
      }
    }
    expect(seconds).toBeGreaterThan(120);
  }, 120_000);
});
