/** YAML against a schema: places and expectations in every fault, and no input that throws. */
import fc from 'fast-check';
import { z } from 'zod';
import { faultLine, readCheckedYaml } from '../../src/core/checked-yaml';

const schema = z.strictObject({
  name: z.string(),
  ports: z.array(z.strictObject({ number: z.int(), kind: z.enum(['udp', 'tcp']) })).default([]),
  either: z.union([z.string(), z.array(z.number())]).optional(),
  action: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('echo') }),
      z.strictObject({ type: z.literal('tone'), frequencyHz: z.number() }),
    ])
    .optional(),
});

function faultsOf(text: string): string[] {
  const read = readCheckedYaml(text, 'x.yaml', schema);
  return read.ok ? [] : read.faults.map(faultLine);
}

describe('readCheckedYaml', () => {
  it('returns the value with its defaults', () => {
    const read = readCheckedYaml('name: a\n', 'x.yaml', schema);
    expect(read).toMatchObject({ ok: true, value: { name: 'a', ports: [] } });
  });

  it('tells a wrong type with file, line and path', () => {
    expect(faultsOf('name: a\nports:\n  - number: many\n    kind: udp\n')).toEqual([
      'x.yaml:3: ports[0].number: Expected number, received string.',
    ]);
  });

  it('tells a missing key at the mapping that lacks it', () => {
    expect(faultsOf('name: a\nports:\n  - kind: udp\n')).toEqual([
      'x.yaml:3: ports[0].number: Expected number; it is missing.',
    ]);
  });

  it('tells an unknown key at its own line, with the word that was meant', () => {
    expect(faultsOf('name: a\nports:\n  - number: 1\n    kind: udp\n    nubmer: 2\n')).toEqual([
      'x.yaml:5: ports[0].nubmer: Unknown key. Did you mean "number"?',
    ]);
  });

  it('tells the valid words of an enumeration and of a tag', () => {
    expect(faultsOf('name: a\nports: [{ number: 1, kind: upd }]\n')).toEqual([
      'x.yaml:2: ports[0].kind: Expected one of "udp", "tcp". Did you mean "udp"?',
    ]);
    expect(faultsOf('name: a\naction: { type: tome }\n')).toEqual([
      'x.yaml:2: action.type: Expected one of "echo", "tone". Did you mean "tone"?',
    ]);
  });

  it('suggests the keys of the form that the tag chose', () => {
    expect(faultsOf('name: a\naction: { type: tone, frequencyHz: 1, frequenzyHz: 2 }\n')).toEqual([
      'x.yaml:2: action.frequenzyHz: Unknown key. Did you mean "frequencyHz"?',
    ]);
  });

  it('tells every form of an untagged choice', () => {
    expect(faultsOf('name: a\neither: 5\n')).toEqual(['x.yaml:2: either: Expected string, or array.']);
    expect(faultsOf('name: a\neither: [x]\n')).toEqual(['x.yaml:2: either[0]: Expected number, received string.']);
  });

  it('tells bad syntax and doubled keys at their line', () => {
    expect(faultsOf('name: a\nports: [1\n')[0]).toMatch(/^x\.yaml:\d: /);
    expect(faultsOf('name: a\nname: b\n')[0]).toMatch(/^x\.yaml:2: .*unique/i);
  });

  it('refuses an alias bomb without unfolding it', () => {
    const levels = Array.from({ length: 12 }, (_, level) =>
      level === 0 ? 'a0: &a0 [x, x, x, x, x, x, x, x, x]' : `a${level}: &a${level} [${`*a${level - 1}, `.repeat(9)}]`,
    );
    expect(faultsOf(levels.join('\n'))[0]).toMatch(/alias/i);
  });

  it('never throws, whatever the text', () => {
    const pieces = fc.constantFrom(
      'name',
      ':',
      ' ',
      '\n',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '&a ',
      '*a',
      '!!js ',
      '"',
      "'",
      '|',
      '>',
      '%',
      '\t',
      '\0',
      '<<',
      '? ',
      '---\n',
      '...',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((parts) => parts.join('')),
        ),
        (text) => {
          const read = readCheckedYaml(text, 'x.yaml', schema);
          expect(typeof read.ok).toBe('boolean');
          if (!read.ok) for (const fault of read.faults) expect(fault.line).toBeGreaterThan(0);
        },
      ),
      { numRuns: 500 },
    );
  });
});
