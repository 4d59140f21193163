import fc from 'fast-check';
import { type KeyRules, pressKey } from '../../src/call/key-input';

const rules = (more: Partial<KeyRules> = {}): KeyRules => ({
  options: ['1', '12', '2', '*'],
  open: false,
  maxDigits: 2,
  endKey: '#',
  ...more,
});

function typed(keys: string, given: KeyRules): { typed: string; done: boolean; left: string } {
  let now = { typed: '', done: false };
  for (const [index, key] of [...keys].entries()) {
    now = pressKey(given, now.typed, key);
    if (now.done) return { ...now, left: keys.slice(index + 1) };
  }
  return { ...now, left: '' };
}

describe('keys typed into a menu', () => {
  it.each([
    ['an option that no longer one begins with', '2', rules(), '2', true],
    ['an option that could go on', '1', rules(), '1', false],
    ['the longer option', '12', rules(), '12', true],
    ['the shorter one, ended by the key for it', '1#', rules(), '1', true],
    ['what is no option', '7', rules(), '7', true],
    ['nothing, ended', '#', rules(), '', true],
    ['an end key that is an option', '#', rules({ options: ['#'] }), '#', true],
    ['a number for an application', '4711', rules({ options: [], open: true, maxDigits: 32 }), '4711', false],
    ['that number, ended', '4711#', rules({ options: [], open: true, maxDigits: 32 }), '4711', true],
    ['as many as may be', '123456', rules({ options: [], open: true, maxDigits: 4 }), '1234', true],
    ['no end key', '1#', rules({ endKey: '' }), '1#', true],
  ])('%s', (_what, keys, given, expected, done) => {
    expect(typed(keys, given)).toMatchObject({ typed: expected, done });
  });

  it('never grow beyond what may be typed, and end at an option or at something that is none', () => {
    const key = fc.constantFrom(...'0123456789*#ABCD');
    const keys = fc.array(key, { minLength: 1, maxLength: 4 }).map((list) => list.join(''));
    fc.assert(
      fc.property(
        fc.array(keys, { minLength: 1, maxLength: 6 }),
        fc.array(key, { maxLength: 12 }),
        (options, pressed) => {
          const given = rules({ options, maxDigits: Math.max(...options.map((option) => option.length)) });
          const result = typed(pressed.join(''), given);
          expect(result.typed.length).toBeLessThanOrEqual(given.maxDigits);
          if (!result.done) expect(options.some((option) => option.startsWith(result.typed))).toBe(true);
        },
      ),
    );
  });
});
