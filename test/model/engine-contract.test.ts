/**
 * What every engine promises (src/model/omni-model.ts), asked of each family with tiny weights: the order of events,
 * sound and word times that agree, an end in every case, and silence after an abort.
 */
import { join } from 'node:path';
import type { BrainConversation } from '../../src/model/brain/conversation-brain';
import { openLlamaOmni } from '../../src/model/llama-omni/open-llama-omni';
import { UnitVoice } from '../../src/model/llama-omni/unit-voice';
import { openMiniOmni } from '../../src/model/mini-omni/open-mini-omni';
import { openRowVoice } from '../../src/model/mini-omni/open-row-voice';
import { Omni } from '../../src/model/omni/omni';
import { OmniVoice } from '../../src/model/omni/omni-voice';
import type { AnswerEvent, AnswerInput, OmniModel, OmniSession } from '../../src/model/omni-model';
import { spellingTrunk } from './mini-omni/one-line-trunk';

const root = join(__dirname, '../..');
const never = new AbortController().signal;
const persona = { id: 'p', name: 'Desk', instructions: 'Be short.', facts: [] };
const WIDTH = 8;

const openVoice = () =>
  OmniVoice.open({
    voiceFolder: join(root, 'test/fixtures/omni'),
    generatorFolder: join(root, 'models/piper-joe'),
    pronunciationFolder: join(root, 'models/g2p-en'),
  });

const openUnitVoice = () =>
  UnitVoice.open({
    voiceFolder: join(root, 'test/fixtures/omni-units'),
    generatorFolder: join(root, 'models/piper-joe'),
    pronunciationFolder: join(root, 'models/g2p-en'),
  });

/** Writes a fixed text token by token, with a state for each, and notes what it was given. */
class ScriptedBrain {
  readonly heard: (readonly Float32Array[] | undefined)[] = [];
  readonly commits: string[] = [];

  async *warm(): AsyncGenerator<void> {}

  async openConversation(): Promise<BrainConversation> {
    const { heard, commits } = this;
    return {
      async *answer(_userText, signal, how = {}) {
        heard.push(how.heard);
        let at = 0;
        for (const text of ['We', ' open', ' at', ' nine,', ' every', ' day.', ' Shall', ' we', ' talk?']) {
          signal.throwIfAborted();
          yield { type: 'delta', text };
          how.onRead?.(at, at + text.length, new Float32Array(WIDTH).fill(0.1));
          at += text.length;
        }
      },
      commit: (turn) => {
        commits.push(turn.heardText);
      },
      close: () => undefined,
    };
  }

  async close(): Promise<void> {}
}

const brain = new ScriptedBrain();

/** Hears what its samples spell: loud is speech, quiet is none. */
const ear = {
  maxSeconds: 30,
  recognise: async (pcm: Float32Array) => {
    const speech = pcm.some((sample) => Math.abs(sample) > 0.1);
    return {
      text: speech ? 'when do you open' : '',
      speech,
      meanLogProbability: 0,
      noSpeechProbability: speech ? 0 : 1,
    };
  },
  hear: async (pcm: Float32Array) => {
    const recognition = await ear.recognise(pcm);
    return { recognition, vectors: recognition.speech ? [new Float32Array(576), new Float32Array(576)] : [] };
  },
  close: async () => undefined,
};

const families: Record<string, () => Promise<OmniModel>> = {
  omni: async () => new Omni({ ear, brain, voice: await openVoice(), nowMs: () => 0 }),
  'llama-omni': async () => new Omni({ name: 'llama-omni', ear, brain, voice: await openUnitVoice(), nowMs: () => 0 }),
  'llama-omni, imported': async () =>
    openLlamaOmni({
      folder: join(root, 'test/fixtures/llama-omni'),
      threads: 1,
      recogniser: ear,
      reader: await openVoice(),
      mostTokens: 12,
      nowMs: () => 0,
    }),
  'mini-omni on our own trunk': async () => {
    const voice = await openRowVoice({
      folder: join(root, 'test/fixtures/mini-omni-own'),
      generatorFolder: join(root, 'models/piper-joe'),
      pronunciationFolder: join(root, 'models/g2p-en'),
      trunk: spellingTrunk(),
    });
    return new Omni({ name: 'mini-omni', ear, brain, voice, nowMs: () => 0 });
  },
  'mini-omni': async () =>
    openMiniOmni({
      folder: join(root, 'test/fixtures/mini-omni'),
      threads: 1,
      reader: await openVoice(),
      rules: { mostSteps: 40 },
      nowMs: () => 0,
    }),
};

describe.each(Object.keys(families))('the engine %s', (name) => {
  let model: OmniModel;
  let session: OmniSession;

  beforeAll(async () => {
    model = await families[name]!();
  }, 60_000);
  beforeEach(async () => {
    session = await model.openSession(persona);
    session.hear(
      Int16Array.from({ length: 16_000 }, (_, n) => Math.round(9_000 * Math.sin(n / 9 + 3 * Math.sin(n / 800)))),
      0,
    );
  });
  afterEach(() => session.close());
  afterAll(() => model.close());

  async function ask(input: AnswerInput): Promise<AnswerEvent[]> {
    const events: AnswerEvent[] = [];
    for await (const event of session.answer(input, never)) if (event.type !== 'working') events.push(event);
    return events;
  }

  it('says what it understood first, the end last and once, and something between them', async () => {
    const events = await ask({ kind: 'audio', fromSample: 0, toSample: 8_000 });
    expect(events[0]).toMatchObject({ type: 'transcript', speech: true });
    expect(events.filter((event) => event.type === 'end')).toEqual([events.at(-1)]);
    expect(events.some((event) => event.type === 'audio')).toBe(true);
    expect(events.some((event) => event.type === 'text')).toBe(true);
  }, 60_000);

  it('gives sound at its rate, in bounded pieces, with every word inside its piece', async () => {
    const events = await ask({ kind: 'text', text: 'when do you open?' });
    for (const event of events) {
      if (event.type !== 'audio') continue;
      expect(event.sampleRate).toBe(model.outputSampleRate);
      expect(event.pcm.length).toBeLessThan(event.sampleRate);
      for (const { text, startSample, endSample } of event.words) {
        expect(text).not.toBe('');
        expect(startSample).toBeGreaterThanOrEqual(0);
        expect(startSample).toBeLessThanOrEqual(event.pcm.length);
        expect(endSample).toBeGreaterThanOrEqual(startSample);
      }
    }
  }, 60_000);

  it('tells each word of its text once and in order', async () => {
    const events = await ask({ kind: 'text', text: 'when do you open?' });
    const text = events.map((event) => (event.type === 'text' ? event.delta : '')).join('');
    const words = events.flatMap((event) => (event.type === 'audio' ? event.words.map((word) => word.text) : []));
    expect(words).toEqual(text.trim().split(/\s+/));
  }, 60_000);

  it('reads out what it must say, word for word', async () => {
    const events = await ask({ kind: 'say', text: 'Good morning. This is the desk.' });
    const words = events.flatMap((event) => (event.type === 'audio' ? event.words.map((word) => word.text) : []));
    expect(words.join(' ')).toBe('Good morning. This is the desk.');
    expect(events.at(-1)?.type).toBe('end');
    expect(events.some((event) => event.type === 'transcript')).toBe(false);
  }, 60_000);

  it.each([0, 1, 2, 4])(
    'stops when aborted after %i events, and answers again',
    async (after) => {
      const abort = new AbortController();
      const events: AnswerEvent[] = [];
      const talking = async () => {
        if (after === 0) abort.abort(new Error('barge-in'));
        for await (const event of session.answer({ kind: 'text', text: 'when?' }, abort.signal)) {
          if (event.type !== 'working') events.push(event);
          if (events.length === after) abort.abort(new Error('barge-in'));
        }
      };
      await expect(talking()).rejects.toThrow('barge-in');
      expect(events.length).toBe(after);
      expect((await ask({ kind: 'text', text: 'when?' })).at(-1)?.type).toBe('end');
    },
    60_000,
  );

  it('takes spans that were never heard, commits of nothing and a close at any time', async () => {
    session.commit({ userText: undefined, heardText: '', interrupted: false });
    const heard = await session.listen(1_000_000, 1_004_000, never);
    expect(typeof heard.text).toBe('string');
    session.close();
    session.close();
  }, 60_000);
});

describe('the engine omni', () => {
  it('gives the trunk what was heard as vectors, and nothing where nothing was said', async () => {
    const model = await families['omni']!();
    const session = await model.openSession(persona);
    session.hear(new Int16Array(8_000).fill(9_000), 0);
    session.hear(new Int16Array(8_000), 8_000);
    brain.heard.length = 0;
    for await (const _ of session.answer({ kind: 'audio', fromSample: 0, toSample: 8_000 }, never));
    expect(brain.heard).toEqual([[new Float32Array(576), new Float32Array(576)]]);
    const silent: AnswerEvent[] = [];
    for await (const event of session.answer({ kind: 'audio', fromSample: 9_000, toSample: 16_000 }, never)) {
      if (event.type !== 'working') silent.push(event);
    }
    expect(silent.map((event) => event.type)).toEqual(['transcript', 'end']);
    expect(brain.heard).toHaveLength(1);
    session.close();
    await model.close();
  }, 60_000);
});
