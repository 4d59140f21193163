/** The threat model names the test that holds each of its answers: that test has to be there, under that title. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../..');
const rows = readFileSync(join(root, 'docs/security.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| /.test(line) && !/^\| threat \|/.test(line))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

describe('the threat model', () => {
  it('has rows, each with a threat, an answer, or more tests of the row before', () => {
    expect(rows.length).toBeGreaterThan(40);
    expect(rows[0]?.[0]).not.toBe('');
    for (const [threat, answer, test] of rows) {
      expect(test).toMatch(/^`test\/[^`]+\.test\.ts`: \S/);
      expect((threat === '') === (answer === '')).toBe(true);
    }
  });

  it.each(rows.map(([, , test = '']) => [test]))('is held by %s', (test) => {
    const [, file = '', title = ''] = /^`([^`]+)`: (.*)$/.exec(test) ?? [];
    expect(existsSync(join(root, file))).toBe(true);
    const text = readFileSync(join(root, file), 'utf8');
    // A title is what stands in quotes behind it(…), it.each(…)(…) or test(…).
    const titles = [...text.matchAll(/['"`]((?:[^'"`\\\n]|\\.)+)['"`],\s*(?:\{[^}]*\},\s*)?(?:async )?\(/g)].map(
      ([, found]) => found,
    );
    expect(titles).toContain(title);
  });
});
