/**
 * The voice's graphs with random weights (test/fixtures/omni, made by the recipe) must give what the Python reference
 * makes of them, however the words and the sound are cut.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { jointRoughness } from '../../../src/model/codec/joints';
import { openModelFolder } from '../../../src/model/manifest';
import { LengthRegulator } from '../../../src/model/omni/length-regulator';
import type { SpokenWord } from '../../../src/model/omni/sentence-features';
import { SentenceVoice, type SoundPiece } from '../../../src/model/omni/sentence-voice';
import { type SymbolFeatures, VoiceGraphs, type VoiceSteps } from '../../../src/model/omni/voice-graphs';
import type { PhonemeIdMap } from '../../../src/model/piper/phoneme-ids';
import { voiceParameters } from '../../../src/model/piper/vits-graphs';
import type { PauseMark } from '../../../src/model/text/spoken-text';

interface Case {
  readonly words: readonly { phonemes: string; pause: string; joined: boolean }[];
  readonly end: PauseMark;
  readonly symbols: readonly number[];
  readonly hidden: readonly (readonly number[])[] | null;
  readonly features: readonly (readonly number[])[];
  readonly durations: readonly number[];
  readonly addedToDurations: number;
  readonly codes: readonly (readonly number[])[];
  readonly latents: { readonly frames: number; readonly first8of4Channels: readonly (readonly number[])[] };
  readonly pcm: { readonly samples: number; readonly gain: number; readonly every997th: readonly number[] };
}

const root = join(__dirname, '../../..');
const cases: Case[] = JSON.parse(readFileSync(join(root, 'test/fixtures/omni/golden.json'), 'utf8'));
const never = new AbortController().signal;

let graphs: VoiceGraphs;
let symbols: PhonemeIdMap;

beforeAll(async () => {
  const generator = await openModelFolder(join(root, 'models/piper-joe'));
  symbols = generator.parameters(voiceParameters).phonemeIds;
  graphs = await VoiceGraphs.open(await openModelFolder(join(root, 'test/fixtures/omni')), generator);
});
afterAll(() => graphs.close());

/** The graphs, writing down what they gave, with the durations stretched as the fixture says. */
function recorded(added: number) {
  const encoded: SymbolFeatures[] = [];
  const frames: (readonly number[])[] = [];
  const windows: (readonly number[])[] = [];
  const steps: VoiceSteps = {
    parameters: graphs.parameters,
    freshState: graphs.freshState,
    encode: async (window) => {
      windows.push(window.symbols);
      const found = await graphs.encode(window);
      const stretched = { ...found, durations: found.durations.map((duration) => duration + added) };
      encoded.push(stretched);
      return stretched;
    },
    frames: async (features, places, state) => {
      const made = await graphs.frames(features, places, state);
      frames.push(...made.frames);
      return made;
    },
    latents: (given) => graphs.latents(given),
    toSound: (latents) => graphs.toSound(latents),
  };
  return { steps, encoded, frames, windows };
}

function wordsOf(given: Case): SpokenWord[] {
  return given.words.map((word, i) => ({
    phonemes: word.phonemes,
    joined: word.joined,
    pauseAfter: word.pause === '' ? undefined : (word.pause as PauseMark),
    hidden: given.hidden === null ? undefined : Float32Array.from(given.hidden[i]!),
    ...(i + 1 === given.words.length ? { end: given.end } : {}),
  }));
}

async function say(given: Case, early: boolean) {
  const record = recorded(given.addedToDurations);
  const sentence = new SentenceVoice(record.steps, symbols, early);
  const pieces: SoundPiece[] = [];
  const take = async () => {
    for (let piece = await sentence.next(never); piece !== undefined; piece = await sentence.next(never))
      pieces.push(piece);
  };
  const words = wordsOf(given);
  for (const [i, word] of words.entries()) {
    await sentence.speak(word, words.slice(i + 1, i + 3));
    await take();
  }
  return { ...record, pieces, sentence };
}

describe.each(cases.map((given, i) => [i, given] as const))('a sentence of the fixture, %i', (_, given) => {
  it('is encoded word by word as the reference encodes it', async () => {
    const { encoded, windows } = await say(given, true);
    const { width } = graphs.parameters;
    let at = 0;
    encoded.forEach(({ features, durations }, word) => {
      const { ids, owned } = place(given, word);
      const first = windows[word]!.length - 1;
      expect(first).toBeGreaterThan(0);
      owned.forEach((symbol) => {
        const row = windowRow(windows[word]!, ids, symbol, given);
        expect(Math.abs(durations[row]! - given.durations[symbol]! - given.addedToDurations)).toBeLessThan(1e-4);
        given.features[symbol]!.forEach((value, channel) => {
          expect(Math.abs(features[row * width + channel]! - value)).toBeLessThan(1e-4);
        });
        at += 1;
      });
    });
    expect(at).toBe(given.symbols.length);
  });

  it.each([true, false])('has the codes of the reference, early %s', async (early) => {
    const { frames, sentence } = await say(given, early);
    expect(frames.map((frame) => frame[0])).toEqual(given.codes[0]);
    expect(frames.flatMap((frame) => [frame[1], frame[4]])).toEqual(given.codes[1]);
    expect(frames.flatMap((frame) => [frame[2], frame[3], frame[5], frame[6]])).toEqual(given.codes[2]);
    expect(sentence.concealedCodes).toBe(0);
  });

  it('has the latents of the reference', async () => {
    const { frames } = await say(given, true);
    const { data, frames: count } = await graphs.latents(frames);
    expect(count).toBe(given.latents.frames);
    given.latents.first8of4Channels.forEach((row, channel) => {
      row.forEach((value, i) => {
        expect(Math.abs(data[channel * count + i]! - value)).toBeLessThan(1e-4);
      });
    });
  });

  it('sounds, in chunks, as it does whole, tells every word once and ends', async () => {
    const { frames, pieces, encoded } = await say(given, true);
    const whole = await graphs.toSound(await graphs.latents(frames));
    expect(whole).toHaveLength(given.pcm.samples);
    given.pcm.every997th.forEach((value, i) => {
      expect(Math.abs(whole[i * 997]! * given.pcm.gain - value)).toBeLessThan(1e-3);
    });
    const pcm = pieces.flatMap((piece) => [...piece.pcm]);
    const skipped = whole.length - pcm.length;
    // The silence of the start mark is left out, but for one latent.
    const startMark = Math.floor(encoded[0]!.durations[0]!) - 1;
    expect(skipped).toBe(Math.max(0, startMark) * graphs.parameters.hopSamples);
    let error = 0;
    let power = 0;
    const fade = 100;
    for (let i = fade; i < pcm.length - fade; i += 1) {
      const wanted = whole[skipped + i]! * given.pcm.gain;
      // Above the knee the limiter bends the wave.
      if (Math.abs(wanted) > 0.55) continue;
      error += (pcm[i]! - wanted) ** 2;
      power += wanted ** 2;
    }
    expect(10 * Math.log10(power / error)).toBeGreaterThan(40);
    let at = 0;
    for (const piece of pieces.slice(0, -1)) {
      at += piece.pcm.length;
      expect(jointRoughness(Float32Array.from(pcm), at)).toBeLessThan(4);
    }
    expect(pieces.flatMap((piece) => piece.words.map((word) => word.word))).toEqual(given.words.map((__, i) => i));
    expect(pieces.map((piece) => piece.last)).toEqual(pieces.map((__, i) => i + 1 === pieces.length));
  });
});

/** The symbols of `word` in the sentence. */
function place(given: Case, word: number): { ids: readonly number[]; owned: number[] } {
  const numbers = (given as unknown as { wordOfSymbol: number[] }).wordOfSymbol;
  return { ids: given.symbols, owned: numbers.flatMap((number, i) => (number === word ? [i] : [])) };
}

/** Where `symbol` of the sentence stands in a window of it. */
function windowRow(window: readonly number[], ids: readonly number[], symbol: number, given: Case): number {
  const numbers = (given as unknown as { wordOfSymbol: number[] }).wordOfSymbol;
  const first = numbers.indexOf(numbers[symbol]!);
  const from = Math.max(0, first - graphs.parameters.leftSymbols);
  expect(window).toEqual(ids.slice(from, from + window.length));
  return symbol - from;
}

describe('the length regulator', () => {
  it('gives each step the symbol that is being said', () => {
    const regulator = new LengthRegulator(86);
    regulator.push([2.5, 0, 3]);
    expect(regulator.knownSteps).toBe(3);
    expect([0, 1, 2, 3].map((step) => regulator.place(step).symbol)).toEqual([0, 2, 2, 2]);
    const [elapsed, remaining, share, duration] = regulator.place(1).position;
    expect(elapsed).toBeCloseTo(Math.log1p(0.5));
    expect(remaining).toBeCloseTo(Math.log1p(2.5));
    expect(share).toBeCloseTo(0.5 / 3);
    expect(duration).toBeCloseTo(Math.log1p(3));
    // Behind the end the last symbol goes on.
    expect(regulator.place(3).position[1]).toBe(0);
  });

  it('does not depend on how the durations arrive, and never goes back', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 86, noNaN: true }), { minLength: 1, maxLength: 30 }),
        (durations) => {
          const whole = new LengthRegulator(86);
          whole.push(durations);
          const parts = new LengthRegulator(86);
          let before = -1;
          for (const duration of durations) {
            const known = parts.knownSteps;
            parts.push([duration]);
            for (let step = known; step < parts.knownSteps; step += 1) {
              expect(parts.place(step)).toEqual(whole.place(step));
              expect(parts.place(step).symbol).toBeGreaterThanOrEqual(before);
              before = parts.place(step).symbol;
            }
          }
        },
      ),
    );
  });
});
