/**
 * What the end-to-end engine makes of input that is no question, on the shipped weights and made signals: it ends, it is short,
 * it does not repeat itself, and where nothing was said it says nothing.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Resampler } from '../../../src/audio/resampler';
import { decodeOggOpus } from '../../../src/codecs/ogg-opus';
import { StartTrace } from '../../../src/core/start-trace';
import { loadModel } from '../../../src/model/load-model';
import type { OmniModel } from '../../../src/model/omni-model';
import { endsInLoop } from '../../../src/model/trunk/greedy';

const root = join(__dirname, '../../..');
const RATE = 16_000;
const never = new AbortController().signal;
const persona = {
  id: 'desk',
  name: 'Desk',
  instructions: 'You are the desk of a clinic. Answer in one short sentence.',
  facts: ['The clinic is open Monday to Friday from 8 am to 6 pm.', 'Parking is behind the building.'],
};
/** The longest answer that a caller may be made to listen to. */
const LONGEST_ANSWER_MS = 25_000;

let seed = 7;
const chance = () => {
  seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
  return seed / 2 ** 31;
};
const made = (seconds: number, at: (t: number) => number) =>
  Int16Array.from({ length: seconds * RATE }, (_, i) => Math.max(-32_768, Math.min(32_767, 32_768 * at(i / RATE))));

async function question(): Promise<Int16Array> {
  const { pcm, sampleRate } = await decodeOggOpus(readFileSync(join(root, 'test/fixtures/questions/demo-09.ogg')));
  return Int16Array.from(new Resampler(sampleRate, RATE).push(pcm).flatMap((chunk) => Array.from(chunk)));
}

const NOTES = [262, 330, 392, 523, 392, 330, 294, 349];
const music = (t: number) => {
  const note = NOTES[Math.floor(t * 3) % NOTES.length]!;
  const fading = Math.exp(-3 * ((t * 3) % 1));
  return 0.15 * fading * [1, 2, 3].reduce((sum, k) => sum + Math.sin(2 * Math.PI * note * k * t) / k, 0);
};

const signals: Record<string, () => Promise<Int16Array>> = {
  silence: async () => new Int16Array(3 * RATE),
  'a faint hiss': async () => made(3, () => 0.002 * (chance() - 0.5)),
  noise: async () => made(4, () => 0.3 * (chance() - 0.5)),
  'mains hum': async () => made(4, (t) => 0.2 * Math.sin(314.16 * t) + 0.1 * Math.sin(942.5 * t)),
  music: async () => made(6, music),
  'a tone at full scale': async () => made(3, (t) => Math.sign(Math.sin(6_283 * t))),
  'speech that is no language': async () => (await question()).reverse(),
  'speech clipped beyond recognition': async () =>
    (await question()).map((x) => (x > 40 ? 32_767 : x < -40 ? -32_768 : 0)),
  'a minute of talk': async () => {
    const once = await question();
    return Int16Array.from({ length: 60 * RATE }, (_, i) => once[i % once.length]!);
  },
  'a sample': async () => Int16Array.of(12_000),
};

describe('the omni engine, given', () => {
  let model: OmniModel;
  beforeAll(async () => {
    model = await loadModel({ name: 'omni', modelsDir: join(root, 'models'), threads: 1 }, new StartTrace(() => 0));
  }, 240_000);
  afterAll(() => model.close());

  async function ask(pcm: Int16Array, ahead: boolean, wordless?: { readonly wordless: true }) {
    const session = await model.openSession(persona);
    const reply = { said: '', heard: '', speech: false, audioMs: 0, loudest: 0, ended: false };
    try {
      for (let from = 0; from < pcm.length; from += RATE / 10) {
        session.hear(pcm.slice(from, from + RATE / 10), from);
        if (ahead && from % RATE === 0) while (await session.attend?.(never));
      }
      const input = { kind: 'audio', fromSample: 0, toSample: pcm.length, ...wordless } as const;
      for await (const event of session.answer(input, never)) {
        if (event.type === 'transcript') [reply.heard, reply.speech] = [event.text, event.speech];
        else if (event.type === 'text') reply.said += event.delta;
        else if (event.type === 'audio') {
          reply.audioMs += (event.pcm.length * 1_000) / event.sampleRate;
          for (const sample of event.pcm) reply.loudest = Math.max(reply.loudest, Math.abs(sample));
        } else if (event.type === 'end') reply.ended = true;
      }
    } finally {
      session.close();
    }
    return reply;
  }

  it.each(Object.keys(signals))(
    '%s, ends in a short reply or in none',
    async (name) => {
      const reply = await ask(await signals[name]!(), name !== 'a minute of talk');
      expect(reply.ended).toBe(true);
      expect(reply.audioMs).toBeLessThan(LONGEST_ANSWER_MS);
      // A reply is words that are heard; where no words were understood there is none.
      expect(reply.said.trim() !== '').toBe(reply.speech);
      expect(reply.loudest > 1_000).toBe(reply.speech);
      expect(
        endsInLoop(
          reply.said
            .toLowerCase()
            .match(/\w+/g)
            ?.map((word) => word.length * 131 + word.charCodeAt(0)) ?? [],
        ),
      ).toBe(false);
    },
    240_000,
  );

  it.each([
    ['noise', /noisy/i],
    ['music', /music/i],
  ])(
    '%s, replies to it when it is told to',
    async (name, fitting) => {
      const reply = await ask(await signals[name]!(), false, { wordless: true });
      expect(reply.said).toMatch(fitting);
      expect(reply).toMatchObject({ heard: '', speech: false, ended: true });
      expect(reply.audioMs).toBeGreaterThan(700);
      expect(reply.loudest).toBeGreaterThan(1_000);
    },
    240_000,
  );

  it('silence, has no reply to it even then', async () => {
    const reply = await ask(await signals['silence']!(), false, { wordless: true });
    expect(reply).toMatchObject({ said: '', audioMs: 0, ended: true });
  }, 240_000);

  it.each(['silence', 'a faint hiss', 'noise', 'mains hum', 'music', 'a tone at full scale', 'a sample'])(
    '%s, understands no words',
    async (name) => {
      expect((await ask(await signals[name]!(), false)).heard).toBe('');
    },
    240_000,
  );
});
