import fc from 'fast-check';
import { speakDay, speakTime, spokenDate } from '../../../src/call/forms/spoken-date';
import { SLOT_KINDS, speakable, valueIn } from '../../../src/call/forms/spoken-value';

const TODAY = '2027-03-01'; // A Monday.
const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const UNITS =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const TENS = ['', '', 'twenty', 'thirty', 'forty', 'fifty'];
const ORDINALS: Record<string, string> = {
  one: 'first',
  two: 'second',
  three: 'third',
  five: 'fifth',
  eight: 'eighth',
  nine: 'ninth',
  twelve: 'twelfth',
  twenty: 'twentieth',
  thirty: 'thirtieth',
};

const words = (number: number): string =>
  number < 20 ? UNITS[number]! : `${TENS[Math.floor(number / 10)]}${number % 10 === 0 ? '' : ` ${UNITS[number % 10]}`}`;
const ordinal = (number: number): string => words(number).replace(/\w+$/, (last) => ORDINALS[last] ?? `${last}th`);

const day = fc.integer({ min: 0, max: 364 }).map((after) => new Date(Date.parse(TODAY) + after * 86_400_000));
const time = fc.record({
  hour: fc.integer({ min: 0, max: 23 }),
  minute: fc.integer({ min: 0, max: 11 }).map((five) => five * 5),
});

describe('days and times as callers say them', () => {
  it.each([
    ['the twenty third of march at half past two', '2027-03-23', '14:30'],
    ['March 23rd at 2:30 p.m.', '2027-03-23', '14:30'],
    ['Tomorrow at quarter to nine, please.', '2027-03-02', '08:45'],
    ['next Monday at noon', '2027-03-08', '12:00'],
    ['on friday at nine oh five in the morning', '2027-03-05', '09:05'],
    ['the day after tomorrow, 10am', '2027-03-03', '10:00'],
    ['February the first', '2028-02-01', undefined],
    ['at three o’clock', undefined, '15:00'],
    ['the thirtieth of february at ten', undefined, '10:00'],
    ['I do not know yet.', undefined, undefined],
  ])('%s', (text, wantedDay, wantedTime) => {
    expect(spokenDate(text, TODAY)).toEqual({ day: wantedDay, time: wantedTime });
  });

  it('mean the same in words and in figures, and as they are read back', () => {
    fc.assert(
      fc.property(day, time, fc.nat(4), (date, { hour, minute }, way) => {
        const iso = date.toISOString().slice(0, 10);
        const at = `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
        const half = hour < 12 ? 'in the morning' : hour < 18 ? 'in the afternoon' : 'in the evening';
        const twelve = hour % 12 === 0 ? 12 : hour % 12;
        const month = MONTHS[date.getUTCMonth()]!;
        const number = date.getUTCDate();
        const said = [
          `${month} ${number} at ${twelve}:${String(minute).padStart(2, '0')} ${hour < 12 ? 'am' : 'pm'}`,
          `the ${ordinal(number)} of ${month} at ${words(twelve)} ${minute === 0 ? '' : minute < 10 ? `oh ${words(minute)}` : words(minute)} ${half}`,
          `${month} the ${ordinal(number)}, ${minute === 0 ? words(twelve) : minute === 30 ? `half past ${words(twelve)}` : `${words(minute)} minutes past ${words(twelve)}`} ${half}`,
          `${speakDay(iso)} at ${speakTime(at)}`,
          `I would like the ${number}${['th', 'st', 'nd', 'rd'][number > 3 && number < 21 ? 0 : number % 10] ?? 'th'} of ${month} at ${speakTime(at)}, please`,
        ][way]!;
        expect([said, spokenDate(said, TODAY)]).toEqual([said, { day: iso, time: at }]);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the values of a form', () => {
  it.each([
    ['spelled', 'Brown. B, R, O, W, N.', 'Brown'],
    ['spelled', 'It is spelled b as in bravo, r, double o, k, e', 'Brooke'],
    ['spelled', 'bravo romeo oscar whiskey november', 'Brown'],
    ['spelled', 'My name is Miller.', 'Miller'],
    ['digits', 'four double seven, one', '4771'],
    ['phone', 'plus four nine, one seven two, 555 0123', '+491725550123'],
    ['phone', 'It is 0 1 7.', undefined],
    ['number', 'for forty two people', 42],
    ['text', 'My address is 4 Mill Lane.', '4 Mill Lane'],
    ['choice', 'The evening would be best', 'evening'],
    ['yes-no', 'Yes, please.', true],
  ] as const)('%s: %s', (kind, text, value) => {
    expect(valueIn(text, kind, TODAY, ['morning', 'evening'])).toBe(value);
  });

  it('come back from how they are read out', () => {
    const digits = fc.stringMatching(/^[0-9]{5,14}$/);
    fc.assert(
      fc.property(digits, fc.stringMatching(/^[A-Z][a-z]{2,12}$/), fc.boolean(), (number, name, abroad) => {
        expect(valueIn(speakable(number, 'digits'), 'digits', TODAY)).toBe(number);
        const phone = abroad ? `+${number}` : number;
        expect(valueIn(speakable(phone, 'phone'), 'phone', TODAY)).toBe(phone);
        expect(valueIn(speakable(name, 'spelled'), 'spelled', TODAY)).toBe(name);
      }),
    );
  });

  it('are a value or none for any words', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.constantFrom(...SLOT_KINDS), (text, kind) => {
        const value = valueIn(text, kind, TODAY, ['a']);
        if (value !== undefined) expect(typeof speakable(value, kind)).toBe('string');
      }),
    );
  });
});
