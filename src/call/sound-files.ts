/** Reads the sound files that a dialplan and a configuration name: WAV or Ogg Opus (RFC 7845), the first channel. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { readWav } from '../audio/wav';
import { decodeOggOpus } from '../codecs/ogg-opus';
import { TrunklineError } from '../core/errors';
import type { PlayAction } from '../dialplan/dialplan';
import type { Prompt } from './line-performance';

/** `hold.music`, read once: a file that cannot be read keeps the agent from starting. */
export async function readMusic(music: string | undefined): Promise<Prompt | undefined> {
  if (music === undefined) return undefined;
  const path = resolve(music);
  try {
    const bytes = await readFile(path);
    if (bytes.toString('latin1', 0, 4) === 'OggS') return await decodeOggOpus(bytes);
    const { pcm, sampleRate } = readWav(bytes);
    return { pcm: pcm[0] ?? new Int16Array(), sampleRate };
  } catch (cause) {
    throw new TrunklineError('config.bad-music', `The hold music ${path} cannot be read.`, {
      fix: 'Name a WAV or Ogg Opus file with hold.music, or leave it out for a quiet line.',
      cause,
    });
  }
}

export async function readPrompt(action: Pick<PlayAction, 'path' | 'format'>): Promise<Prompt> {
  const bytes = await readFile(action.path);
  if (action.format === 'ogg') return decodeOggOpus(bytes);
  const { pcm, sampleRate } = readWav(bytes);
  return { pcm: pcm[0] ?? new Int16Array(), sampleRate };
}
