import { DEFAULT_END_OF_TURN } from '../../src/turn/end-of-turn';
import { DEFAULT_OVERLAP } from '../../src/turn/overlap-judge';
import { DEFAULT_TURNS } from '../../src/turn/turn-state';
import { PROMPT_ANSWER, TurnDriver } from './turn-driver';

function opened(greeting?: string): TurnDriver {
  const driver = new TurnDriver();
  driver.send({ type: 'opened', greeting });
  driver.advance(1_000);
  return driver;
}

/** A call in which the agent is in the middle of its answer. */
function speaking(): TurnDriver {
  const driver = opened();
  driver.speak(1_000);
  driver.advance(1_500);
  expect(driver.phase).toBe('speaking');
  return driver;
}

describe('a turn', () => {
  it('is answered on trial at the first short pause and promoted when the silence is long enough', () => {
    const driver = opened();
    const startedMs = driver.clock.nowMs();
    driver.speak(1_000);
    driver.advance(800);
    const silenceMs = startedMs + 1_000;
    const [order] = driver.ofType('answer');
    expect(order).toMatchObject({ speculative: true, atMs: silenceMs + 200 });
    expect(driver.ofType('promote').map((promote) => promote.atMs)).toEqual([
      silenceMs + DEFAULT_END_OF_TURN.questionMs,
    ]);
    expect(driver.phase).toBe('speaking');
    expect(driver.reports()).toContainEqual(
      expect.objectContaining({ type: 'user-turn', text: 'What time do you open?' }),
    );
  });

  it('teaches how its caller pauses: a silence that speech follows, not one that ends the turn', () => {
    const driver = opened();
    driver.speak(900);
    driver.advance(600);
    driver.speak(900);
    driver.advance(8_000);
    const { callerPausesMs } = driver.state;
    expect(callerPausesMs).toHaveLength(1);
    expect(callerPausesMs[0]).toBeGreaterThan(500);
    expect(callerPausesMs[0]).toBeLessThan(900);
  });

  it('teaches it, too, when it is taken up again after its end', () => {
    const driver = opened();
    driver.manners = [{ ...PROMPT_ANSWER, audioMs: 3_000 }];
    driver.speak(900);
    driver.advance(900);
    driver.speak(900);
    expect(driver.ofType('promote')).toHaveLength(1);
    expect(driver.state.callerPausesMs).toHaveLength(1);
    expect(driver.state.callerPausesMs[0]).toBeGreaterThan(800);
  });

  it('begins 300 ms before the onset, so that no first sound is lost', () => {
    const driver = opened();
    const onsetSample = driver.sampleNow();
    driver.speak(800);
    driver.advance(300);
    expect(driver.ofType('answer')[0]?.input).toMatchObject({ kind: 'audio', fromSample: onsetSample - 300 * 16 });
  });

  it('throws the trial answer away when the caller goes on', () => {
    const driver = opened();
    driver.speak(500);
    driver.advance(200);
    driver.speak(500);
    driver.advance(300);
    const orders = driver.ofType('answer');
    expect(orders).toHaveLength(2);
    expect(driver.ofType('cancel').map((cancel) => cancel.turnId)).toEqual([orders[0]?.turnId]);
    expect(orders[1]?.input).toMatchObject({ fromSample: 1_000 * 16 - 300 * 16 });
  });

  it('waits longer after words that go on', () => {
    const driver = opened();
    driver.manners = [{ ...PROMPT_ANSWER, text: 'My number is' }];
    driver.speak(800);
    driver.advance(1_500);
    expect(driver.phase).toBe('user-pausing');
    driver.advance(300);
    expect(driver.phase).toBe('speaking');
  });

  it('goes on when the caller speaks before the answer is heard', () => {
    const driver = opened();
    driver.manners = [{ ...PROMPT_ANSWER, audioMs: 3_000 }];
    driver.speak(800);
    driver.advance(600);
    expect(driver.phase).toBe('thinking');
    driver.speak(600);
    expect(driver.phase).toBe('user-pausing');
    expect(driver.reports()).toContainEqual(expect.objectContaining({ type: 'reopened' }));
    driver.advance(4_500);
    expect(driver.phase).toBe('speaking');
    expect(driver.ofType('release')).toHaveLength(1);
  });

  it('is not dropped for a noise before the first frame of its answer', () => {
    const driver = opened();
    driver.manners = [{ ...PROMPT_ANSWER, audioMs: 1_500 }];
    driver.speak(800);
    driver.advance(600);
    driver.speak(100);
    driver.advance(2_000);
    expect(driver.phase).toBe('speaking');
    expect(driver.ofType('answer')).toHaveLength(1);
  });

  it('takes no answer when the sound had no words', () => {
    const driver = opened();
    driver.manners = [{ ...PROMPT_ANSWER, kind: 'hears-nothing' }];
    driver.speak(250);
    driver.advance(1_500);
    expect(driver.phase).toBe('listening');
    expect(driver.reports()).toEqual([{ type: 'ignored', because: 'no-words', text: '' }]);
  });

  it('asks again when speech had no words, and gives it up for noise after two times', () => {
    const driver = opened();
    driver.manners = [{ ...PROMPT_ANSWER, kind: 'hears-nothing' }];
    for (let turn = 0; turn < 4; turn += 1) {
      driver.speak(1_500);
      driver.advance(4_000);
    }
    const asked = driver.ofType('prompt').map((prompt) => prompt.text);
    expect(asked).toEqual([DEFAULT_TURNS.unheardText, DEFAULT_TURNS.unheardText]);
  });

  it('replies to a sound without words as the engine finds fitting, at most twice in a row', () => {
    const driver = opened();
    driver.manners = [{ ...PROMPT_ANSWER, kind: 'hears-a-cough' }];
    for (let turn = 0; turn < 3; turn += 1) {
      driver.speak(700);
      driver.advance(5_000);
    }
    const replies = driver.ofType('answer').filter(({ input }) => 'wordless' in input);
    expect(replies).toHaveLength(2);
    expect(driver.ofType('prompt')).toEqual([]);
    const [first] = driver.ofType('answer').filter(({ input }) => !('wordless' in input));
    expect(replies[0]?.input).toMatchObject({ ...first!.input, wordless: true });
    const said = driver.reports().filter(({ type }) => type === 'agent-turn' || type === 'user-turn');
    // The caller said nothing, and the history holds what was heard of the reply.
    expect(said.slice(0, 2)).toMatchObject([
      { type: 'agent-turn', kind: 'sound', userText: undefined, text: 'We open at nine. We close at five.' },
      { type: 'agent-turn', kind: 'sound' },
    ]);
    expect(driver.phase).toBe('listening');
  });

  it('leaves a short sound alone, and forgets its reply to a longer one when the caller speaks before it', () => {
    const driver = opened();
    driver.manners = [{ ...PROMPT_ANSWER, kind: 'hears-a-cough' }];
    driver.speak(250);
    driver.advance(3_000);
    expect(driver.reports()).toEqual([{ type: 'ignored', because: 'no-words', text: '' }]);
    driver.manners = [{ ...PROMPT_ANSWER, kind: 'hears-a-cough' }, { ...PROMPT_ANSWER, audioMs: 3_000 }, PROMPT_ANSWER];
    driver.speak(700);
    driver.advance(1_600);
    expect(driver.ofType('answer').at(-1)?.input).toMatchObject({ wordless: true });
    driver.speak(900);
    driver.advance(6_000);
    const kinds = driver.reports().flatMap((report) => (report.type === 'agent-turn' ? [report.kind] : []));
    expect(kinds).toEqual(['answer']);
  });

  it('says the fallback when the reply to a sound cannot be had', () => {
    const driver = opened();
    driver.manners = [
      { ...PROMPT_ANSWER, kind: 'hears-a-cough' },
      { ...PROMPT_ANSWER, kind: 'fails' },
    ];
    driver.speak(700);
    driver.advance(5_000);
    expect(driver.ofType('prompt').map(({ text }) => text)).toEqual([DEFAULT_TURNS.fallbackText]);
  });

  it('is told with how it was said', () => {
    const driver = opened();
    driver.manners = [{ ...PROMPT_ANSWER, kind: 'is-dead' }];
    driver.speak(1_500);
    driver.advance(300);
    const how = { sound: 'speech', manner: 'hurried' } as const;
    const turnId = driver.ofType('answer')[0]!.turnId;
    driver.send({ type: 'transcript', turnId, text: 'I need a table.', speech: true, how });
    driver.advance(3_000);
    expect(driver.reports().find(({ type }) => type === 'user-turn')).toMatchObject({ text: 'I need a table.', how });
  });

  it('is heard together with its first words, to which the recogniser was deaf', () => {
    const driver = opened();
    driver.manners = [{ ...PROMPT_ANSWER, kind: 'hears-nothing' }, PROMPT_ANSWER];
    driver.speak(600);
    driver.advance(500);
    driver.speak(600);
    driver.advance(300);
    const [first, second] = driver.ofType('answer').map((order) => order.input);
    expect(second).toMatchObject({ fromSample: first?.kind === 'audio' ? first.fromSample : -1 });
  });

  it('ends when the packets cease in the middle of a word', () => {
    const driver = opened();
    driver.send({
      type: 'speech-started',
      sample: driver.sampleNow(),
      headSample: driver.sampleNow() + 1_024,
      levelDb: -25,
    });
    driver.advance(4_000);
    expect(driver.ofType('release')).toHaveLength(1);
  });

  it('ends after 45 s of speech without a pause', () => {
    const driver = opened();
    driver.speak(46_000);
    expect(driver.ofType('answer')[0]?.speculative).toBe(false);
  });
});

describe('an answer', () => {
  it('enters history as it was heard', () => {
    const driver = speaking();
    driver.advance(4_000);
    expect(driver.phase).toBe('listening');
    expect(driver.ofType('commit')).toEqual([
      expect.objectContaining({ userText: 'What time do you open?', interrupted: false }),
    ]);
  });

  it('is preceded by a filler when it is late, and never by more silence than allowed', () => {
    const driver = opened();
    driver.manners = [{ ...PROMPT_ANSWER, audioMs: 6_000 }];
    driver.speak(800);
    const silenceMs = driver.clock.nowMs() - 96;
    driver.advance(7_500);
    const [filler] = driver.ofType('filler');
    expect(filler!.atMs - silenceMs).toBe(3_500);
    expect(driver.ofType('release').map((release) => release.turnId)).toEqual([filler!.turnId]);
    expect(driver.problems).toEqual([]);
  });

  it.each(['fails', 'is-dead', 'is-empty'] as const)('that %s is replaced by a spoken fallback', (kind) => {
    const driver = opened();
    driver.manners = [{ ...PROMPT_ANSWER, kind }];
    driver.speak(800);
    driver.advance(10_000);
    expect(driver.ofType('prompt')[0]?.text).toBe(DEFAULT_TURNS.fallbackText);
    expect(driver.problems).toEqual([]);
  });

  it('that fails again and again ends the call with an apology', () => {
    const driver = opened();
    driver.manners = [{ ...PROMPT_ANSWER, kind: 'fails' }];
    for (let turn = 0; turn < 3; turn += 1) {
      driver.speak(800);
      driver.advance(4_000);
    }
    expect(driver.state.phase).toEqual({ name: 'closed', reason: 'engine-failed' });
    expect(driver.ofType('prompt').at(-1)?.text).toBe(DEFAULT_TURNS.apologyText);
  });

  it('that decides to hang up does so after its last word', () => {
    const driver = opened();
    driver.manners = [{ ...PROMPT_ANSWER, kind: 'hangs-up' }];
    driver.speak(800);
    driver.advance(2_000);
    expect(driver.state.phase).toEqual({ name: 'closed', reason: 'agent-hangup' });
  });
});

describe('an interruption', () => {
  it('pauses the agent 140 ms after its onset and stops it for good once words are known', () => {
    const driver = speaking();
    const onsetMs = driver.clock.nowMs();
    driver.speak(900);
    const [pause] = driver.ofType('pause');
    const [flush] = driver.ofType('flush');
    expect(pause!.atMs - onsetMs).toBe(140);
    expect(flush!.atMs - onsetMs).toBeLessThanOrEqual(650);
    expect(driver.ofType('cancel').map((cancel) => cancel.turnId)).toContain(flush!.turnId);
    expect(driver.reports()).toContainEqual(expect.objectContaining({ type: 'interrupted', turnId: flush!.turnId }));
  });

  it('is the beginning of the next turn', () => {
    const driver = speaking();
    const onsetSample = driver.sampleNow();
    driver.speak(900);
    driver.advance(2_000);
    expect(driver.ofType('answer')[1]?.input).toMatchObject({ fromSample: onsetSample - 300 * 16 });
    expect(driver.phase).toBe('speaking');
  });

  it('cuts history to what was heard before the next answer is ordered', () => {
    const driver = speaking();
    driver.speak(900);
    driver.advance(2_000);
    const order = driver.effects.findIndex(({ effect }) => effect.type === 'answer' && effect.turnId > 1);
    const commit = driver.effects.findIndex(({ effect }) => effect.type === 'commit' && effect.interrupted);
    expect(commit).toBeGreaterThan(0);
    expect(commit).toBeLessThan(order);
  });

  it('works from the first second of the greeting', () => {
    const driver = new TurnDriver();
    driver.send({ type: 'opened', greeting: 'Hello, this is the clinic.' });
    driver.advance(300);
    driver.speak(900);
    driver.advance(2_000);
    expect(driver.ofType('flush')).toHaveLength(1);
    expect(driver.reports()).toContainEqual(expect.objectContaining({ type: 'user-turn' }));
  });

  it.each(['Mm-hmm.', 'Yeah.', 'Okay.', 'Uh-huh.', 'Right.', ''])(
    'is none when it is "%s": the agent goes on within 500 ms',
    (text) => {
      const driver = speaking();
      driver.overlapText = text;
      driver.speak(350);
      driver.advance(500);
      const [pause] = driver.ofType('pause');
      const [resume] = driver.ofType('resume');
      expect(resume!.atMs - pause!.atMs).toBeLessThanOrEqual(500);
      expect(driver.ofType('flush')).toEqual([]);
      driver.advance(3_000);
      expect(driver.ofType('commit')[0]).toMatchObject({ interrupted: false });
    },
  );

  it.each(['Stop.', 'Wait.', 'No.', 'Hold on.', 'Sorry?', 'What?'])('is one when it is "%s", however short', (text) => {
    const driver = speaking();
    driver.overlapText = text;
    driver.speak(300);
    driver.advance(400);
    expect(driver.ofType('flush')).toHaveLength(1);
  });

  it('is none when it repeats the agent: its own voice come back', () => {
    const driver = speaking();
    driver.overlapText = 'open at nine';
    driver.speak(500);
    driver.advance(500);
    expect(driver.ofType('flush')).toEqual([]);
    expect(driver.reports()).toContainEqual(expect.objectContaining({ type: 'dismissed', because: 'echo' }));
  });

  it('is dismissed in time when the recogniser is silent, and made good when its words come late', () => {
    const driver = speaking();
    driver.overlapText = 'stop';
    driver.listenMs = 900;
    driver.speak(300);
    driver.advance(350);
    expect(driver.ofType('resume')).toHaveLength(1);
    driver.advance(600);
    expect(driver.ofType('flush')).toHaveLength(1);
  });

  it('pauses nothing any more after two false alarms in one answer', () => {
    const driver = speaking();
    driver.overlapText = '';
    for (let alarm = 0; alarm < 4; alarm += 1) {
      driver.speak(400);
      driver.advance(150);
    }
    expect(driver.ofType('pause').length).toBeLessThanOrEqual(2);
  });

  it('pauses nothing for a voice far below the caller’s', () => {
    const driver = speaking();
    driver.overlapText = '';
    driver.speak(900, -45);
    expect(driver.ofType('pause')).toEqual([]);
  });

  it('that proves wordless is followed by the sentence that it cut', () => {
    const driver = speaking();
    driver.overlapText = undefined;
    driver.manners = [{ ...PROMPT_ANSWER, kind: 'hears-nothing' }];
    driver.speak(900);
    driver.advance(1_500);
    expect(driver.ofType('prompt').map((prompt) => prompt.text)).toEqual(['We open at nine. We close at five.']);
  });

  it('is not taken when interruptions are off', () => {
    const driver = new TurnDriver({ ...DEFAULT_TURNS, overlap: { ...DEFAULT_OVERLAP, enabled: false } });
    driver.send({ type: 'opened', greeting: 'Hello, this is the clinic.' });
    driver.advance(100);
    driver.speak(900);
    expect(driver.ofType('pause')).toEqual([]);
    expect(driver.ofType('flush')).toEqual([]);
  });
});

describe('a backchannel at the boundary of turns', () => {
  it('takes no turn right after the agent’s last word', () => {
    const driver = speaking();
    driver.advance(1_500);
    expect(driver.phase).toBe('listening');
    driver.manners = [{ ...PROMPT_ANSWER, text: 'Mm-hmm.' }];
    driver.speak(350);
    driver.advance(1_500);
    expect(driver.reports().at(-1)).toEqual({ type: 'ignored', because: 'backchannel', text: 'Mm-hmm.' });
    expect(driver.phase).toBe('listening');
  });
});

describe('typed text, orders and keys', () => {
  it('interrupts the agent and is answered', () => {
    const driver = speaking();
    driver.send({ type: 'user-text', text: 'and on Sunday?' });
    driver.advance(1_000);
    expect(driver.ofType('flush')).toHaveLength(1);
    expect(driver.ofType('answer').at(-1)?.input).toEqual({ kind: 'text', text: 'and on Sunday?' });
    expect(driver.problems).toEqual([]);
  });

  it('waits while the caller is being answered', () => {
    const driver = opened();
    driver.speak(800);
    driver.send({ type: 'user-text', text: 'first' });
    driver.send({ type: 'say', text: 'Your order has arrived.' });
    driver.advance(12_000);
    expect(driver.ofType('release')).toHaveLength(3);
    expect(driver.ofType('prompt').map((prompt) => prompt.text)).toEqual(['Your order has arrived.']);
  });

  it('takes keys pressed one after the other as one input', () => {
    const driver = opened();
    for (const digit of '12') driver.send({ type: 'dtmf', digit });
    driver.advance(1_000);
    driver.send({ type: 'dtmf', digit: '3' });
    driver.send({ type: 'dtmf', digit: '#' });
    expect(driver.ofType('answer').map((order) => order.input)).toEqual([{ kind: 'text', text: '1 2 3' }]);
  });
});

describe('a turn that somebody else answers', () => {
  it('is kept, and its answer is dropped before a word of it is heard', () => {
    const driver = opened();
    driver.speak(1_000);
    while (driver.reports().every(({ type }) => type !== 'user-turn')) driver.advance(20);
    const turnId = driver.ofType('answer')[0]!.turnId;
    driver.send({ type: 'stop', turnId });
    driver.advance(3_000);
    expect(driver.phase).toBe('listening');
    expect(driver.ofType('commit')).toEqual([
      expect.objectContaining({ turnId, userText: 'What time do you open?', heardText: '' }),
    ]);
  });

  it('is no longer anybody else’s once another answer is being given', () => {
    const driver = speaking();
    driver.send({ type: 'stop', turnId: 99 });
    expect(driver.phase).toBe('speaking');
  });
});

describe('hold', () => {
  it('keeps the rest of the answer for later', () => {
    const driver = speaking();
    driver.send({ type: 'hold' });
    driver.advance(60_000);
    expect(driver.phase).toBe('on-hold');
    driver.send({ type: 'resume' });
    driver.advance(4_000);
    expect(driver.ofType('commit')).toEqual([expect.objectContaining({ interrupted: false })]);
  });

  it('does not let the answer out that was being made', () => {
    const driver = opened();
    driver.speak(800);
    driver.advance(420);
    driver.send({ type: 'hold' });
    driver.advance(5_000);
    expect(driver.ofType('release')).toEqual([]);
    driver.send({ type: 'resume' });
    expect(driver.ofType('release')).toHaveLength(1);
    expect(driver.phase).toBe('speaking');
  });
});

describe('the end', () => {
  it('comes within two seconds of the hang-up, with the heard words committed', () => {
    const driver = speaking();
    driver.send({ type: 'hangup', reason: 'caller-hangup' });
    driver.advance(100);
    expect(driver.state.phase).toEqual({ name: 'closed', reason: 'caller-hangup' });
    expect(driver.ofType('commit')).toEqual([expect.objectContaining({ interrupted: true })]);
  });

  it('does not wait for media that is gone', () => {
    const driver = speaking();
    driver.mediaAlive = false;
    driver.send({ type: 'hangup', reason: 'media-failed' });
    driver.advance(2_000);
    expect(driver.phase).toBe('closed');
  });

  it('asks once whether the caller is there, then says goodbye and hangs up', () => {
    const driver = opened();
    driver.advance(40_000);
    expect(driver.ofType('prompt').map((prompt) => prompt.text)).toEqual([
      'Are you still there?',
      'I will hang up now. Goodbye.',
    ]);
    expect(driver.state.phase).toEqual({ name: 'closed', reason: 'idle' });
  });
});
