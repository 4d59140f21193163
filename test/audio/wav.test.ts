import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { readWav, wavHeaderBytes, writeWav } from '../../src/audio/wav';
import { WavWriter } from '../../src/audio/wav-writer';
import { hasCode } from '../../src/core/errors';
import { sine } from '../support/signal';

describe('WAV', () => {
  it('comes back as it was written, mono and stereo', () => {
    const left = sine(400, 9000, 16_000, 1000);
    const right = sine(700, 9000, 16_000, 1000);
    for (const pcm of [[left], [left, right]]) {
      const wav = { sampleRate: 16_000, channels: pcm.length, pcm };
      expect(readWav(writeWav(wav))).toEqual(wav);
    }
  });

  it('is read although chunks it does not know stand before the data', () => {
    const file = writeWav({ sampleRate: 8000, channels: 1, pcm: [Int16Array.of(1, 2, 3)] });
    const list = Buffer.from('LIST\x03\0\0\0abc\0', 'latin1');
    const withList = Buffer.concat([file.subarray(0, 36), list, file.subarray(36)]);
    expect([...readWav(withList).pcm[0]!]).toEqual([1, 2, 3]);
  });

  it('is read up to where it was cut off', () => {
    const file = writeWav({ sampleRate: 8000, channels: 1, pcm: [Int16Array.of(1, 2, 3, 4)] });
    expect([...readWav(file.subarray(0, file.length - 3)).pcm[0]!]).toEqual([1, 2]);
  });

  it('answers any bytes with samples or with its code', () => {
    const file = writeWav({ sampleRate: 8000, channels: 2, pcm: [new Int16Array(20), new Int16Array(20)] });
    const mutated = fc
      .array(fc.tuple(fc.integer({ min: 0, max: file.length - 1 }), fc.integer({ min: 0, max: 255 })), { maxLength: 6 })
      .map((changes) => {
        const copy = Buffer.from(file);
        for (const [at, value] of changes) copy[at] = value;
        return copy as Uint8Array;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (bytes) => {
        try {
          const wav = readWav(bytes);
          expect(wav.pcm).toHaveLength(wav.channels);
        } catch (error) {
          expect(hasCode(error, 'audio.bad-wav')).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('the WAV writer', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'trunkline-wav-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('leaves a file that is whole up to the last second even when it is never closed', async () => {
    const file = path.join(folder, 'cut.wav');
    const writer = new WavWriter(file, { sampleRate: 8000, channels: 1 }, (error) => {
      throw error;
    });
    writer.write(sine(440, 9000, 8000, 20_000));
    let wav = readWav(await untilLonger(file, wavHeaderBytes + 32_000));
    expect(wav.pcm[0]!.length).toBe(16_000);
    await writer.close();
    wav = readWav(await readFile(file));
    expect(wav.pcm[0]).toEqual(sine(440, 9000, 8000, 20_000));
    await writer.close();
  });

  it('says once that it failed and ignores the rest', async () => {
    const failures: string[] = [];
    const writer = new WavWriter(path.join(folder, 'no', 'such.wav'), { sampleRate: 8000, channels: 1 }, (error) =>
      failures.push(error.code),
    );
    for (let i = 0; i < 30; i++) writer.write(new Int16Array(8000));
    await writer.close();
    expect(failures).toEqual(['audio.recording-failed']);
  });
});

/** The header follows its block: wait for both. */
async function untilLonger(file: string, bytes: number): Promise<Buffer> {
  for (;;) {
    const content = await readFile(file).catch(() => Buffer.alloc(0));
    if (content.length >= bytes && content.readUInt32LE(40) >= bytes - wavHeaderBytes) return content;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
