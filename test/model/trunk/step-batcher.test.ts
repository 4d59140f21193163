/** Steps of several sequences in one run, over a model whose answer to a step is everything that its sequence has read. */
import fc from 'fast-check';
import type { Pace } from '../../../src/model/omni-model';
import { RIDER_SLACK, type Row, ridersAmong, StepBatcher } from '../../../src/model/trunk/step-batcher';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const now = (urgency = 0): Pace => ({ dueInMs: () => 0, urgency: () => urgency });
const later: Pace = { dueInMs: () => 20, urgency: () => 0 };

interface Sequence {
  readonly name: string;
  read: number[];
  gone: boolean;
}

function rig(given: { mostRows?: number; together?: (one: Sequence, other: Sequence) => boolean } = {}) {
  const { mostRows = 4, together = () => true } = given;
  const runs: Row<Sequence>[][] = [];
  let running = 0;
  const batcher = new StepBatcher<Sequence, string>({
    mostRows,
    together,
    run: async (rows) => {
      running += 1;
      expect(running).toBe(1);
      runs.push([...rows]);
      const read = rows.map(({ sequence, items }) => `${sequence.name}:${[...sequence.read, ...items].join(',')}`);
      await turn();
      running -= 1;
      return read;
    },
  });
  const open = (name: string): Sequence => ({ name, read: [], gone: false });
  const append = async (sequence: Sequence, items: number[], signal?: AbortSignal) => {
    const result = await batcher.step(sequence, items, () => !sequence.gone, signal);
    sequence.read.push(...items);
    return result;
  };
  const names = () => runs.map((rows) => rows.map(({ sequence }) => sequence.name).join(''));
  return { runs, names, batcher, open, append };
}

describe('steps of several sequences', () => {
  it('are read in one run when both are due, and need no second one', async () => {
    const { names, batcher, open, append } = rig();
    const [a, b] = [open('a'), open('b')];
    batcher.foresee(a, 1, now());
    batcher.foresee(b, 2, now());
    expect(await append(a, [1])).toBe('a:1');
    expect(await append(b, [2])).toBe('b:2');
    expect(names()).toEqual(['ab']);
  });

  it('begin at once when nobody else has one', async () => {
    const { names, batcher, open, append } = rig();
    const a = open('a');
    batcher.foresee(a, 1, now());
    const step = append(a, [1]);
    // No timer, no turn of the event loop: only the promise before it.
    await Promise.resolve();
    expect(names()).toEqual(['a']);
    await step;
  });

  it('leave alone who is not due, who sits elsewhere, and whose guess is no hurry to an answer', async () => {
    const elsewhere = { name: 'e', read: [], gone: false };
    const { names, batcher, open, append } = rig({ together: (_, other) => other !== elsewhere });
    const [a, b, guess] = [open('a'), open('b'), open('g')];
    batcher.foresee(a, 1, now(0));
    batcher.foresee(b, 1, later);
    batcher.foresee(guess, 1, now(-1_000_000));
    batcher.foresee(elsewhere, 1, now());
    await append(a, [1]);
    expect(names()).toEqual(['a']);
  });

  it('let a guess take along an answer, and another guess', async () => {
    const { names, batcher, open, append } = rig();
    const [guess, answer, other] = [open('g'), open('a'), open('o')];
    batcher.foresee(guess, 1, now(-1_000_000));
    batcher.foresee(other, 1, now(-1_000_100));
    batcher.foresee(answer, 1, now(0));
    await append(guess, [1]);
    expect(names()).toEqual(['goa']);
  });

  it('take nobody along when many items are read', async () => {
    const { names, batcher, open, append } = rig();
    const [a, b] = [open('a'), open('b')];
    batcher.foresee(b, 2, now());
    await append(a, [1, 2, 3]);
    expect(names()).toEqual(['a']);
  });

  it('are read anew when something else comes than was foreseen', async () => {
    const { names, batcher, open, append } = rig();
    const [a, b] = [open('a'), open('b')];
    batcher.foresee(b, 2, now());
    await append(a, [1]);
    expect(await append(b, [3])).toBe('b:3');
    expect(names()).toEqual(['ab', 'b']);
  });

  it('are told when nobody wants them any more, so that nothing of them is kept', async () => {
    const { runs, batcher, open, append } = rig();
    const [a, b] = [open('a'), open('b')];
    batcher.foresee(b, 2, now());
    const step = append(a, [1]);
    await Promise.resolve();
    batcher.forget(b);
    a.gone = true;
    expect(runs[0]!.map(({ wanted }) => wanted())).toEqual([false, false]);
    await step;
  });

  it('do not begin for a caller who has hung up meanwhile', async () => {
    const { names, open, append } = rig();
    const abort = new AbortController();
    const first = append(open('a'), [1]);
    const second = append(open('b'), [2], abort.signal);
    await Promise.resolve();
    abort.abort(new Error('barge-in'));
    await first;
    await expect(second).rejects.toThrow('barge-in');
    expect(names()).toEqual(['a']);
  });

  it('go on after a run that failed', async () => {
    let fails = true;
    const batcher = new StepBatcher<string, string>({
      mostRows: 4,
      together: () => true,
      run: async (rows) => {
        if (fails) throw new Error('out of memory');
        return rows.map(({ sequence }) => sequence);
      },
    });
    batcher.foresee('b', 2, now());
    await expect(batcher.step('a', [1])).rejects.toThrow('out of memory');
    fails = false;
    await expect(batcher.step('b', [2])).resolves.toBe('b');
  });

  it('give what each would have had alone, whoever comes, is cut off or leaves', async () => {
    const operation = fc.record({
      kind: fc.constantFrom('say', 'say', 'say', 'say', 'chunk', 'other', 'cut', 'abort', 'leave'),
      turns: fc.nat(3),
      dueInMs: fc.constantFrom(0, 0, 0, 20, Number.POSITIVE_INFINITY),
      urgency: fc.constantFrom(0, -200, -1_000_000),
    });
    const calls = fc.array(fc.array(operation, { maxLength: 14 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(calls, fc.integer({ min: 1, max: 4 }), async (scripts, mostRows) => {
        const { runs, batcher, open, append } = rig({ mostRows });
        await Promise.all(
          scripts.map(async (script, call) => {
            const own = open(String(call));
            for (const [token, { kind, turns, dueInMs, urgency }] of script.entries()) {
              const expected = (items: number[]) => `${call}:${[...own.read, ...items].join(',')}`;
              batcher.foresee(own, token, { dueInMs: () => dueInMs, urgency: () => urgency });
              for (let i = 0; i < turns; i += 1) await turn();
              if (kind === 'leave') {
                own.gone = true;
                batcher.forget(own);
                return;
              }
              if (kind === 'cut') {
                batcher.forget(own);
                own.read.length = Math.floor(own.read.length / 2);
              }
              const items = kind === 'chunk' ? [token, 100, 101] : kind === 'other' ? [200 + token] : [token];
              const wanted = expected(items);
              const abort = new AbortController();
              const step = append(own, items, abort.signal);
              if (kind === 'abort') abort.abort();
              const result = await step.catch(() => undefined);
              if (result === undefined) expect(kind).toBe('abort');
              else expect(result).toBe(wanted);
            }
          }),
        );
        for (const rows of runs) {
          expect(rows.length).toBeLessThanOrEqual(mostRows);
          expect(new Set(rows.map(({ sequence }) => sequence)).size).toBe(rows.length);
          if (rows.length > 1) expect(rows.every(({ items }) => items.length === 1)).toBe(true);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('who rides along', () => {
  it('are the most urgent of those who are due', () => {
    const paces = new Map([
      ['ahead', later],
      ['starving', now(140)],
      ['waiting', now(0)],
      ['fine', now(-200)],
      ['guess', now(-1_000_000)],
    ]);
    expect([...ridersAmong(paces, 0, 3)]).toEqual(['starving', 'waiting', 'fine']);
    expect([...ridersAmong(paces, 0, 1)]).toEqual(['starving']);
    expect(ridersAmong(paces, 0, 0).size).toBe(0);
    expect(ridersAmong(paces, -1_000_000 + RIDER_SLACK, 9).has('guess')).toBe(true);
  });

  it('are also those who will be due, when nobody waits for the step itself, but never who need nothing', () => {
    const paces = new Map([
      ['ahead', later],
      ['cut off', { dueInMs: () => Number.POSITIVE_INFINITY, urgency: () => 0 }],
    ]);
    expect([...ridersAmong(paces, -100, 3)]).toEqual(['ahead']);
    expect(ridersAmong(paces, 0, 3).size).toBe(0);
    expect(ridersAmong(paces, 140, 3).size).toBe(0);
  });
});
