import fc from 'fast-check';
import { DEFAULT_VAD, VAD_WINDOW_SAMPLES, type VadEvent, VadHysteresis } from '../../src/turn/vad';

/** Feeds one probability per window and returns the events. */
function listen(probabilities: readonly number[], levelDb = -30): VadEvent[] {
  const vad = new VadHysteresis();
  return probabilities.flatMap((probability, index) =>
    vad.push({ startSample: index * VAD_WINDOW_SAMPLES, samples: VAD_WINDOW_SAMPLES, probability, levelDb }),
  );
}

const window = (count: number) => count * VAD_WINDOW_SAMPLES;

describe('speech', () => {
  it('begins at the first window of a run, told once the run is long enough to be believed', () => {
    expect(listen([0, 0, 0.9, 0.9])).toEqual([
      { type: 'speech-started', sample: window(2), headSample: window(4), levelDb: -30 },
    ]);
  });

  it('does not begin with a single loud window', () => {
    expect(listen([0, 0.9, 0, 0.9, 0, 0.9, 0])).toEqual([]);
  });

  it('ends at the first silent window, told 96 ms later', () => {
    const events = listen([0.9, 0.9, 0.9, 0, 0, 0]);
    expect(events.at(-1)).toMatchObject({ type: 'speech-ended', sample: window(3), headSample: window(6) });
  });

  it('does not end in a gap shorter than that', () => {
    const events = listen([0.9, 0.9, 0, 0, 0.9, 0.9]);
    expect(events.map((event) => event.type)).not.toContain('speech-ended');
  });

  it('keeps its verdict while the network is undecided', () => {
    expect(listen([0.9, 0.9, 0.4, 0.4, 0.4, 0.4, 0.4]).map((event) => event.type)).not.toContain('speech-ended');
    expect(listen([0.4, 0.4, 0.4, 0.4])).toEqual([]);
  });

  it('reports that it goes on every 96 ms', () => {
    const events = listen(Array(11).fill(0.9));
    expect(events.map((event) => event.headSample)).toEqual([window(2), window(5), window(8), window(11)]);
  });

  it('ends where the stream was cut', () => {
    const vad = new VadHysteresis();
    for (let index = 0; index < 4; index += 1) {
      vad.push({ startSample: window(index), samples: VAD_WINDOW_SAMPLES, probability: 1, levelDb: -20 });
    }
    expect(vad.interrupt(window(4))).toEqual([
      { type: 'speech-ended', sample: window(4), headSample: window(4), levelDb: -20 },
    ]);
    expect(vad.interrupt(window(4))).toEqual([]);
  });

  it('starts and ends in turns, with samples that never run backwards, whatever the probabilities', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 300 }), (probabilities) => {
        let speaking = false;
        let last = 0;
        for (const event of listen(probabilities)) {
          if (event.type === 'speech-continues') {
            expect(speaking).toBe(true);
            continue;
          }
          expect(event.type).toBe(speaking ? 'speech-ended' : 'speech-started');
          speaking = event.type === 'speech-started';
          expect(event.sample).toBeGreaterThanOrEqual(last);
          expect(event.headSample - event.sample).toBeGreaterThanOrEqual(
            (speaking ? DEFAULT_VAD.startMs : DEFAULT_VAD.endMs) * 16,
          );
          last = event.sample;
        }
      }),
    );
  });
});
