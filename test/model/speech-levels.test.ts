import { SpeechLevels } from '../../src/model/speech-levels';

const RATE = 16_000;
let seed = 1;
const noise = () => {
  seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
  return seed / 2 ** 30 - 1;
};

/** `loud` seconds of speech-like sound between silences, over noise of `noiseLevel`. */
function speech(before: number, loud: number, after: number, noiseLevel = 0.001): Float32Array {
  const pcm = new Float32Array(Math.round((before + loud + after) * RATE));
  for (let i = 0; i < pcm.length; i += 1) {
    const at = i / RATE;
    const voiced = at >= before && at < before + loud ? 0.3 * Math.sin(i / 12) : 0;
    pcm[i] = voiced + noiseLevel * noise();
  }
  return pcm;
}

describe('the levels of a span', () => {
  it.each([0, 0.001, 0.01])('tell speech from the silence around it over noise of %d', (level) => {
    const levels = new SpeechLevels(speech(0.3, 0.8, 0.2, level));
    expect(levels.quietTail).toBeGreaterThanOrEqual(0.18 * RATE);
    expect(levels.quietTail).toBeLessThanOrEqual(0.22 * RATE);
    expect(Math.abs(levels.loudSamples - 0.8 * RATE)).toBeLessThanOrEqual(640);
    expect(levels.isQuiet(0, 0.28 * RATE)).toBe(true);
    expect(levels.isQuiet(0, 0.5 * RATE)).toBe(false);
    expect(levels.isQuiet(1.12 * RATE, 1.3 * RATE)).toBe(true);
  });

  it('take a weak consonant behind a vowel for speech', () => {
    const pcm = speech(0.3, 0.8, 0.4);
    for (let i = 1.1 * RATE; i < 1.2 * RATE; i += 1) pcm[i] = 0.012 * noise();
    expect(new SpeechLevels(pcm).quietTail).toBeLessThanOrEqual(0.32 * RATE);
  });

  it('call nothing quiet where nothing stands out', () => {
    const pcm = Float32Array.from({ length: RATE }, () => 0.2 * noise());
    const levels = new SpeechLevels(pcm);
    expect(levels.quietTail).toBe(0);
    expect(levels.isQuiet(0, RATE)).toBe(false);
  });

  it('take digital silence, and none at all', () => {
    expect(new SpeechLevels(new Float32Array(RATE)).loudSamples).toBe(0);
    expect(new SpeechLevels(new Float32Array(0)).quietTail).toBe(0);
  });
});
