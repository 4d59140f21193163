/**
 * The unit voice's graphs with random weights (test/fixtures/omni-units, made by the recipe) must give what the Python
 * reference makes of them at once, however words and sound are cut.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UnitSentence } from '../../../src/model/llama-omni/unit-sentence';
import { UnitVoiceGraphs, type UnitVoiceSteps } from '../../../src/model/llama-omni/unit-voice-graphs';
import { openModelFolder } from '../../../src/model/manifest';
import type { SpokenWord } from '../../../src/model/omni/sentence-features';
import type { SoundPiece } from '../../../src/model/omni/sentence-voice';
import type { PhonemeIdMap } from '../../../src/model/piper/phoneme-ids';
import { type Latents, voiceParameters } from '../../../src/model/piper/vits-graphs';
import type { PauseMark } from '../../../src/model/text/spoken-text';

interface Case {
  readonly words: readonly { phonemes: string; pause: string; joined: boolean }[];
  readonly end: PauseMark;
  readonly hidden: readonly (readonly number[])[] | null;
  readonly units: readonly number[];
  readonly times: readonly number[];
  readonly durations: readonly number[];
  readonly latents: { readonly frames: number; readonly first8of4Channels: readonly (readonly number[])[] };
  readonly pcm: { readonly samples: number; readonly every997th: readonly number[] };
}

const root = join(__dirname, '../../..');
const cases: Case[] = JSON.parse(readFileSync(join(root, 'test/fixtures/omni-units/golden.json'), 'utf8'));
const never = new AbortController().signal;

let graphs: UnitVoiceGraphs;
let symbols: PhonemeIdMap;

beforeAll(async () => {
  const generator = await openModelFolder(join(root, 'models/piper-joe'));
  symbols = generator.parameters(voiceParameters).phonemeIds;
  graphs = await UnitVoiceGraphs.open(await openModelFolder(join(root, 'test/fixtures/omni-units')), generator);
});
afterAll(() => graphs.close());

/** The graphs, writing down what they were asked and what they gave. */
function recorded() {
  const units: number[] = [];
  const times: number[] = [];
  const durations: number[] = [];
  const latents: Latents[] = [];
  const { neighbours } = graphs.parameters.vocoder;
  const steps: UnitVoiceSteps = {
    parameters: graphs.parameters,
    encode: (window) => graphs.encode(window),
    beginUnits: () => graphs.beginUnits(),
    describe: async (shown, told) => {
      const found = await graphs.describe(shown, told);
      times.push(...told.slice(neighbours, told.length - neighbours));
      units.push(...shown.slice(neighbours, shown.length - neighbours));
      durations.push(...found.durations);
      return found;
    },
    latents: async (...given) => {
      const made = await graphs.latents(...given);
      latents.push(made.latents);
      return made;
    },
    toSound: (given) => graphs.toSound(given),
  };
  return { steps, units, times, durations, latents };
}

/** One channel of all latents, however they were cut. */
function rowOf(latents: readonly Latents[], channel: number): number[] {
  return latents.flatMap(({ data, frames }) => [...data.subarray(channel * frames, (channel + 1) * frames)]);
}

function wordsOf(given: Case): SpokenWord[] {
  return given.words.map((word, i) => ({
    phonemes: word.phonemes,
    joined: word.joined,
    pauseAfter: word.pause === '' ? undefined : (word.pause as PauseMark),
    hidden: given.hidden === null ? undefined : Float32Array.from(given.hidden[i]!),
    ...(i === given.words.length - 1 ? { end: given.end } : {}),
  }));
}

/** Says all words, taking sound as soon as there is some (`eager`) or when all words were spoken. */
async function say(given: Case, steps: UnitVoiceSteps, eager: boolean): Promise<SoundPiece[]> {
  const sentence = new UnitSentence(steps, symbols, true);
  const words = wordsOf(given);
  const pieces: SoundPiece[] = [];
  for (const [i, word] of words.entries()) {
    await sentence.speak(word, words.slice(i + 1, i + 3));
    while ((eager || i === words.length - 1) && sentence.ready) {
      const piece = await sentence.next(never);
      if (piece === undefined) break;
      pieces.push(piece);
    }
  }
  return pieces;
}

describe.each([0, 1])('sentence %i of the unit voice', (n) => {
  it.each([true, false])(
    'gives the units, times, durations and latents of the reference (eager: %s)',
    async (eager) => {
      const { steps, units, times, durations, latents } = recorded();
      await say(cases[n]!, steps, eager);
      expect(units).toEqual(cases[n]!.units);
      for (const [i, time] of times.entries()) expect(time).toBeCloseTo(cases[n]!.times[i]!, 3);
      for (const [i, duration] of durations.entries()) expect(duration).toBeCloseTo(cases[n]!.durations[i]!, 3);
      expect(latents.reduce((sum, { frames }) => sum + frames, 0)).toBe(cases[n]!.latents.frames);
      for (const [channel, row] of cases[n]!.latents.first8of4Channels.entries()) {
        for (const [frame, value] of row.entries()) {
          expect(rowOf(latents, channel)[frame]).toBeCloseTo(value, 3);
        }
      }
    },
  );

  it('sounds as the whole does, but for the silence before it', async () => {
    const pieces = await say(cases[n]!, graphs, true);
    const { samples, every997th } = cases[n]!.pcm;
    const length = pieces.reduce((sum, { pcm }) => sum + pcm.length, 0);
    const lead = samples - length;
    expect(lead).toBeGreaterThanOrEqual(0);
    const whole = new Float32Array(samples);
    let at = lead;
    for (const { pcm } of pieces) {
      whole.set(pcm, at);
      at += pcm.length;
    }
    // Ramps where speech begins and ends are the runtime's own.
    every997th.forEach((value, i) => {
      if (i * 997 > lead + 200 && i * 997 < samples - 200) expect(whole[i * 997]).toBeCloseTo(value, 2);
    });
  });

  it('tells every word once, in order, where its positions lie', async () => {
    const pieces = await say(cases[n]!, graphs, true);
    expect(pieces.flatMap(({ words }) => words.map(({ word }) => word))).toEqual(cases[n]!.words.map((_, i) => i));
    let base = 0;
    let before = 0;
    for (const { pcm, words } of pieces) {
      for (const { startSample, endSample } of words) {
        expect(startSample).toBeLessThanOrEqual(pcm.length);
        expect(endSample).toBeGreaterThanOrEqual(startSample);
        expect(base + startSample).toBeGreaterThanOrEqual(before);
        before = base + startSample;
      }
      base += pcm.length;
    }
    expect(pieces.filter(({ last }) => last)).toEqual([pieces.at(-1)]);
  });

  it('stops between two runs', async () => {
    const abort = new AbortController();
    const sentence = new UnitSentence(graphs, symbols, true);
    for (const [i, word] of wordsOf(cases[n]!).entries()) {
      await sentence.speak(word, wordsOf(cases[n]!).slice(i + 1, i + 3));
    }
    abort.abort(new Error('barge-in'));
    await expect(sentence.next(abort.signal)).rejects.toThrow('barge-in');
  });
});

describe('the speech decoder', () => {
  it('goes on after what it can remember', async () => {
    const { inputs, positions } = graphs.parameters.decoder;
    const stream = graphs.beginUnits();
    const rows = Float32Array.from({ length: inputs * (positions + 40) }, (_, i) => Math.sin(i));
    const symbolsRead = await stream.read(rows);
    expect(symbolsRead).toHaveLength(positions + 40);
  });
});
