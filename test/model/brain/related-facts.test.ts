import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OpeningDays } from '../../../src/model/brain/opening-days';
import { RelatedFacts } from '../../../src/model/brain/related-facts';
import { FactIndex, RelevanceTable } from '../../../src/model/brain/relevance';

const table = new RelevanceTable(
  JSON.parse(readFileSync(join(__dirname, '../../../models/smollm2-135m/relevance.json'), 'utf8')),
);
const facts = [
  'We are open Monday to Friday from 9 am to 6 pm.',
  'A helmet costs 12 dollars.',
  'You can park in the yard.',
  'Mr Osei repairs gears.',
  'Old locks are sold by the yard gate.',
  'We deliver within the city.',
  'Used lamps are taken back.',
  'Tours start at the old mill.',
];
const ofOneCall = () => new RelatedFacts(new FactIndex(table, facts), new OpeningDays(facts));

describe('the facts beside a question', () => {
  it('are those that it shares words with', () => {
    expect(ofOneCall().to('How much is a helmet?')).toEqual([facts[1]]);
  });

  it('are a line for the day when it asks for one', () => {
    expect(ofOneCall().to('Are you open on Wednesday?')).toEqual(['On Wednesday we are open from 9 am to 6 pm.']);
  });

  it('follow the question before when this one is short', () => {
    const related = ofOneCall();
    expect(related.to('And a blue one?')).toEqual([]);
    related.answered('How much is a helmet?');
    expect(related.to('And a blue one?')).toEqual([facts[1]]);
  });

  it('forget no question for one that nothing is related to', () => {
    const related = ofOneCall();
    related.answered('How much is a helmet?');
    related.answered('Thank you.');
    expect(related.to('And a blue one?')).toEqual([facts[1]]);
  });

  it('keep a tool that a day was named for, instead of opening hours', () => {
    const lines = [...facts, 'I can book a table.'];
    const related = new RelatedFacts(
      new FactIndex(table, lines),
      new OpeningDays(facts),
      (line) => line === 'I can book a table.',
    );
    expect(related.to('Can I book a table for Wednesday?').at(-1)).toBe('I can book a table.');
    expect(related.to('A table for Wednesday, please.')).toContain('I can book a table.');
    expect(related.to('Are you open on Wednesday?')).toEqual(['On Wednesday we are open from 9 am to 6 pm.']);
  });
});
