import fc from 'fast-check';
import { delayed } from '../../../src/model/codec/delay-pattern';
import { MiniOmniIds } from '../../../src/model/mini-omni/ids';
import { promptFor } from '../../../src/model/mini-omni/prompts';
import {
  readQuestion,
  SPEAK_RULES,
  type SpeakRules,
  type Step,
  speak,
  write,
} from '../../../src/model/mini-omni/speak';
import type { Positions, StreamModel, StreamSequence } from '../../../src/model/mini-omni/stream-lm';

const official = new MiniOmniIds({ textVocabulary: 152_000, audioVocabulary: 4_160, specialIds: 64 });
const layers = [0, 1, 2, 3, 4, 5, 6];
const never = new AbortController().signal;

describe('the published ids of Mini-Omni', () => {
  it('has its text specials behind the tokenizer', () => {
    const { eot, padText, inputText, answerText, asr } = official;
    expect([eot, padText, inputText, answerText, asr]).toEqual([151_936, 151_937, 151_938, 151_939, 151_940]);
  });

  it('shifts the audio specials layer by layer', () => {
    const of = (local: number) => layers.map((layer) => official.shifted(local, layer));
    expect(of(official.padAudio)).toEqual([156_097, 160_257, 164_417, 168_577, 172_737, 176_897, 181_057]);
    expect(of(official.endAudio)).toEqual([156_096, 160_256, 164_416, 168_576, 172_736, 176_896, 181_056]);
    expect(of(official.inputAudio)).toEqual([156_098, 160_258, 164_418, 168_578, 172_738, 176_898, 181_058]);
    expect(of(official.answerAudio)).toEqual([156_099, 160_259, 164_419, 168_579, 172_739, 176_899, 181_059]);
    expect(official.shifted(4_159, 6)).toBe(181_119);
  });
});

describe('the prompts of Mini-Omni', () => {
  const rows = (task: Parameters<typeof promptFor>[1], question: Parameters<typeof promptFor>[2]) => {
    const prompt = promptFor(official, task, question);
    for (const position of prompt) {
      const local = layers.map((layer) => position[layer]! - official.shifted(0, layer));
      expect(new Set(local).size).toBe(1);
    }
    return { audio: prompt.map((position) => position[0]! - 152_000), text: prompt.map((position) => position[7]!) };
  };

  it.each([
    ['A1A2', 4_099, 151_939],
    ['A1T2', 4_097, 151_939],
    ['A1T1', 4_097, 151_940],
  ] as const)('of %s differ in the last position alone', (task, lastAudio, lastText) => {
    const { audio, text } = rows(task, { heard: 3 });
    expect(audio).toEqual([4_098, 4_097, 4_097, 4_097, 4_096, lastAudio]);
    expect(text).toEqual([151_938, 151_937, 151_937, 151_937, 151_936, lastText]);
  });

  it.each([
    ['T1A2', 4_099],
    ['T1T2', 4_097],
  ] as const)('of %s hold the words in the text stream', (task, lastAudio) => {
    const { audio, text } = rows(task, { words: [7, 8] });
    expect(audio).toEqual([4_097, 4_097, 4_097, 4_097, lastAudio]);
    expect(text).toEqual([151_938, 7, 8, 151_936, 151_939]);
  });
});

const small = new MiniOmniIds({ textVocabulary: 100 + 64, audioVocabulary: 50 + 64, specialIds: 64 });

/** A model that says what it is told to, and writes down what it was asked. */
class ScriptedModel implements StreamModel {
  readonly positions: number;
  readonly log: string[] = [];
  readonly fed: Positions[][] = [];
  open_ = 0;

  constructor(
    private readonly texts: readonly number[],
    private readonly codes: readonly (readonly number[])[],
    options: { positions?: number } = {},
  ) {
    this.positions = options.positions ?? 1_000;
  }

  open(): StreamSequence {
    this.open_ += 1;
    const { log, fed, texts, codes } = this;
    let rows = 1;
    let length = 0;
    let asked = { text: 0, audio: 0 };
    const close = () => {
      this.open_ -= 1;
    };
    return {
      get length() {
        return length;
      },
      positions: this.positions,
      truncate(to) {
        length = to;
      },
      async read(positions, vectors) {
        if (positions.length !== rows) throw new Error(`fed ${positions.length} rows to ${rows}`);
        length += positions[0]!.length;
        fed.push(positions.map((row) => row));
        log.push(`read ${rows}×${positions[0]!.length}${vectors === undefined ? '' : ' heard'}`);
      },
      addRow() {
        rows = 2;
        log.push('add');
      },
      dropRow() {
        rows = 1;
        log.push('drop');
      },
      async textLogits() {
        log.push('text');
        const at = asked.text;
        asked = { ...asked, text: at + 1 };
        return oneHot(small.sizes.textVocabulary, texts[at] ?? 1);
      },
      async audioLogits() {
        log.push('audio');
        const at = asked.audio;
        asked = { ...asked, audio: at + 1 };
        const size = small.sizes.audioVocabulary;
        const out = new Float32Array(7 * size);
        layers.forEach((layer) => {
          out[layer * size + (codes[at]?.[layer] ?? 0)] = 1;
        });
        return out;
      },
      close,
    };
  }
}

function oneHot(size: number, at: number): Float32Array {
  const out = new Float32Array(size);
  out[at] = 1;
  return out;
}

/** What a well-behaved model writes: `frames` behind their delays, then the end, layer by layer. */
function script(frames: readonly (readonly number[])[]): number[][] {
  const rows = delayed(frames, small.padAudio, small.endAudio);
  return rows[0]!.map((_, step) => rows.map((row) => row[step]!));
}

async function collect(steps: AsyncIterable<Step>): Promise<Step[]> {
  const out: Step[] = [];
  for await (const step of steps) out.push(step);
  return out;
}

async function* talk(model: StreamModel, rules: SpeakRules, signal = never) {
  const sequence = await readQuestion(model, small, question, signal);
  try {
    yield* speak(sequence, small, 'A1A2', rules, signal);
  } finally {
    sequence.close();
  }
}

const frames = Array.from({ length: 5 }, (_, f) => layers.map((layer) => f * 7 + layer));
const question = { heard: 70, vectors: new Float32Array(70 * 2) };

describe('batch-parallel decoding', () => {
  it('reads the common prompt once, thinks in the second row and drops it when the text has ended', async () => {
    const model = new ScriptedModel([11, 12, 13, small.eot], script(frames));
    const steps = await collect(talk(model, SPEAK_RULES));
    expect(model.log.slice(0, 6)).toEqual([
      'read 1×1',
      'read 1×64 heard',
      'read 1×6 heard',
      'read 1×1',
      'add',
      'read 2×1',
    ]);
    // Four steps with the text head, then none: its 152,000 rows are not read any more.
    expect(model.log.filter((line) => line === 'text')).toHaveLength(4);
    expect(model.log.indexOf('drop')).toBe(6 + 3 * 3 + 2);
    expect(model.log.slice(model.log.indexOf('drop') + 1)).not.toContain('read 2×1');
    expect(steps.map((step) => step.text)).toEqual([11, 12, 13, small.eot, ...new Array(8).fill(small.padText)]);
    // Stops with the end of the last layer, which is not a step.
    expect(steps).toHaveLength(frames.length + 7);
    expect(model.open_).toBe(0);
  });

  it('feeds row 0 its own codes, row 1 pads, and both the text of row 1', async () => {
    const model = new ScriptedModel([11, 12, small.eot], script(frames));
    await collect(talk(model, SPEAK_RULES));
    const [first, second] = model.fed[5]!;
    expect(first).toEqual([small.column(small.padAudio, 11)]);
    expect(second).toEqual([small.column(small.padAudio, 11)]);
    const [third, fourth] = model.fed[6]!;
    expect(third).toEqual([small.position([0, ...new Array(6).fill(small.padAudio)], 12)]);
    expect(fourth).toEqual([small.column(small.padAudio, 12)]);
  });

  it('silences layers that have not begun, and never says what is no code', async () => {
    const wild = Array.from({ length: 30 }, () => layers.map(() => small.answerAudio));
    const steps = await collect(talk(new ScriptedModel([], wild), { ...SPEAK_RULES, mostSteps: 12 }));
    expect(steps).toHaveLength(12);
    steps.forEach(({ codes }, step) => {
      codes.forEach((code, layer) => {
        if (step <= layer) expect(code).toBe(small.padAudio);
        expect(code).toBeLessThanOrEqual(small.padAudio);
      });
    });
  });

  it('ends although the model never does: by steps after the text, by positions, by a loop in the text', async () => {
    const rules = { ...SPEAK_RULES, mostStepsAfterText: 9 };
    const all = (model: ScriptedModel) => collect(talk(model, rules));
    expect(await all(new ScriptedModel([11, 12, small.eot], []))).toHaveLength(2 + 1 + 9);
    expect(
      await all(
        new ScriptedModel(
          new Array(500).fill(0).map((_, i) => i % 97),
          [],
          { positions: 90 },
        ),
      ),
    ).toHaveLength(90 - 72);
    const looping = await all(
      new ScriptedModel(
        new Array(500).fill(0).map((_, i) => [3, 4, 5][i % 3]!),
        [],
      ),
    );
    expect(looping.map((step) => step.text).filter((text) => text !== small.padText)).toEqual([
      3,
      4,
      5,
      3,
      4,
      5,
      3,
      4,
      small.eot,
    ]);
  });

  it('stops at an abort between any two steps and closes its sequence', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(8), async (after) => {
        const model = new ScriptedModel([], []);
        const abort = new AbortController();
        let seen = 0;
        const talking = async () => {
          for await (const _ of talk(model, SPEAK_RULES, abort.signal)) {
            if (seen === after) abort.abort(new Error('barge-in'));
            seen += 1;
          }
        };
        await expect(talking()).rejects.toThrow('barge-in');
        expect(seen).toBe(after + 1);
        expect(model.open_).toBe(0);
      }),
    );
  });
});

describe('text alone', () => {
  it('asks no audio head and ends with the end of the text', async () => {
    const model = new ScriptedModel([11, 12, small.eot], []);
    const words: number[] = [];
    const sequence = await readQuestion(model, small, question, never);
    for await (const word of write(sequence, small, 'A1T2', SPEAK_RULES, never)) words.push(word);
    sequence.close();
    expect(words).toEqual([11, 12]);
    expect(model.log).not.toContain('audio');
    expect(model.fed.at(-1)).toEqual([[small.column(small.padAudio, 12)]]);
    expect(model.open_).toBe(0);
  });
});
