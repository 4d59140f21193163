/**
 * Reads the sound files that a dialplan and a configuration name: WAV or Ogg Opus (RFC 7845), the first channel, brought to
 * the loudness of the agent's voice.
 */
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { saturate } from '../audio/pcm';
import { gainTowards, ProgrammeLoudness } from '../audio/programme-loudness';
import { readWav } from '../audio/wav';
import { decodeOggOpus } from '../codecs/ogg-opus';
import { TrunklineError } from '../core/errors';
import type { PlayAction } from '../dialplan/dialplan';
import type { Prompt } from './line-performance';

/** Files whose gain is remembered; the oldest goes first. */
const MAX_KNOWN_FILES = 1_000;
/** Measured at a stretch: calls do not wait for a long file. */
const STRETCH_SAMPLES = 16_000;

/** `hold.music`, and what reads the files of actions; `promptLoudness` in LKFS. */
export async function openSounds(musicFile: string | undefined, promptLoudness: number | 'off') {
  const files = new SoundFiles(promptLoudness);
  const readPrompt = ({ path }: Pick<PlayAction, 'path'>) => files.read(path);
  return { music: await files.music(musicFile), readPrompt };
}

export class SoundFiles {
  /** By path, date and size. */
  private readonly gains = new Map<string, number>();

  /** In LKFS; `off`: files stay as they are. */
  constructor(private readonly promptLoudness: number | 'off') {}

  /** `hold.music`, read once: a file that cannot be read keeps the agent from starting. */
  async music(music: string | undefined): Promise<Prompt | undefined> {
    if (music === undefined) return undefined;
    const path = resolve(music);
    try {
      return await this.read(path);
    } catch (cause) {
      throw new TrunklineError('config.bad-music', `The hold music ${path} cannot be read.`, {
        fix: 'Name a WAV or Ogg Opus file with hold.music, or leave it out for a quiet line.',
        cause,
      });
    }
  }

  /** Rejects with what the file system or the decoder says. */
  async read(path: string): Promise<Prompt> {
    const { mtimeMs, size } = await stat(path);
    const sound = await decoded(path);
    if (this.promptLoudness === 'off') return sound;
    const key = `${path}\n${mtimeMs}\n${size}`;
    const gain = this.gains.get(key) ?? (await gainOf(sound, this.promptLoudness));
    this.remember(key, gain);
    return gain === 1 ? sound : { ...sound, pcm: sound.pcm.map((sample) => saturate(sample * gain)) };
  }

  private remember(key: string, gain: number): void {
    this.gains.set(key, gain);
    const [oldest] = this.gains.keys();
    if (this.gains.size > MAX_KNOWN_FILES && oldest !== undefined) this.gains.delete(oldest);
  }
}

async function decoded(path: string): Promise<Prompt> {
  const bytes = await readFile(path);
  if (bytes.toString('latin1', 0, 4) === 'OggS') return decodeOggOpus(bytes);
  const { pcm, sampleRate } = readWav(bytes);
  return { pcm: pcm[0] ?? new Int16Array(), sampleRate };
}

async function gainOf({ pcm, sampleRate }: Prompt, targetLkfs: number): Promise<number> {
  const meter = new ProgrammeLoudness(sampleRate);
  let peak = 0;
  for (let from = 0; from < pcm.length; from += STRETCH_SAMPLES) {
    const stretch = pcm.subarray(from, from + STRETCH_SAMPLES);
    meter.write(stretch);
    for (let i = 0; i < stretch.length; i += 1) peak = Math.max(peak, Math.abs(stretch[i]!));
    await setImmediate();
  }
  return gainTowards(targetLkfs, meter.integratedLkfs, peak);
}
