import { type Attempt, placeByTrunks, type TrunkFailure } from '../../src/call/trunk-failover';
import { ManualClock } from '../../src/core/clock';
import { TrunklineError } from '../../src/core/errors';
import { TrunkPauses } from '../../src/sip/trunk-pauses';

const settled = () => new Promise((resolve) => setImmediate(resolve));
const refused = (status: number, retryAfterSeconds?: number) =>
  new TrunklineError('sip.rejected', 'no', { details: { status, retryAfterSeconds } });
const unreachable = new TrunklineError('sip.unreachable', 'nobody');

function call(...routes: readonly [string, ...string[]]) {
  const clock = new ManualClock();
  const abort = new AbortController();
  const asked: {
    readonly route: string;
    readonly attempt: Attempt;
    readonly end: (error?: Error) => Promise<unknown>;
  }[] = [];
  const failures: (readonly [string, TrunkFailure, string | undefined])[] = [];
  const done = placeByTrunks(routes, {
    clock,
    signal: abort.signal,
    attempt: (route, attempt) =>
      new Promise((resolve, reject) => {
        const end = (error?: Error): Promise<unknown> => {
          if (error === undefined) resolve();
          else reject(error);
          return settled();
        };
        asked.push({ route, attempt, end });
      }),
    failed: (...failure) => failures.push(failure),
  });
  const outcome = done.then(
    () => 'placed',
    (error: unknown) => error,
  );
  return { clock, abort, asked, failures, outcome, names: () => asked.map(({ route }) => route) };
}

describe('a call by several trunks', () => {
  it.each([
    ['says 503', refused(503), { status: 503, pauseSeconds: 0 }],
    ['says when to ask again', refused(503, 120), { status: 503, pauseSeconds: 120 }],
    ['asks for more than an hour', refused(503, 999_999_999), { status: 503, pauseSeconds: 3_600 }],
    ['cannot be reached', unreachable, { status: 0, pauseSeconds: 30 }],
  ])('goes by the next one when the first %s', async (_what, error, failure) => {
    const { asked, failures, outcome, names } = call('first', 'second');
    await asked[0]!.end(error);
    expect(names()).toEqual(['first', 'second']);
    expect(failures).toEqual([['first', failure, 'second']]);
    await asked[1]!.end();
    expect(await outcome).toBe('placed');
  });

  it('does not wait for one that says nothing, unless it is the last', async () => {
    const { clock, asked, names } = call('first', 'second');
    clock.advance(7_999);
    await settled();
    expect(names()).toEqual(['first']);
    clock.advance(1);
    await settled();
    expect(names()).toEqual(['first', 'second']);
    expect(asked[0]!.attempt.signal.aborted).toBe(true);
    clock.advance(60_000);
    await settled();
    expect(asked[1]!.attempt.signal.aborted).toBe(false);
  });

  it('waits for one that tries', async () => {
    const { clock, asked, names } = call('first', 'second');
    asked[0]!.attempt.heard();
    clock.advance(60_000);
    await settled();
    expect(names()).toEqual(['first']);
  });

  it.each([
    ['the callee refuses', refused(486), false],
    ['a trunk fails behind which it has rung', refused(503), true],
  ])('ends where %s', async (_what, error, rings) => {
    const { asked, failures, outcome } = call('first', 'second');
    if (rings) asked[0]!.attempt.rings();
    await asked[0]!.end(error);
    expect(await outcome).toBe(error);
    expect(failures).toEqual([]);
  });

  it('ends as the last one did, whose wish is heeded, too', async () => {
    const { asked, failures, outcome } = call('first', 'second');
    await asked[0]!.end(unreachable);
    const last = refused(503, 60);
    await asked[1]!.end(last);
    expect(await outcome).toBe(last);
    expect(failures.at(-1)).toEqual(['second', { status: 503, pauseSeconds: 60 }, undefined]);
  });

  it('is given up as a whole', async () => {
    const { abort, asked, outcome, names } = call('first', 'second');
    abort.abort();
    expect(asked[0]!.attempt.signal.aborted).toBe(true);
    await asked[0]!.end(unreachable);
    expect(await outcome).toBe(unreachable);
    expect(names()).toEqual(['first']);
  });
});

describe('a trunk that asked not to be called', () => {
  it('is not, for so long', () => {
    const clock = new ManualClock();
    const pauses = new TrunkPauses(clock);
    pauses.pause('acme', 60);
    pauses.pause('other', 0);
    expect([pauses.isPaused('acme'), pauses.isPaused('other'), pauses.count]).toEqual([true, false, 1]);
    clock.advance(60_000);
    expect([pauses.isPaused('acme'), pauses.count]).toEqual([false, 0]);
  });
});
