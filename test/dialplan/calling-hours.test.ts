/** The hours at which people may be called, in their own time zone. */
import fc from 'fast-check';
import { isOpen, nextOpening } from '../../src/dialplan/calling-hours';
import { timeWindowSchema } from '../../src/dialplan/schema';

const berlin = timeWindowSchema.parse({
  days: ['mon', 'tue', 'wed', 'thu', 'fri'],
  from: '09:00',
  to: '18:00',
  timezone: 'Europe/Berlin',
});
const at = (text: string): Date => new Date(text);
const next = (text: string): string | undefined => nextOpening([berlin], at(text))?.toISOString();

describe('the hours at which we may call', () => {
  it('are always, where none are told', () => {
    expect(isOpen([], at('2026-03-01T03:00:00Z'))).toBe(true);
    expect(nextOpening([], at('2026-03-01T03:00:00Z'))).toEqual(at('2026-03-01T03:00:00Z'));
  });

  it('are those of the time zone, in summer and in winter', () => {
    expect(isOpen([berlin], at('2026-01-28T08:30:00Z'))).toBe(true);
    expect(isOpen([berlin], at('2026-01-28T07:30:00Z'))).toBe(false);
    expect(isOpen([berlin], at('2026-07-29T07:30:00Z'))).toBe(true);
  });

  it('begin again the next morning, or after the weekend, clocks put forward or not', () => {
    expect(next('2026-01-28T12:03:20Z')).toBe('2026-01-28T12:03:20.000Z');
    expect(next('2026-01-28T17:30:00Z')).toBe('2026-01-29T08:00:00.000Z');
    expect(next('2026-03-27T17:30:00Z')).toBe('2026-03-30T07:00:00.000Z');
  });

  it('never begin for a window that never opens', () => {
    const never = timeWindowSchema.parse({ from: '09:01', to: '09:02' });
    expect(nextOpening([never], at('2026-01-28T17:30:00Z'))).toBeUndefined();
  });

  it('are open whenever they are said to begin', () => {
    const times = fc.date({ min: at('2026-01-01T00:00:00Z'), max: at('2027-01-01T00:00:00Z'), noInvalidDate: true });
    fc.assert(
      fc.property(times, (from) => {
        const opens = nextOpening([berlin], from);
        expect(opens !== undefined && opens >= from && isOpen([berlin], opens)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});
