/** Tools in the turn machine: when one is called, how it is waited for, and when the caller hears what came of it. */
import { DEFAULT_TURNS } from '../../src/turn/turn-state';
import { PROMPT_ANSWER, TurnDriver } from './turn-driver';

const CALLS = { ...PROMPT_ANSWER, kind: 'calls-a-tool', text: 'Where is my order?' } as const;
const ONLY_CALLS = { ...CALLS, kind: 'only-calls-a-tool' } as const;
const ANSWERS = { ...PROMPT_ANSWER, text: 'And when do you open?' };
const QUIET = { ...DEFAULT_TURNS, idle: undefined };

/** A caller has asked for what needs a tool, and the agent has just said that it will look. */
function asked(manners = [CALLS, ANSWERS] as TurnDriver['manners'], config = QUIET): TurnDriver {
  const driver = new TurnDriver(config);
  driver.manners = [...manners];
  driver.send({ type: 'opened', greeting: undefined });
  driver.speak(1_000);
  return driver;
}

const told = (driver: TurnDriver) => driver.ofType('answer').filter(({ input }) => input.kind === 'tool-result');
const prompts = (driver: TurnDriver) => driver.ofType('prompt').map(({ text }) => text);

describe('a tool', () => {
  it('is called with what the caller said, and its result answers that question', () => {
    const driver = asked();
    driver.advance(15_000);
    expect(driver.ofType('tool-call')).toMatchObject([{ turnId: 1, name: 'order_status', said: 'Where is my order?' }]);
    expect(told(driver)).toMatchObject([
      { turnId: 2, input: { question: 'Where is my order?', text: 'It ships on Friday.' }, speculative: false },
    ]);
    expect(driver.reports().filter(({ type }) => type === 'user-turn')).toHaveLength(1);
    expect(driver.ofType('commit').map(({ userText }) => userText)).toEqual([
      'Where is my order?',
      'Where is my order?',
    ]);
    expect(driver.phase).toBe('listening');
  });

  it('is not called while the answer is only on trial, nor before an interruption could no longer reopen the turn', () => {
    const driver = asked();
    driver.advance(400);
    expect(driver.ofType('tool-call')).toEqual([]);
    driver.advance(15_000);
    const started = driver.ofType('release')[0]!.atMs;
    expect(driver.ofType('tool-call')[0]!.atMs - started).toBeGreaterThanOrEqual(QUIET.reopenIfHeardUnderMs);
  });

  it('is not called when the caller goes on before that', () => {
    const driver = asked([{ ...CALLS, audioMs: 100 }]);
    while (driver.ofType('release').length === 0) driver.advance(20);
    driver.advance(100);
    driver.manners = [ANSWERS];
    driver.speak(1_200);
    driver.advance(15_000);
    expect(driver.ofType('tool-call')).toEqual([]);
  });

  it('is called once, though the answer is interrupted after it was', () => {
    const driver = asked();
    while (driver.ofType('tool-call').length === 0) driver.advance(20);
    driver.speak(1_500);
    driver.advance(20_000);
    expect(driver.ofType('tool-call')).toHaveLength(1);
    expect(driver.reports().filter(({ type }) => type === 'interrupted')).toHaveLength(1);
  });

  it('that is called without a word is waited for as well, with a filler within the allowed silence', () => {
    const driver = asked([ONLY_CALLS, ANSWERS]);
    driver.toolManners = [{ afterMs: 4_500, text: 'It ships on Friday.' }];
    const silentFrom = driver.clock.nowMs() - 96;
    driver.advance(20_000);
    const [filler] = driver.ofType('prompt');
    expect(filler).toMatchObject({ text: QUIET.fillerText });
    expect(filler!.atMs - silentFrom).toBeLessThanOrEqual(QUIET.silenceMs);
    expect(told(driver)).toHaveLength(1);
  });

  it('is waited for with one filler after another, and never in silence', () => {
    const driver = asked([CALLS, ANSWERS], { ...QUIET, toolTimeoutsMs: new Map([['order_status', 20_000]]) });
    driver.toolManners = [{ afterMs: 18_000, text: 'It ships on Friday.' }];
    driver.advance(40_000);
    expect(prompts(driver).filter((text) => text === QUIET.fillerText).length).toBeGreaterThanOrEqual(3);
    const sounds = driver.ofType('release').map(({ atMs }) => atMs);
    // After the last word of each but the last, the result's own answer.
    for (const { atMs } of driver.ofType('commit').slice(0, -1)) {
      const next = sounds.find((soundMs) => soundMs >= atMs) ?? Number.POSITIVE_INFINITY;
      expect(next - atMs).toBeLessThanOrEqual(4_000);
    }
    expect(told(driver)).toHaveLength(1);
  });

  it('is given up at once when silence has lasted long enough and there is no filler', () => {
    const driver = asked([ONLY_CALLS, ANSWERS], { ...QUIET, fillerText: undefined });
    driver.toolManners = [undefined];
    driver.advance(20_000);
    expect(prompts(driver)).toEqual([QUIET.toolFailedText]);
  });

  it.each([
    ['does not answer in time', undefined, 1],
    ['tells an error', { afterMs: 500, text: undefined }, 0],
  ])('that %s lets the agent say so and offer a colleague', (_, manner, over) => {
    const driver = asked();
    driver.toolManners = [manner];
    driver.advance(30_000);
    expect(told(driver)).toEqual([]);
    expect(prompts(driver).filter((text) => text === QUIET.toolFailedText)).toHaveLength(1);
    expect(driver.reports().filter((report) => report.type === 'tool-over')).toHaveLength(over);
    expect(driver.phase).toBe('listening');
  });

  it('changes nothing with a result that comes late, twice, or for another call', () => {
    const driver = asked();
    driver.toolManners = [undefined];
    driver.advance(30_000);
    const before = driver.effects.length;
    for (const turnId of [1, 1, 77]) driver.send({ type: 'tool-result', turnId, text: 'Too late.' });
    driver.advance(5_000);
    expect(driver.effects).toHaveLength(before);
  });
});

describe('a tool of which the dialplan says how it is waited for', () => {
  const manners = (fillerAfterMs: number, cancelled: boolean) => ({
    ...QUIET,
    toolManners: new Map([['order_status', { fillerAfterMs, cancelled }]]),
  });

  it('is bridged sooner when nothing was said with the call, and once', () => {
    const driver = asked([ONLY_CALLS, ANSWERS], manners(800, false));
    driver.toolManners = [{ afterMs: 3_000, text: 'It ships on Friday.' }];
    driver.advance(20_000);
    const called = driver.ofType('tool-call')[0]!.atMs;
    const fillers = driver.ofType('prompt').filter(({ text }) => text === QUIET.fillerText);
    expect(fillers.map(({ atMs }) => atMs - called)).toEqual([800]);
    expect(told(driver)).toHaveLength(1);
  });

  it('is not bridged so soon after words', () => {
    const driver = asked([CALLS, ANSWERS], manners(800, false));
    driver.toolManners = [{ afterMs: 3_000, text: 'It ships on Friday.' }];
    driver.advance(20_000);
    expect(prompts(driver)).toEqual([]);
  });

  it.each([
    ['dropped', true, 0, ['cancelled']],
    ['told after the answer', false, 1, []],
  ])('is %s when the caller says something else meanwhile', (_, cancelled, results, over) => {
    const driver = asked([CALLS, ANSWERS], manners(800, cancelled));
    driver.toolManners = [{ afterMs: 4_000, text: 'It ships on Friday.' }];
    while (driver.phase !== 'awaiting-tool') driver.advance(20);
    driver.speak(1_000);
    driver.advance(30_000);
    expect(told(driver)).toHaveLength(results);
    const ended = driver.reports().filter((report) => report.type === 'tool-over');
    expect(ended.map(({ because }) => because)).toEqual(over);
    expect(driver.phase).toBe('listening');
  });

  it('is dropped too when its result is there and has not been told', () => {
    const driver = asked([CALLS, { ...ANSWERS, audioMs: 2_500 }, ANSWERS, ANSWERS], manners(800, true));
    while (told(driver).length === 0) driver.advance(20);
    driver.advance(300);
    driver.speak(1_000);
    driver.advance(30_000);
    expect(told(driver)).toHaveLength(1);
    expect(driver.reports().filter((report) => report.type === 'tool-over')).toHaveLength(1);
    expect(driver.phase).toBe('listening');
  });

  it('goes on being waited for over a sound without words', () => {
    const driver = asked([CALLS, { ...ANSWERS, kind: 'hears-nothing' }, ANSWERS], manners(800, true));
    driver.toolManners = [{ afterMs: 3_000, text: 'It ships on Friday.' }];
    while (driver.phase !== 'awaiting-tool') driver.advance(20);
    driver.speak(200);
    driver.advance(30_000);
    expect(told(driver)).toHaveLength(1);
  });
});

describe('a caller who speaks while a tool is waited for', () => {
  it('is answered first, and told of the result after that', () => {
    const driver = asked();
    driver.toolManners = [{ afterMs: 3_000, text: 'It ships on Friday.' }];
    while (driver.phase !== 'awaiting-tool') driver.advance(20);
    driver.speak(1_000);
    driver.advance(30_000);
    const answers = driver.ofType('answer').filter(({ speculative, input }) => !speculative || input.kind === 'audio');
    expect(answers.at(-1)).toMatchObject({ input: { kind: 'tool-result', text: 'It ships on Friday.' } });
    expect(driver.reports().filter(({ type }) => type === 'user-turn')).toHaveLength(2);
    const finished = driver.ofType('commit').filter(({ userText }) => userText === ANSWERS.text);
    expect(finished[0]!.atMs).toBeLessThanOrEqual(answers.at(-1)!.atMs);
    expect(driver.phase).toBe('listening');
  });

  it('goes on being told when the sound was no words', () => {
    const driver = asked([CALLS, { ...ANSWERS, kind: 'hears-nothing' }, ANSWERS]);
    driver.toolManners = [{ afterMs: 3_000, text: 'It ships on Friday.' }];
    while (driver.phase !== 'awaiting-tool') driver.advance(20);
    driver.speak(200);
    driver.advance(30_000);
    expect(told(driver)).toHaveLength(1);
  });

  it('overtakes it with a question that needs a tool itself', () => {
    const driver = asked([CALLS, { ...CALLS, text: 'I mean the other order.' }, ANSWERS]);
    driver.toolManners = [undefined, { afterMs: 500, text: 'It was delivered.' }];
    while (driver.phase !== 'awaiting-tool') driver.advance(20);
    driver.speak(1_000);
    driver.advance(30_000);
    expect(driver.ofType('tool-call').map(({ said }) => said)).toEqual([
      'Where is my order?',
      'I mean the other order.',
    ]);
    expect(driver.reports().filter((report) => report.type === 'tool-over')).toEqual([
      { type: 'tool-over', turnId: 1, because: 'overtaken' },
    ]);
    expect(told(driver)).toMatchObject([{ input: { question: 'I mean the other order.', text: 'It was delivered.' } }]);
    expect(prompts(driver)).not.toContain(QUIET.toolFailedText);
  });

  it('before the first word of its answer hears it when done', () => {
    const driver = asked([CALLS, { ...ANSWERS, audioMs: 2_500 }, ANSWERS, ANSWERS]);
    while (told(driver).length === 0) driver.advance(20);
    driver.advance(300);
    driver.speak(1_000);
    driver.advance(30_000);
    expect(told(driver)).toHaveLength(2);
    expect(driver.ofType('tool-call')).toHaveLength(1);
    expect(driver.phase).toBe('listening');
  });

  it('by hanging up ends the waiting', () => {
    const driver = asked();
    driver.toolManners = [{ afterMs: 3_000, text: 'It ships on Friday.' }];
    while (driver.phase !== 'awaiting-tool') driver.advance(20);
    driver.send({ type: 'hangup', reason: 'caller-hangup' });
    expect(driver.phase).toBe('closed');
    const before = driver.effects.length;
    driver.advance(10_000);
    expect(driver.effects).toHaveLength(before);
    expect(driver.state.tool).toBeUndefined();
  });

  it('types, or is put on hold, and the result is kept', () => {
    const typing = asked();
    typing.toolManners = [{ afterMs: 2_000, text: 'It ships on Friday.' }];
    while (typing.phase !== 'awaiting-tool') typing.advance(20);
    typing.send({ type: 'user-text', text: 'And when do you open?' });
    typing.advance(30_000);
    expect(told(typing)).toHaveLength(1);
    const held = asked();
    held.toolManners = [{ afterMs: 2_000, text: 'It ships on Friday.' }];
    while (held.phase !== 'awaiting-tool') held.advance(20);
    held.send({ type: 'hold' });
    held.advance(60_000);
    expect(told(held)).toHaveLength(0);
    held.send({ type: 'resume' });
    held.advance(20_000);
    expect(told(held)).toHaveLength(1);
  });
});
