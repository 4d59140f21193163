/** Cut-ins, missed ends and false stops on labelled telephone clips, with the shipped networks for speech and words. */
import { join } from 'node:path';
import { overlapWords } from '../model/cascade/cascade';
import { openRecogniser } from '../model/load-model';
import { openModelFolder } from '../model/manifest';
import { OverlapSoundNet } from '../turn/overlap-sound';
import { SileroVad } from '../turn/silero-vad';
import {
  type BenchOptions,
  endOfTurnFigures,
  loadClip,
  overlapFigures,
  readClips,
  replayOverlaps,
  replayTurns,
} from '../turn/turn-bench';
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
  const soundFolder = await openModelFolder(join(options.modelsDir, 'overlap-sound'));
  const sounds = await OverlapSoundNet.open(await soundFolder.read('overlap-sound.onnx'));
  const recogniser = await openRecogniser(options.modelsDir, options.threads);
  const { signal } = new AbortController();
  const common: Omit<BenchOptions, 'folder'> = {
    turns: DEFAULT_TURNS,
    openStream: () => vad.openStream(),
    times: TIMES,
    recognise: async (pcm, { purpose }) => {
      const found = await recogniser.recognise(pcm, signal);
      return purpose === 'overlap' ? overlapWords(found) : found;
    },
  };
  try {
    const figures: Figure[] = [];
    const turns = join(options.clipsFolder, 'turns');
    const turnOutcomes = await replayTurns(await testHalf(turns, options.count), { ...common, folder: turns });
    for (const [kind, found] of Object.entries(endOfTurnFigures(turnOutcomes))) {
      const name = `${kind} (${found.clips})`;
      const whole = kind === 'with a pause inside';
      figures.push(
        single(`${name}: agent heard before the caller was done`, '%', found.cutInPercent, whole ? '≤ 12' : undefined),
        single(`${name}: called over early, heard or not`, '%', found.calledOverEarlyPercent),
        single(`${name}: missed ends`, '%', found.missedEndPercent, whole ? '≤ 5' : undefined),
        { name: `${name}: wait`, unit: 'ms', value: found.waitMs },
      );
    }
    const overlaps = join(options.clipsFolder, 'overlaps');
    const outcomes = await replayOverlaps(await testHalf(overlaps, options.count), {
      ...common,
      folder: overlaps,
      sounds,
      agentPcm: await loadClip(join(overlaps, 'agent.wav')),
    });
    for (const [kind, found] of Object.entries(overlapFigures(outcomes))) {
      const name = `over the agent, ${kind} (${found.clips})`;
      figures.push(
        single(`${name}: stopped`, '%', found.stopPercent),
        single(`${name}: … or paused for 500 ms`, '%', found.feltStopPercent, kind === 'harmless' ? '≤ 10' : undefined),
        single(`${name}: paused and gone on`, '%', found.dipPercent),
        single(`${name}: longest such pause`, 'ms', found.longestDipMs),
      );
      if (found.stopPercent > 0) {
        figures.push({ name: `${name}: silent after the onset`, unit: 'ms', value: found.silentAfterMs });
      }
    }
    return report('turns', figures, [
      `Offline, on the test half; the engine is taken to need ${TIMES.transcriptMs} ms for the words and ${TIMES.firstAudioMs} ms for the first sound.`,
      `Cut-ins: ${listed(turnOutcomes.filter(({ cutIn }) => cutIn))}.`,
      `Interruptions missed: ${listed(outcomes.filter(({ interrupts, stopped }) => interrupts && !stopped))}.`,
      `Stopped by harmless sounds: ${listed(outcomes.filter(({ interrupts, stopped }) => !interrupts && stopped))}.`,
    ]);
  } finally {
    await Promise.all([vad.close(), sounds.close(), recogniser.close()]);
  }
}

async function testHalf(folder: string, count = Number.POSITIVE_INFINITY) {
  return (await readClips(folder)).filter(({ split }) => split === 'test').slice(0, count);
}

function listed(outcomes: readonly { readonly file: string }[]): string {
  return outcomes.map(({ file }) => file).join(', ') || 'none';
}
