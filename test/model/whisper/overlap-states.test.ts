/** The shipped network over the recogniser's states, on recordings that it was not trained on: voices of the test half. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { Resampler } from '../../../src/audio/resampler';
import { decodeOggOpus } from '../../../src/codecs/ogg-opus';
import { overlapWords } from '../../../src/model/call-hearing';
import { openRecogniser } from '../../../src/model/load-model';
import { openModelFolder } from '../../../src/model/manifest';
import type { Recogniser } from '../../../src/model/parts';
import { OverlapStates } from '../../../src/model/whisper/overlap-states';

const MODELS = path.join(__dirname, '../../../models');
const FIXTURES = path.join(__dirname, '../../fixtures/overlaps');
const WIDTH = 512;
/** A fixture begins 60 ms before its sound, and the recogniser is given 300. */
const LEAD_SAMPLES = 240 * 16;

const clips: { file: string }[] = JSON.parse(readFileSync(path.join(FIXTURES, 'clips.json'), 'utf8'));

describe('asked about a sound over the agent, the recogniser says what it is', () => {
  let recogniser: Recogniser;
  beforeAll(async () => {
    recogniser = await openRecogniser(MODELS, 1);
  });
  afterAll(() => recogniser.close());

  async function soundOf(file: string, ms: number) {
    const { pcm, sampleRate } = await decodeOggOpus(readFileSync(path.join(FIXTURES, file)));
    const wide = new Resampler(sampleRate, 16_000).push(pcm)[0] ?? new Int16Array(0);
    const heard = new Float32Array(LEAD_SAMPLES + Math.min(wide.length, ms * 16));
    for (let i = LEAD_SAMPLES; i < heard.length; i += 1) heard[i] = (wide[i - LEAD_SAMPLES] ?? 0) / 32_768;
    const { sound } = overlapWords(await recogniser.recognise(heard, new AbortController().signal));
    return sound ?? { talk: 0, backchannel: 0, noise: 0 };
  }

  async function share(kind: RegExp, as: 'talk' | 'backchannel' | 'noise'): Promise<number> {
    const files = clips.map(({ file }) => file).filter((file) => kind.test(file));
    let right = 0;
    for (const file of files) if ((await soundOf(file, 500))[as] > 0.5) right += 1;
    return right / files.length;
  }

  it('takes noises for noises', async () => {
    expect(await share(/cough|keyboard|key-tone/, 'noise')).toBeGreaterThan(0.9);
  }, 60_000);

  it('takes most signs of listening for such', async () => {
    expect(await share(/backchannel/, 'backchannel')).toBeGreaterThan(0.8);
  }, 60_000);

  it('takes most words for talk', async () => {
    expect(await share(/words/, 'talk')).toBeGreaterThan(0.6);
  }, 60_000);
});

describe('the network over the states', () => {
  let net: OverlapStates;
  beforeAll(async () => {
    net = await OverlapStates.open(await openModelFolder(path.join(MODELS, 'overlap-states')));
  });
  afterAll(() => net.close());

  it('has no opinion of less than it was taught on', async () => {
    expect(await net.judge(new Float32Array(5 * WIDTH))).toBeUndefined();
  });

  it('gives chances that make one, whatever the states and however many', async () => {
    const states = fc.record({
      frames: fc.integer({ min: 20, max: 200 }),
      seed: fc.integer(),
      scale: fc.integer({ min: 0, max: 50 }),
    });
    await fc.assert(
      fc.asyncProperty(states, async ({ frames, seed, scale }) => {
        const hidden = Float32Array.from({ length: frames * WIDTH }, (_, i) => scale * Math.sin(seed + i * i));
        const { talk = 0, backchannel = 0, noise = 0 } = (await net.judge(hidden)) ?? {};
        expect(talk + backchannel + noise).toBeCloseTo(1, 4);
        expect(Math.min(talk, backchannel, noise)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 40 },
    );
  });
});
