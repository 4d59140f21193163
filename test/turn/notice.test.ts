import { TurnDriver } from './turn-driver';

const NOTICE = 'This call is recorded.';
const GREETING = 'Hello, this is the clinic.';

/** The media are up, and the notice is being said. */
function opened(): TurnDriver {
  const driver = new TurnDriver();
  driver.send({ type: 'opened', notice: NOTICE, greeting: GREETING });
  driver.advance(300);
  return driver;
}

const prompts = (driver: TurnDriver) => driver.ofType('prompt').map(({ text }) => text);
const heard = (driver: TurnDriver) => driver.ofType('commit').filter(({ interrupted }) => !interrupted);

describe('a notice', () => {
  it('is said first, and the greeting after it', () => {
    const driver = opened();
    expect(prompts(driver)).toEqual([NOTICE]);
    driver.advance(4_000);
    expect(prompts(driver)).toEqual([NOTICE, GREETING]);
  });

  it('is neither paused nor cut off by speech, whatever its words', () => {
    const driver = opened();
    driver.overlapText = 'Stop! Wait!';
    driver.speak(900);
    driver.advance(500);
    expect(driver.ofType('pause')).toEqual([]);
    expect(driver.ofType('flush')).toEqual([]);
    driver.advance(4_000);
    expect(heard(driver).length).toBeGreaterThanOrEqual(1);
    expect(driver.ofType('commit')[0]).toMatchObject({ interrupted: false });
  });

  it('is not taken back for speech before its first sound', () => {
    const driver = new TurnDriver();
    driver.promptsCached = false;
    driver.send({ type: 'opened', notice: NOTICE, greeting: undefined });
    driver.speak(900);
    driver.advance(4_000);
    expect(driver.ofType('cancel')).toEqual([]);
    expect(driver.ofType('commit')[0]).toMatchObject({ interrupted: false });
  });

  it('lets keys and typed text wait for its end', () => {
    const driver = opened();
    driver.send({ type: 'dtmf', digit: '4' });
    driver.send({ type: 'dtmf', digit: '#' });
    driver.send({ type: 'user-text', text: 'Is there parking?' });
    expect(driver.ofType('flush')).toEqual([]);
    driver.advance(30_000);
    const answered = driver.ofType('answer').map(({ input }) => (input.kind === 'text' ? input.text : input.kind));
    expect(answered).toEqual(expect.arrayContaining(['4', 'Is there parking?']));
  });

  it('ends where an operator says stop, and when the call ends', () => {
    const stopped = opened();
    stopped.send({ type: 'stop' });
    expect(stopped.ofType('flush')).toHaveLength(1);
    const ended = opened();
    ended.send({ type: 'hangup', reason: 'caller-hangup' });
    ended.advance(1_000);
    expect(ended.phase).toBe('closed');
  });

  it('may be ordered in the middle of a call', () => {
    const driver = new TurnDriver();
    driver.send({ type: 'opened', greeting: undefined });
    driver.send({ type: 'say', text: 'Your call is being transferred abroad.', interruptible: false });
    driver.advance(300);
    driver.speak(700);
    driver.advance(300);
    expect(driver.ofType('pause')).toEqual([]);
    expect(driver.ofType('flush')).toEqual([]);
  });

  it('is followed by what the caller is still saying at its end', () => {
    const driver = opened();
    driver.overlapText = 'I would like to book';
    driver.speak(6_000);
    driver.advance(6_000);
    expect(driver.ofType('answer').map(({ input }) => input.kind)).toContain('audio');
  });
});
