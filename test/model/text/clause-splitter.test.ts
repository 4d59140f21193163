import fc from 'fast-check';
import { ClauseSplitter, DEFAULT_LIMITS } from '../../../src/model/text/clause-splitter';

/** Feeds `text` in pieces of `size` characters and returns the clauses, with what flush gave last. */
function split(text: string, size: number, limits = DEFAULT_LIMITS): string[] {
  const splitter = new ClauseSplitter(limits);
  const clauses: string[] = [];
  for (let at = 0; at < text.length; at += size) clauses.push(...splitter.push(text.slice(at, at + size)));
  return [...clauses, ...splitter.flush()];
}

describe('the clause splitter', () => {
  test('gives the first clause at a comma after two words, before the sentence is whole', () => {
    const splitter = new ClauseSplitter();
    expect(splitter.push('Good morning, ')).toEqual([]);
    expect(splitter.push('how')).toEqual(['Good morning, ']);
  });

  test('gives the first clause without any mark once five words stand', () => {
    const splitter = new ClauseSplitter();
    expect(splitter.push('Breakfast starts every morning downstairs n')).toEqual([
      'Breakfast starts every morning downstairs ',
    ]);
  });

  test('waits for more words in later clauses', () => {
    expect(
      split('Yes, of course. The room is free, and the rate includes breakfast, a towel and the pool.', 3),
    ).toEqual(['Yes, of course. ', 'The room is free, and the rate includes breakfast, ', 'a towel and the pool.']);
  });

  test.each([
    ['a decimal number', 'It is 3.5 miles away. Fine.', ['It is 3.5 miles away. ', 'Fine.']],
    ['a grouped number', 'We sold 1,250,000 of them. Fine.', ['We sold 1,250,000 of them. ', 'Fine.']],
    ['a title', 'Ask for Dr. Smith please. Fine.', ['Ask for Dr. Smith please. ', 'Fine.']],
    ['initials', 'J. R. Smith is in. Fine.', ['J. R. Smith is in. ', 'Fine.']],
    ['an e-mail address', 'Write to a.b@c.com today. Fine.', ['Write to a.b@c.com today. ', 'Fine.']],
    ['a time with dots', 'Come at 5 p.m. or later. Fine.', ['Come at 5 p.m. or later. ', 'Fine.']],
    [
      'a phone number',
      'Please ring us now on 555 123 4567 today. Fine.',
      ['Please ring us now on 555 123 4567 today. ', 'Fine.'],
    ],
    [
      'an amount',
      'That will be exactly for you £ 45.50 today. Fine.',
      ['That will be exactly for you £ 45.50 today. ', 'Fine.'],
    ],
  ])('does not cut inside %s', (_, text, clauses) => {
    for (const size of [1, 4, 100]) expect(split(text, size, { ...DEFAULT_LIMITS, firstWords: 7 })).toEqual(clauses);
  });

  test('a clause without a mark does not end on a word that leans on the next', () => {
    const [first = ''] = split('We can certainly offer you one of the larger rooms facing the garden', 1);
    expect(first.trim().split(' ').at(-1)).not.toMatch(/^(of|the|one)$/);
  });

  test('what goes in comes out again, whole and in order, however it is cut', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary', maxLength: 300 }),
          fc
            .array(fc.constantFrom('word', ' ', ', ', '. ', '3.5', 'Dr.', '\n', '!', '"', 'p.m.', '  ', '—', 'the '), {
              maxLength: 80,
            })
            .map((parts) => parts.join('')),
        ),
        fc.integer({ min: 1, max: 40 }),
        (text, size) => {
          const clauses = split(text, size);
          expect(clauses.join('')).toBe(text);
          expect(clauses).not.toContain('');
        },
      ),
      { numRuns: 500 },
    );
  });

  test('the clauses do not depend on how the text was cut into deltas', () => {
    fc.assert(
      fc.property(
        fc
          .array(fc.constantFrom('room', ' ', ', ', '. ', '3.5', 'Dr. ', '! ', 'the ', 'breakfast ', '9 ', '; '), {
            maxLength: 60,
          })
          .map((parts) => parts.join('')),
        fc.integer({ min: 1, max: 30 }),
        (text, size) => expect(split(text, size)).toEqual(split(text, 1)),
      ),
    );
  });

  test('holds no more than a bounded amount back', () => {
    const splitter = new ClauseSplitter();
    let held = 0;
    for (let n = 0; n < 2_000; n += 1) {
      held += 2;
      for (const clause of splitter.push('xy')) held -= clause.length;
      expect(held).toBeLessThanOrEqual(700);
    }
    expect(DEFAULT_LIMITS.firstWords).toBeLessThan(DEFAULT_LIMITS.words);
  });
});
