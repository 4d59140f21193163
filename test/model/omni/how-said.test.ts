/** The shipped ear on voices and engines that nothing of it was fitted to (test/fixtures/omni-ear/how, by the recipe). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Resampler } from '../../../src/audio/resampler';
import { decodeOggOpus } from '../../../src/codecs/ogg-opus';
import { TrunkBrain } from '../../../src/model/brain/brain';
import type { AnswerManner } from '../../../src/model/brain/conversation-brain';
import { RelevanceTable } from '../../../src/model/brain/relevance';
import { type ModelFolder, openModelFolder } from '../../../src/model/manifest';
import { earParametersSchema } from '../../../src/model/omni/ear';
import { type HowHeard, HowSaidNet } from '../../../src/model/omni/how-said';
import { Trunk } from '../../../src/model/trunk/trunk';
import { openWhisper, type WhisperRecogniser } from '../../../src/model/whisper/whisper-recogniser';

const root = join(__dirname, '../../..');
const folder = join(root, 'test/fixtures/omni-ear/how');
const clips: readonly { readonly file: string; readonly situation: string }[] = JSON.parse(
  readFileSync(join(folder, 'clips.json'), 'utf8'),
);
const SOUNDS = ['cough', 'music', 'noise', 'silence'];
const never = new AbortController().signal;
const persona = {
  id: 'desk',
  name: 'Desk',
  instructions: 'You are the desk of a clinic. Answer in one short sentence.',
  facts: ['The clinic is open Monday to Friday from 8 am to 6 pm.', 'Parking is behind the building.'],
};
/** The word by which each reply is told from the others. */
const REPLIES: Readonly<Record<string, RegExp>> = {
  cough: /time/i,
  noise: /noisy/i,
  silence: /still there/i,
  hurried: /fast/i,
  loud: /loud/i,
  question: /question/i,
  statement: /catch/i,
};

/** The chance of a situation, as the rows for the trunk are mixed by it. */
function sure({ chances }: HowHeard, situation: string): number {
  const at = ['speech', ...SOUNDS, 'statement', 'question', 'calm', 'hurried', 'loud'].indexOf(situation);
  if (SOUNDS.includes(situation)) return chances[at]!;
  return chances[0]! * chances[at]! * (situation === 'question' || situation === 'statement' ? chances[7]! : 1);
}

async function samplesOf(file: string): Promise<Float32Array> {
  const { pcm, sampleRate } = await decodeOggOpus(readFileSync(join(folder, file)));
  return Float32Array.from(
    new Resampler(sampleRate, 16_000).push(pcm).flatMap((chunk) => Array.from(chunk)),
    (sample) => sample / 32_768,
  );
}

describe('how something was said', () => {
  let ear: ModelFolder;
  let whisper: WhisperRecogniser;
  let net: HowSaidNet;
  const found = new Map<string, HowHeard>();
  beforeAll(async () => {
    ear = await openModelFolder(join(root, 'models/omni-ear'));
    whisper = await openWhisper(join(root, 'models/whisper-base'));
    net = await HowSaidNet.open(ear, ear.parameters(earParametersSchema));
    for (const { file } of clips) {
      const pcm = await samplesOf(file);
      found.set(file, await net.judge(pcm, await whisper.encode(pcm)));
    }
  }, 120_000);
  afterAll(async () => {
    await net.close();
    await whisper.close();
  });

  it('is speech or a sound', () => {
    for (const { file, situation } of clips) {
      const { said } = found.get(file)!;
      expect([file, said.sound]).toEqual([file, SOUNDS.includes(situation) ? situation : 'speech']);
      if (said.sound !== 'speech') expect(Object.keys(said)).toEqual(['sound']);
    }
  });

  it('is calm, hurried or loud, a question or a statement, in most clips', () => {
    const spoken = clips.filter(({ situation }) => !SOUNDS.includes(situation));
    const likeliest = (names: readonly string[], chances: readonly number[]) =>
      names[chances.indexOf(Math.max(...chances))];
    const right = spoken.filter(({ file, situation }) => {
      const { chances } = found.get(file)!;
      const manner = likeliest(['calm', 'hurried', 'loud'], chances.slice(7));
      const intonation = likeliest(['statement', 'question'], chances.slice(5, 7));
      return (manner === 'calm' ? intonation : manner) === situation;
    });
    expect(right.length / spoken.length).toBeGreaterThanOrEqual(0.8);
  });

  it('is told where it is sure, and only there', () => {
    for (const { said, chances } of found.values()) {
      if (said.sound !== 'speech') continue;
      const [statement = 0, question = 0, ...manners] = chances.slice(5);
      expect(said.intonation === 'question').toBe(question >= 0.95);
      expect(said.intonation === 'statement').toBe(statement >= 0.8);
      expect(said.manner !== undefined).toBe(Math.max(...manners) >= 0.7);
    }
    const told = (situation: string) =>
      clips.filter((clip) => clip.situation === situation && found.get(clip.file)?.said.intonation === 'question');
    expect(told('question').length).toBeGreaterThan(0);
    expect(told('statement')).toEqual([]);
  });

  it('comes with three vectors for the trunk, alike for alike sounds and apart for others', () => {
    const rowsOf = (situation: string) =>
      clips.filter((clip) => clip.situation === situation).map(({ file }) => found.get(file)!.vectors);
    const apart = (a: readonly Float32Array[], b: readonly Float32Array[]) =>
      Math.hypot(...a.flatMap((row, i) => Array.from(row, (value, d) => value - b[i]![d]!)));
    const [cough, otherCough] = rowsOf('cough');
    const [loud] = rowsOf('loud');
    expect(cough?.map((row) => row.length)).toEqual([576, 576, 576]);
    expect(apart(cough!, otherCough!)).toBeLessThan(0.5 * apart(cough!, loud!));
  });

  it('makes the shipped trunk say what fits, in the middle of a call', async () => {
    const folder = await openModelFolder(join(root, 'models/smollm2-135m'));
    const trunk = await Trunk.open(folder);
    const brain = new TrunkBrain(trunk, new RelevanceTable(JSON.parse(await folder.readText('relevance.json'))));
    try {
      const conversation = await brain.openConversation(persona);
      const say = async (userText: string, how?: AnswerManner) => {
        let text = '';
        for await (const event of conversation.answer(userText, never, how)) {
          if (event.type === 'delta') text += event.text;
        }
        return text;
      };
      const first = await say('When are you open?');
      conversation.commit({ userText: 'When are you open?', heardText: first, interrupted: false });
      // The surest of each: what is looked at here is the reply, not the classes.
      const replies: [string, string][] = [];
      for (const situation of Object.keys(REPLIES)) {
        const [surest] = [...found.values()].sort((a, b) => sure(b, situation) - sure(a, situation));
        const { said, vectors } = surest!;
        replies.push([situation, await say('', { heard: vectors, wordless: said })]);
      }
      for (const [situation, reply] of replies)
        expect([situation, reply]).toEqual([situation, expect.stringMatching(REPLIES[situation]!)]);
      conversation.close();
    } finally {
      await brain.close();
    }
  }, 240_000);

  it.each([0, 1, 400, 16_000])('takes %i samples of nothing', async (samples) => {
    const pcm = new Float32Array(samples).fill(0.001);
    const { said, chances } = await net.judge(pcm, await whisper.encode(pcm));
    expect(said.sound).not.toBe('music');
    expect(chances.every(Number.isFinite)).toBe(true);
  });

  it('is not read from weights that tell of other sounds', async () => {
    const parameters = { ...ear.parameters(earParametersSchema), classes: ['bark', 'speech'] };
    await expect(HowSaidNet.open(ear, parameters)).rejects.toMatchObject({ code: 'ear.bad-classes' });
  });
});
