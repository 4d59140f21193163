/**
 * Menus by speech, judged: what six voices say to a menu (test/fixtures/menu-words) over G.711, quiet and with noise 10 dB below, through
 * the shipped recogniser and the matcher. `npm test -- test/call/menu-words` prints the figures of docs/operations.md. The matcher
 * was made while listening to the first three voices, and to none of the others.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chooseSpoken } from '../../src/call/spoken-choice';
import { linearFromMuLaw } from '../../src/codecs/g711';
import { closeRecogniser, transcribe } from '../support/recogniser';

interface Clip {
  readonly voice: string;
  /** Keys of the option that is meant; '' for none. */
  readonly option: string;
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

const folder = join(__dirname, '../fixtures/menu-words');
const clips: readonly Clip[] = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8'));
const heardBefore = ['flite-rms', 'flite-slt', 'espeak-en-gb+f3'];
const options = [
  { value: '1', phrases: ['sales', 'buy', 'order'] },
  { value: '2', phrases: ['support', 'technical help', 'broken'] },
  { value: '3', phrases: ['billing', 'invoice', 'pay a bill'] },
  { value: '4', phrases: ['appointment', 'appointments'] },
  { value: '5', phrases: ['opening hours', 'open'] },
  { value: '0', phrases: ['operator', 'human', 'somebody'] },
];

function soundOf({ voice, from, to }: Clip): Int16Array {
  const file = readFileSync(join(folder, `${voice}.ul`)).subarray(from, to);
  const pcm = new Int16Array(file.length + 8_000);
  for (const [at, byte] of file.entries()) pcm[at + 4_000] = linearFromMuLaw(byte);
  return pcm;
}

/** White noise, the same in each run (a linear congruence), `snrDb` below the speech. */
function withNoise(pcm: Int16Array, snrDb: number): Int16Array {
  const speech = pcm.subarray(4_000, -4_000);
  const power = speech.reduce((sum, sample) => sum + sample * sample, 0) / speech.length;
  const peak = Math.sqrt((3 * power) / 10 ** (snrDb / 10));
  let seed = 1;
  return pcm.map((sample) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.max(-32_768, Math.min(32_767, sample + peak * (seed / 2 ** 31 - 1)));
  });
}

describe('menus by speech', () => {
  afterAll(closeRecogniser);

  async function judge(title: string, sound: (clip: Clip) => Int16Array) {
    const none = () => ({ right: 0, again: 0, wrong: 0, left: 0, taken: 0 });
    const known = none();
    const unknown = none();
    const missed: string[] = [];
    for (const clip of clips) {
      const words = await transcribe(sound(clip), 8_000);
      const chosen = chooseSpoken(words, options) ?? '';
      const count = heardBefore.includes(clip.voice) ? known : unknown;
      if (clip.option === '') count[chosen === '' ? 'left' : 'taken'] += 1;
      else if (chosen === clip.option) count.right += 1;
      else count[chosen === '' ? 'again' : 'wrong'] += 1;
      if (chosen !== clip.option) missed.push(`${clip.voice} “${clip.text}” heard as “${words}”: ${chosen || 'none'}`);
    }
    const told = ({ right, again, wrong, left, taken }: typeof known) =>
      `${right} of 36 right, ${again} asked again, ${wrong} wrong; of 12 that choose nothing ${left} left, ${taken} taken`;
    process.stderr.write(
      `menus by speech, ${title}\n known voices: ${told(known)}\n new voices:   ${told(unknown)}\n  ${missed.join('\n  ')}\n`,
    );
    return { known, unknown };
  }

  it('has 72 clips that choose and 24 that do not', () => {
    expect(clips.filter(({ option }) => option !== '')).toHaveLength(72);
    expect(clips.filter(({ option }) => option === '')).toHaveLength(24);
  });

  it('leads most of them where they want to go over G.711, and hardly anybody elsewhere', async () => {
    const { known, unknown } = await judge('G.711', soundOf);
    expect(known.right + unknown.right).toBeGreaterThanOrEqual(58);
    expect(known.wrong + unknown.wrong + known.taken + unknown.taken).toBeLessThanOrEqual(2);
  }, 300_000);

  it('asks again rather than lead them wrong with noise 10 dB below the speech', async () => {
    const { known, unknown } = await judge('G.711, noise at 10 dB', (clip) => withNoise(soundOf(clip), 10));
    expect(known.right + unknown.right).toBeGreaterThanOrEqual(36);
    expect(known.wrong + unknown.wrong + known.taken + unknown.taken).toBeLessThanOrEqual(4);
  }, 300_000);
});
