/**
 * Measures the two judgements of turn-taking offline on labelled clips: is the caller done (cut-ins, missed ends, waits),
 * and is this an interruption (stops, misses, reaction times). The clips are made by models/recipe, see
 * docs/turn-taking.md.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { Resampler } from '../audio/resampler';
import { readWav } from '../audio/wav';
import { type Distribution, distribution, percentile } from '../core/percentiles';
import type { OverlapSound } from './overlap-sound';
import { type HeardSpan, type ReplayEngine, replay } from './replay';
import type { SpeechProbability } from './silero-vad';
import type { TurnConfig } from './turn-state';
import { VAD_SAMPLE_RATE, type VadConfig } from './vad';

const clipSchema = z.object({
  file: z.string(),
  split: z.enum(['tune', 'test']),
  kind: z.string(),
  /** Stretches of speech with their words; pauses lie between them. */
  parts: z.array(z.object({ text: z.string(), startMs: z.number(), endMs: z.number() })),
  /** Overlaps only: what the agent is saying, and whether the sound means to interrupt it. */
  agentText: z.string().optional(),
  interrupts: z.boolean().optional(),
  /** How loud the caller was before. */
  callerLevelDb: z.number().optional(),
  /** Overlaps only, the agent's own voice come back: how long after it was sent. */
  echoAfterMs: z.number().optional(),
  /** Turns of one caller follow one another, and what was learnt of the caller is kept. */
  caller: z.string().optional(),
});
export type TurnClip = z.output<typeof clipSchema>;

export interface BenchOptions {
  readonly folder: string;
  readonly turns: TurnConfig;
  readonly openStream: () => SpeechProbability;
  readonly vad?: VadConfig;
  readonly sounds?: OverlapSound;
  /** What the agent says in the clips of sounds over its voice. */
  readonly agentPcm?: Int16Array;
  readonly times: Pick<ReplayEngine, 'transcriptMs' | 'firstAudioMs' | 'listenMs'>;
  /** Samples `span` of a clip, 16 kHz, −1…1. Left out: the labels' own words, with a full stop where a recogniser would put one. */
  readonly recognise?: (pcm: Float32Array, span: ClipSpan) => Promise<HeardSpan>;
}

export interface ClipSpan {
  readonly file: string;
  readonly fromSample: number;
  readonly toSample: number;
  /** Asked about a caller's turn, or about a sound over the agent. */
  readonly purpose: 'turn' | 'overlap';
}

/** What became of one clip with a caller's turn. */
export interface TurnOutcome {
  readonly file: string;
  readonly kind: string;
  /** Parts of speech in the clip: with one there is no pause inside. */
  readonly parts: number;
  /** The agent was heard before the caller was done. */
  readonly cutIn: boolean;
  /** When the agent was first heard. */
  readonly audibleMs: number | undefined;
  /** The turn was called over before, heard or taken back in time. */
  readonly early: boolean;
  /** From the caller's last sample to the decision; undefined: none came after it. */
  readonly waitMs: number | undefined;
  /** The caller's pauses as they are known now. */
  readonly callerPausesMs: readonly number[];
  /** What was recognised, in order. */
  readonly heard: readonly string[];
}

/** What became of one sound over the agent. */
export interface OverlapOutcome {
  readonly file: string;
  readonly kind: string;
  readonly text: string;
  readonly interrupts: boolean;
  readonly stopped: boolean;
  /** From the onset to the last pause of the agent, or to the stop where it was not paused before. */
  readonly silentMs: number;
  readonly dipsMs: readonly number[];
  readonly because: readonly string[];
  readonly heard: readonly string[];
}

export interface EndOfTurnFigures {
  readonly clips: number;
  /** The agent was heard before the caller was done. Percent of clips. */
  readonly cutInPercent: number;
  /** The turn was called over before the caller was done, heard or taken back in time. Percent of clips. */
  readonly calledOverEarlyPercent: number;
  /** The turn was not over two seconds after the caller was done. Percent of clips. */
  readonly missedEndPercent: number;
  /** From the caller's last sample to the decision, over the clips where it came after it. */
  readonly waitMs: Distribution;
}

export interface OverlapFigures {
  readonly clips: number;
  /** The agent was stopped for good. Percent of clips. */
  readonly stopPercent: number;
  /** The agent was stopped, or paused for longer than 500 ms: what a caller feels as a stop. Percent of clips. */
  readonly feltStopPercent: number;
  /** The agent was paused and went on. Percent of clips. */
  readonly dipPercent: number;
  readonly medianDipMs: number;
  readonly longestDipMs: number;
  /** From the onset to the pause of the agent that became the stop, over the clips where it was stopped. */
  readonly silentAfterMs: Distribution;
}

const MISSED_AFTER_MS = 2_000;
/** A pause that is over sooner is no stop. */
const FELT_MS = 500;
const SAMPLES_PER_MS = VAD_SAMPLE_RATE / 1_000;

/** Reads `clips.json` of a set; throws a ZodError naming the field that is wrong. */
export async function readClips(folder: string): Promise<TurnClip[]> {
  return z.array(clipSchema).parse(JSON.parse(await readFile(path.join(folder, 'clips.json'), 'utf8')));
}

export async function replayTurns(clips: readonly TurnClip[], options: BenchOptions): Promise<TurnOutcome[]> {
  const outcomes: TurnOutcome[] = [];
  const pausesOf = new Map<string, readonly number[]>();
  for (const clip of clips) {
    const pcm = await loadClip(path.join(options.folder, clip.file));
    const known = clip.caller === undefined ? undefined : pausesOf.get(clip.caller);
    const outcome = await replayTurn(clip, pcm, options, known);
    if (clip.caller !== undefined) pausesOf.set(clip.caller, outcome.callerPausesMs);
    outcomes.push(outcome);
  }
  return outcomes;
}

/** `pcm`: the clip, 16 kHz. `callerPausesMs`: what earlier turns of this caller have taught. */
export async function replayTurn(
  clip: TurnClip,
  pcm: Int16Array,
  options: BenchOptions,
  callerPausesMs: readonly number[] = [],
): Promise<TurnOutcome> {
  const doneMs = clip.parts.at(-1)?.endMs ?? 0;
  const { effects, heard, ...learnt } = await run(clip, pcm, options, 'turn', callerPausesMs);
  const decisions = effects.filter(
    ({ effect }) =>
      effect.type === 'promote' ||
      // Asking again because nothing was understood is a decision, too.
      effect.type === 'prompt' ||
      (effect.type === 'answer' && !effect.speculative),
  );
  const audible = effects.find(({ effect }) => effect.type === 'release');
  const last = decisions.find(({ atMs }) => atMs >= doneMs);
  return {
    file: clip.file,
    kind: clip.kind,
    parts: clip.parts.length,
    early: decisions.some(({ atMs }) => atMs < doneMs),
    cutIn: audible !== undefined && audible.atMs < doneMs,
    audibleMs: audible?.atMs,
    waitMs: last === undefined ? undefined : Math.round(last.atMs - doneMs),
    callerPausesMs: learnt.callerPausesMs,
    heard,
  };
}

/** Figures by kind of clip, for those with a pause inside, and for `all`. */
export function endOfTurnFigures(outcomes: readonly TurnOutcome[]): Readonly<Record<string, EndOfTurnFigures>> {
  const figures = (some: readonly TurnOutcome[]): EndOfTurnFigures => {
    const waits = some.flatMap(({ waitMs }) => (waitMs === undefined ? [] : [waitMs]));
    const missed = some.filter(({ waitMs, cutIn }) => !cutIn && (waitMs === undefined || waitMs > MISSED_AFTER_MS));
    return {
      clips: some.length,
      cutInPercent: percent(some.filter(({ cutIn }) => cutIn).length, some.length),
      calledOverEarlyPercent: percent(some.filter(({ early }) => early).length, some.length),
      missedEndPercent: percent(missed.length, some.length),
      waitMs: distribution(waits),
    };
  };
  const { all, ...kinds } = byKind(outcomes, figures);
  return {
    ...kinds,
    'with a pause inside': figures(outcomes.filter(({ parts }) => parts > 1)),
    '… said in parts': figures(outcomes.filter(({ parts, kind }) => parts > 1 && !kind.endsWith('stopped'))),
    '… stopped inside a whole': figures(outcomes.filter(({ parts, kind }) => parts > 1 && kind.endsWith('stopped'))),
    'without a pause': figures(outcomes.filter(({ parts }) => parts === 1)),
    all: all ?? figures([]),
  };
}

export async function replayOverlaps(clips: readonly TurnClip[], options: BenchOptions): Promise<OverlapOutcome[]> {
  const outcomes: OverlapOutcome[] = [];
  for (const clip of clips) {
    const onsetMs = clip.parts[0]?.startMs ?? 0;
    const pcm = await loadClip(path.join(options.folder, clip.file));
    const { effects, heard } = await run(clip, pcm, options, 'overlap');
    const stop = effects.find(({ effect }) => effect.type === 'flush');
    const dipsMs: number[] = [];
    let pausedMs: number | undefined;
    for (const { atMs, effect } of effects) {
      if (effect.type === 'pause') pausedMs = atMs;
      else if (effect.type === 'resume' && pausedMs !== undefined) {
        dipsMs.push(atMs - pausedMs);
        pausedMs = undefined;
      }
      if (effect.type === 'flush') break;
    }
    outcomes.push({
      file: clip.file,
      kind: clip.kind,
      text: clip.parts[0]?.text ?? '',
      interrupts: clip.interrupts === true,
      stopped: stop !== undefined,
      silentMs: Math.round((pausedMs ?? stop?.atMs ?? 0) - onsetMs),
      dipsMs,
      because: effects.flatMap(({ atMs, effect }) =>
        effect.type === 'report' && (effect.report.type === 'interrupted' || effect.report.type === 'dismissed')
          ? [`${Math.round(atMs - onsetMs)} ${effect.report.type}: ${effect.report.because}`]
          : [],
      ),
      heard,
    });
  }
  return outcomes;
}

/** Figures by kind of sound, and for `interrupting` and `harmless` together. */
export function overlapFigures(outcomes: readonly OverlapOutcome[]): Readonly<Record<string, OverlapFigures>> {
  const figures = (some: readonly OverlapOutcome[]): OverlapFigures => ({
    clips: some.length,
    stopPercent: percent(some.filter(({ stopped }) => stopped).length, some.length),
    feltStopPercent: percent(
      some.filter(({ stopped, dipsMs }) => stopped || dipsMs.some((dipMs) => dipMs > FELT_MS)).length,
      some.length,
    ),
    medianDipMs: Math.round(
      percentile(
        some.flatMap(({ dipsMs }) => dipsMs),
        50,
      ),
    ),
    dipPercent: percent(some.filter(({ stopped, dipsMs }) => !stopped && dipsMs.length > 0).length, some.length),
    longestDipMs: Math.round(Math.max(0, ...some.flatMap(({ dipsMs }) => dipsMs))),
    silentAfterMs: distribution(some.flatMap(({ stopped, silentMs }) => (stopped ? [silentMs] : []))),
  });
  const { all: _, ...kinds } = byKind(outcomes, figures);
  return {
    interrupting: figures(outcomes.filter(({ interrupts }) => interrupts)),
    harmless: figures(outcomes.filter(({ interrupts }) => !interrupts)),
    ...kinds,
  };
}

async function run(
  clip: TurnClip,
  pcm: Int16Array,
  options: BenchOptions,
  purpose: ClipSpan['purpose'],
  callerPausesMs: readonly number[] = [],
) {
  const { recognise, times, turns, openStream, vad, sounds } = options;
  const heard: string[] = [];
  const { effects, callerPausesMs: learnt } = await replay({
    pcm,
    turns,
    openStream,
    vad,
    agentText: clip.agentText,
    callerLevelDb: clip.callerLevelDb,
    callerPausesMs,
    echoAfterMs: clip.echoAfterMs,
    sounds,
    agentPcm: options.agentPcm,
    engine: {
      ...times,
      recognise: async (fromSample, toSample, line) => {
        const span = { file: clip.file, fromSample, toSample, purpose };
        const found =
          recognise === undefined
            ? labelled(clip, fromSample, toSample)
            : await recognise(spanOf(line, fromSample, toSample), span);
        heard.push(`${Math.round(toSample / SAMPLES_PER_MS)} "${found.text}"${found.speech ? '' : ' no speech'}`);
        return found;
      },
    },
  });
  return { effects, heard, callerPausesMs: learnt };
}

/** 16-bit WAV of any rate, at 16 kHz. */
export async function loadClip(file: string): Promise<Int16Array> {
  const { pcm, sampleRate } = readWav(await readFile(file));
  const first = pcm[0] ?? new Int16Array(0);
  return new Resampler(sampleRate, VAD_SAMPLE_RATE).push(first)[0] ?? new Int16Array(0);
}

function spanOf(pcm: Int16Array, from: number, to: number): Float32Array {
  return Float32Array.from({ length: Math.max(0, to - from) }, (_, i) => (pcm[from + i] ?? 0) / 32_768);
}

/** The words of the parts that lie in the span, the last one perhaps by half. */
function labelled(clip: TurnClip, from: number, to: number): HeardSpan {
  const words: string[] = [];
  for (const { text, startMs, endMs } of clip.parts) {
    const heard = Math.min(1, (to / SAMPLES_PER_MS - startMs) / Math.max(1, endMs - startMs));
    if (heard <= 0 || endMs <= from / SAMPLES_PER_MS) continue;
    const all = text.split(' ').filter((word) => word !== '');
    words.push(...all.slice(0, Math.ceil(all.length * heard - 0.25)));
  }
  const text = words.join(' ');
  return { text: text === '' || /[.?!,…]$/.test(text) ? text : `${text}.`, speech: text !== '' };
}

function byKind<T extends { readonly kind: string }, F>(
  outcomes: readonly T[],
  figures: (some: readonly T[]) => F,
): Record<string, F> {
  const kinds = [...new Set(outcomes.map(({ kind }) => kind))].sort();
  return Object.fromEntries([
    ...kinds.map((kind) => [kind, figures(outcomes.filter((outcome) => outcome.kind === kind))]),
    ['all', figures([...outcomes])],
  ]);
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((1_000 * part) / whole) / 10;
}
