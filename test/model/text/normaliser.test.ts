import fc from 'fast-check';
import { normalise } from '../../../src/model/text/normaliser';
import { lineOf, type SpokenText } from '../../../src/model/text/spoken-text';
import { CASES } from './normaliser-cases';

/** Spoken words grouped by the written word that they stand for. */
function spokenFor(text: SpokenText): Record<string, string> {
  const said: Record<string, string> = {};
  for (const token of text.tokens) {
    if (token.kind === 'pause') continue;
    const written = text.written[token.written]?.text ?? '?';
    said[written] = said[written] === undefined ? token.text : `${said[written]} ${token.text}`;
  }
  return said;
}

describe('the normaliser', () => {
  test('has a table of at least two hundred cases', () => {
    expect(CASES.length).toBeGreaterThanOrEqual(200);
  });

  test.each(CASES)('says "%s" as "%s"', (written, spoken) => {
    expect(lineOf(normalise(written))).toBe(spoken);
  });

  test('ties an amount of several spoken words to the one written word', () => {
    expect(spokenFor(normalise('It costs £45.50 a night.'))).toEqual({
      It: 'it',
      costs: 'costs',
      '£45.50': 'forty five pounds and fifty pence',
      a: 'a',
      'night.': 'night',
    });
  });

  test('shares a date, a time and a magnitude out among their written words', () => {
    expect(spokenFor(normalise('On July 4, 2024 at 7:30 pm $3 million went to Dr. Smith'))).toEqual({
      On: 'on',
      July: 'july',
      '4,': 'fourth',
      '2024': 'twenty twenty four',
      at: 'at',
      '7:30': 'seven thirty',
      pm: 'p m',
      $3: 'three',
      million: 'million dollars',
      went: 'went',
      to: 'to',
      'Dr.': 'doctor',
      Smith: 'smith',
    });
  });

  test('keeps the written words as they are, with their places', () => {
    const text = '  Hi 😀 there,\nJosé! ';
    const { written } = normalise(text);
    expect(written.map(({ text: word }) => word)).toEqual(['Hi', '😀', 'there,', 'José!']);
    for (const word of written) expect(text.slice(word.start, word.end)).toBe(word.text);
  });

  test('any string becomes words of a-z and apostrophes in rising order of what was written', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.string({ unit: 'grapheme', maxLength: 200 }),
      fc
        .array(
          fc.constantFrom(
            '12',
            '3.5',
            ':',
            '-',
            '/',
            '$',
            '€',
            '%',
            ' ',
            '.',
            ',',
            'am',
            'St',
            '@',
            'x.com',
            'A',
            'IV',
            "'",
            '\n',
            '(',
            ')',
            '°',
            '#',
            '*',
            '_',
            'http://',
            '½',
            'no',
            'km',
            '\u0000',
            '\ud800',
          ),
          { maxLength: 60 },
        )
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        const { tokens, written } = normalise(text);
        let last = 0;
        for (const token of tokens) {
          if (token.kind === 'pause') {
            expect(',.?!;:').toContain(token.mark);
            continue;
          }
          expect(token.text).toMatch(/^[a-z]+(?:'[a-z]+)*$/);
          expect(token.text.length).toBeLessThanOrEqual(60);
          expect(token.written).toBeGreaterThanOrEqual(last);
          expect(token.written).toBeLessThan(written.length);
          last = token.written;
        }
        expect(tokens[0]?.kind).not.toBe('pause');
      }),
      { numRuns: 1_000 },
    );
  });

  test('the work grows with the length of the text, whatever stands in it', () => {
    const fills = [
      '1',
      '1 ',
      '1,',
      '1-',
      '1.',
      '1/',
      'a.',
      'A',
      'a@',
      '(',
      '*',
      '_',
      '$',
      "'",
      '+1 ',
      'x.',
      '-',
      '\n',
      'http://',
      '<a',
      '555-',
    ];
    for (const fill of fills) {
      const text = fill.repeat(Math.ceil(10_000 / fill.length));
      const { tokens } = normalise(text);
      // Not a time but what makes it: a token stands for at least one character, and digits for at most twenty words.
      expect(tokens.length).toBeLessThanOrEqual(20 * text.length);
    }
  });
});
