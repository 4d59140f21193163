import fc from 'fast-check';
import { OpeningDays } from '../../../src/model/brain/opening-days';

const lines = (facts: string[], question: string, best: string | undefined = undefined) =>
  new OpeningDays(facts).linesFor(question, best);

describe('opening days', () => {
  const shop = ['The shop is open Tuesday to Saturday from 10 am to 7 pm.', 'We are closed on Sunday and Monday.'];

  it.each([
    [shop, 'Are you open on Monday?', ['On Monday we are closed.']],
    [shop, 'When do you close on Thursday?', ['On Thursday the shop is open from 10 am to 7 pm.']],
    [
      ['Open Monday to Friday from 8:30 a.m. until 6 p.m. and Saturday from 11 a.m. until 1 p.m.'],
      'When do you close on Saturday?',
      ['On Saturday we are open from 11 a.m. until 1 p.m.'],
    ],
    [
      ['On Saturdays it is open from 8 am to 2 pm, on Sundays it is closed.'],
      'Are you open on Sunday?',
      ['On Sunday we are closed.'],
    ],
    [
      ['We are open Monday to Thursday from 8 am to 5 pm and on Friday from 8 am to 1 pm.'],
      'How late are you open on Fridays?',
      ['On Friday we are open from 8 am to 1 pm.'],
    ],
    [
      ['We are closed on weekends.'],
      'Are you open on the weekend?',
      ['On Saturday we are closed.', 'On Sunday we are closed.'],
    ],
    [
      ['The zoo is open daily from 9 am to 6 pm.'],
      'Are you open on Wednesday?',
      ['On Wednesday the zoo is open from 9 am to 6 pm.'],
    ],
  ])('reads %j for “%s”', (facts, question, expected) => {
    expect(lines(facts, question)).toEqual(expected);
  });

  it('tells apart what has hours of its own', () => {
    const facts = [
      'The hall is open Monday to Friday from 9 am to 5 pm.',
      'The tea room is open daily from 11 am to 10 pm.',
    ];
    expect(lines(facts, 'Is the tea room open on Friday?')).toEqual([
      'On Friday the tea room is open from 11 am to 10 pm.',
    ]);
    expect(lines(facts, 'Are you open on Friday?')).toEqual(['On Friday the hall is open from 9 am to 5 pm.']);
  });

  it('is silent about days that no fact mentions, and without a day', () => {
    expect(lines(['We are open Monday to Friday from 9 am to 5 pm.'], 'Are you open on Sunday?')).toEqual([]);
    expect(lines(shop, 'When do you close?')).toEqual([]);
  });

  it('leaves questions alone that are about another fact', () => {
    const facts = [...shop, 'Tours take place on Saturday at 2 pm.'];
    expect(lines(facts, 'When is the tour on Saturday?', 'Tours take place on Saturday at 2 pm.')).toEqual([]);
  });

  it('survives any text', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.string(), (facts, question) => {
        for (const line of lines(facts, question)) expect(line).toMatch(/^On \w+day /);
      }),
    );
  });
});
