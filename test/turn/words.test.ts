import fc from 'fast-check';
import {
  endingOf,
  isBackchannel,
  meaningfulWords,
  remainderOf,
  repeats,
  spelledLetters,
  trailingDigits,
  wantsFloor,
  wordsOf,
} from '../../src/turn/words';

describe('signs of listening', () => {
  it.each([
    'Mm-hmm.',
    'mhm',
    'Yeah.',
    'Okay.',
    'Uh-huh',
    'Right.',
    'Yeah, yeah.',
    'Oh, I see.',
    'Got it.',
    'Oh okay',
    'All right.',
  ])('%s is one', (text) => expect(isBackchannel(text)).toBe(true));
  it.each(['Yeah, but when?', 'No.', 'Right?', 'Okay, book it for Monday.', 'Stop.', '', 'Tuesday'])(
    '%s is none',
    (text) => expect(isBackchannel(text)).toBe(false),
  );
});

describe('a wish for the floor', () => {
  it.each([
    'Stop.',
    'Wait a second',
    'No, no.',
    'Hold on.',
    'Sorry?',
    'What about Sunday?',
    'Excuse me',
    'Can I',
    'hello?',
  ])('is heard in "%s"', (text) => expect(wantsFloor(text)).toBe(true));
  it.each(['Mm-hmm.', 'Yeah.', 'thank you', ''])('is not heard in "%s"', (text) =>
    expect(wantsFloor(text)).toBe(false),
  );
});

describe('how words end', () => {
  it.each([
    ['What time do you open?', 'question'],
    ['Where are you at?', 'question'],
    ['Yes, please.', 'answer'],
    ['No.', 'answer'],
    ['Tuesday.', 'answer'],
    ['I would like to book a room.', 'statement'],
    ['I would like to book a room', 'unpunctuated'],
    ['My number is', 'goes-on'],
    ['I would like to book a room and', 'goes-on'],
    ['I want to...', 'goes-on'],
    ['I need an appointment for my,', 'goes-on'],
    ['It is for the', 'goes-on'],
    ['My name is.', 'goes-on'],
    ['I think, um', 'hesitates'],
    ['Well, uh,', 'hesitates'],
    ['Five five five, oh one', 'digits'],
    ['My number is 555', 'digits'],
    ['It is S-M-I', 'digits'],
    ['', 'nothing'],
  ])('"%s" is %s', (text, ending) => expect(endingOf(text)).toBe(ending));

  it('counts spoken and written digits and spelled letters', () => {
    expect(trailingDigits(wordsOf('call me at five five five 0123'))).toBe(7);
    expect(trailingDigits(wordsOf('I have two cats'))).toBe(0);
    expect(spelledLetters(wordsOf('Smith, S-M-I-T-H'))).toBe(5);
    expect(spelledLetters(wordsOf('s m i'))).toBe(3);
  });
});

describe('an echo', () => {
  const agent = 'We are open from nine to five on weekdays and closed on Sundays.';
  it('repeats what the agent says', () => expect(repeats('from nine to five on weekdays', agent)).toBe(true));
  it('is not what a caller asks about it', () => {
    expect(repeats('what about Sundays', agent)).toBe(false);
    expect(repeats('five on Sundays or nine', agent)).toBe(false);
  });
});

describe('the rest of an answer', () => {
  const text = 'We open at nine. We close at five. Parking is free.';
  it('begins with the sentence that was cut', () => {
    expect(remainderOf(text, 'We open at nine We close', true)).toBe('We close at five. Parking is free.');
  });
  it('is everything when nothing was heard and nothing when all was', () => {
    expect(remainderOf(text, '', true)).toBe(text);
    expect(remainderOf(text, text, true)).toBe('');
  });
  it('loses no mark between two sentences', () => {
    expect(remainderOf("No!'?Yes.", '', true)).toBe("No!'?Yes.");
    expect(remainderOf('No. .Yes', '', true)).toBe('No. .Yes');
  });
  it('leaves out a sentence that was still being written', () => {
    expect(remainderOf('We open at nine. We close at', 'We open', false)).toBe('We open at nine.');
  });
});

it('takes any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, other) => {
      isBackchannel(text);
      wantsFloor(text);
      repeats(text, other);
      endingOf(text);
      expect(meaningfulWords(text).length).toBeLessThanOrEqual(wordsOf(text).length);
      expect(text.includes(remainderOf(text, '', true))).toBe(true);
    }),
  );
});
