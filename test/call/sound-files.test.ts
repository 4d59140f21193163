/** Sound files as callers hear them: as loud as the agent's voice, whatever they were recorded at. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProgrammeLoudness } from '../../src/audio/programme-loudness';
import { writeWav } from '../../src/audio/wav';
import type { Prompt } from '../../src/call/line-performance';
import { SoundFiles } from '../../src/call/sound-files';
import { sine } from '../support/signal';

const RATE = 8000;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trunkline-sounds-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function file(name: string, pcm: Int16Array): string {
  const path = join(folder, name);
  writeFileSync(path, writeWav({ sampleRate: RATE, channels: 1, pcm: [pcm] }));
  return path;
}

function loudnessOf({ pcm, sampleRate }: Prompt): number | undefined {
  const meter = new ProgrammeLoudness(sampleRate);
  meter.write(pcm);
  return meter.integratedLkfs;
}

describe('sound files', () => {
  test.each([
    ['quiet', 1_000],
    ['loud', 30_000],
  ])('a %s one is brought to the loudness of the voice, the second time as the first', async (name, amplitude) => {
    const path = file(`${name}.wav`, sine(440, amplitude, RATE, 2 * RATE));
    const files = new SoundFiles(-22);
    const first = await files.read(path);
    expect(loudnessOf(first)).toBeCloseTo(-22, 1);
    expect(await files.read(path)).toEqual(first);
  });

  test('one with a high peak is made louder only as far as nothing is clipped', async () => {
    const pcm = sine(440, 500, RATE, 2 * RATE);
    pcm[RATE] = 20_000;
    const { pcm: heard } = await new SoundFiles(-22).read(file('click.wav', pcm));
    expect(Math.max(...heard)).toBe(29_204);
  });

  test('one that was changed on the disk is measured anew', async () => {
    const files = new SoundFiles(-22);
    await files.read(file('a.wav', sine(440, 1_000, RATE, 2 * RATE)));
    expect(loudnessOf(await files.read(file('a.wav', sine(440, 9_000, RATE, 3 * RATE))))).toBeCloseTo(-22, 1);
  });

  test('silence, a beep and a file under "off" stay as they are', async () => {
    const silence = new Int16Array(RATE);
    const beep = sine(1000, 9_000, RATE, 0.3 * RATE);
    const music = sine(440, 9_000, RATE, RATE);
    expect((await new SoundFiles(-22).read(file('silence.wav', silence))).pcm).toEqual(silence);
    expect((await new SoundFiles(-22).read(file('beep.wav', beep))).pcm).toEqual(beep);
    expect((await new SoundFiles('off').read(file('music.wav', music))).pcm).toEqual(music);
  });

  test('hold music is levelled too, and a file that is none keeps the agent from starting', async () => {
    const files = new SoundFiles(-22);
    expect(await files.music(undefined)).toBeUndefined();
    const music = await files.music(file('music.wav', sine(440, 2_000, RATE, 2 * RATE)));
    expect(loudnessOf(music!)).toBeCloseTo(-22, 1);
    writeFileSync(join(folder, 'none.wav'), 'no sound');
    await expect(files.music(join(folder, 'none.wav'))).rejects.toMatchObject({ code: 'config.bad-music' });
    await expect(files.music(join(folder, 'absent.wav'))).rejects.toMatchObject({ code: 'config.bad-music' });
  });
});
