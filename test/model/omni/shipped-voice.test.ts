/**
 * The codec as it ships, streaming real speech: the first chunk is one frame, then two, then four; no joint is heard; the
 * tail is whole; codes that are none are concealed and counted.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame } from '../../../src/model/codec/delay-pattern';
import { jointRoughness } from '../../../src/model/codec/joints';
import { openModelFolder } from '../../../src/model/manifest';
import type { SpokenWord } from '../../../src/model/omni/sentence-features';
import { SentenceVoice, type SoundPiece } from '../../../src/model/omni/sentence-voice';
import { VoiceGraphs, type VoiceSteps } from '../../../src/model/omni/voice-graphs';
import { amplify } from '../../../src/model/piper/loudness';
import type { PhonemeIdMap } from '../../../src/model/piper/phoneme-ids';
import { voiceParameters } from '../../../src/model/piper/vits-graphs';
import type { PauseMark } from '../../../src/model/text/spoken-text';

const root = join(__dirname, '../../..');
const never = new AbortController().signal;
/** A click is heard above about this: see joints.ts. */
const AUDIBLE = 4;

interface Line {
  readonly words: readonly { readonly phonemes: string; readonly pause: string; readonly joined: boolean }[];
  readonly end: PauseMark;
}

const lines: Line[] = JSON.parse(readFileSync(join(root, 'test/fixtures/omni/golden.json'), 'utf8'));
let graphs: VoiceGraphs;
let symbols: PhonemeIdMap;

beforeAll(async () => {
  const generator = await openModelFolder(join(root, 'models/piper-joe'));
  symbols = generator.parameters(voiceParameters).phonemeIds;
  graphs = await VoiceGraphs.open(await openModelFolder(join(root, 'models/omni-voice')), generator);
});
afterAll(() => graphs.close());

/** `spoil` may change each frame on its way from the talker to the decoder. */
async function say(line: Line, spoil: (frame: Frame, number: number) => Frame = (frame) => frame) {
  const asked: Frame[] = [];
  const decoded: Frame[] = [];
  const steps: VoiceSteps = {
    parameters: graphs.parameters,
    freshState: graphs.freshState,
    encode: (window) => graphs.encode(window),
    frames: async (features, places, state) => {
      const made = await graphs.frames(features, places, state);
      const frames = made.frames.map((frame) => {
        asked.push(frame);
        return [...spoil(frame, asked.length - 1)];
      });
      return { ...made, frames };
    },
    latents: async (frames) => {
      decoded.splice(decoded.length - Math.min(decoded.length, graphs.parameters.decoderLeftFrames), 9e9, ...frames);
      return graphs.latents(frames);
    },
    toSound: (latents) => graphs.toSound(latents),
  };
  const sentence = new SentenceVoice(steps, symbols, true);
  const words: SpokenWord[] = line.words.map((word, i) => ({
    phonemes: word.phonemes,
    joined: word.joined,
    pauseAfter: word.pause === '' ? undefined : (word.pause as PauseMark),
    hidden: undefined,
    ...(i + 1 === line.words.length ? { end: line.end } : {}),
  }));
  const pieces: SoundPiece[] = [];
  for (const [i, word] of words.entries()) {
    await sentence.speak(word, words.slice(i + 1, i + 3));
    for (let piece = await sentence.next(never); piece !== undefined; piece = await sentence.next(never))
      pieces.push(piece);
  }
  return { pieces, sentence, asked, decoded };
}

function joined(pieces: readonly SoundPiece[]): Float32Array {
  return Float32Array.from(pieces.flatMap((piece) => [...piece.pcm]));
}

function framesOf(piece: SoundPiece): number {
  return piece.pcm.length / (graphs.parameters.hopSamples * graphs.parameters.latentsPerFrame);
}

describe.each([0, 1])('a sentence of the shipped voice, %i', (which) => {
  const line = lines[which]!;
  let clean: Awaited<ReturnType<typeof say>>;
  beforeAll(async () => {
    clean = await say(line);
  });

  it('begins with one frame, goes on with two and then four, and ends with what is left', () => {
    const { pieces, asked } = clean;
    const sizes = pieces.map(framesOf);
    // Of the first frame the silence before the first sound is left out.
    expect(sizes[0]).toBeLessThanOrEqual(1);
    expect(sizes[1]).toBe(2);
    expect(sizes.slice(2, -1).every((size) => size === 4)).toBe(true);
    expect(Math.ceil(sizes[0]!) + sizes.slice(1).reduce((sum, size) => sum + size, 0)).toBe(asked.length);
    expect(pieces.at(-1)?.last).toBe(true);
  });

  it('has no joint that is heard, and the sound of the whole to its last sample', async () => {
    const { pieces, decoded, asked } = clean;
    expect(decoded).toEqual(asked);
    const pcm = joined(pieces);
    const whole = await graphs.toSound(await graphs.latents(asked));
    amplify(whole, graphs.parameters.gain);
    const skipped = whole.length - pcm.length;
    let error = 0;
    let power = 0;
    // Both ends are faded in 4 ms.
    for (let i = 100; i < pcm.length - 100; i += 1) {
      error += (pcm[i]! - whole[skipped + i]!) ** 2;
      power += whole[skipped + i]! ** 2;
    }
    expect(10 * Math.log10(power / error)).toBeGreaterThan(40);
    let at = 0;
    for (const piece of pieces.slice(0, -1)) {
      at += piece.pcm.length;
      expect(jointRoughness(pcm, at)).toBeLessThan(AUDIBLE);
    }
  });

  it('conceals codes that are none, counts them, and loses no time and no smoothness by it', async () => {
    const spoilt = await say(line, (frame, number) =>
      number % 5 === 3 ? frame.map((code, layer) => (layer > 2 ? 4096 + layer : code)) : frame,
    );
    const bad = spoilt.asked.filter((_, number) => number % 5 === 3).length;
    expect(clean.sentence.concealedCodes).toBe(0);
    expect(spoilt.sentence.concealedCodes).toBe(4 * bad);
    expect(bad).toBeGreaterThan(0);
    expect(spoilt.decoded.flat().every((code) => code >= 0 && code < 4096)).toBe(true);
    const pcm = joined(spoilt.pieces);
    expect(pcm).toHaveLength(joined(clean.pieces).length);
    let at = 0;
    for (const piece of spoilt.pieces.slice(0, -1)) {
      at += piece.pcm.length;
      expect(jointRoughness(pcm, at)).toBeLessThan(AUDIBLE);
    }
  });
});
