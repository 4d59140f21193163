/**
 * A tiny random checkpoint in the published layout of LLaMA-Omni, imported (test/fixtures/llama-omni, made by the recipe),
 * must hear, write, choose units and sound as the reference in torch does, however the answer is cut.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CtcCollapser } from '../../../src/model/llama-omni/ctc';
import type { LlamaOmni } from '../../../src/model/llama-omni/llama-omni';
import { LlamaTrunk } from '../../../src/model/llama-omni/llama-trunk';
import { openLlamaOmni } from '../../../src/model/llama-omni/open-llama-omni';
import { type LlamaOmniParameters, llamaOmniParametersSchema } from '../../../src/model/llama-omni/parameters';
import { SpeechDecoder } from '../../../src/model/llama-omni/speech-decoder';
import { StackedEncoder } from '../../../src/model/llama-omni/stacked-encoder';
import { FIELD_FRAMES, UnitSound, UnitVocoder } from '../../../src/model/llama-omni/unit-vocoder';
import { openModelFolder } from '../../../src/model/manifest';
import type { AnswerEvent, AnswerInput, Working } from '../../../src/model/omni-model';
import type { Recogniser, Voice } from '../../../src/model/parts';
import { TextTokenizer } from '../../../src/model/trunk/text-tokenizer';

interface Answer {
  readonly tokens: readonly number[];
  readonly symbols: readonly number[];
  readonly units: readonly number[];
  readonly frames: readonly number[];
  /** Every seventh sample, int16, base64. */
  readonly pcm: string;
}

const folder = join(__dirname, '../../fixtures/llama-omni');
const golden: {
  samples: number;
  mostTokens: number;
  question: string;
  vectors: number[];
  answers: { spoken: Answer; written: Answer };
} = JSON.parse(readFileSync(join(folder, 'golden.json'), 'utf8'));
const never = new AbortController().signal;
const how = { threads: 1, label: 'llama-omni' };
const EVERY = 7;

const chirp = Int16Array.from({ length: golden.samples }, (_, n) => {
  const t = n / 16_000;
  return Math.round(8_000 * Math.sin(2 * Math.PI * 220 * t + 3 * Math.sin(2 * Math.PI * 3 * t)));
});

function samplesOf({ pcm }: Answer): Int16Array {
  const bytes = Buffer.from(pcm, 'base64');
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

let parameters: LlamaOmniParameters;
const closing: { close(): Promise<void> }[] = [];
const keep = <T extends { close(): Promise<void> }>(part: T): T => {
  closing.push(part);
  return part;
};

beforeAll(async () => {
  parameters = (await openModelFolder(folder)).parameters(llamaOmniParametersSchema);
});
afterAll(async () => {
  for (const part of closing) await part.close();
});

it('hears the vectors of the adapter', async () => {
  const encoder = keep(await StackedEncoder.open(join(folder, 'encoder.onnx'), parameters, how));
  const vectors = await encoder.encode(Float32Array.from(chirp, (sample) => sample / 32_768));
  expect(vectors).toHaveLength(300 * parameters.trunk.width);
  const ends = [...vectors.subarray(0, parameters.trunk.width), ...vectors.subarray(-parameters.trunk.width)];
  ends.forEach((value, i) => {
    expect(value).toBeCloseTo(golden.vectors[i]!, 3);
  });
}, 60_000);

it.each([1, 2, 7])(
  'chooses the units of the whole when it reads %i tokens at a time',
  async (step) => {
    const trunk = keep(await LlamaTrunk.open(join(folder, 'trunk.onnx'), parameters.trunk, how));
    const decoder = keep(await SpeechDecoder.open(join(folder, 'speech-decoder.onnx'), parameters.decoder, how));
    const tokenizer = new TextTokenizer(readFileSync(join(folder, 'tokenizer.json'), 'utf8'));
    const { tokens, symbols, units } = golden.answers.written;
    const sequence = trunk.begin();
    const { before, behind } = parameters.prompt;
    let { hidden } = await sequence.readTokens([...before, ...tokenizer.encode(golden.question), ...behind]);
    const rows: number[] = [];
    for (const token of tokens) {
      for (let n = 0; n < parameters.upsample; n += 1) rows.push(...hidden);
      ({ hidden } = await sequence.readTokens([token]));
    }
    const stream = decoder.begin();
    const collapser = new CtcCollapser(parameters.decoder.units);
    const size = step * parameters.upsample * parameters.trunk.width;
    const read: number[] = [];
    const collapsed: number[] = [];
    for (let from = 0; from < rows.length; from += size) {
      const found = await stream.read(Float32Array.from(rows.slice(from, from + size)));
      read.push(...found);
      collapsed.push(...collapser.push(found));
    }
    expect(read).toEqual(symbols);
    expect(collapsed).toEqual(units);
  },
  60_000,
);

describe('the vocoder', () => {
  it.each([
    [2, 5],
    [3, 10],
    [10, 30],
    [200, 200],
  ])(
    'sounds chunks of %i and then %i units as it sounds them all',
    async (first, omega) => {
      const files = await openModelFolder(folder);
      const sources = {
        durations: await files.read('unit-durations.onnx'),
        sound: await files.read('unit-sound.onnx'),
      };
      const vocoder = keep(await UnitVocoder.open(sources, how));
      const { units, frames } = golden.answers.spoken;
      const sound = new UnitSound(vocoder, parameters.vocoder.samplesPerFrame, {
        first,
        omega,
        framesBehind: FIELD_FRAMES,
      });
      const pcm: number[] = [];
      const take = async () => {
        for (let piece = await sound.next(never); piece !== undefined; piece = await sound.next(never)) {
          expect(piece.from * parameters.vocoder.samplesPerFrame).toBe(pcm.length);
          pcm.push(...piece.pcm);
        }
      };
      for (const unit of units) {
        sound.push([unit]);
        await take();
      }
      sound.end();
      await take();
      expect(pcm).toHaveLength(frames.reduce((sum, count) => sum + count, 0) * parameters.vocoder.samplesPerFrame);
      samplesOf(golden.answers.spoken).forEach((value, i) => {
        expect(Math.abs(pcm[i * EVERY]! * 32_767 - value)).toBeLessThan(8);
      });
    },
    240_000,
  );
});

describe('the engine', () => {
  const recogniser: Recogniser = {
    maxSeconds: 30,
    recognise: async () => ({ text: 'hello', speech: true, meanLogProbability: 0 }),
    close: async () => undefined,
  };
  const reader: Voice = { sampleRate: 16_000, async *synthesise() {}, close: async () => undefined };
  let model: LlamaOmni;

  beforeAll(async () => {
    model = await openLlamaOmni({
      folder,
      threads: 1,
      recogniser,
      reader,
      rules: { framesBehind: FIELD_FRAMES },
      mostTokens: golden.mostTokens,
      nowMs: () => 0,
    });
  }, 240_000);
  afterAll(() => model.close());

  it.each<['spoken' | 'written', AnswerInput]>([
    ['spoken', { kind: 'audio', fromSample: 0, toSample: golden.samples }],
    ['written', { kind: 'text', text: golden.question }],
  ])(
    'answers a %s question with the text and the sound of the reference',
    async (name, input) => {
      const session = await model.openSession();
      session.hear(chirp, 0);
      const events: (AnswerEvent | Working)[] = [];
      for await (const event of session.answer(input, never)) events.push(event);
      const tokenizer = new TextTokenizer(readFileSync(join(folder, 'tokenizer.json'), 'utf8'));
      const text = events.map((event) => (event.type === 'text' ? event.delta : '')).join('');
      const whole = tokenizer.decode(golden.answers[name].tokens);
      // Bytes that make no character at the end are never written.
      expect(whole.startsWith(text)).toBe(true);
      expect(whole.slice(text.length)).toMatch(/^.{0,4}$/su);
      const pcm = events.flatMap((event) => (event.type === 'audio' ? [...event.pcm] : []));
      const wanted = samplesOf(golden.answers[name]);
      expect(Math.ceil(pcm.length / EVERY)).toBe(wanted.length);
      wanted.forEach((value, i) => {
        expect(Math.abs(pcm[i * EVERY]! - value)).toBeLessThan(8);
      });
      session.close();
    },
    240_000,
  );
});
