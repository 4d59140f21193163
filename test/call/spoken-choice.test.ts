import fc from 'fast-check';
import { chooseSpoken, spokenDigits, wordsOf, yesOrNo } from '../../src/call/spoken-choice';

const departments = [
  { value: 'sales', phrases: ['sales', 'buy something'] },
  { value: 'billing', phrases: ['billing', 'invoice', 'pay a bill'] },
  { value: 'support', phrases: ['support', 'technical help', 'something is broken'] },
];

describe('words that choose', () => {
  it.each([
    ['Sales, please.', 'sales'],
    ["I'd like to buy something.", 'sales'],
    ['Um, it is about an invoice I got.', 'billing'],
    ['Something’s broken.', 'support'],
  ])('%s chooses %s', (text, value) => expect(chooseSpoken(text, departments)).toBe(value));

  it.each([
    ['Sails, please.', 'sales'],
    ['Building.', 'billing'],
    ['In voice.', 'billing'],
    ['Suport.', 'support'],
  ])('%s, misheard, chooses %s', (text, value) => expect(chooseSpoken(text, departments)).toBe(value));

  it.each(['', 'What time is it?', 'I do not know.', 'Sales or billing, I am not sure.', 'The weather is nice today.'])(
    '%s chooses nothing',
    (text) => expect(chooseSpoken(text, departments)).toBeUndefined(),
  );

  it('believes short words only as they are', () => {
    const short = [
      { value: 'a', phrases: ['hat'] },
      { value: 'b', phrases: ['dog'] },
    ];
    expect(chooseSpoken('cat', short)).toBeUndefined();
    expect(chooseSpoken('the hat', short)).toBe('a');
  });

  it('takes any text, and a phrase that is said whole always counts', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (before, after) => {
        chooseSpoken(before, departments);
        yesOrNo(before);
        expect(spokenDigits(before)).toMatch(/^\d*$/);
        const heard = chooseSpoken(`${before} invoice ${after}`, [departments[1]!]);
        if (wordsOf(`${before} invoice ${after}`).includes('invoice')) expect(heard).toBe('billing');
      }),
    );
  });
});

describe('yes and no', () => {
  it.each([
    ['Yes.', 'yes'],
    ['Yeah, that’s right.', 'yes'],
    ['No problem.', 'yes'],
    ['Nope.', 'no'],
    ["No, that's wrong.", 'no'],
    ["That's not right.", 'no'],
    ["I don't want that.", 'no'],
    ["I don't know.", undefined],
    ['Maybe.', undefined],
    ['', undefined],
  ])('%s is %s', (text, meant) => expect(yesOrNo(text)).toBe(meant));
});

describe('digits that are read out', () => {
  it.each([
    ['one two three', '123'],
    ['4-7-1-1.', '4711'],
    ['My number is four double two oh seven.', '42207'],
    ['forty-two, fifteen', '4215'],
    ['twenty', '20'],
    ['triple nine', '999'],
    ['It is 12 34.', '1234'],
    ['I want to talk to somebody.', ''],
    ['for you', ''],
  ])('%s is %s', (text, digits) => expect(spokenDigits(text)).toBe(digits));
});
