import fc from 'fast-check';
import { DEFAULT_END_OF_TURN, type Pause, TextualEndOfTurn } from '../../src/turn/end-of-turn';
import { announcesPieces, unexplainedMs } from '../../src/turn/words';

const detector = new TextualEndOfTurn();

/** Speech of ordinary pace, so that only the words decide. */
function pauseAfter(transcript: string | undefined, more: Partial<Pause> = {}): Pause {
  const speechMs = 250 + 200 * (transcript ?? '').split(' ').length;
  return { speechMs, pauses: 0, callerPausesMs: [], transcript, agentText: '', ...more };
}

const waitMs = (transcript: string | undefined, more?: Partial<Pause>) => detector.waitMs(pauseAfter(transcript, more));

describe('the wait for the end of a turn', () => {
  const { questionMs, answerMs, statementMs, digitsMs, beginningMs, goesOnMs } = DEFAULT_END_OF_TURN;

  it('is short after a question, longer after a sentence, longest after a sentence that goes on', () => {
    expect(waitMs('What time do you open?')).toBe(questionMs);
    expect(waitMs('I would like to cancel my appointment.')).toBe(statementMs);
    expect(waitMs('I would like to cancel the')).toBe(goesOnMs);
  });

  it('takes few words without a mark for a beginning, and a short reply for a whole', () => {
    expect(waitMs('the order late')).toBe(beginningMs);
    expect(waitMs('no thanks')).toBe(answerMs);
    expect(waitMs('Tuesday.')).toBe(answerMs);
  });

  it('waits for the pieces of a number that was announced, whatever was understood of them', () => {
    expect(waitMs('You can reach me at six one.')).toBe(digitsMs);
    expect(waitMs('It is spelled Bureau.')).toBe(digitsMs);
    expect(waitMs('What is your phone number?')).toBe(questionMs);
  });

  it('waits longer when there was more speech than the words account for', () => {
    expect(waitMs('My name is Smith.', { speechMs: 1_000 })).toBe(statementMs);
    expect(waitMs('My name is Smith.', { speechMs: 2_000 })).toBe(DEFAULT_END_OF_TURN.partlyHeardMs);
  });

  it('goes over to what was heard as that becomes sure', () => {
    const { doneMs, notDoneMs, notDoneQuestionMs, statementMs } = DEFAULT_END_OF_TURN;
    const heard = (transcript: string, doneProbability: number) => waitMs(transcript, { doneProbability });
    expect(heard('I would like to cancel my appointment.', 0.99)).toBe(doneMs);
    expect(heard('I would like to cancel my appointment.', 0.5)).toBe(statementMs);
    expect(heard('I would like to cancel my appointment.', 0.01)).toBe(notDoneMs);
    expect(heard('What time do you open?', 0.01)).toBe(notDoneQuestionMs);
  });

  it('heeds no tune where the words want more', () => {
    expect(waitMs('I would like to cancel the', { doneProbability: 1 })).toBe(goesOnMs);
    expect(waitMs('You can reach me at six one.', { doneProbability: 1 })).toBe(digitsMs);
  });

  it('follows the pauses of the caller, within bounds', () => {
    const { leastPatience, mostPatience, usualPauseMs } = DEFAULT_END_OF_TURN;
    const paused = (callerPausesMs: readonly number[]) =>
      waitMs('I would like to cancel my appointment.', { callerPausesMs });
    expect(paused([usualPauseMs, usualPauseMs])).toBe(statementMs);
    expect(paused([900])).toBeGreaterThan(statementMs);
    expect(paused([900, 900, 900])).toBeGreaterThan(paused([900]));
    expect(paused([300, 300, 300])).toBeLessThan(statementMs);
    expect(paused(new Array(12).fill(3_000))).toBe(Math.round(mostPatience * statementMs));
    expect(paused(new Array(12).fill(200))).toBe(Math.round(leastPatience * statementMs));
  });

  it('is never beyond the longest nor below the shortest, whatever is said', () => {
    fc.assert(
      fc.property(
        fc.option(fc.string(), { nil: undefined }),
        fc.string(),
        fc.nat(60_000),
        fc.nat(20),
        fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
        fc.array(fc.nat(3_000), { maxLength: 12 }),
        (transcript, agentText, speechMs, pauses, doneProbability, callerPausesMs) => {
          const pause = { transcript, agentText, speechMs, pauses, callerPausesMs, doneProbability };
          const wait = detector.waitMs(pause);
          const { doneMs, leastPatience } = DEFAULT_END_OF_TURN;
          expect(wait).toBeGreaterThanOrEqual(Math.floor(leastPatience * Math.min(questionMs, doneMs)));
          expect(wait).toBeLessThanOrEqual(DEFAULT_END_OF_TURN.longestMs);
        },
      ),
    );
  });
});

describe('speech that words do not account for', () => {
  it('is none in a sentence spoken at any usual pace', () => {
    expect(unexplainedMs('I would like to book a table for two on Friday.', 3_200)).toBe(0);
  });
  it('is what letters said one by one leave', () => {
    expect(unexplainedMs("didn't fail.", 1_760)).toBeGreaterThan(500);
  });
});

describe('an announcement of digits or letters', () => {
  it.each(['my number is', 'the zip code is 9', 'call me back at', "it's spelled"])('is "%s"', (text) =>
    expect(announcesPieces(text)).toBe(true),
  );
  it.each(['what is the number?', 'the number of people who came was far too high', 'we are five people'])(
    'is not "%s"',
    (text) => expect(announcesPieces(text)).toBe(false),
  );
});
