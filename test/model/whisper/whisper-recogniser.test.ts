import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { openModelFolder } from '../../../src/model/manifest';
import { Vocabulary } from '../../../src/model/whisper/vocabulary';
import {
  decoderSignature,
  encoderSignature,
  whisperParametersSchema,
} from '../../../src/model/whisper/whisper-parameters';
import { openWhisper, WhisperRecogniser } from '../../../src/model/whisper/whisper-recogniser';
import { type OnnxSession, openSession } from '../../../src/onnx/session';

const folder = join(__dirname, '../../../models/whisper-base');
const never = new AbortController().signal;

function readFixture(name: string): Float32Array {
  const bytes = readFileSync(join(__dirname, '../../fixtures/whisper', name));
  const start = bytes.indexOf('data', 12, 'latin1') + 8;
  return Float32Array.from({ length: (bytes.length - start) >> 1 }, (_, i) => bytes.readInt16LE(start + 2 * i) / 32768);
}

/** Evenly distributed noise by a linear congruential generator, so that a seed finds it again. */
function noise(samples: number, amplitude: number, seed: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length: samples }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * amplitude;
  });
}

describe('WhisperRecogniser on the shipped weights', () => {
  const question = readFixture('question.wav');
  let recogniser: WhisperRecogniser;

  beforeAll(async () => {
    recogniser = await openWhisper(folder);
  });
  afterAll(() => recogniser.close());

  it('writes what was said', async () => {
    const result = await recogniser.recognise(question, never);
    expect(result).toMatchObject({ text: 'What time do you open on Monday?', speech: true, stoppedBy: 'end' });
    expect(result.meanLogProbability).toBeGreaterThan(-0.5);
  });

  it('comes to the same words from an earlier result, right or wrong', async () => {
    const whole = await recogniser.recognise(question, never);
    const half = await recogniser.recognise(question.subarray(0, question.length >> 1), never);
    const wrong = { ...whole, tokenIds: whole.tokenIds.map((token) => token + 1) };
    for (const earlier of [whole, half, wrong]) {
      expect((await recogniser.recognise(question, never, earlier)).text).toBe(whole.text);
    }
  });

  it('gives two callers at a time what each gets alone', async () => {
    const other = question.subarray(0, question.length >> 1);
    const alone = [await recogniser.recognise(question, never), await recogniser.recognise(other, never)];
    const together = await Promise.all([question, other].map((pcm) => recogniser.recognise(pcm, never)));
    expect(together).toEqual(alone);
  });

  it('says that silence, no audio, hiss and a tone are no speech', async () => {
    const tone = Float32Array.from({ length: 24000 }, (_, n) => 0.3 * Math.sin((2 * Math.PI * 440 * n) / 16000));
    const sounds = [new Float32Array(0), new Float32Array(48000), noise(32000, 0.001, 1), noise(32000, 0.1, 2), tone];
    for (const pcm of sounds) {
      expect(await recogniser.recognise(pcm, never)).toMatchObject({ speech: false, text: '' });
    }
  });

  it('stops between two steps when the caller aborts, and goes on serving others', async () => {
    const model = await openModelFolder(folder);
    const parameters = model.parameters(whisperParametersSchema);
    const encoder = await openSession(await model.read('encoder.onnx'), { expect: encoderSignature(parameters) });
    const decoder = await openSession(await model.read('decoder.onnx'), { expect: decoderSignature(parameters) });
    const controller = new AbortController();
    let steps = 0;
    const counted: OnnxSession = {
      inputNames: decoder.inputNames,
      outputNames: decoder.outputNames,
      run: (feeds, fetches) => {
        if (++steps === 3) controller.abort(new Error('barge-in'));
        return decoder.run(feeds, fetches);
      },
      close: () => decoder.close(),
    };
    const own = new WhisperRecogniser(encoder, counted, new Vocabulary(await model.readText('tokens.txt')), parameters);
    await expect(own.recognise(question, controller.signal)).rejects.toThrow('barge-in');
    expect(steps).toBe(3);
    await expect(own.recognise(question, AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
    expect(steps).toBe(3);
    expect((await own.recognise(question, never)).speech).toBe(true);
    await own.close();
  });

  it('cuts audio beyond its context at a quiet place and joins the words', async () => {
    const pause = 16000 * 26;
    const long = new Float32Array(2 * question.length + pause);
    long.set(question);
    long.set(question, question.length + pause);
    expect(long.length / 16000).toBeGreaterThan(recogniser.maxSeconds);
    const { text, speech } = await recogniser.recognise(long, never);
    expect(speech).toBe(true);
    expect(text.match(/Monday/g)).toHaveLength(2);
  });

  it('ends within its bounds on any audio', async () => {
    const audio = fc.record({
      samples: fc.oneof(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 3 * 16000 })),
      amplitude: fc.double({ min: 0, max: 4, noNaN: true }),
      seed: fc.nat(),
      from: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(audio, async ({ samples, amplitude, seed, from }) => {
        const pcm = noise(samples, amplitude, seed);
        // Half of the time a piece of speech cut anywhere lies under the noise.
        if (seed % 2 === 0) {
          const piece = question.subarray(Math.floor(from * question.length));
          for (let i = 0; i < Math.min(pcm.length, piece.length); i++) pcm[i]! += piece[i]!;
        }
        const result = await recogniser.recognise(pcm, never);
        expect(result.tokenIds.length).toBeLessThanOrEqual((samples / 16000) * 8 + 11);
        expect(Number.isFinite(result.meanLogProbability)).toBe(true);
        expect(result.text === '').toBe(!result.speech);
      }),
      { numRuns: 15 },
    );
  });
});
