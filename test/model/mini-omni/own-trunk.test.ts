/**
 * The layout on a trunk of our own: tiny random weights must say token by token what the reference in torch says
 * (trunkline_recipe.omni.mini_reference), and the row that thinks must stay the trunk's plain text.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openModelFolder } from '../../../src/model/manifest';
import { openRowVoice } from '../../../src/model/mini-omni/open-row-voice';
import { OnnxPostAdapter } from '../../../src/model/mini-omni/post-adapter';
import type { RowVoice } from '../../../src/model/mini-omni/row-voice';
import { SPEAK_RULES, speak, write } from '../../../src/model/mini-omni/speak';
import {
  type AnswerGuide,
  answerHead,
  type Guidance,
  idsOfTrunk,
  TrunkStreamModel,
} from '../../../src/model/mini-omni/trunk-stream-lm';
import type { VoiceChunk } from '../../../src/model/parts';
import { OneLineTrunk, spellingTrunk } from './one-line-trunk';

interface Golden {
  readonly latents: readonly (readonly number[])[];
  readonly framesKnownAfterText: readonly number[];
  readonly words: readonly number[];
  readonly mostSteps: number;
  readonly speech: Readonly<Record<'read' | 'single' | 'batch', number[][]>>;
}

const root = join(__dirname, '../../..');
const path = join(root, 'test/fixtures/mini-omni-own');
const golden: Golden = JSON.parse(readFileSync(join(path, 'golden.json'), 'utf8'));
const never = new AbortController().signal;

/** Knows the frames of the fixture, so many after so much text. */
class GoldenGuide implements AnswerGuide {
  private texts = 0;
  private ended = false;
  private said = 0;

  write(): void {
    this.texts += 1;
  }

  finish(): void {
    this.ended = true;
  }

  async next(): Promise<Guidance> {
    const { latents, framesKnownAfterText } = golden;
    const known = this.ended
      ? latents.length
      : Math.min(latents.length, framesKnownAfterText[Math.min(this.texts, framesKnownAfterText.length - 1)]!);
    if (this.said < known) return Float32Array.from(latents[this.said++]!);
    return this.ended ? 'end' : 'wait';
  }
}

const trunk = new OneLineTrunk(
  40,
  () => [5, 6],
  (tokenIds) => tokenIds.join(' '),
);

describe("Mini-Omni's layout on our own trunk", () => {
  let adapter: OnnxPostAdapter;
  let model: TrunkStreamModel;

  beforeAll(async () => {
    const folder = await openModelFolder(path);
    await folder.verify();
    adapter = await OnnxPostAdapter.open(folder);
    const { codes, specialAudioIds } = adapter.parameters;
    model = new TrunkStreamModel(trunk, adapter, idsOfTrunk(trunk, trunk.vocabulary, codes, specialAudioIds), () => {
      return new GoldenGuide();
    });
  });
  afterAll(() => adapter.close());

  async function prompted() {
    const context = trunk.createContext();
    await context.append(answerHead(trunk).slice(0, -1));
    return model.adopt(context);
  }

  it.each(['read', 'single', 'batch'] as const)('speaks as the reference does: %s', async (mode) => {
    const words = [...golden.words];
    const rules = { ...SPEAK_RULES, batch: mode === 'batch', endLoops: false, mostSteps: golden.mostSteps };
    const writer = mode === 'read' ? () => words.shift() ?? model.ids.eot : undefined;
    const sequence = await prompted();
    const found: number[][] = [];
    for await (const { codes, text } of speak(sequence, model.ids, 'A1A2', rules, never, writer)) {
      found.push([...codes, text]);
    }
    expect(found).toEqual(golden.speech[mode]);
    // Both rows of a step in one run, as far as the trunk can.
    expect(trunk.foreseen > 0).toBe(mode === 'batch');
    expect(trunk.mistaken).toBe(0);
    sequence.close();
    expect(trunk.live).toBe(0);
  });

  it('thinks in the plain text of the trunk, whatever it says beside', async () => {
    const context = trunk.createContext();
    let logits = await context.append(answerHead(trunk));
    const plain: number[] = [];
    for (;;) {
      const best = [...logits.keys()].reduce((a, b) => (logits[b]! > logits[a]! ? b : a));
      if (best < 4 || plain.length === 12) break;
      plain.push(best);
      logits = await context.append([best]);
    }
    context.dispose();
    expect(plain.length).toBeGreaterThan(3);
    const row = await prompted();
    const rules = { ...SPEAK_RULES, endLoops: false, mostSteps: 12 };
    const written: number[] = [];
    for await (const token of write(row, model.ids, 'A1T2', rules, never)) written.push(token);
    row.close();
    expect(written).toEqual(plain);
    const both = await prompted();
    const thought: number[] = [];
    for await (const { text } of speak(both, model.ids, 'A1A2', { ...rules, mostSteps: 30 }, never)) thought.push(text);
    both.close();
    expect(thought.slice(0, plain.length)).toEqual(plain);
  });
});

describe('the voice that is a row of the trunk', () => {
  const speller = spellingTrunk();
  let voice: RowVoice;

  beforeAll(async () => {
    voice = await openRowVoice({
      folder: path,
      generatorFolder: join(root, 'models/piper-joe'),
      pronunciationFolder: join(root, 'models/g2p-en'),
      trunk: speller,
    });
  }, 120_000);
  afterAll(() => voice.close());

  const text = 'We open at nine. Shall we talk about it?';

  async function said(pieces: readonly string[]): Promise<VoiceChunk[]> {
    const speech = voice.begin();
    const chunks: VoiceChunk[] = [];
    const drain = async () => {
      for (let chunk = await speech.next(never); chunk !== undefined; chunk = await speech.next(never))
        chunks.push(chunk);
    };
    for (const piece of pieces) {
      speech.push(piece);
      await drain();
    }
    speech.end();
    await drain();
    await speech.close();
    return chunks;
  }

  it('says the same however the text is cut', async () => {
    const whole = (await said([text])).flatMap(({ pcm }) => [...pcm]);
    const pieces = (await said(text.split(/(?<= )/))).flatMap(({ pcm }) => [...pcm]);
    expect(whole.length).toBeGreaterThan(0);
    expect(pieces).toEqual(whole);
    expect(speller.live).toBe(0);
  }, 60_000);

  it('tells each word once, in order and inside its chunk', async () => {
    const chunks = await said([text]);
    expect(chunks.flatMap(({ words }) => words.map((word) => word.text))).toEqual(text.split(' '));
    for (const { pcm, words } of chunks) {
      for (const { startSample, endSample } of words) {
        expect(startSample).toBeLessThanOrEqual(pcm.length);
        expect(endSample).toBeGreaterThanOrEqual(startSample);
      }
    }
  }, 60_000);

  it('tells beforehand what its row will read, so that it can be read with the row that thinks', async () => {
    const expected = (await said([text])).flatMap(({ pcm }) => [...pcm]);
    const before = speller.foreseen;
    const speech = voice.begin({ dueInMs: () => 0, urgency: () => 0 });
    speech.push(text);
    speech.end();
    const pcm: number[] = [];
    for (let chunk = await speech.next(never); chunk !== undefined; chunk = await speech.next(never)) {
      pcm.push(...chunk.pcm);
    }
    await speech.close();
    expect(pcm).toEqual(expected);
    expect(speller.foreseen - before).toBeGreaterThan(text.length / 2);
    expect(speller.mistaken).toBe(0);
  }, 60_000);

  it('goes on from the sequence that has read the question, and gives it back', async () => {
    const context = speller.createContext();
    await context.append([...speller.encode('when?'), ...answerHead(speller)]);
    const speech = voice.begin();
    speech.answerFrom(context);
    speech.push(text);
    speech.end();
    expect(await speech.next(never)).toBeDefined();
    expect(speller.live).toBe(1);
    await speech.close();
    expect(speller.live).toBe(0);
  }, 60_000);
});
