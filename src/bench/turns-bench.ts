/** Cut-ins, missed ends and false stops on labelled telephone clips, with the shipped networks for speech and words. */
import { join } from 'node:path';
import { Resampler } from '../audio/resampler';
import { shareInterval } from '../core/percentiles';
import { overlapWords } from '../model/call-hearing';
import { openRecogniser } from '../model/load-model';
import { openModelFolder } from '../model/manifest';
import { levelDbOf } from '../turn/energy-gate';
import { OverlapSoundNet } from '../turn/overlap-sound';
import { SileroVad } from '../turn/silero-vad';
import {
  type BenchOptions,
  endOfTurnFigures,
  loadClip,
  type OverlapOutcome,
  overlapFigures,
  readClips,
  replayOverlaps,
  replayTurn,
  replayTurns,
  type TurnOutcome,
} from '../turn/turn-bench';
import { DEFAULT_TURNS } from '../turn/turn-state';
import { readQuestions, spreadOver, utteranceOf } from './questions';
import { type BenchReport, type Figure, report, single } from './report';

export interface TurnsBenchOptions {
  /** What models/recipe/trunkline_recipe/turns/clips.py made: `turns`, `callers` and `overlaps`. */
  readonly clipsFolder: string;
  readonly modelsDir: string;
  readonly threads: number;
  /** The recorded questions of `bench tape`: their waits foretell its gaps. */
  readonly questionsFolder: string;
  /** At most so many clips of each set. */
  readonly count?: number;
}

/** The engine's part, so that figures of two machines can be compared: as quick as on the tapes of `bench tape`, because
 * a slow answer hides a cut-in. */
const TIMES = { transcriptMs: 50, firstAudioMs: 240, listenMs: 250 };
/** Silence before a question, for the detector to get used to the line. */
const LEAD_SAMPLES = 8_000;
/** Below this share of its loudest 10 ms a question is over; as `trimmed` in clips.py. */
const QUIET_SHARE = 0.03;

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
        single(`${name}: agent heard before the caller was done`, '%', found.cutInPercent, whole ? '≤ 8' : undefined),
        single(`${name}: called over early, heard or not`, '%', found.calledOverEarlyPercent),
        single(`${name}: missed ends`, '%', found.missedEndPercent, whole ? '≤ 3' : undefined),
        { name: `${name}: wait`, unit: 'ms', value: found.waitMs },
      );
    }
    // Each caller's turns in order, with what the ones before have taught.
    const callers = join(options.clipsFolder, 'callers');
    const callerOutcomes = await replayTurns(await testHalf(callers, options.count), { ...common, folder: callers });
    const ofCallers = endOfTurnFigures(callerOutcomes);
    for (const kind of ['with a pause inside', 'without a pause']) {
      const found = ofCallers[kind];
      if (found === undefined) continue;
      const name = `callers with pauses of their own, ${kind} (${found.clips})`;
      figures.push(
        single(`${name}: agent heard before the caller was done`, '%', found.cutInPercent),
        single(`${name}: missed ends`, '%', found.missedEndPercent),
        { name: `${name}: wait`, unit: 'ms', value: found.waitMs },
      );
    }
    const questions = await replayQuestions(options, common);
    for (const [kind, found] of Object.entries(endOfTurnFigures(questions))) {
      if (kind !== 'question') continue;
      figures.push(
        single(
          `recorded questions (${found.clips}): agent heard before the caller was done`,
          '%',
          found.cutInPercent,
          '0',
        ),
        single(`recorded questions (${found.clips}): missed ends`, '%', found.missedEndPercent),
        { name: `recorded questions (${found.clips}): wait`, unit: 'ms', value: found.waitMs, reach: 'p95 ≤ 800' },
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
      `Agent heard early: ${shareOf(turnOutcomes.filter(paused), ({ cutIn }) => cutIn)} of the clips with a pause inside, ${shareOf(callerOutcomes.filter(paused), ({ cutIn }) => cutIn)} of those by callers with pauses of their own.`,
      `Missed interruptions: ${shareOf(outcomes.filter(meant), ({ stopped }) => !stopped)}; stops by harmless sounds: ${shareOf(
        outcomes.filter((outcome) => !meant(outcome)),
        ({ stopped }) => stopped,
      )}.`,
      `Cut-ins: ${listed(turnOutcomes.filter(({ cutIn }) => cutIn))}.`,
      `Interruptions missed: ${listed(outcomes.filter(({ interrupts, stopped }) => interrupts && !stopped))}.`,
      `Stopped by harmless sounds: ${listed(outcomes.filter(({ interrupts, stopped }) => !interrupts && stopped))}.`,
    ]);
  } finally {
    await Promise.all([vad.close(), sounds.close(), recogniser.close()]);
  }
}

/** As a telephone brings them: 8 kHz, then widened again. */
async function replayQuestions(
  { questionsFolder, count }: TurnsBenchOptions,
  options: Omit<BenchOptions, 'folder'>,
): Promise<TurnOutcome[]> {
  const outcomes: TurnOutcome[] = [];
  for (const question of spreadOver(readQuestions(questionsFolder), count)) {
    const { pcm, sampleRate } = await utteranceOf(questionsFolder, question);
    const line = resampled(resampled(pcm, sampleRate, 8_000), 8_000, 16_000);
    const heard = new Int16Array(LEAD_SAMPLES + line.length);
    heard.set(line, LEAD_SAMPLES);
    const part = { text: question.text, startMs: 0, endMs: endMsOf(heard) };
    const clip = { file: question.id, split: 'test' as const, kind: 'question', parts: [part] };
    outcomes.push(await replayTurn(clip, heard, { ...options, folder: questionsFolder }));
  }
  return outcomes;
}

function resampled(pcm: Int16Array, from: number, to: number): Int16Array {
  return from === to ? pcm : Int16Array.from(new Resampler(from, to).push(pcm).flatMap((chunk) => [...chunk]));
}

/** The end of the last 10 ms that are loud enough, 16 kHz. */
function endMsOf(pcm: Int16Array): number {
  const levels: number[] = [];
  for (let at = 0; at + 160 <= pcm.length; at += 160) levels.push(levelDbOf(pcm.subarray(at, at + 160)));
  const quietDb = Math.max(...levels) + 20 * Math.log10(QUIET_SHARE);
  return 10 * (levels.findLastIndex((level) => level > quietDb) + 1);
}

async function testHalf(folder: string, count = Number.POSITIVE_INFINITY) {
  return (await readClips(folder)).filter(({ split }) => split === 'test').slice(0, count);
}

const paused = ({ parts }: TurnOutcome) => parts > 1;
const meant = ({ interrupts }: OverlapOutcome) => interrupts;

/** "18.4 % [15.1, 22.1]": the share, and the interval of 95 % confidence. */
function shareOf<T>(outcomes: readonly T[], is: (outcome: T) => boolean): string {
  const part = outcomes.filter(is).length;
  const percent = (share: number) => (100 * share).toFixed(1);
  const [low, high] = shareInterval(part, outcomes.length);
  return `${percent(part / Math.max(1, outcomes.length))} % [${percent(low)}, ${percent(high)}]`;
}

function listed(outcomes: readonly { readonly file: string }[]): string {
  return outcomes.map(({ file }) => file).join(', ') || 'none';
}
