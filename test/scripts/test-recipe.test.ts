/** What `npm test` makes of the recipe's Python tests: the counts of their report, and the parts of the lock file. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

interface Report {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly problems: string[];
}
interface Script {
  readonly readReport: (xml: string) => Report;
}
interface Environment {
  readonly lockedParts: (text: string) => string[][];
}

const root = join(__dirname, '..', '..');
const script = () => import(join(root, 'scripts', 'test-recipe.mjs')) as Promise<Script>;

describe('the report of the recipe', () => {
  it('counts errors as failures, and names what failed', async () => {
    const { readReport } = await script();
    const xml = `<?xml version="1.0"?><testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="1" skipped="2" tests="9" time="1.0">
      <testcase classname="tests.a" name="test_fine" time="0.1" /><testcase classname="tests.a" name="test_broken" time="0.1"><failure message="no">…</failure></testcase>
      <testcase classname="" name="tests.b" time="0.0"><error message="no">…</error></testcase></testsuite></testsuites>`;
    expect(readReport(xml)).toEqual({
      passed: 5,
      failed: 2,
      skipped: 2,
      problems: ['recipe: test_broken', 'recipe: tests.b'],
    });
  });

  it('takes a run without a test for a failure, and any text for a report', async () => {
    const { readReport } = await script();
    expect(readReport('<testsuite name="pytest" errors="0" failures="0" skipped="0" tests="0">')).toMatchObject({
      passed: 0,
      failed: 1,
    });
    fc.assert(fc.property(fc.string(), (text) => readReport(text).passed >= 0));
  });
});

describe.each(['models/recipe/requirements.lock', 'test/infra/requirements.lock'])('the lock %s', (path) => {
  it('names exact versions alone, no place that they come from, and torch by itself first', async () => {
    const { lockedParts } = (await import(join(root, 'scripts', 'python-environment.mjs'))) as Environment;
    const text = readFileSync(join(root, path), 'utf8');
    const parts = lockedParts(text);
    if (text.includes('torch==')) expect(parts[0]).toEqual([expect.stringMatching(/^torch==/)]);
    for (const line of parts.flat()) expect(line).toMatch(/^[A-Za-z0-9._-]+==(?:[0-9]+!)?[0-9][A-Za-z0-9.]*$/);
    expect(text).not.toMatch(/https?:|--|@|file:/);
    expect(new Set(parts.flat()).size).toBe(parts.flat().length);
    expect(parts.flat()).toHaveLength(text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length);
  });
});
