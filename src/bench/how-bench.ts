/** What it costs to judge how something was said: processor time, the encoder aside, whose states are there anyway. */
import { join } from 'node:path';
import { toFloat } from '../audio/pcm';
import { Resampler } from '../audio/resampler';
import { openModelFolder } from '../model/manifest';
import { earParametersSchema } from '../model/omni/ear';
import { HowSaidNet } from '../model/omni/how-said';
import { openWhisper } from '../model/whisper/whisper-recogniser';
import { type Question, utteranceOf } from './questions';
import { type Figure, spread } from './report';

const RATE = 16_000;
const SECONDS = 3;
/** Of each question, after one that is not counted. */
const ROUNDS = 5;

export async function benchHow(
  modelsDir: string,
  questionsFolder: string,
  questions: readonly Question[],
): Promise<Figure> {
  const folder = await openModelFolder(join(modelsDir, 'omni-ear'));
  const net = await HowSaidNet.open(folder, folder.parameters(earParametersSchema));
  const whisper = await openWhisper(join(modelsDir, 'whisper-base'));
  const tookMs: number[] = [];
  try {
    for (const question of questions) {
      const { pcm, sampleRate } = await utteranceOf(questionsFolder, question);
      const wide = toFloat(
        Int16Array.from(new Resampler(sampleRate, RATE).push(pcm).flatMap((chunk) => Array.from(chunk))),
      );
      // Said again and again, so that each is as long as the others.
      const speech = Float32Array.from({ length: SECONDS * RATE }, (_, i) => wide[i % wide.length]!);
      const encoded = await whisper.encode(speech);
      await net.judge(speech, encoded);
      for (let round = 0; round < ROUNDS; round += 1) {
        const before = process.cpuUsage();
        await net.judge(speech, encoded);
        const { user, system } = process.cpuUsage(before);
        tookMs.push((user + system) / 1_000);
      }
    }
  } finally {
    await net.close();
    await whisper.close();
  }
  return spread(`how ${SECONDS} s were said, processor time`, 'ms', tookMs);
}
