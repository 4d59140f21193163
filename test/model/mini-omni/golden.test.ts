/**
 * A tiny random checkpoint in the published layout, converted to ONNX, must say token by token what the reference in
 * torch says (trunkline_recipe.families.mini_omni.fixtures; that reference agrees with Qwen2 of `transformers` and with
 * the `snac` package to 1e-5 on the same weights).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FrameAssembler } from '../../../src/model/codec/delay-pattern';
import { jointRoughness } from '../../../src/model/codec/joints';
import { SnacDecoder } from '../../../src/model/codec/snac-decoder';
import { StreamingDecoder } from '../../../src/model/codec/streaming-decoder';
import { type ModelFolder, openModelFolder } from '../../../src/model/manifest';
import { MiniOmniIds } from '../../../src/model/mini-omni/ids';
import { OnnxStreamModel } from '../../../src/model/mini-omni/onnx-stream-lm';
import { type MiniOmniParameters, miniOmniParametersSchema } from '../../../src/model/mini-omni/parameters';
import { promptFor } from '../../../src/model/mini-omni/prompts';
import {
  readQuestion,
  SPEAK_RULES,
  type SpeakRules,
  type SpokenQuestion,
  speak,
  write,
} from '../../../src/model/mini-omni/speak';
import { type HeardVectors, SpeechEncoder } from '../../../src/model/mini-omni/speech-encoder';

interface Golden {
  readonly samples: number;
  readonly mostSteps: number;
  readonly heard: number;
  readonly features: readonly number[];
  readonly words: readonly number[];
  readonly frames: readonly (readonly number[])[];
  readonly prompts: Readonly<Record<'A1A2' | 'A1T2' | 'A1T1' | 'T1A2' | 'T1T2', number[][]>>;
  readonly speech: Readonly<Record<'guarded' | 'plain', Record<'batch' | 'single' | 'fromText', number[][]>>>;
  readonly text: Readonly<Record<'A1T2' | 'A1T1' | 'T1T2', number[]>>;
  readonly codec: { readonly frames: number[][]; readonly pcm: string };
}

const path = join(__dirname, '../../fixtures/mini-omni');
const golden: Golden = JSON.parse(readFileSync(join(path, 'golden.json'), 'utf8'));
const never = new AbortController().signal;

let folder: ModelFolder;
let parameters: MiniOmniParameters;
let ids: MiniOmniIds;
let model: OnnxStreamModel;
let encoder: SpeechEncoder;
let heard: HeardVectors;

/** The wavering tone of the fixture, as 16-bit samples. */
function chirp(samples: number): Float32Array {
  return Float32Array.from({ length: samples }, (_, n) => {
    const t = n / 16_000;
    return Math.round(8_000 * Math.sin(2 * Math.PI * 220 * t + 3 * Math.sin(2 * Math.PI * 3 * t))) / 32_768;
  });
}

async function* talk(task: 'A1A2' | 'T1A2', question: SpokenQuestion, rules: SpeakRules) {
  yield* speak(await readQuestion(model, ids, question, never), ids, task, rules, never);
}

async function* jot(
  task: 'A1T2' | 'A1T1' | 'T1T2',
  question: SpokenQuestion,
  rules: Pick<SpeakRules, 'guarded' | 'endLoops' | 'mostSteps'>,
) {
  yield* write(await readQuestion(model, ids, question, never), ids, task, rules, never);
}

beforeAll(async () => {
  folder = await openModelFolder(path);
  await folder.verify();
  parameters = folder.parameters(miniOmniParametersSchema);
  ids = new MiniOmniIds(parameters);
  model = await OnnxStreamModel.open(folder, parameters, 1);
  encoder = await SpeechEncoder.open(folder, parameters, 1);
  heard = await encoder.encode(chirp(golden.samples));
});
afterAll(() => Promise.all([model.close(), encoder.close()]));

describe('Mini-Omni on a tiny checkpoint in the published layout', () => {
  it('hears what the reference hears', () => {
    expect(heard.heard).toBe(golden.heard);
    const width = parameters.width;
    const found = [...heard.vectors.subarray(0, width), ...heard.vectors.subarray((heard.heard - 1) * width)];
    found.forEach((value, i) => {
      expect(Math.abs(value - golden.features[i]!)).toBeLessThan(5e-3);
    });
  });

  it.each(['A1A2', 'A1T2', 'A1T1', 'T1A2', 'T1T2'] as const)('asks with the prompt of %s', (task) => {
    const question = task.startsWith('A') ? { heard: 2 } : { words: golden.words };
    expect(promptFor(ids, task, question)).toEqual(golden.prompts[task]);
  });

  it.each(
    (['guarded', 'plain'] as const).flatMap((rules) =>
      (['batch', 'single', 'fromText'] as const).map((mode) => [rules, mode] as const),
    ),
  )('speaks as the reference does: %s, %s', async (rules, mode) => {
    const task = mode === 'fromText' ? 'T1A2' : 'A1A2';
    const question = mode === 'fromText' ? { words: golden.words } : heard;
    const limits = {
      ...SPEAK_RULES,
      guarded: rules === 'guarded',
      endLoops: false,
      batch: mode === 'batch',
      mostSteps: golden.mostSteps,
    };
    const found: number[][] = [];
    for await (const { codes, text } of talk(task, question, limits)) found.push([...codes, text]);
    expect(found).toEqual(golden.speech[rules][mode]);
  });

  it('assembles the frames of what was said', () => {
    const assembler = new FrameAssembler();
    const frames = golden.speech.guarded.batch.map((step) => assembler.push(step.slice(0, 7)));
    expect(frames.filter((frame) => frame !== undefined)).toEqual(golden.frames);
  });

  it.each(['A1T2', 'A1T1', 'T1T2'] as const)('writes as the reference does: %s', async (task) => {
    const question = task === 'T1T2' ? { words: golden.words } : heard;
    const found: number[] = [];
    for await (const text of jot(task, question, { guarded: false, endLoops: false, mostSteps: golden.mostSteps })) {
      found.push(text);
    }
    expect(found).toEqual(golden.text[task]);
  });
});

describe('SNAC on tiny weights in the published layout', () => {
  const expected = () => {
    const bytes = Buffer.from(golden.codec.pcm, 'base64');
    return Float32Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readInt16LE(2 * i) / 32_767);
  };

  it('sounds as the reference does', async () => {
    const decoder = await SnacDecoder.open(folder, 'snac.onnx', parameters.snac, { noiseLevel: 0 });
    const pcm = await decoder.decode(golden.codec.frames, 0);
    const wanted = expected();
    expect(pcm).toHaveLength(wanted.length);
    expect(pcm.length).toBe(golden.codec.frames.length * parameters.snac.samplesPerFrame);
    expect(pcm.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i]!)), 0)).toBeLessThan(1e-4);
    await decoder.close();
  });

  it('comes out in windows as it does whole, noise and all, when they reach three frames either side', async () => {
    const decoder = await SnacDecoder.open(folder, 'snac.onnx', parameters.snac);
    const frames = golden.frames.map((frame) => frame.map((code) => Math.min(code, parameters.snac.codebookSize - 1)));
    const whole = await decoder.decode(frames, 0);
    const streaming = new StreamingDecoder(decoder, {
      windows: { sizes: [1, 2, 4], left: 3, right: 3, firstRight: 3 },
      fadeSamples: 0,
    });
    let at = 0;
    let farthest = 0;
    const joints: number[] = [];
    const take = async () => {
      for (let chunk = await streaming.next(); chunk !== undefined; chunk = await streaming.next()) {
        chunk.pcm.forEach((value, i) => {
          farthest = Math.max(farthest, Math.abs(value - whole[at + i]!));
        });
        at += chunk.pcm.length;
        joints.push(at);
      }
    };
    for (const frame of frames) {
      streaming.push(frame);
      await take();
    }
    streaming.end();
    await take();
    expect(at).toBe(whole.length);
    expect(farthest).toBeLessThan(1e-5);
    for (const joint of joints.slice(0, -1)) expect(jointRoughness(whole, joint)).toBeLessThan(4);
    await decoder.close();
  });
});
