import type { Wav } from '../../src/audio/wav';
import { layTogether } from '../../src/bench/baresip-tape';
import { readTurnGaps } from '../../src/phone/tape';
import { concat, sine } from '../support/signal';

const RATE = 8_000;
const silence = (ms: number) => new Int16Array(ms * 8);
const tone = (ms: number) => sine(500, 9_000, RATE, ms * 8);
const wav = (...parts: Int16Array[]): Wav => ({ sampleRate: RATE, channels: 1, pcm: [concat(parts)] });

describe('the two recordings of baresip', () => {
  const microphone = concat([silence(1_000), tone(500), silence(3_000)]);
  const spans = [{ startMs: 1_000, endMs: 1_500 }];

  it('are laid side by side from their ends, with the questions where they were sent', () => {
    // What was sent begins 200 ms before the file; what was heard begins 40 ms later and ends with it.
    const sent = wav(silence(200), microphone);
    const received = wav(silence(2_460), tone(1_000), silence(1_200));
    const laid = layTogether(microphone, spans, sent, received);
    const { gaps } = readTurnGaps(laid!.tape, laid!.utterances);
    expect(gaps).toHaveLength(1);
    // The question ends at 1,700 ms, the answer begins at 2,500.
    expect(Math.abs(gaps[0]!.gapMs - 800)).toBeLessThanOrEqual(20);
  });

  it('are laid side by side when what was heard is the longer one', () => {
    const sent = wav(microphone);
    const received = wav(silence(2_320), tone(1_000), silence(1_200));
    const laid = layTogether(microphone, spans, sent, received);
    const { gaps } = readTurnGaps(laid!.tape, laid!.utterances);
    expect(Math.abs(gaps[0]!.gapMs - 800)).toBeLessThanOrEqual(20);
  });

  it('are not believed when packets are missing in one of them', () => {
    expect(layTogether(microphone, spans, wav(microphone), wav(silence(4_400)))).toBeUndefined();
  });

  it('are not believed when nothing was said', () => {
    expect(layTogether(microphone, spans, wav(silence(4_500)), wav(silence(4_500)))).toBeUndefined();
  });
});
