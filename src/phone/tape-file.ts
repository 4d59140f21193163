/** The tape on disk: a stereo WAV, left what came in (the agent), right what went out (the caller). */
import { readFileSync } from 'node:fs';
import { toFloat } from '../audio/pcm';
import { readWav } from '../audio/wav';
import { TrunklineError } from '../core/errors';
import type { Tape } from './tape';

export function readTapeFile(path: string): Tape {
  const { pcm, sampleRate } = readWav(readFileSync(path));
  const [agent, caller] = pcm;
  if (agent === undefined || caller === undefined) {
    throw new TrunklineError('phone.not-a-tape', `${path} has one channel instead of two.`, {
      fix: 'Give a recording that `trunkline call --record` made.',
    });
  }
  return { sampleRate, agent: toFloat(agent), caller: toFloat(caller) };
}
