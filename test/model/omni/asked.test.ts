/** A statement's words with a surely rising tune are a question; nothing else is touched. */
import { asked } from '../../../src/model/omni/asked';
import type { WhisperRecognition } from '../../../src/model/whisper/whisper-recogniser';

const MARK = 30;
const STOP = 13;
const written = (token: number) => ({ token, state: Float32Array.of(token), candidates: [{ token, logit: 1 }] });
const heard = (text: string, tokens: number[], doneProbability?: number): WhisperRecognition => ({
  text,
  speech: true,
  meanLogProbability: 0,
  tokenIds: tokens,
  written: tokens.map(written),
  noSpeechProbability: 0,
  stoppedBy: 'end',
  ...(doneProbability === undefined ? {} : { doneProbability }),
});
const rising = { sound: 'speech', intonation: 'question' } as const;

describe('words with a rising tune', () => {
  it('get a question mark in place of the full stop, in the text and in what the trunk reads', () => {
    const recognition = heard('You are open on Sunday.', [1, 2, STOP], 0.9);
    const question = asked(recognition, rising, MARK);
    expect(question.text).toBe('You are open on Sunday?');
    expect(question.written?.map(({ token }) => token)).toEqual([1, 2, MARK]);
    // It is what the recogniser wrote that it is given to check next time.
    expect(question.tokenIds).toEqual([1, 2, STOP]);
  });

  it('get one where there was no mark', () => {
    const question = asked(heard('on Monday', [1, 2], 0.6), rising, MARK);
    expect(question.text).toBe('on Monday?');
    expect(question.written?.map(({ token }) => token)).toEqual([1, 2, MARK]);
  });

  it.each([
    ['the caller is not done: a tune also rises where more is to come', heard('My number is.', [1, STOP], 0.2), rising],
    ['nobody knows whether the caller is done', heard('My number is.', [1, STOP]), rising],
    ['they have a mark already', heard('You are open?', [1, MARK], 0.9), rising],
    ['they were cried out', heard('Wait!', [1, 2], 0.9), rising],
    ['there are none', { ...heard('', [], 0.9), speech: false }, rising],
    ['the tune is not sure', heard('You are open.', [1, STOP], 0.9), { sound: 'speech' } as const],
    ['the tune falls', heard('You are open.', [1, STOP], 0.9), { sound: 'speech', intonation: 'statement' } as const],
  ])('stay as they are when %s', (_, recognition, said) => {
    expect(asked(recognition, said, MARK)).toBe(recognition);
  });
});
