/** A persona's own words, in the text and in both voices: the phonemes are the lexicon's, the words stay as written. */
import { join } from 'node:path';
import fc from 'fast-check';
import { readLexicon } from '../../../src/core/pronunciation';
import { Cascade } from '../../../src/model/cascade/cascade';
import { openModelFolder } from '../../../src/model/manifest';
import { OmniVoice } from '../../../src/model/omni/omni-voice';
import { VoiceGraphs } from '../../../src/model/omni/voice-graphs';
import { PiperVoice } from '../../../src/model/piper/piper-voice';
import { VitsGraphs, voiceParameters } from '../../../src/model/piper/vits-graphs';
import { normalise } from '../../../src/model/text/normaliser';
import { OwnWords } from '../../../src/model/text/own-words';
import { Pronouncer } from '../../../src/model/text/pronouncer';
import { lineOf } from '../../../src/model/text/spoken-text';

const models = join(__dirname, '../../../models');
const lexicon = readLexicon({ Siobhán: 'shih VAWN', Nguyen: '/ŋwɪn/', SQL: 'SEE kwul', the: 'DHUH' });
const own = OwnWords.of(lexicon)!;
const never = new AbortController().signal;

describe('words with a sound of their own', () => {
  let pronouncer: Pronouncer;
  beforeAll(async () => {
    pronouncer = await Pronouncer.open(join(models, 'g2p-en'));
  });
  afterAll(() => pronouncer.close());

  async function say(text: string): Promise<string> {
    const tokens = normalise(text, own).tokens.filter((token) => token.kind !== 'pause');
    return (await pronouncer.pronounce(tokens, own)).map(({ phonemes }) => phonemes).join(' ');
  }

  test.each([
    ['Siobhan', 'ʃɪvˈɔːn'],
    ['SIOBHÁN,', 'ʃɪvˈɔːn'],
    ["Nguyen's", 'ŋwˈɪnz'],
    ['SQL', 'sˈiːkwʌl'],
    ['the end', 'ðˈʌ ˈɛnd'],
  ])('"%s" is said %s', async (text, phonemes) => {
    expect(await say(text)).toBe(phonemes);
  });

  test('a longer word that begins like one of them is none of them', () => {
    expect(OwnWords.of({ an: 'ˈæn' })?.phonemes('any')).toBeUndefined();
    expect(lineOf(normalise('SQLs and MySQL', own))).toBe(lineOf(normalise('SQLs and MySQL')));
  });

  test('a text without any of them is read as ever', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        fc.pre(!/siobhan|nguyen|sql|the/i.test(text.normalize('NFD').replace(/\p{M}/gu, '')));
        expect(normalise(text, own)).toEqual(normalise(text));
      }),
    );
  });

  test('an empty lexicon is none', () => {
    expect(OwnWords.of({})).toBeUndefined();
    expect(OwnWords.of(undefined)).toBeUndefined();
  });
});

describe.each([
  [
    'the voice of the cascade',
    VitsGraphs.prototype,
    'encode',
    (args: unknown[]) => args[0] as number[],
    () => PiperVoice.open({ voiceFolder: join(models, 'piper-joe'), pronunciationFolder: join(models, 'g2p-en') }),
  ],
  [
    'the voice of the end-to-end engine',
    VoiceGraphs.prototype,
    'encode',
    (args: unknown[]) => (args[0] as { symbols: number[] }).symbols,
    () =>
      OmniVoice.open({
        voiceFolder: join(models, 'omni-voice'),
        generatorFolder: join(models, 'piper-joe'),
        pronunciationFolder: join(models, 'g2p-en'),
      }),
  ],
] as const)('%s', (_, graphs, method, idsOf, open) => {
  test('is given the phonemes of the lexicon, and tells the words as they are written', async () => {
    const { phonemeIds } = (await openModelFolder(join(models, 'piper-joe'))).parameters(voiceParameters);
    const nameOf = new Map(Object.entries(phonemeIds).map(([symbol, id]) => [id, symbol]));
    const voice = await open();
    const read = jest.spyOn(graphs as unknown as { encode(...args: unknown[]): unknown }, method);
    try {
      const told: string[] = [];
      let samples = 0;
      for await (const chunk of voice.synthesise('Siobhán Nguyen will call.', never, own)) {
        told.push(...chunk.words.map(({ text }) => text));
        samples += chunk.pcm.length;
      }
      const said = read.mock.calls.map((args) =>
        [...idsOf(args)]
          .map((id) => nameOf.get(id) ?? '')
          .join('')
          .replaceAll('_', ''),
      );
      expect(said.some((symbols) => symbols.includes('ʃɪvˈɔːn'))).toBe(true);
      expect(said.some((symbols) => symbols.includes('ŋwˈɪn'))).toBe(true);
      expect(told).toEqual(['Siobhán', 'Nguyen', 'will', 'call.']);
      expect(samples).toBeGreaterThan(0);
    } finally {
      read.mockRestore();
      await voice.close();
    }
  });
});

test('a session hands the lexicon of its persona to the voice, for what is read out and for answers', async () => {
  const voice = await PiperVoice.open({
    voiceFolder: join(models, 'piper-joe'),
    pronunciationFolder: join(models, 'g2p-en'),
  });
  const read = jest.spyOn(voice, 'synthesise');
  const ear = {
    maxSeconds: 30,
    hear: never.throwIfAborted,
    recognise: never.throwIfAborted,
    close: async () => undefined,
  };
  const brain = {
    async *warm() {},
    openConversation: async () => ({
      async *answer() {
        yield { type: 'delta' as const, text: 'I am Siobhan.' };
      },
      commit: () => undefined,
      close: () => undefined,
    }),
    close: async () => undefined,
  };
  const model = new Cascade({ recogniser: ear as never, brain, voice, nowMs: () => 0 });
  const session = await model.openSession({ id: 'p', name: 'Desk', instructions: 'Be short.', facts: [], lexicon });
  try {
    const texts: string[] = [];
    for (const input of [
      { kind: 'say', text: 'Siobhan here.' },
      { kind: 'text', text: 'Who are you?' },
    ] as const) {
      for await (const event of session.answer(input, never)) if (event.type === 'text') texts.push(event.delta);
    }
    expect(texts).toEqual(['Siobhan here.', 'I am Siobhan.']);
    expect(read.mock.calls.map(([, , words]) => words?.phonemes('siobhan'))).toEqual(['ʃɪvˈɔːn', 'ʃɪvˈɔːn']);
  } finally {
    session.close();
    await voice.close();
  }
});
