/** Reading a stereo tape: gaps, cut-ins, silence and barge-in on synthetic speech-like noise with known edges. */
import { loudSpans, readBargeIn, readTurnGaps, type Tape } from '../../src/phone/tape';

const RATE = 8_000;

/** Noise bursts at −20 dBFS over a −65 dBFS floor, from a fixed generator. */
function channel(durationMs: number, bursts: readonly [number, number][]): Float32Array {
  let seed = 7;
  const noise = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 30 - 1;
  };
  return Float32Array.from({ length: (durationMs * RATE) / 1_000 }, (_, index) => {
    const ms = (index * 1_000) / RATE;
    return noise() * (bursts.some(([from, to]) => ms >= from && ms < to) ? 0.17 : 0.001);
  });
}

const tapeOf = (caller: readonly [number, number][], agent: readonly [number, number][]): Tape => ({
  sampleRate: RATE,
  caller: channel(10_000, caller),
  agent: channel(10_000, agent),
});

describe('the tape', () => {
  it('finds talkspurts to within a frame and bridges short pauses', () => {
    const spans = loudSpans(
      channel(3_000, [
        [500, 1_000],
        [1_200, 1_500],
        [2_200, 2_400],
      ]),
      RATE,
    );
    expect(spans).toEqual([
      { startMs: 500, endMs: 1_500 },
      { startMs: 2_200, endMs: 2_400 },
    ]);
  });

  it('measures from the end of the caller to the first sample of the agent', () => {
    const tape = tapeOf(
      [
        [1_000, 2_000],
        [6_000, 6_500],
      ],
      [
        [2_700, 4_000],
        [7_200, 9_000],
      ],
    );
    const reading = readTurnGaps(tape, [
      { startMs: 1_000, endMs: 2_000 },
      { startMs: 6_000, endMs: 6_500 },
    ]);
    expect(reading.gaps.map((gap) => Math.abs(gap.gapMs - 700) <= 20)).toEqual([true, true]);
    expect(reading).toMatchObject({ unanswered: 0, cutIns: 0, discarded: 0 });
  });

  it('counts an utterance that got no answer, and one that was cut into', () => {
    const tape = tapeOf(
      [
        [1_000, 2_000],
        [4_000, 6_000],
      ],
      [[5_000, 7_000]],
    );
    const reading = readTurnGaps(tape, [
      { startMs: 1_000, endMs: 2_000 },
      { startMs: 4_000, endMs: 6_000 },
    ]);
    expect(reading).toMatchObject({ gaps: [], unanswered: 1, cutIns: 1 });
  });

  it('discards an edge on which hum deceives one of the detectors', () => {
    const tape = tapeOf([[1_000, 2_000]], []);
    for (let index = 3_000 * 8; index < 4_000 * 8; index += 1)
      tape.agent[index] = 0.02 * Math.sin((2 * Math.PI * 5 * index) / RATE);
    expect(readTurnGaps(tape, [{ startMs: 1_000, endMs: 2_000 }])).toMatchObject({ gaps: [], discarded: 1 });
  });

  it('measures how fast the agent stops, and says when it does not', () => {
    expect(readBargeIn(tapeOf([[3_000, 4_000]], [[1_000, 3_250]]), 3_000)).toBe(250);
    expect(readBargeIn(tapeOf([[3_000, 4_000]], [[1_000, 9_000]]), 3_000)).toBeUndefined();
    // Talked over between two sentences, of which the second never comes.
    expect(readBargeIn(tapeOf([[3_000, 4_000]], [[1_000, 2_900]]), 3_000)).toBe(0);
    // A dip of 400 ms is no stop; what follows after 600 ms is the next answer.
    const dipped: [number, number][] = [
      [1_000, 3_200],
      [3_600, 9_000],
    ];
    expect(readBargeIn(tapeOf([[3_000, 4_000]], dipped), 3_000)).toBeUndefined();
    const answered: [number, number][] = [
      [1_000, 3_200],
      [3_800, 9_000],
    ];
    expect(readBargeIn(tapeOf([[3_000, 3_300]], answered), 3_000)).toBe(200);
  });
});
