import fc from 'fast-check';
import { maxQueuedMs, type PlayoutEvent, PlayoutQueue } from '../../src/media/playout-queue';
import type { PlayoutWord } from '../../src/media/protocol';
import { concat, sharpestBend, sine } from '../support/signal';

const rate = 8000;
const frameSamples = 160;

function makeQueue() {
  const events: PlayoutEvent[] = [];
  const queue = new PlayoutQueue(rate, (event) => events.push(event));
  const pull = (frames: number): Int16Array => {
    const parts = [];
    for (let i = 0; i < frames; i++) {
      const frame = new Int16Array(frameSamples);
      const got = queue.pull(frame);
      // What is no speech is left to the caller to fill.
      expect(frame.subarray(got).every((sample) => sample === 0)).toBe(true);
      parts.push(frame);
    }
    return concat(parts);
  };
  const states = () =>
    events.map(({ turnId, state }) => `${turnId} ${state}`).filter((state) => !/progress/.test(state));
  return { queue, events, pull, states };
}

const wordsOf = (count: number, each: number): PlayoutWord[] =>
  Array.from({ length: count }, (_, i) => ({ text: `w${i}`, startSample: i * each, endSample: (i + 1) * each }));

describe('the playout queue', () => {
  it('plays every sample of a turn at the codec rate, then says it has finished', () => {
    const { queue, pull, states, events } = makeQueue();
    const pcm = sine(440, 8000, rate, 1600);
    queue.play(1, pcm, rate, []);
    queue.end(1);
    expect(pull(10)).toEqual(pcm);
    expect(states()).toEqual(['1 started', '1 finished']);
    expect(events.at(-1)!.playedMs).toBe(200);
  });

  it('joins chunks of 22,050 Hz without a seam', () => {
    const { queue, pull } = makeQueue();
    const pcm = sine(440, 8000, 22_050, 22_050);
    for (let at = 0; at < pcm.length; at += 1234) queue.play(1, pcm.slice(at, at + 1234), 22_050, []);
    queue.end(1);
    const out = pull(52);
    expect(sharpestBend(out, 400, 7800)).toBeLessThan(1.2 * sharpestBend(sine(440, 8000, rate, 8000)));
  });

  it('fades within 5 ms and loses nothing when paused', () => {
    const { queue, pull, states } = makeQueue();
    const pcm = sine(440, 8000, rate, 8000);
    queue.play(1, pcm, rate, []);
    queue.end(1);
    const parts = [pull(10)];
    queue.pause(1);
    expect(queue.playing).toBe(false);
    parts.push(pull(10));
    queue.resume(1);
    parts.push(pull(45));
    const out = concat(parts);
    const loud = out.subarray(1600, 3200).findLastIndex((sample) => sample !== 0);
    expect(loud).toBeLessThan(40);
    expect(out.filter((sample) => sample !== 0).length).toBeGreaterThan(7900);
    expect(sharpestBend(out)).toBeLessThan(4 * sharpestBend(pcm));
    expect(states()).toEqual(['1 started', '1 finished']);
  });

  it('plays at most 5 ms more after a flush and reports it at once', () => {
    const { queue, pull, events, states } = makeQueue();
    queue.play(1, sine(440, 8000, rate, 16_000), rate, wordsOf(20, 800));
    pull(25);
    queue.flush(1);
    expect(states()).toEqual(['1 started', '1 flushed']);
    expect(events.at(-1)).toMatchObject({ playedMs: 505, heardText: 'w0 w1 w2 w3 w4' });
    const after = pull(5);
    expect(after.findLastIndex((sample) => sample !== 0)).toBeLessThan(40);
  });

  it('answers a flush of a turn that never had a sample', () => {
    const { queue, events } = makeQueue();
    queue.flush(7);
    expect(events).toEqual([{ turnId: 7, state: 'flushed', playedMs: 0, heardText: '' }]);
  });

  it('drops what still comes for a flushed turn', () => {
    const { queue, pull, states } = makeQueue();
    queue.play(1, new Int16Array(800), rate, []);
    queue.flush(2);
    queue.play(2, sine(440, 8000, rate, 800), rate, []);
    queue.end(1);
    expect(pull(5).every((sample) => sample === 0)).toBe(true);
    expect(states()).toEqual(['1 flushed', '2 flushed']);
    expect(queue.staleMessages).toBe(2);
  });

  it('keeps a later turn when an earlier one is flushed', () => {
    const { queue, pull, states } = makeQueue();
    queue.play(1, sine(440, 8000, rate, 8000), rate, []);
    queue.play(2, sine(440, 8000, rate, 800), rate, []);
    queue.end(2);
    pull(2);
    queue.flush(1);
    pull(10);
    expect(states()).toEqual(['1 started', '1 flushed', '2 started', '2 finished']);
  });

  it('counts a word as heard when more than half of it has left', () => {
    const { queue, pull, events } = makeQueue();
    queue.play(1, sine(300, 5000, rate, 8000), rate, [
      { text: 'one', startSample: 0, endSample: 1000 },
      { text: 'two', startSample: 1000, endSample: 2400 },
      { text: 'three', startSample: 2400, endSample: 4000 },
    ]);
    pull(10);
    queue.flush(1);
    // 205 ms have left: 'two' is half heard at 212.5 ms.
    expect(events.at(-1)!.heardText).toBe('one');
  });

  it('fades out when it runs dry, says so once, and fades in again', () => {
    const { queue, pull, states } = makeQueue();
    const pcm = sine(440, 8000, rate, 8000);
    queue.play(1, pcm.slice(0, 1000), rate, []);
    const before = pull(20);
    queue.play(1, pcm.slice(1000, 2000), rate, []);
    queue.end(1);
    const out = concat([before, pull(10)]);
    expect(states()).toEqual(['1 started', '1 starved', '1 finished']);
    expect(sharpestBend(out, 0, 4000)).toBeLessThan(4 * sharpestBend(pcm));
    expect(out.filter((sample) => sample !== 0).length).toBeGreaterThan(1900);
  });

  it('reports progress about every 200 ms', () => {
    const { queue, pull, events } = makeQueue();
    queue.play(1, sine(440, 8000, rate, 16_000), rate, []);
    queue.end(1);
    pull(100);
    const progress = events.filter(({ state }) => state === 'progress').map(({ playedMs }) => playedMs);
    expect(progress).toEqual([200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800]);
  });

  it('holds a bounded length and counts what it refused', () => {
    const { queue } = makeQueue();
    const second = new Int16Array(rate);
    for (let i = 0; i < maxQueuedMs / 1000 + 20; i++) queue.play(1, second, rate, []);
    expect(queue.queuedMs).toBe(maxQueuedMs);
    expect(queue.droppedMs).toBe(20_000);
  });

  it('goes on in time when the codec changes its rate', () => {
    const events: PlayoutEvent[] = [];
    const queue = new PlayoutQueue(8000, (event) => events.push(event));
    queue.play(1, sine(440, 8000, 24_000, 24_000), 24_000, []);
    queue.end(1);
    for (let i = 0; i < 25; i++) queue.pull(new Int16Array(160));
    queue.setOutputRate(24_000);
    for (let i = 0; i < 30; i++) queue.pull(new Int16Array(480));
    expect(events.at(-1)).toMatchObject({ state: 'finished', playedMs: 1000 });
  });

  it('never says more than was sent, whatever the order of commands', () => {
    const command = fc.oneof(
      fc.record({ do: fc.constant('play' as const), turnId: fc.integer({ min: 1, max: 5 }), ms: fc.nat(400) }),
      fc.record({
        do: fc.constantFrom('end' as const, 'pause' as const, 'resume' as const, 'flush' as const),
        turnId: fc.integer({ min: 1, max: 5 }),
        ms: fc.constant(0),
      }),
      fc.record({ do: fc.constant('pull' as const), turnId: fc.constant(0), ms: fc.nat(300) }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const events: PlayoutEvent[] = [];
        const queue = new PlayoutQueue(rate, (event) => events.push(event));
        const given = new Map<number, number>();
        const ended = new Set<number>();
        let sentSamples = 0;
        const frame = new Int16Array(frameSamples);
        for (const each of commands) {
          switch (each.do) {
            case 'play': {
              // A word per 20 ms, so that heard text measures time.
              const samples = each.ms * 8;
              const words = wordsOf(Math.floor(each.ms / 20), 160);
              if (!ended.has(each.turnId)) given.set(each.turnId, (given.get(each.turnId) ?? 0) + each.ms);
              queue.play(each.turnId, sine(440, 8000, rate, samples), rate, words);
              break;
            }
            case 'end':
              ended.add(each.turnId);
              queue.end(each.turnId);
              break;
            case 'pause':
              queue.pause(each.turnId);
              break;
            case 'resume':
              queue.resume(each.turnId);
              break;
            case 'flush':
              queue.flush(each.turnId);
              break;
            case 'pull':
              for (let i = 0; i < each.ms / 20; i++) sentSamples += queue.pull(frame);
              break;
          }
        }
        const final = new Map<number, PlayoutEvent[]>();
        for (const event of events) final.set(event.turnId, [...(final.get(event.turnId) ?? []), event]);
        let playedMs = 0;
        for (const [turnId, list] of final) {
          const times = list.filter(({ state }) => state !== 'flushed' || list.length === 1);
          const sorted = times.map((event) => event.playedMs);
          expect(sorted).toEqual([...sorted].sort((a, b) => a - b));
          const most = Math.max(...list.map((event) => event.playedMs));
          expect(most).toBeLessThanOrEqual((given.get(turnId) ?? 0) + 1e-6);
          const words = list.at(-1)!.heardText.split(' ').filter(Boolean).length;
          expect(words).toBeLessThanOrEqual(most / 20 + 1);
          playedMs += most;
          expect(list.filter(({ state }) => state === 'finished').length).toBeLessThanOrEqual(1);
        }
        // 5 ms per fade may have been counted and not been pulled yet.
        expect(playedMs).toBeLessThanOrEqual(sentSamples / 8 + 5 * commands.length);
      }),
      { numRuns: 200 },
    );
  });
});
