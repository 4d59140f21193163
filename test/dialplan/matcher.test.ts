/** Which route takes a call. */
import fc from 'fast-check';
import type { Dialplan, Route } from '../../src/dialplan/dialplan';
import { type CallFacts, chooseRoute, matchesPattern, mismatch, withinWindow } from '../../src/dialplan/matcher';
import { type MatchRule, matchSchema } from '../../src/dialplan/schema';

const call = (facts: Partial<CallFacts>): CallFacts => ({
  number: 'demo',
  caller: '+4930111',
  headers: {},
  at: new Date('2026-03-02T10:00:00Z'),
  ...facts,
});

const rule = (written: unknown): MatchRule => matchSchema.parse(written);

const route = (name: string, match: unknown): Route => ({
  name,
  place: `x.yaml:${name}`,
  match: rule(match),
  action: { type: 'echo' },
});

const plan = (routes: readonly Route[]): Dialplan => ({ folder: '', routes, personas: [], warnings: [] });

describe('chooseRoute', () => {
  const routes = [
    route('night', { number: 'demo', time: { from: '20:00', to: '06:00' } }),
    route('vip', { number: 'demo', caller: '+4930*' }),
    route('demo', { number: 'demo' }),
  ];

  it('takes the first route that matches, in file order', () => {
    expect(chooseRoute(plan(routes), call({})).route?.name).toBe('vip');
    expect(chooseRoute(plan(routes), call({ caller: 'x' })).route?.name).toBe('demo');
    expect(chooseRoute(plan(routes), call({ at: new Date('2026-03-02T23:00:00Z') })).route?.name).toBe('night');
  });

  it('says of every route before why it did not', () => {
    const { passedOver } = chooseRoute(plan(routes), call({ caller: 'x' }));
    expect(passedOver.map(({ route: { name }, because }) => [name, because])).toEqual([
      ['night', 'the time is outside the window'],
      ['vip', 'the caller is not +4930*'],
    ]);
  });

  it('refuses with 404 what no route wants', () => {
    const decision = chooseRoute(plan(routes), call({ number: '999' }));
    expect(decision).toMatchObject({ route: undefined, action: { type: 'reject', status: 404 } });
  });
});

describe('a rule', () => {
  it('looks at every condition that it has', () => {
    const full = rule({
      number: ['demo', '100'],
      caller: '+49*',
      trunk: 'acme',
      language: 'en',
      headers: { 'X-Tenant': 'a?c' },
    });
    const fitting = call({ trunk: 'acme', language: 'de;q=0.1, en-GB', headers: { 'x-tenant': 'abc' } });
    expect(mismatch(full, fitting)).toBeUndefined();
    expect(mismatch(full, { ...fitting, number: '101' })).toBe('the number is not demo or 100');
    expect(mismatch(full, { ...fitting, trunk: undefined })).toBe('the trunk is not acme');
    expect(mismatch(full, { ...fitting, language: 'en;q=0, fr' })).toBe('the language is not en');
    expect(mismatch(full, { ...fitting, language: 'english' })).toBe('the language is not en');
    expect(mismatch(full, { ...fitting, headers: {} })).toBe('there is no header X-Tenant');
    expect(mismatch(full, { ...fitting, headers: { 'X-TENANT': 'abcd' } })).toBe('the header X-Tenant is not a?c');
  });
});

describe('matchesPattern', () => {
  it.each([
    ['demo', 'Demo', true],
    ['+49*', '+4930123', true],
    ['+49*', '+1', false],
    ['*', '', true],
    ['1?3', '123', true],
    ['1?3', '13', false],
    ['*99', '*99', true],
    ['a*b*c', 'aXbXbc', true],
    ['a*b*c', 'aXbX', false],
    ['', '', true],
    ['', 'a', false],
  ])('%s against %s: %s', (pattern, text, fits) => {
    expect(matchesPattern(pattern, text)).toBe(fits);
  });

  it('agrees with the same pattern written as a regular expression', () => {
    const letters = fc
      .array(fc.constantFrom('a', 'b', '*', '?', '.', '+'), { maxLength: 8 })
      .map((list) => list.join(''));
    const texts = fc.array(fc.constantFrom('a', 'b', '.', '+', '*'), { maxLength: 10 }).map((list) => list.join(''));
    fc.assert(
      fc.property(letters, texts, (pattern, text) => {
        const source = pattern.replace(/[.+]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.');
        expect(matchesPattern(pattern, text)).toBe(new RegExp(`^${source}$`).test(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('stays quick where backtracking would never end', () => {
    expect(matchesPattern(`${'*a'.repeat(40)}b`, 'a'.repeat(20_000))).toBe(false);
  });
});

describe('withinWindow', () => {
  const window = (written: unknown) => rule({ time: written }).time!;
  // 2026-03-02 is a Monday.
  const at = (time: string) => new Date(`2026-03-02T${time}:00Z`);

  it('includes its beginning and not its end', () => {
    const hours = window({ from: '09:00', to: '17:00' });
    expect([at('08:59'), at('09:00'), at('16:59'), at('17:00')].map((time) => withinWindow(hours, time))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('counts the hours after midnight to the day on which it opened', () => {
    const mondayNight = window({ days: ['mon'], from: '22:00', to: '02:00' });
    expect(withinWindow(mondayNight, at('23:30'))).toBe(true);
    expect(withinWindow(mondayNight, new Date('2026-03-03T01:30:00Z'))).toBe(true);
    expect(withinWindow(mondayNight, at('01:30'))).toBe(false);
  });

  it('follows its own time zone, daylight saving included', () => {
    const berlin = window({ from: '09:00', to: '10:00', timezone: 'Europe/Berlin' });
    expect(withinWindow(berlin, new Date('2026-01-15T08:30:00Z'))).toBe(true);
    expect(withinWindow(berlin, new Date('2026-07-15T07:30:00Z'))).toBe(true);
    expect(withinWindow(berlin, new Date('2026-07-15T08:30:00Z'))).toBe(false);
  });

  it('never throws, whatever the call brings', () => {
    const full = rule({ number: '*', headers: { 'X-A': '*' }, language: 'en', time: { from: '22:00', to: '02:00' } });
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.dictionary(fc.string(), fc.string()),
        fc.date({ noInvalidDate: true }),
        (text, language, headers, when) => {
          expect(['string', 'undefined']).toContain(
            typeof mismatch(full, call({ number: text, language, headers, at: when })),
          );
        },
      ),
    );
  });
});
