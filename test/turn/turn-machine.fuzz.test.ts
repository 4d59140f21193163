/** Random calls: whatever happens in whatever order, nobody is left in silence and nobody is talked over twice. */
import fc from 'fast-check';
import { reduce } from '../../src/turn/turn-machine';
import {
  DEFAULT_TURNS,
  INITIAL_STATE,
  type TimerId,
  type TurnEffect,
  type TurnEvent,
  type TurnState,
} from '../../src/turn/turn-state';
import { type EngineManner, type ToolManner, TurnDriver } from './turn-driver';

const TEXTS = [
  'What time do you open?',
  'my number is',
  'mm-hmm',
  'stop',
  'um',
  '',
  'Five five one two',
  'I would like to book a room.',
];

const manner: fc.Arbitrary<EngineManner> = fc.record({
  kind: fc.constantFrom(
    'answers',
    'answers',
    'answers',
    'fails',
    'is-dead',
    'hears-nothing',
    'hears-a-cough',
    'is-empty',
    'dies-halfway',
    'calls-a-tool',
    'only-calls-a-tool',
  ),
  transcriptMs: fc.integer({ min: 0, max: 3_000 }),
  audioMs: fc.integer({ min: 0, max: 6_000 }),
  text: fc.constantFrom(...TEXTS),
});

/** Some answer long after they were given up. */
const toolManner: fc.Arbitrary<ToolManner | undefined> = fc.option(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 9_000 }),
    text: fc.constantFrom('It ships on Friday.', undefined),
  }),
  { nil: undefined },
);

type Deed =
  | { readonly do: 'speak'; readonly ms: number; readonly levelDb: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'type' | 'say' }
  | { readonly do: 'key'; readonly digit: string }
  | { readonly do: 'hold'; readonly ms: number }
  | { readonly do: 'overlap-text'; readonly text: string | undefined }
  | { readonly do: 'stuck-voice' }
  | { readonly do: 'engine-died' };

const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('speak' as const),
      ms: fc.integer({ min: 64, max: 3_000 }),
      levelDb: fc.integer({ min: -60, max: -10 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 4_000 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('type' as const, 'say' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('key' as const), digit: fc.constantFrom('1', '9', '#', '*', 'x') }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hold' as const), ms: fc.integer({ min: 0, max: 9_000 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('overlap-text' as const), text: fc.constantFrom(undefined, ...TEXTS) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('stuck-voice' as const, 'engine-died' as const) }) },
);

function act(driver: TurnDriver, next: Deed): void {
  switch (next.do) {
    case 'speak':
      driver.speak(next.ms, next.levelDb);
      return;
    case 'wait':
      driver.advance(next.ms);
      return;
    case 'type':
      driver.send({ type: 'user-text', text: 'typed' });
      return;
    case 'say':
      driver.send({ type: 'say', text: 'An order. Say it.' });
      return;
    case 'key':
      driver.send({ type: 'dtmf', digit: next.digit });
      return;
    case 'hold':
      driver.send({ type: 'hold' });
      driver.advance(next.ms);
      driver.send({ type: 'resume' });
      return;
    case 'overlap-text':
      driver.overlapText = next.text;
      return;
    case 'stuck-voice':
      driver.send({
        type: 'speech-started',
        sample: driver.sampleNow(),
        headSample: driver.sampleNow() + 1_024,
        levelDb: -20,
      });
      return;
    case 'engine-died':
      driver.send({ type: 'engine-failed', turnId: undefined });
      return;
  }
}

const worlds = fc.record({
  greeting: fc.constantFrom(undefined, 'Hello, this is the clinic.'),
  manners: fc.array(manner, { minLength: 1, maxLength: 8 }),
  deeds: fc.array(deed, { maxLength: 25 }),
  listenMs: fc.integer({ min: 0, max: 2_500 }),
  promptsCached: fc.boolean(),
  toolManners: fc.array(toolManner, { minLength: 1, maxLength: 3 }),
});

const NO_IDLE = { ...DEFAULT_TURNS, idle: undefined };
/** Longest way out: a turn without words is asked again, what waits is said one by one. */
const QUIET_MS = 120_000;

describe('a random call', () => {
  it('leaves no finished turn without an answer, a fallback or a goodbye, and no two answers at once', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const driver = new TurnDriver(NO_IDLE);
        driver.manners = [...world.manners];
        driver.listenMs = world.listenMs;
        driver.promptsCached = world.promptsCached;
        driver.toolManners = [...world.toolManners];
        driver.send({ type: 'opened', greeting: world.greeting });
        for (const next of world.deeds) act(driver, next);
        driver.advance(QUIET_MS);
        expect(driver.problems).toEqual([]);
        expect(['listening', 'closed']).toContain(driver.phase);
        expect(driver.state.waiting).toEqual([]);
        expect(driver.state.tool).toBeUndefined();
        expect(untold(driver)).toEqual([]);
        expect(unanswered(driver)).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  it('gives the caller a sound within the allowed silence once the turn is the agent’s, prompts being at hand', () => {
    fc.assert(
      fc.property(
        fc.array(manner, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 5 }),
        fc.array(toolManner, { minLength: 1, maxLength: 3 }),
        (manners, turns, toolManners) => {
          const driver = new TurnDriver(NO_IDLE);
          driver.manners = [...manners];
          driver.toolManners = [...toolManners];
          driver.send({ type: 'opened', greeting: undefined });
          for (let turn = 0; turn < turns; turn += 1) {
            driver.speak(800);
            driver.advance(30_000);
          }
          for (const { atMs, effect } of driver.effects) {
            if (effect.type !== 'report' || effect.report.type !== 'user-turn') continue;
            const sound = driver.effects.find(
              (later) => later.atMs >= atMs && ['release', 'filler', 'closed'].includes(later.effect.type),
            );
            expect((sound?.atMs ?? Number.POSITIVE_INFINITY) - atMs).toBeLessThanOrEqual(4_000);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('closes within two seconds of the hang-up, with its media alive or dead', () => {
    fc.assert(
      fc.property(worlds, fc.boolean(), (world, mediaAlive) => {
        const driver = new TurnDriver();
        driver.manners = [...world.manners];
        driver.send({ type: 'opened', greeting: world.greeting });
        for (const next of world.deeds) act(driver, next);
        driver.mediaAlive = mediaAlive;
        driver.send({ type: 'hangup', reason: 'caller-hangup' });
        driver.advance(2_000);
        expect(driver.phase).toBe('closed');
        const before = driver.effects.length;
        driver.speak(1_000);
        driver.send({ type: 'user-text', text: 'late' });
        expect(driver.effects).toHaveLength(before);
        expect(driver.ofType('closed')).toHaveLength(1);
      }),
      { numRuns: 200 },
    );
  });

  it('survives media that never report, speaking the next answer nevertheless', () => {
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 12 }), (deeds) => {
        const driver = new TurnDriver(NO_IDLE);
        driver.mediaAlive = false;
        driver.send({ type: 'opened', greeting: 'Hello.' });
        for (const next of deeds) act(driver, next);
        driver.advance(QUIET_MS);
        expect(driver.problems).toEqual([]);
        expect(['listening', 'closed']).toContain(driver.phase);
      }),
      { numRuns: 150 },
    );
  });
});

/** Tool calls of which the caller was never told, though no other overtook them and the call went on. */
function untold(driver: TurnDriver): number[] {
  const lost: number[] = [];
  driver.effects.forEach(({ effect }, index) => {
    if (effect.type !== 'tool-call') return;
    const later = driver.effects.slice(index + 1).map((next) => next.effect);
    const told = later.some(
      (next) =>
        next.type === 'closed' ||
        (next.type === 'answer' && next.input.kind === 'tool-result') ||
        (next.type === 'prompt' && next.text === driver.config.toolFailedText) ||
        (next.type === 'report' && next.report.type === 'tool-over' && next.report.because !== 'timed-out'),
    );
    if (!told) lost.push(effect.turnId);
  });
  return lost;
}

/** Reported turns after which nothing was said, nothing reopened them, and the call went on. */
function unanswered(driver: TurnDriver): number[] {
  const lost: number[] = [];
  driver.effects.forEach(({ effect }, index) => {
    if (effect.type !== 'report' || effect.report.type !== 'user-turn') return;
    const { turnId } = effect.report;
    const later = driver.effects.slice(index + 1);
    const settled = later.some(
      (next) =>
        next.effect.type === 'closed' ||
        (next.effect.type === 'release' && next.effect.turnId >= turnId) ||
        (next.effect.type === 'report' &&
          next.effect.report.type === 'reopened' &&
          next.effect.report.turnId === turnId) ||
        (next.effect.type === 'report' && next.effect.report.type === 'ignored'),
    );
    const before = driver.effects
      .slice(0, index)
      .some((last) => last.effect.type === 'release' && last.effect.turnId === turnId);
    if (!settled && !before) lost.push(turnId);
  });
  return lost;
}

const phaseNames = [
  'idle',
  'listening',
  'user-speaking',
  'user-pausing',
  'thinking',
  'held',
  'speaking',
  'overlapped',
  'ducked',
  'awaiting-tool',
  'on-hold',
  'yielding',
  'closing',
  'closed',
];
const timerIds: TimerId[] = [
  'speculate',
  'end-of-turn',
  'turn-limit',
  'stall',
  'confirm',
  'duck',
  'judge',
  'watchdog',
  'playout',
  'idle',
  'digits',
  'settle',
  'tool',
  'tool-filler',
  'close',
];
const turnId = fc.integer({ min: 0, max: 12 });
const sample = fc.integer({ min: 0, max: 2_000_000 });

const anyEvent: fc.Arbitrary<Omit<TurnEvent, 'atMs'>> = fc.oneof(
  fc.record({
    type: fc.constantFrom('speech-started' as const, 'speech-continues' as const, 'speech-ended' as const),
    sample,
    headSample: sample,
    levelDb: fc.integer({ min: -96, max: 0 }),
  }),
  fc.record({
    type: fc.constant('transcript' as const),
    turnId,
    text: fc.constantFrom(...TEXTS),
    speech: fc.boolean(),
  }),
  fc.record({ type: fc.constant('answer-text' as const), turnId, delta: fc.string() }),
  fc.record({ type: fc.constant('answer-audio' as const), turnId, durationMs: fc.integer({ min: 0, max: 5_000 }) }),
  fc.record({
    type: fc.constant('answer-end' as const),
    turnId,
    action: fc.constantFrom(undefined, undefined, 'hangup' as const, 'handover' as const, {
      type: 'tool' as const,
      name: 'order_status',
    }),
  }),
  fc.record({ type: fc.constant('engine-failed' as const), turnId: fc.option(turnId, { nil: undefined }) }),
  fc.record({
    type: fc.constant('listened' as const),
    requestId: turnId,
    text: fc.constantFrom(...TEXTS),
    speech: fc.boolean(),
  }),
  fc.record({
    type: fc.constant('playout' as const),
    turnId,
    state: fc.constantFrom(
      'started' as const,
      'finished' as const,
      'flushed' as const,
      'starved' as const,
      'progress' as const,
    ),
    playedMs: fc.integer({ min: 0, max: 9_000 }),
    heardText: fc.string(),
  }),
  fc.record({
    type: fc.constant('tool-result' as const),
    turnId,
    text: fc.option(fc.string(), { nil: undefined }),
  }),
  fc.record({ type: fc.constantFrom('user-text' as const, 'say' as const), text: fc.string() }),
  fc.record({ type: fc.constant('dtmf' as const), digit: fc.string({ maxLength: 2 }) }),
  fc.record({ type: fc.constantFrom('hold' as const, 'resume' as const, 'stop' as const) }),
  fc.record({ type: fc.constant('stop' as const), turnId }),
  fc.record({ type: fc.constant('opened' as const), greeting: fc.option(fc.string(), { nil: undefined }) }),
  fc.record({
    type: fc.constant('timer' as const),
    id: fc.constantFrom(...timerIds),
    token: fc.integer({ min: 0, max: 60 }),
  }),
);

describe('the reducer', () => {
  it('takes any event in any state, keeps late ones without effect, and always has a way on', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyEvent, fc.integer({ min: 0, max: 800 })), { maxLength: 120 }), (events) => {
        let state: TurnState = INITIAL_STATE;
        let atMs = 0;
        let released: number | undefined;
        for (const [event, pauseMs] of events) {
          atMs += pauseMs;
          const before = state;
          const result = reduce(state, { ...event, atMs } as TurnEvent, DEFAULT_TURNS);
          state = result.state;
          expect(phaseNames).toContain(state.phase.name);
          expect(state.waiting.length).toBeLessThanOrEqual(8);
          if ('turnId' in event && typeof event.turnId === 'number' && !concerns(before, event.turnId)) {
            expect(result.effects).toEqual([]);
            expect(state).toEqual(before);
          }
          for (const effect of result.effects) released = follow(effect, event as TurnEvent, released);
          expect(hasWayOn(state)).toBe(true);
        }
      }),
      { numRuns: 1_500 },
    );
  });

  it('is pure: the same state and event give the same transition, and the state is left as it was', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
        let state: TurnState = INITIAL_STATE;
        events.forEach((event, index) => {
          const frozen = JSON.stringify(state);
          const dated = { ...event, atMs: index * 50 } as TurnEvent;
          const first = reduce(state, dated, DEFAULT_TURNS);
          expect(reduce(state, dated, DEFAULT_TURNS)).toEqual(first);
          expect(JSON.stringify(state)).toBe(frozen);
          state = first.state;
        });
      }),
      { numRuns: 200 },
    );
  });
});

/** One answer is released at a time; the next only after the last was finished or flushed. */
function follow(effect: TurnEffect, event: TurnEvent, released: number | undefined): number | undefined {
  if (effect.type === 'release') {
    expect(released).toBeUndefined();
    return effect.turnId;
  }
  if (effect.type === 'flush' && effect.turnId === released) return undefined;
  const over = event.type === 'playout' && (event.state === 'finished' || event.state === 'flushed');
  if (effect.type === 'commit' && over && effect.turnId === released) return undefined;
  return released;
}

function concerns(state: TurnState, id: number): boolean {
  const { phase } = state;
  if (state.tool?.turnId === id) return true;
  if (phase.name === 'user-pausing') return phase.speculation?.turnId === id || state.uncommitted?.turnId === id;
  const answer = 'answer' in phase ? phase.answer : undefined;
  return answer?.turnId === id || state.uncommitted?.turnId === id;
}

/** Without any further event from outside, time alone leads on, unless the floor is the caller's or the far end holds. */
function hasWayOn(state: TurnState): boolean {
  if (['idle', 'on-hold', 'closed', 'listening'].includes(state.phase.name)) return true;
  return Object.keys(state.timers).some((id) => id !== 'digits');
}
