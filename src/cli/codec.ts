/**
 * `trunkline codec IN.wav OUT.wav`: a recording through our own codec and back, to be listened to: what seven codes a frame keep of
 * it. Words and melody come back in the agent's voice, the speaker does not.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { joinFloat32, joinInt16, toFloat, toInt16 } from '../audio/pcm';
import { Resampler } from '../audio/resampler';
import { readWav, writeWav } from '../audio/wav';
import { loadConfig } from '../config';
import { TrunklineError } from '../core/errors';
import type { Frame } from '../model/codec/delay-pattern';
import { HEARING_RATE } from '../model/heard-audio';
import { openModelFolder } from '../model/manifest';
import { CodecEar } from '../model/omni/codec-ear';
import { VoiceGraphs } from '../model/omni/voice-graphs';
import { amplify } from '../model/piper/loudness';
import { openWhisper } from '../model/whisper/whisper-recogniser';
import { type Command, configFlag, exitCodes } from './command';

export const codec: Command = {
  name: 'codec',
  summary: 'sends a recording through our codec and back, in the agent’s voice',
  flags: [{ name: 'codes', value: 'FILE', summary: 'keep the codes as JSON: seven of each frame' }, configFlag],
  positionals: [
    { name: 'IN.wav', required: true },
    { name: 'OUT.wav', required: true },
  ],
  async run(given, terminal) {
    const pcm = recording(given.positional('IN.wav') ?? '');
    const seconds = pcm.length / HEARING_RATE;
    const { frames, sound, sampleRate } = await thereAndBack(
      pcm,
      resolve(loadConfig({ file: given.text('config') }).engine.models),
    );
    const target = given.text('codes');
    if (target !== undefined) keep(target, `${JSON.stringify(frames)}\n`);
    keep(given.positional('OUT.wav') ?? '', writeWav({ sampleRate, channels: 1, pcm: [toInt16(sound)] }));
    terminal.out(`${seconds.toFixed(2)} s of speech, ${frames.length} frames, ${7 * frames.length} codes.`);
    return exitCodes.fine;
  },
};

/** The first channel of a WAV file, 16 kHz mono −1…1. */
function recording(path: string): Float32Array {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new TrunklineError('cli.bad-value', `The recording ${path} cannot be read.`, {
      fix: 'Name a WAV file of 16 bits.',
      cause,
    });
  }
  const { pcm, sampleRate } = readWav(bytes);
  return toFloat(joinInt16(new Resampler(sampleRate, HEARING_RATE).push(pcm[0] ?? new Int16Array(0))));
}

function keep(path: string, content: string | Uint8Array): void {
  try {
    writeFileSync(path, content);
  } catch (cause) {
    throw new TrunklineError('cli.bad-value', `${path} cannot be written.`, {
      fix: 'Name a file in a folder that is there and may be written to.',
      cause,
    });
  }
}

/** Parts as long as the recogniser hears at once, each through the codec by itself. */
async function thereAndBack(
  pcm: Float32Array,
  modelsDir: string,
): Promise<{ frames: Frame[]; sound: Float32Array; sampleRate: number }> {
  const folder = await openModelFolder(join(modelsDir, 'omni-voice'));
  const whisper = await openWhisper(join(modelsDir, 'whisper-base'));
  const graphs = await VoiceGraphs.open(folder, await openModelFolder(join(modelsDir, 'piper-joe')));
  const ear = await CodecEar.open(folder, whisper);
  const { sampleRate, gain } = graphs.parameters;
  const frames: Frame[] = [];
  const sounds: Float32Array[] = [];
  try {
    for (const part of whisper.parts(pcm)) {
      const own = await ear.encode(part);
      if (own.length === 0) continue;
      const sound = await graphs.toSound(await graphs.latents(own));
      amplify(sound, gain);
      frames.push(...own);
      // Frames are whole, the recording need not be.
      sounds.push(sound.subarray(0, Math.round((part.length * sampleRate) / HEARING_RATE)));
    }
  } finally {
    await Promise.all([ear.close(), graphs.close(), whisper.close()]);
  }
  return { frames, sound: joinFloat32(sounds), sampleRate };
}
