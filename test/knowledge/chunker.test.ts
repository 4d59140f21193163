import fc from 'fast-check';
import { MAX_PASSAGE_CHARACTERS, markdownPassages, plainPassages } from '../../src/knowledge/chunker';

const texts = (source: string) => markdownPassages('a.md', source).map(({ heading, text }) => [heading, text]);

describe('a Markdown document', () => {
  it('becomes passages that never cross a heading and know those above them', () => {
    expect(texts('# Boats\n\nWe rent boats.\n\n## Canoes ##\nTwo seats.\n\nCamping\n---\nTents only.\n')).toEqual([
      ['Boats', 'We rent boats.'],
      ['Boats > Canoes', 'Two seats.'],
      ['Boats > Camping', 'Tents only.'],
    ]);
  });

  it('keeps each item of a list by itself, with the line that introduces it', () => {
    expect(texts('We rent:\n\n- canoes\n- two *kayaks*\n\nAsk inside.')).toEqual([
      ['', 'We rent: canoes'],
      ['', 'We rent: two kayaks'],
      ['', 'Ask inside.'],
    ]);
  });

  it('reads a row of a table as it may be said', () => {
    expect(texts('| Boat | Whole day | USB |\n|---|:-:|---|\n| Canoe | 48 dollars | no |\n| Raft | | |\n')).toEqual([
      ['', 'Canoe: whole day 48 dollars, USB no.'],
      ['', 'Raft.'],
    ]);
  });

  it('leaves out what is not said: marks, addresses of links, comments, front matter', () => {
    const source = '---\ntitle: x\n---\n<!-- no -->\nSee **our** [list](https://a.example/b "t") and `x_y`, 3 * 4.';
    expect(texts(source)).toEqual([['', 'See our list and x_y, 3 * 4.']]);
  });

  it('parts long paragraphs between sentences, and a sentence without end between words', () => {
    const sentence = 'The boat house is open on every day of the week from nine to five o’clock.';
    expect(texts(`${sentence} ${sentence} ${sentence}`)).toEqual(Array.from({ length: 3 }, () => ['', sentence]));
    const endless = texts('word '.repeat(200));
    expect(endless.length).toBeGreaterThan(1);
    expect(endless.map(([, text]) => text).join(' ')).toBe('word '.repeat(200).trim());
  });
});

describe('any text', () => {
  const words = fc.array(fc.stringMatching(/^[a-zA-Z0-9äé]{1,30}$/), { minLength: 1, maxLength: 120 });

  it('is cut without losing or changing the order of a word', () => {
    fc.assert(
      fc.property(words, fc.constantFrom(' ', '\n', '. ', '\n\n', '? '), (list, between) => {
        const passages = plainPassages('a.txt', list.join(between));
        const left = passages.flatMap(({ text }) => text.split(/[\s.?]+/)).filter((word) => word !== '');
        // A hyphen would join; there is none here.
        expect(left.join(' ')).toBe(list.join(' '));
      }),
    );
  });

  it('gives passages that are short and not empty, and nothing makes the cutter fail', () => {
    const pieces = fc.constantFrom(
      '# ',
      '|',
      '---\n',
      '- ',
      '```',
      '\n',
      '\n\n',
      '*',
      '[a](',
      ')',
      '<',
      '\ud800',
      ': ',
      '> ',
    );
    const junk = fc
      .array(fc.oneof(pieces, fc.string({ unit: 'binary' })), { maxLength: 60 })
      .map((all) => all.join(''));
    fc.assert(
      fc.property(junk, (source) => {
        for (const { text, heading } of [...markdownPassages('a.md', source), ...plainPassages('a.txt', source)]) {
          expect(text.trim()).not.toBe('');
          expect(text).not.toMatch(/[\n\r]/);
          expect(text.length).toBeLessThanOrEqual(2 * MAX_PASSAGE_CHARACTERS);
          expect(heading.length).toBeLessThanOrEqual(120);
        }
      }),
      { numRuns: 400 },
    );
  });
});
