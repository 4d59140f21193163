/** The shipped recogniser as the judge of what was said on a recording. */
import { join } from 'node:path';
import { joinInt16, toFloat } from '../../src/audio/pcm';
import { Resampler } from '../../src/audio/resampler';
import { openRecogniser } from '../../src/model/load-model';
import type { Recogniser } from '../../src/model/parts';

let opened: Promise<Recogniser> | undefined;

export async function transcribe(pcm: Int16Array, sampleRate: number): Promise<string> {
  opened ??= openRecogniser(join(__dirname, '../../models'), 2);
  const recogniser = await opened;
  const wide = sampleRate === 16_000 ? pcm : joinInt16(new Resampler(sampleRate, 16_000).push(pcm));
  const words: string[] = [];
  // In pieces that the recogniser can take, cut where nothing is said.
  for (const piece of pieces(wide, 16_000)) {
    const { text, speech } = await recogniser.recognise(toFloat(piece), new AbortController().signal);
    if (speech) words.push(text.trim());
  }
  return words.join(' ');
}

export async function closeRecogniser(): Promise<void> {
  await (await opened)?.close();
  opened = undefined;
}

/** Talkspurts with up to 400 ms between them, 12 s at most. */
function pieces(pcm: Int16Array, sampleRate: number): Int16Array[] {
  const frame = sampleRate / 50;
  const found: Int16Array[] = [];
  let start = -1;
  let quietFrames = 0;
  for (let at = 0; at + frame <= pcm.length; at += frame) {
    let sum = 0;
    for (let index = at; index < at + frame; index += 1) sum += (pcm[index] ?? 0) ** 2;
    const loud = Math.sqrt(sum / frame) > 120;
    if (loud && start < 0) start = Math.max(0, at - 5 * frame);
    quietFrames = loud ? 0 : quietFrames + 1;
    if (start >= 0 && (quietFrames > 20 || at - start > 12 * sampleRate)) {
      found.push(pcm.subarray(start, at));
      start = -1;
    }
  }
  if (start >= 0) found.push(pcm.subarray(start));
  return found.filter((piece) => piece.length > sampleRate / 5);
}
