/** Callers' voices, which are not the agent's: flite and espeak-ng, one utterance at a time. `…` in a text is a pause for breath. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { joinInt16 } from '../../audio/pcm';
import { readWav } from '../../audio/wav';
import { TrunklineError } from '../../core/errors';
import { systemErrorCode } from '../../core/system-error';

const run = promisify(execFile);
const PAUSE_MS = 800;
const WORDS_PER_MINUTE = '150';

export interface Speech {
  readonly pcm: Int16Array;
  readonly sampleRate: number;
}

/** Throws `bench.no-voice` where the program is not installed, or has no such voice. */
export async function speak(voice: string, text: string, folder: string): Promise<Speech> {
  const spoken: Int16Array[] = [];
  let sampleRate = 16_000;
  for (const phrase of text.split('…')) {
    if (spoken.length > 0) spoken.push(new Int16Array((sampleRate * PAUSE_MS) / 1_000));
    if (!/\w/.test(phrase)) continue;
    const wav = await phraseBy(voice, phrase.trim(), join(folder, 'phrase.wav'));
    sampleRate = wav.sampleRate;
    spoken.push(wav.pcm);
  }
  return { pcm: joinInt16(spoken), sampleRate };
}

async function phraseBy(voice: string, text: string, file: string): Promise<Speech> {
  const [program = '', ...name] = voice.split('-');
  try {
    if (program === 'flite') await run('flite', ['-voice', name.join('-'), '-t', text, '-o', file]);
    else await run('espeak-ng', ['-v', name.join('-'), '-s', WORDS_PER_MINUTE, '-w', file, text]);
  } catch (cause) {
    const missing = systemErrorCode(cause) === 'ENOENT';
    throw new TrunklineError(
      'bench.no-voice',
      missing ? `The program ${program} is not installed.` : `The voice ${voice} cannot be had.`,
      { fix: 'apt-get install flite espeak-ng', cause },
    );
  }
  const { pcm, sampleRate } = readWav(readFileSync(file));
  return { pcm: pcm[0] ?? new Int16Array(0), sampleRate };
}
