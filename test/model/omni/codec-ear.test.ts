/**
 * The codec's encoder of PCM: with random weights the codes of the Python reference; as it ships, the words of human recordings
 * that nothing has learnt from, said again by the voice.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { joinInt16, toFloat, toInt16 } from '../../../src/audio/pcm';
import { Resampler } from '../../../src/audio/resampler';
import { readWav } from '../../../src/audio/wav';
import { toCodebooks } from '../../../src/model/codec/frame-codes';
import { openModelFolder } from '../../../src/model/manifest';
import { CodecEar } from '../../../src/model/omni/codec-ear';
import { VoiceGraphs } from '../../../src/model/omni/voice-graphs';
import { amplify } from '../../../src/model/piper/loudness';
import { openWhisper, type WhisperRecogniser } from '../../../src/model/whisper/whisper-recogniser';
import { float32Tensor } from '../../../src/onnx/tensors';

const root = join(__dirname, '../../..');
const fixtures = join(root, 'test/fixtures');
const never = new AbortController().signal;

/** 16 kHz mono −1…1. */
function recording(path: string): Float32Array {
  const { pcm, sampleRate } = readWav(readFileSync(join(fixtures, path)));
  return at16kHz(pcm[0]!, sampleRate);
}

function at16kHz(pcm: Int16Array, sampleRate: number): Float32Array {
  return toFloat(joinInt16(new Resampler(sampleRate, 16_000).push(pcm)));
}

describe('the ear of the codec with random weights', () => {
  interface Golden {
    readonly hidden: readonly (readonly number[])[];
    readonly first8of4Channels: readonly (readonly number[])[];
    readonly codes: readonly (readonly number[])[];
  }
  const golden: Golden = JSON.parse(readFileSync(join(fixtures, 'omni/golden-ear.json'), 'utf8'));
  const pcm = recording('whisper/question.wav');
  let ear: CodecEar;
  beforeAll(async () => {
    // States of the tiny net's own width, for which there is no recogniser.
    const hidden = float32Tensor(Float32Array.from(golden.hidden.flat()), [1, golden.hidden.length, 8]);
    const encode = async (heard: Float32Array) => ({
      seconds: heard.length / 16_000,
      mel: hidden,
      tensors: { hidden },
    });
    ear = await CodecEar.open(await openModelFolder(join(fixtures, 'omni')), { encode });
  });
  afterAll(() => ear.close());

  it('gives the latents and exactly the codes of the reference', async () => {
    const latents = await ear.latents(pcm);
    golden.first8of4Channels.forEach((channel, c) => {
      channel.forEach((value, at) => {
        expect(latents.data[c * latents.frames + at]).toBeCloseTo(value, 4);
      });
    });
    expect(toCodebooks(await ear.encode(pcm))).toEqual(golden.codes);
  });

  it('makes no frame of nothing', async () => {
    expect(await ear.encode(new Float32Array(0))).toEqual([]);
  });
});

describe('the ear of the codec as it ships', () => {
  let whisper: WhisperRecogniser;
  let graphs: VoiceGraphs;
  let ear: CodecEar;
  beforeAll(async () => {
    const folder = await openModelFolder(join(root, 'models/omni-voice'));
    whisper = await openWhisper(join(root, 'models/whisper-base'));
    graphs = await VoiceGraphs.open(folder, await openModelFolder(join(root, 'models/piper-joe')));
    ear = await CodecEar.open(folder, whisper);
  });
  afterAll(() => Promise.all([ear.close(), graphs.close(), whisper.close()]));

  it.each([
    ['demo-echodone.wav', 'the echo test has been completed'],
    ['conf-onlyone.wav', 'there is currently one other participant in the conference'],
  ])('says again what a human said in %s', async (name, text) => {
    const pcm = recording(`human/${name}`);
    const frames = await ear.encode(pcm);
    expect(frames).toHaveLength(Math.ceil((pcm.length * 22_050) / (16_000 * 2_048)));
    expect(frames.flat().every((code) => code >= 0 && code < graphs.parameters.codes)).toBe(true);
    const sound = await graphs.toSound(await graphs.latents(frames));
    amplify(sound, graphs.parameters.gain);
    const said = await whisper.recognise(at16kHz(toInt16(sound), graphs.parameters.sampleRate), never);
    const heard = new Set(said.text.toLowerCase().match(/[a-z]+/g));
    const words = text.split(' ');
    expect(words.filter((word) => heard.has(word)).length).toBeGreaterThanOrEqual(0.75 * words.length);
  });

  it('takes the states of a recogniser that has heard the speech already', async () => {
    const pcm = recording('whisper/question.wav');
    expect(await ear.encode(pcm, await whisper.encode(pcm))).toEqual(await ear.encode(pcm));
  });

  it.each([
    ['silence', () => 0],
    ['a hum', (i: number) => 0.3 * Math.sin((2 * Math.PI * 50 * i) / 16_000)],
    ['clipping', (i: number) => (i % 40 < 20 ? 1 : -1)],
    ['samples that are no numbers', () => Number.NaN],
  ])('takes %s for as many frames as it lasts', async (_, sample) => {
    const frames = await ear.encode(Float32Array.from({ length: 16_000 }, (_, i) => sample(i)));
    expect(frames).toHaveLength(11);
    const { data } = await graphs.latents(frames);
    expect(data.every(Number.isFinite)).toBe(true);
  });
});
