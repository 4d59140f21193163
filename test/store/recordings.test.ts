import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeWav } from '../../src/audio/wav';
import { decodeOggOpus } from '../../src/codecs/ogg-opus';
import { SystemClock } from '../../src/core/clock';
import { Recordings } from '../../src/store/recordings';
import { transcodeInThread } from '../../src/store/transcode-thread';
import { workerEntry } from '../../src/workers/locate';
import { amplitudeAt, sine } from '../support/signal';

const warnings: string[] = [];
const log = {
  debug: () => {},
  info: () => {},
  warn: (message: string) => warnings.push(message),
  error: () => {},
  child: () => log,
};

describe('the folder of recordings', () => {
  let folder: string;
  let open: Recordings[] = [];

  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'recordings-')), 'recordings');
    warnings.length = 0;
  });

  afterEach(async () => {
    for (const one of open) await one.close();
    open = [];
    rmSync(join(folder, '..'), { recursive: true, force: true });
  });

  async function opened(format: 'wav' | 'ogg', transcode = inThread): Promise<Recordings> {
    const recordings = await Recordings.open({
      folder,
      format,
      retentionDays: 30,
      clock: new SystemClock(),
      now: () => new Date(),
      log,
      transcode,
    });
    open.push(recordings);
    return recordings;
  }

  const inThread = (from: string, to: string) => transcodeInThread(workerEntry('transcode'), from, to);
  const stereo = (samples: number) =>
    writeWav({
      sampleRate: 16_000,
      channels: 2,
      pcm: [sine(440, 8000, 16_000, samples), sine(1000, 8000, 16_000, samples)],
    });

  it('keeps a call as WAV where that is asked for', async () => {
    const recordings = await opened('wav');
    writeFileSync(recordings.pathFor('a'), stereo(1600));
    recordings.finished('a');
    await recordings.settled();
    expect(await recordings.find('a')).toEqual({ name: 'a.wav', mediaType: 'audio/wav' });
    expect(await recordings.find('b')).toBeUndefined();
  });

  it('makes Ogg Opus of it when the call has ended, and of what a crash left at the next start', async () => {
    mkdirSync(folder, { recursive: true });
    // Cut off in the middle of a sample, with a header that knows of nothing.
    const torn = stereo(48_000).subarray(0, 100_001);
    torn.writeUInt32LE(0, 40);
    writeFileSync(join(folder, 'torn.wav'), torn);
    writeFileSync(join(folder, 'half.ogg.part'), 'half');
    const recordings = await opened('ogg');
    writeFileSync(recordings.pathFor('b'), stereo(50_000));
    recordings.finished('b');
    await recordings.settled();
    expect(warnings).toEqual([]);
    for (const [id, seconds] of [
      ['torn', 24_989 / 16_000],
      ['b', 3.125],
    ] as const) {
      expect(await recordings.find(id)).toEqual({ name: `${id}.ogg`, mediaType: 'audio/ogg' });
      expect(existsSync(recordings.pathFor(id))).toBe(false);
      // Mixed to one channel by the decoder: both sides are in it.
      const { pcm, sampleRate } = await decodeOggOpus(readFileSync(join(folder, `${id}.ogg`)));
      expect(pcm.length / sampleRate).toBeGreaterThan(seconds - 0.001);
      expect(pcm.length / sampleRate).toBeLessThan(seconds + 0.05);
      const middle = pcm.subarray(pcm.length / 4, pcm.length / 2);
      for (const hz of [440, 1000]) expect(amplitudeAt(middle, hz, sampleRate)).toBeGreaterThan(3000);
    }
    expect(existsSync(join(folder, 'half.ogg.part'))).toBe(false);
  });

  it('keeps the WAV when the conversion fails', async () => {
    const recordings = await opened('ogg', () => Promise.reject(new Error('no')));
    writeFileSync(recordings.pathFor('c'), stereo(160));
    recordings.finished('c');
    await recordings.settled();
    expect(await recordings.find('c')).toMatchObject({ mediaType: 'audio/wav' });
    expect(warnings).toHaveLength(1);
  });

  it('removes what is older than its days, and nothing else', async () => {
    const recordings = await opened('wav');
    const ageDays = (name: string, days: number) => {
      writeFileSync(join(folder, name), 'x');
      const at = new Date(Date.now() - days * 24 * 3_600_000);
      utimesSync(join(folder, name), at, at);
    };
    ageDays('old.wav', 31);
    ageDays('old.ogg', 31);
    ageDays('young.wav', 29);
    ageDays('notes.txt', 300);
    await recordings.sweep();
    expect(['old.wav', 'old.ogg', 'young.wav', 'notes.txt'].map((name) => existsSync(join(folder, name)))).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });
});
