import fc from 'fast-check';
import { DEFAULT_TURNS } from '../../src/turn/turn-state';
import { Line } from './conversation-line';

const GREETING = 'Hello, this is the clinic. How can I help?';

describe('a conversation', () => {
  it('greets, hears a question, answers it, and keeps what was heard', () => {
    const line = new Line({ greeting: GREETING });
    line.advance(4_000);
    line.speak(1_000);
    line.advance(8_000);
    expect(line.engine.orders.map((order) => order.input.kind)).toEqual(['say', 'audio']);
    expect(line.engine.commits).toEqual([
      { turnId: 1, userText: undefined, heardText: GREETING, interrupted: false },
      { turnId: 2, userText: 'When are you open?', heardText: line.engine.reply, interrupted: false },
    ]);
    expect(line.ofType('user-turn')).toEqual([
      { type: 'user-turn', turnId: 2, text: 'When are you open?', source: 'speech' },
    ]);
  });

  it('sends the greeting from its first word to its last', () => {
    const line = new Line({ greeting: GREETING });
    line.advance(4_000);
    expect(line.wordsSent(0)).toBe(GREETING.split(' ').length);
  });

  it('hands the engine the audio of the speech before it asks about it', () => {
    const line = new Line();
    line.advance(1_000);
    line.speak(1_000);
    line.advance(1_000);
    const { input } = line.engine.orders[0]!;
    if (input.kind !== 'audio') throw new Error('no audio order');
    expect(line.engine.heard[0]?.startSample).toBe(input.fromSample);
    const last = line.engine.heard.at(-1)!;
    expect(last.startSample + last.length).toBeGreaterThanOrEqual(input.toSample);
  });

  it('plays nothing of an answer on trial before the turn is over, and all of it at once then', () => {
    const line = new Line();
    line.engine.firstAudioMs = 160;
    line.engine.wordEveryMs = 5;
    line.advance(1_000);
    line.speak(1_000);
    // Silence began 100 ms ago; the trial answer is whole 430 ms into it, the turn over after 500.
    line.advance(330);
    expect(line.sent.some((value) => value !== 0)).toBe(false);
    line.advance(80);
    expect(line.sent.at(-1)).toBe(100);
    expect(line.engine.promoted).toEqual([1]);
  });

  it('measures the gap between the caller’s last sample and the agent’s first on one clock', () => {
    const line = new Line();
    line.advance(1_000);
    line.speak(1_000);
    line.advance(8_000);
    const [turn] = line.ofType('agent-turn');
    const gapFrames = line.sent.findIndex((value) => value !== 0) / 160;
    expect(turn!.gapMs).toBe((gapFrames - 100) * 20);
    expect(line.conversation.turnGapsMs).toEqual([turn!.gapMs]);
    expect(turn!.stages).toMatchObject({ orderedMs: 200, transcriptMs: 350, decidedMs: 500 });
  });

  it('drops what comes late from an answer that was cancelled', () => {
    const line = new Line();
    line.advance(500);
    line.speak(600);
    line.advance(700);
    line.speak(900);
    line.advance(150);
    const quietFrom = line.sent.length;
    line.advance(150);
    expect(line.sent.slice(quietFrom).every((value) => value === 0)).toBe(true);
    expect(line.engine.cancelled.size).toBeGreaterThan(0);
  });

  it('shows the words of the agent as they are played', () => {
    const line = new Line();
    line.advance(500);
    line.speak(600);
    line.advance(2_000);
    const [caption] = line
      .ofType('caption')
      .filter((event) => event.role === 'agent')
      .slice(-1);
    expect(line.engine.reply.startsWith(caption!.heardText!)).toBe(true);
    expect(caption!.final).toBe(false);
    expect(caption!.heardText!.length).toBeGreaterThan(0);
  });

  it('says a filler from what is at hand, and leaves it out of history', () => {
    const first = new Line({ greeting: DEFAULT_TURNS.fillerText });
    first.advance(4_000);
    const line = new Line({ prompts: first.prompts });
    line.engine.firstAudioMs = 5_500;
    line.advance(500);
    line.speak(600);
    line.advance(14_000);
    expect(line.engine.commits).toEqual([
      { turnId: 1, userText: 'When are you open?', heardText: line.engine.reply, interrupted: false },
    ]);
    const filler = DEFAULT_TURNS.fillerText ?? '';
    expect(line.wordsSent(0)).toBe(`${filler} ${line.engine.reply}`.split(' ').length);
  });

  it('says the fallback without the engine when the engine is gone', () => {
    const first = new Line({ greeting: DEFAULT_TURNS.fallbackText });
    first.advance(6_000);
    const line = new Line({ prompts: first.prompts });
    line.engine.broken = true;
    line.advance(500);
    line.speak(600);
    line.advance(300);
    line.engine.fail('engine.process-died');
    line.advance(900);
    expect(line.sent.some((value) => value !== 0)).toBe(true);
    expect(line.ofType('failure')).toHaveLength(1);
  });

  it('is not disturbed by a failed look at an overlap', () => {
    const line = new Line();
    line.advance(500);
    line.speak(600);
    line.advance(1_000);
    line.engine.fail('engine.internal', undefined);
    line.advance(6_000);
    expect(line.ofType('agent-turn')).toHaveLength(1);
  });

  it('takes typed text as a turn', () => {
    const line = new Line();
    line.advance(500);
    line.conversation.userText('when are you open');
    line.advance(6_000);
    expect(line.ofType('user-turn')).toEqual([
      { type: 'user-turn', turnId: 1, text: 'when are you open', source: 'text' },
    ]);
    expect(line.engine.commits[0]).toMatchObject({ userText: 'when are you open', interrupted: false });
  });

  it('falls silent when told to, and says so only when it was speaking', () => {
    const line = new Line();
    expect(line.conversation.stop()).toBe(false);
    line.conversation.userText('hello there');
    line.advance(1_500);
    expect(line.conversation.stop()).toBe(true);
    line.advance(40);
    const from = line.sent.length;
    line.advance(2_000);
    expect(line.sent.slice(from).every((value) => value === 0)).toBe(true);
  });

  it('closes once, with what was heard committed, and lets go of everything', async () => {
    const line = new Line({ greeting: GREETING });
    line.advance(1_500);
    const closing = line.conversation.close('caller-hangup');
    const again = line.conversation.close('shutdown');
    line.advance(600);
    await Promise.all([closing, again]);
    expect(line.ofType('ended')).toEqual([{ type: 'ended', reason: 'caller-hangup' }]);
    // Cut, but by nobody who talked over it: no interruption is counted.
    expect(line.ofType('agent-turn')).toMatchObject([{ interrupted: true, atHangup: true }]);
    expect(line.conversation.interruptions).toBe(0);
    expect(line.engine.closed).toBe(1);
    expect(line.engine.commits).toHaveLength(1);
    const told = line.events.length;
    line.speak(500);
    line.advance(5_000);
    expect(line.events).toHaveLength(told);
  });
});

describe('history', () => {
  it('holds the words that were heard, no more and no fewer, wherever the caller cuts in', () => {
    fc.assert(
      fc.property(fc.integer({ min: 720, max: 3_200 }), fc.integer({ min: 40, max: 240 }), (playedMs, wordEveryMs) => {
        const line = new Line();
        line.engine.wordEveryMs = wordEveryMs;
        line.advance(500);
        line.speak(700);
        for (let ms = 0; ms < 3_000 && line.sent.every((value) => value === 0); ms += 20) line.advance(20);
        const from = line.sent.findIndex((value) => value !== 0);
        line.advance(playedMs);
        line.speak(800);
        line.advance(100);
        const cut = line.engine.commits.at(-1)!;
        expect(cut.interrupted).toBe(true);
        const heard = line.engine.reply.split(' ').slice(0, line.wordsSent(from)).join(' ');
        expect(cut.heardText).toBe(heard);
      }),
      { numRuns: 200 },
    );
  });

  it('sends at most two packets after the decision to pause', () => {
    const line = new Line();
    line.advance(500);
    line.speak(700);
    line.advance(1_500);
    const onset = line.sent.length;
    line.speak(800);
    const after = line.sent.slice(onset);
    const lastAudible = after.length - [...after].reverse().findIndex((value) => value !== 0);
    // 140 ms until the decision, then two packets of 160 samples.
    expect(lastAudible).toBeLessThanOrEqual((140 * 8_000) / 1_000 + 2 * 160);
  });
});
