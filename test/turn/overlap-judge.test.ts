import fc from 'fast-check';
import { DEFAULT_OVERLAP, judgeOverlap, type OverlapFacts } from '../../src/turn/overlap-judge';

const BASE: OverlapFacts = {
  speechMs: 300,
  ended: false,
  words: undefined,
  wordsWhole: false,
  wordsOfMs: 0,
  duckedMs: 160,
  cautious: false,
  quiet: false,
  isEcho: false,
  sound: undefined,
  heard: false,
  asked: false,
  agentText: 'We are open from nine to five.',
};
const { dipMs, doubtMs, duckAfterMs } = DEFAULT_OVERLAP;
const AT_THE_LIMIT = { speechMs: duckAfterMs + dipMs, duckedMs: dipMs };
const IN_DOUBT = { speechMs: AT_THE_LIMIT.speechMs + doubtMs, duckedMs: dipMs + doubtMs };
const TALK = { talk: 0.95, backchannel: 0.04, noise: 0.01 };
const BACKCHANNEL = { talk: 0.01, backchannel: 0.98, noise: 0.01 };

const judge = (facts: Partial<OverlapFacts>) => judgeOverlap({ ...BASE, ...facts }, DEFAULT_OVERLAP);

describe('speech over a paused agent', () => {
  it('is not judged by half a word while the pause may still last', () => {
    expect(judge({ words: 'no', wordsOfMs: 240 })).toEqual({ verdict: 'wait' });
    expect(judge({ words: 'i think', wordsOfMs: 240, sound: TALK })).toEqual({ verdict: 'wait' });
  });

  it('interrupts when it goes on to the end of the pause and nothing speaks against it', () => {
    expect(judge(AT_THE_LIMIT)).toMatchObject({ verdict: 'interrupt' });
    expect(judge({ ...AT_THE_LIMIT, sound: TALK, words: 'yes', wordsOfMs: 240 })).toMatchObject({
      verdict: 'interrupt',
    });
    expect(judge({ ...AT_THE_LIMIT, sound: BACKCHANNEL, words: 'i think', wordsOfMs: 240 })).toEqual({
      verdict: 'dismiss',
      because: 'backchannel',
    });
  });

  it('that is over and surely a sign of listening ends the pause at once, and while it goes on it may become more', () => {
    const sign = { speechMs: 360, sound: BACKCHANNEL };
    expect(judge({ ...sign, ended: true })).toEqual({ verdict: 'dismiss', because: 'backchannel' });
    expect(judge(sign)).toEqual({ verdict: 'wait' });
  });

  it('is waited for a little longer when it sounds like neither', () => {
    const unsure = { talk: 0.4, backchannel: 0.6, noise: 0 };
    expect(judge({ ...AT_THE_LIMIT, words: 'okay', wordsOfMs: 240, sound: unsure })).toEqual({ verdict: 'wait' });
    expect(judge({ ...IN_DOUBT, words: 'okay', wordsOfMs: 240, sound: unsure })).toMatchObject({
      verdict: 'dismiss',
    });
  });

  it('in which few words were found is none where nobody hears talk in it', () => {
    const groan = { talk: 0.1, backchannel: 0.3, noise: 0.6 };
    const heard = { ...AT_THE_LIMIT, sound: groan, heard: true, wordsOfMs: 400 };
    expect(judge({ ...heard, words: 'no, no' })).toMatchObject({ verdict: 'dismiss' });
    expect(judge({ ...heard, words: 'hello', ended: true, wordsWhole: true })).toMatchObject({ verdict: 'dismiss' });
    expect(judge({ ...heard, words: 'how much does' })).toMatchObject({ verdict: 'dismiss' });
    expect(judge({ ...heard, words: 'how much does it cost now' })).toMatchObject({ verdict: 'interrupt' });
    // The recogniser has not been asked for its opinion: its words count.
    expect(judge({ ...heard, heard: false, words: 'no, no' })).toMatchObject({ verdict: 'interrupt' });
  });

  it('that is over is waited for a little longer while the recogniser is asked', () => {
    const short = { speechMs: 200, ended: true, duckedMs: dipMs, sound: TALK };
    expect(judge({ ...short, asked: true })).toEqual({ verdict: 'wait' });
    expect(judge(short)).toMatchObject({ verdict: 'interrupt' });
    expect(judge({ ...short, asked: true, duckedMs: dipMs + doubtMs })).toMatchObject({ verdict: 'interrupt' });
  });

  it('that is over and understood is judged at once', () => {
    const over = { ended: true, wordsWhole: true, wordsOfMs: 400 };
    expect(judge({ ...over, words: 'stop it' })).toMatchObject({ verdict: 'interrupt' });
    expect(judge({ ...over, words: 'mm-hmm' })).toMatchObject({ verdict: 'dismiss', because: 'backchannel' });
    expect(judge({ ...over, words: 'sword', sound: BACKCHANNEL })).toMatchObject({ verdict: 'dismiss' });
    expect(judge({ ...over, words: 'you got me wrong', sound: BACKCHANNEL })).toMatchObject({ verdict: 'interrupt' });
    expect(judge({ ...over, words: 'So', sound: TALK })).toMatchObject({ verdict: 'interrupt' });
    expect(judge({ ...over, words: 'So' })).toMatchObject({ verdict: 'dismiss' });
  });
});

describe('our own voice come back', () => {
  it('never interrupts, whatever was understood', () => {
    const facts = { isEcho: true, words: 'who is there', wordsOfMs: 700, sound: TALK };
    expect(judge(facts)).toEqual({ verdict: 'wait' });
    expect(judge({ ...facts, ended: true })).toEqual({ verdict: 'dismiss', because: 'echo' });
    expect(judge({ ...facts, ...AT_THE_LIMIT })).toEqual({ verdict: 'dismiss', because: 'echo' });
  });
});

describe('a voice in the background', () => {
  it('does not interrupt with a conversation, only with a call for attention', () => {
    const facts = { quiet: true, duckedMs: undefined, speechMs: 900, wordsOfMs: 900 };
    expect(judge({ ...facts, words: 'I want to cancel the order' })).toEqual({
      verdict: 'dismiss',
      because: 'background',
    });
    expect(judge({ ...facts, words: 'Hello?' })).toMatchObject({ verdict: 'interrupt' });
  });
});

it('never keeps the agent paused beyond the longest doubt', () => {
  const chance = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      fc.record({
        words: fc.option(fc.constantFrom('okay', 'stop', 'I', '', 'we are open from nine', 'a table for two'), {
          nil: undefined,
        }),
        ended: fc.boolean(),
        wordsWhole: fc.boolean(),
        wordsOfMs: fc.nat(2_000),
        speechMs: fc.nat(3_000),
        cautious: fc.boolean(),
        quiet: fc.boolean(),
        isEcho: fc.boolean(),
        sound: fc.option(fc.record({ talk: chance, backchannel: chance, noise: chance }), { nil: undefined }),
      }),
      (facts) => {
        expect(judge({ ...facts, duckedMs: dipMs + doubtMs }).verdict).not.toBe('wait');
      },
    ),
  );
});
