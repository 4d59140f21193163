/** The shipped network on recordings that it was not trained on: voices of the test half (docs/turn-taking.md). */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Resampler } from '../../src/audio/resampler';
import { decodeOggOpus } from '../../src/codecs/ogg-opus';
import { openModelFolder } from '../../src/model/manifest';
import { OverlapSoundNet } from '../../src/turn/overlap-sound';

const FIXTURES = path.join(__dirname, '../fixtures/overlaps');
let net: OverlapSoundNet;

beforeAll(async () => {
  const folder = await openModelFolder(path.join(__dirname, '../../models/overlap-sound'));
  net = await OverlapSoundNet.open(await folder.read('overlap-sound.onnx'));
});
afterAll(() => net.close());

/** The first `ms` of a fixture, which begins 60 ms before the sound; `gainDb` louder. */
async function judge(name: string, ms: number, gainDb = 0) {
  const { pcm, sampleRate } = await decodeOggOpus(readFileSync(path.join(FIXTURES, `${name}.ogg`)));
  const wide = new Resampler(sampleRate, 16_000).push(pcm)[0] ?? new Int16Array(0);
  const part = Float32Array.from(wide.subarray(0, ms * 16), (sample) => (sample / 32_768) * 10 ** (gainDb / 20));
  return net.judge(part);
}

const clips: { file: string; kind: string; what: string }[] = JSON.parse(
  readFileSync(path.join(FIXTURES, 'clips.json'), 'utf8'),
);
const named = (part: string) => clips.map(({ file }) => file.replace('.ogg', '')).filter((file) => file.includes(part));

it('takes noises for noises', async () => {
  for (const name of [...named('cough'), ...named('keyboard'), ...named('key-tone')]) {
    const { noise } = await judge(name, 500);
    expect(noise).toBeGreaterThan(0.5);
  }
});

it('tells most signs of listening from talk within half a second', async () => {
  let right = 0;
  const signs = named('backchannel');
  for (const name of signs) if ((await judge(name, 500)).backchannel > 0.5) right += 1;
  expect(right / signs.length).toBeGreaterThan(0.8);
  let talk = 0;
  const words = named('words');
  for (const name of words) if ((await judge(name, 700)).talk > 0.5) talk += 1;
  expect(talk / words.length).toBeGreaterThan(0.75);
});

it('does not listen to the level, and gives chances that make one', async () => {
  const name = named('words')[0]!;
  const plain = await judge(name, 600);
  const quiet = await judge(name, 600, -12);
  expect(quiet.talk).toBeCloseTo(plain.talk, 1);
  expect(plain.talk + plain.backchannel + plain.noise).toBeCloseTo(1, 5);
});
