import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { FactIndex, RelevanceTable, stem } from '../../../src/model/brain/relevance';

const root = join(__dirname, '../../..');
const table = new RelevanceTable(JSON.parse(readFileSync(join(root, 'models/smollm2-135m/relevance.json'), 'utf8')));
const golden: { facts: string[]; question: string; related: string[] }[] = JSON.parse(
  readFileSync(join(root, 'test/fixtures/brain/golden.json'), 'utf8'),
);
const facts = [
  'The bakery is open from 7 am to 5 pm.',
  'A sourdough loaf costs 6 dollars.',
  'Mrs. Olsen bakes the wedding cakes.',
  'You may park in the yard.',
  'The phone number is 555 0199 22.',
];
const index = new FactIndex(table, facts);

describe('FactIndex', () => {
  it.each(golden.map((entry, i) => [i, entry] as const))('chooses as the reference does, case %i', (_, entry) => {
    expect(new FactIndex(table, entry.facts).related(entry.question, 3)).toEqual(entry.related);
  });

  it('puts the best fact last, nearest to the answer', () => {
    expect(index.related('How much is a loaf of sourdough?', 3).at(-1)).toBe(facts[1]);
    expect(index.related('Where can I leave my car?', 3).at(-1)).toBe(facts[3]);
    expect(index.related('What time do you close?', 3).at(-1)).toBe(facts[0]);
  });

  it('forgives one wrong letter in a long word', () => {
    expect(index.related('what about the sourdouh', 1)).toEqual([facts[1]]);
  });

  it('leans on the question before when it is given one', () => {
    expect(index.related('and how much?', 1, 'Do you have sourdough?')).toEqual([facts[1]]);
  });

  it('names nothing when nothing fits', () => {
    expect(index.related('Thank you!', 3)).toEqual([]);
    expect(new FactIndex(table, []).related('Anything?', 3)).toEqual([]);
  });

  it('takes any text, and never names more than asked for', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.array(fc.string({ unit: 'binary' }), { maxLength: 6 }),
        (question, own) => {
          const related = new FactIndex(table, own).related(question, 2, question);
          return related.length <= 2 && related.every((fact) => own.includes(fact));
        },
      ),
    );
  });
});

describe('stem', () => {
  it('lets the forms of a word meet', () => {
    for (const [a, b] of [
      ['prices', 'price'],
      ['parking', 'parked'],
      ['dogs', 'dog'],
      ['returned', 'returns'],
      ['deliveries', 'delivery'],
    ] as const) {
      expect(stem(a)).toBe(stem(b));
    }
  });
});
