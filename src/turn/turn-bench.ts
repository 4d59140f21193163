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
import { percentile } from '../core/percentiles';
import { type ReplayEngine, replay } from './replay';
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
});
export type TurnClip = z.output<typeof clipSchema>;

export interface BenchOptions {
  readonly folder: string;
  readonly turns: TurnConfig;
  readonly openStream: () => SpeechProbability;
  readonly vad?: VadConfig;
  readonly times: Pick<ReplayEngine, 'transcriptMs' | 'firstAudioMs' | 'listenMs'>;
  /** 16 kHz, −1…1. Left out: the labels' own words, with a full stop where a recogniser would put one. */
  readonly recognise?: (pcm: Float32Array) => Promise<{ readonly text: string; readonly speech: boolean }>;
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
  readonly waitMs: { readonly p50: number; readonly p95: number };
}

export interface OverlapFigures {
  readonly clips: number;
  /** The agent was stopped for good. Percent of clips. */
  readonly stopPercent: number;
  /** The agent was paused and went on. Percent of clips. */
  readonly dipPercent: number;
  readonly longestDipMs: number;
  /** From the onset to the pause of the agent, over the clips where it was stopped. */
  readonly silentAfterMs: { readonly p50: number; readonly p95: number };
}

const MISSED_AFTER_MS = 2_000;
const SAMPLES_PER_MS = VAD_SAMPLE_RATE / 1_000;

/** Reads `clips.json` of a set; throws a ZodError naming the field that is wrong. */
export async function readClips(folder: string): Promise<TurnClip[]> {
  return z.array(clipSchema).parse(JSON.parse(await readFile(path.join(folder, 'clips.json'), 'utf8')));
}

/** Figures by kind of clip, and for `all`. */
export async function benchEndOfTurn(
  clips: readonly TurnClip[],
  options: BenchOptions,
): Promise<Readonly<Record<string, EndOfTurnFigures>>> {
  const outcomes: { kind: string; early: boolean; cutIn: boolean; waitMs: number | undefined }[] = [];
  for (const clip of clips) {
    const doneMs = clip.parts.at(-1)?.endMs ?? 0;
    const effects = await run(clip, options);
    const decisions = effects.filter(
      ({ effect }) =>
        effect.type === 'promote' ||
        // Asking again because nothing was understood is a decision, too.
        effect.type === 'prompt' ||
        (effect.type === 'answer' && !effect.speculative),
    );
    const audible = effects.find(({ effect }) => effect.type === 'release');
    const last = decisions.find(({ atMs }) => atMs >= doneMs);
    outcomes.push({
      kind: clip.kind,
      early: decisions.some(({ atMs }) => atMs < doneMs),
      cutIn: audible !== undefined && audible.atMs < doneMs,
      waitMs: last === undefined ? undefined : last.atMs - doneMs,
    });
  }
  return byKind(outcomes, (some) => {
    const waits = some.flatMap(({ waitMs }) => (waitMs === undefined ? [] : [waitMs]));
    const missed = some.filter(({ waitMs, cutIn }) => !cutIn && (waitMs === undefined || waitMs > MISSED_AFTER_MS));
    return {
      clips: some.length,
      cutInPercent: percent(some.filter(({ cutIn }) => cutIn).length, some.length),
      calledOverEarlyPercent: percent(some.filter(({ early }) => early).length, some.length),
      missedEndPercent: percent(missed.length, some.length),
      waitMs: spread(waits),
    };
  });
}

/** Figures by kind of sound, and for `interrupting` and `harmless` together. */
export async function benchOverlaps(
  clips: readonly TurnClip[],
  options: BenchOptions,
): Promise<Readonly<Record<string, OverlapFigures>>> {
  const outcomes: { kind: string; group: string; stopped: boolean; silentMs: number; dips: number[] }[] = [];
  for (const clip of clips) {
    const onsetMs = clip.parts[0]?.startMs ?? 0;
    const effects = await run(clip, options);
    const stop = effects.find(({ effect }) => effect.type === 'flush');
    const dips: number[] = [];
    let pausedMs: number | undefined;
    for (const { atMs, effect } of effects) {
      if (effect.type === 'pause') pausedMs = atMs;
      else if (effect.type === 'resume' && pausedMs !== undefined) {
        dips.push(atMs - pausedMs);
        pausedMs = undefined;
      }
    }
    outcomes.push({
      kind: clip.kind,
      group: clip.interrupts === true ? 'interrupting' : 'harmless',
      stopped: stop !== undefined,
      silentMs: (pausedMs ?? stop?.atMs ?? 0) - onsetMs,
      dips,
    });
  }
  const figures = (some: typeof outcomes): OverlapFigures => ({
    clips: some.length,
    stopPercent: percent(some.filter(({ stopped }) => stopped).length, some.length),
    dipPercent: percent(some.filter(({ stopped, dips }) => !stopped && dips.length > 0).length, some.length),
    longestDipMs: Math.round(Math.max(0, ...some.flatMap(({ dips }) => dips))),
    silentAfterMs: spread(some.flatMap(({ stopped, silentMs }) => (stopped ? [silentMs] : []))),
  });
  const { all: _, ...groups } = byKind(
    outcomes.map((outcome) => ({ ...outcome, kind: outcome.group })),
    figures,
  );
  const { all: __, ...kinds } = byKind(outcomes, figures);
  return { ...groups, ...kinds };
}

async function run(clip: TurnClip, options: BenchOptions) {
  const pcm = await load(path.join(options.folder, clip.file));
  const { recognise, times, turns, openStream, vad } = options;
  return replay({
    pcm,
    turns,
    openStream,
    vad,
    agentText: clip.agentText,
    callerLevelDb: clip.callerLevelDb,
    engine: {
      ...times,
      recognise: (from, to) => (recognise === undefined ? labelled(clip, from, to) : recognise(spanOf(pcm, from, to))),
    },
  });
}

/** 16-bit WAV of any rate, at 16 kHz. */
async function load(file: string): Promise<Int16Array> {
  const { pcm, sampleRate } = readWav(await readFile(file));
  const first = pcm[0] ?? new Int16Array(0);
  return new Resampler(sampleRate, VAD_SAMPLE_RATE).push(first)[0] ?? new Int16Array(0);
}

function spanOf(pcm: Int16Array, from: number, to: number): Float32Array {
  return Float32Array.from({ length: Math.max(0, to - from) }, (_, i) => (pcm[from + i] ?? 0) / 32_768);
}

/** The words of the parts that lie in the span, the last one perhaps by half. */
async function labelled(clip: TurnClip, from: number, to: number) {
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
  figures: (some: T[]) => F,
): Record<string, F> {
  const kinds = [...new Set(outcomes.map(({ kind }) => kind))].sort();
  return Object.fromEntries([
    ...kinds.map((kind) => [kind, figures(outcomes.filter((outcome) => outcome.kind === kind))]),
    ['all', figures([...outcomes])],
  ]);
}

function spread(values: readonly number[]): { p50: number; p95: number } {
  return { p50: Math.round(percentile(values, 50)), p95: Math.round(percentile(values, 95)) };
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((1_000 * part) / whole) / 10;
}
