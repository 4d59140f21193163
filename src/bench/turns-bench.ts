/** Cut-ins, missed ends and false stops on labelled telephone clips, with the shipped networks for speech and words. */
import { join } from 'node:path';
import { openRecogniser } from '../model/load-model';
import { openModelFolder } from '../model/manifest';
import { SileroVad } from '../turn/silero-vad';
import { type BenchOptions, benchEndOfTurn, benchOverlaps, readClips } from '../turn/turn-bench';
import { DEFAULT_TURNS } from '../turn/turn-state';
import { type BenchReport, type Figure, report, single } from './report';

export interface TurnsBenchOptions {
  /** What models/recipe/trunkline_recipe/turns/clips.py made: `turns` and `overlaps`. */
  readonly clipsFolder: string;
  readonly modelsDir: string;
  readonly threads: number;
  /** At most so many clips of each set. */
  readonly count?: number;
}

/** The engine's part, so that figures of two machines can be compared; what it really takes is in `bench tape`. */
const TIMES = { transcriptMs: 300, firstAudioMs: 700, listenMs: 250 };

export async function benchTurns(options: TurnsBenchOptions): Promise<BenchReport> {
  const folder = await openModelFolder(join(options.modelsDir, 'silero-vad'));
  const vad = await SileroVad.open(await folder.read('silero-vad.onnx'));
  const recogniser = await openRecogniser(options.modelsDir, options.threads);
  const { signal } = new AbortController();
  const common: Omit<BenchOptions, 'folder'> = {
    turns: DEFAULT_TURNS,
    openStream: () => vad.openStream(),
    times: TIMES,
    recognise: (pcm) => recogniser.recognise(pcm, signal),
  };
  try {
    const figures: Figure[] = [];
    const turns = join(options.clipsFolder, 'turns');
    for (const [kind, found] of Object.entries(
      await benchEndOfTurn(await testHalf(turns, options.count), { ...common, folder: turns }),
    )) {
      const name = `${kind} (${found.clips})`;
      figures.push(single(`${name}: agent heard before the caller was done`, '%', found.cutInPercent, '≤ 12'));
      figures.push(single(`${name}: missed ends`, '%', found.missedEndPercent, '≤ 5'));
      figures.push(single(`${name}: wait, median`, 'ms', found.waitMs.p50));
    }
    const overlaps = join(options.clipsFolder, 'overlaps');
    for (const [kind, found] of Object.entries(
      await benchOverlaps(await testHalf(overlaps, options.count), { ...common, folder: overlaps }),
    )) {
      const name = `over the agent, ${kind} (${found.clips})`;
      figures.push(single(`${name}: stopped`, '%', found.stopPercent));
      figures.push(single(`${name}: paused and gone on`, '%', found.dipPercent));
    }
    return report('turns', figures, [
      `Offline, on the test half; the engine is taken to need ${TIMES.transcriptMs} ms for the words and ${TIMES.firstAudioMs} ms for the first sound.`,
    ]);
  } finally {
    await Promise.all([vad.close(), recogniser.close()]);
  }
}

async function testHalf(folder: string, count = Number.POSITIVE_INFINITY) {
  return (await readClips(folder)).filter(({ split }) => split === 'test').slice(0, count);
}
