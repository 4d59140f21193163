import { join } from 'node:path';
import { openModelFolder } from '../../../src/model/manifest';
import type { VoiceChunk } from '../../../src/model/parts';
import { Breath } from '../../../src/model/piper/breath';
import { CONTEXT_FRAMES } from '../../../src/model/piper/chunk-plan';
import { normalDeviates } from '../../../src/model/piper/noise';
import { phonemeIds } from '../../../src/model/piper/phoneme-ids';
import { PiperVoice } from '../../../src/model/piper/piper-voice';
import { VitsGraphs } from '../../../src/model/piper/vits-graphs';

jest.setTimeout(240_000);

const models = join(__dirname, '..', '..', '..', 'models');
/** dBFS of each tenth of a second of "Good morning.", seed 1. */
const GOLDEN_LEVELS: readonly number[] = [-19.2, -26.4, -16.5, -17.2, -22.5, -32.5, -60, -60, -60];
const never = new AbortController().signal;
let voice: PiperVoice;

beforeAll(async () => {
  voice = await PiperVoice.open({
    voiceFolder: join(models, 'piper-joe'),
    pronunciationFolder: join(models, 'g2p-en'),
  });
});
afterAll(() => voice.close());

async function speak(text: string, speaker = voice): Promise<VoiceChunk[]> {
  const chunks: VoiceChunk[] = [];
  for await (const chunk of speaker.synthesise(text, never)) chunks.push(chunk);
  return chunks;
}

function joined(chunks: readonly VoiceChunk[]): Float32Array {
  return Float32Array.from(chunks.flatMap(({ pcm }) => [...pcm]));
}

/** Each word with its place in the whole, in seconds. */
function timed(chunks: readonly VoiceChunk[]): { text: string; from: number; to: number }[] {
  let start = 0;
  return chunks.flatMap(({ pcm, words }) => {
    const here = words.map(({ text, startSample, endSample }) => ({
      text,
      from: (start + startSample) / voice.sampleRate,
      to: (start + endSample) / voice.sampleRate,
    }));
    start += pcm.length;
    return here;
  });
}

function sameBytes(a: Float32Array, b: Float32Array): boolean {
  return Buffer.from(a.buffer).equals(Buffer.from(b.buffer));
}

function decibels(pcm: Float32Array): number {
  return 10 * Math.log10(pcm.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, pcm.length) + 1e-12);
}

describe('the Piper voice', () => {
  test('begins with a chunk of a tenth of a second and says every written word once, in order', async () => {
    const chunks = await speak('The room costs £45.50 a night, and breakfast ends at 10:30 am.');
    expect((chunks[0]?.pcm.length ?? 0) / voice.sampleRate).toBeCloseTo(0.116, 3);
    const words = timed(chunks);
    expect(words.map(({ text }) => text)).toEqual([
      'The',
      'room',
      'costs',
      '£45.50',
      'a',
      'night,',
      'and',
      'breakfast',
      'ends',
      'at',
      '10:30',
      'am.',
    ]);
    const whole = joined(chunks).length / voice.sampleRate;
    for (const [index, word] of words.entries()) {
      expect(word.to).toBeGreaterThan(word.from);
      expect(word.to).toBeLessThanOrEqual(whole);
      if (index > 0) expect(word.from).toBeGreaterThanOrEqual((words[index - 1]?.to ?? 0) - 1e-6);
    }
    // Four pounds' worth of words takes longer than "a".
    const lengthOf = (text: string) =>
      words.filter((word) => word.text === text).reduce((sum, { from, to }) => sum + to - from, 0);
    expect(lengthOf('£45.50')).toBeGreaterThan(5 * lengthOf('a'));
  });

  test('speaks where its words say that it speaks, and is silent between sentences', async () => {
    const chunks = await speak('Hello there. Good night.');
    const pcm = joined(chunks);
    const words = timed(chunks);
    const level = (from: number, to: number) =>
      decibels(pcm.subarray(Math.round(from * voice.sampleRate), Math.round(to * voice.sampleRate)));
    for (const { from, to } of words) expect(level(from, to)).toBeGreaterThan(-35);
    const [, there, good] = words;
    expect(level((there?.to ?? 0) + 0.12, (good?.from ?? 0) - 0.04)).toBeLessThan(-50);
    // The start mark's silence is cut off: sound within 60 ms.
    expect(level(0, 0.06)).toBeGreaterThan(-60);
  });

  test('is steady: active speech near -19 dBFS on different sentences, peaks below the ceiling', async () => {
    for (const text of [
      'Sure, one moment please.',
      'The swimming pool is open until nine in the evening.',
      'What is your last name?',
    ]) {
      const pcm = joined(await speak(text));
      const active = pcm.filter((sample) => Math.abs(sample) > 0.01);
      expect(decibels(active)).toBeGreaterThan(-23);
      expect(decibels(active)).toBeLessThan(-15);
      expect(pcm.every((sample) => Math.abs(sample) <= 0.951)).toBe(true);
    }
  });

  test('says the same the same way twice, and another way with another seed', async () => {
    const text = 'Certainly.';
    const first = joined(await speak(text));
    expect(sameBytes(joined(await speak(text)), first)).toBe(true);
    const other = await PiperVoice.open({
      voiceFolder: join(models, 'piper-joe'),
      pronunciationFolder: join(models, 'g2p-en'),
      seed: 5,
    });
    try {
      expect(sameBytes(joined(await speak(text, other)), first)).toBe(false);
    } finally {
      await other.close();
    }
  });

  test('sounds as it did when it was accepted: the level of each tenth of a second', async () => {
    const pcm = joined(await speak('Good morning.'));
    const step = voice.sampleRate / 10;
    const levels = Array.from({ length: Math.floor(pcm.length / step) }, (_, index) =>
      Math.max(-60, decibels(pcm.slice(index * step, (index + 1) * step))),
    );
    expect(levels.length).toBe(GOLDEN_LEVELS.length);
    for (const [index, level] of levels.entries())
      expect(Math.abs(level - (GOLDEN_LEVELS[index] ?? 0))).toBeLessThan(1.5);
  });

  test('joins chunks without a step: no sample jump at a border is larger than those inside speech', async () => {
    const chunks = await speak('The museum is about a ten minute walk across the bridge, and it closes at six.');
    const jumps = chunks.slice(1).map(({ pcm }, index) => Math.abs((pcm[0] ?? 0) - (chunks[index]?.pcm.at(-1) ?? 0)));
    const pcm = joined(chunks);
    let largest = 0;
    for (let index = 1; index < pcm.length; index += 1)
      largest = Math.max(largest, Math.abs((pcm[index] ?? 0) - (pcm[index - 1] ?? 0)));
    expect(jumps.length).toBeGreaterThan(4);
    for (const jump of jumps) expect(jump).toBeLessThan(largest * 0.8);
  });

  test('stops between two steps when aborted, with the reason given', async () => {
    const abort = new AbortController();
    const reason = new Error('the caller spoke');
    let chunks = 0;
    const speaking = (async () => {
      for await (const _ of voice.synthesise(
        'This is a long sentence that will never be heard to its end, for somebody speaks.',
        abort.signal,
      )) {
        chunks += 1;
        if (chunks === 2) abort.abort(reason);
      }
    })();
    await expect(speaking).rejects.toBe(reason);
    expect(chunks).toBe(2);
    await expect(voice.synthesise('No.', AbortSignal.abort(reason)).next()).rejects.toBe(reason);
  });

  test.each([
    ['nothing', ''],
    ['white space', ' \n\t '],
    ['emoji', '😀🎉 👩‍👩‍👧‍👦'],
    ['other scripts', '你好 Привет مرحبا'],
    ['control characters', '\u0000\u0007\u001b\ud800'],
    ['punctuation', '... ?! ;;; --- ()'],
  ])('%s is passed over in silence', async (_, text) => {
    expect(await speak(text)).toEqual([]);
  });

  test.each([
    ['a word among emoji', '😀 hello 😀'],
    ['letters without a vowel', 'xkcdqqzzt'],
    ['a word of sixty letters', 'ab'.repeat(30)],
    ['markup', '<b>Hi</b> **there** `x`'],
    ['a broken number', '$1,2.3.4%-7:99pm'],
  ])('%s is spoken somehow', async (_, text) => {
    const chunks = await speak(text);
    expect(joined(chunks).every(Number.isFinite)).toBe(true);
    expect(decibels(joined(chunks))).toBeGreaterThan(-45);
  });

  test('ten thousand characters begin as quickly as a sentence and can be stopped', async () => {
    const abort = new AbortController();
    let samples = 0;
    const speaking = (async () => {
      for await (const { pcm } of voice.synthesise('all work and no play '.repeat(480), abort.signal)) {
        samples += pcm.length;
        if (samples > 4_000) abort.abort(new Error('enough'));
      }
    })();
    await expect(speaking).rejects.toThrow('enough');
    expect(samples).toBeLessThan(3 * voice.sampleRate);
  });
});

describe('a breath', () => {
  test('in chunks with context is the same sound as in one piece', async () => {
    const graphs = await VitsGraphs.open(await openModelFolder(join(models, 'piper-joe')));
    try {
      const say = 'ðə mjuːzˈiəm ɪz ɐbˌaʊt ɐ tˈɛn mˈɪnɪt wˈɔːk ɐkɹˌɔs ðə bɹˈɪdʒ'.split(' ');
      const said = say.map((phonemes, written) => ({
        token: { kind: 'word' as const, text: 'x', written },
        phonemes,
        joined: false,
        pauseAfter: undefined,
      }));
      const phonemes = phonemeIds(said, '.', graphs.parameters.phonemeIds);
      const noise = normalDeviates(graphs.parameters.channels * 1_024, 1);
      const encoded = await graphs.encode(phonemes.ids, normalDeviates(2 * phonemes.ids.length, 2));
      const whole = new Breath(graphs, phonemes, encoded, noise);
      const sound = await graphs.toSound(await whole.latents(0, whole.frames));
      // The same in two flows and a chunk from the middle.
      const pieces = new Breath(graphs, phonemes, encoded, noise);
      await pieces.latents(0, 34);
      const [from, to] = [40, 72];
      const chunk = await graphs.toSound(await pieces.latents(from - CONTEXT_FRAMES, to + CONTEXT_FRAMES));
      const hop = graphs.parameters.hopSamples;
      let error = 0;
      let power = 0;
      for (let sample = 0; sample < (to - from) * hop; sample += 1) {
        const want = sound[from * hop + sample] ?? 0;
        error += (want - (chunk[CONTEXT_FRAMES * hop + sample] ?? 0)) ** 2;
        power += want ** 2;
      }
      expect(10 * Math.log10(power / (error + 1e-20))).toBeGreaterThan(60);
    } finally {
      await graphs.close();
    }
  });
});
